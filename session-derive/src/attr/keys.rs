//! The table of all keys of `#[session(…)]`.

/// A key of `#[session(…)]`.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) targets: &'static [Target],
    pub(crate) value_kind: ValueKind,
}

/// The item that has the attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The struct with `#[derive(Session)]`.
    Struct,
    Field,
    /// The type with `#[derive(FieldValue)]`.
    Value,
    Variant,
    /// The parentheses of `index(…)`.
    Index,
    /// The parentheses of `encrypt(…)`.
    Encrypt,
}

impl Target {
    /// The other item of the same derive, if there is any. A misplaced key may belong there.
    pub(crate) fn counterpart(self) -> Self {
        match self {
            Self::Struct => Self::Field,
            Self::Field => Self::Struct,
            Self::Index => Self::Index,
            Self::Encrypt => Self::Encrypt,
            Self::Value => Self::Variant,
            Self::Variant => Self::Value,
        }
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Struct => "the struct",
            Self::Field => "a field",
            Self::Value => "the enum",
            Self::Variant => "a variant",
            Self::Index => "an index",
            Self::Encrypt => "`encrypt`",
        }
    }
}

/// The kind of value after a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueKind {
    /// `key`, without a value.
    None,
    /// `key = "text"`.
    Text,
    /// `key`, or `key = false`.
    Flag,
    /// `key = "5m"`.
    Duration,
    /// `key = 64`: an integer from this minimum to 65535.
    Integer(u16),
    /// `key = some::path`.
    Path,
    /// `key = some::module`, or `key = "some::module"`.
    Module,
    /// `key`, or `key = expression`.
    OptionalExpression,
    /// `key`, or `key(…)`.
    Arguments(Target),
}

pub(crate) const ACCEPT_PLAIN: Key =
    Key { name: "accept_plain", targets: &[Target::Encrypt], value_kind: ValueKind::None };
pub(crate) const ALIAS: Key =
    Key { name: "alias", targets: &[Target::Field], value_kind: ValueKind::Text };
pub(crate) const BY: Key =
    Key { name: "by", targets: &[Target::Index], value_kind: ValueKind::Text };
pub(crate) const CACHED: Key =
    Key { name: "cached", targets: &[Target::Struct, Target::Field], value_kind: ValueKind::Flag };
pub(crate) const CRATE: Key =
    Key { name: "crate", targets: &[Target::Struct, Target::Value], value_kind: ValueKind::Path };
pub(crate) const DEFAULT: Key =
    Key { name: "default", targets: &[Target::Field], value_kind: ValueKind::OptionalExpression };
pub(crate) const DEFAULT_VARIANT: Key =
    Key { name: "default", targets: &[Target::Variant], value_kind: ValueKind::None };
pub(crate) const ENCRYPT: Key = Key {
    name: "encrypt",
    targets: &[Target::Field],
    value_kind: ValueKind::Arguments(Target::Encrypt),
};
pub(crate) const FIELDS: Key =
    Key { name: "fields", targets: &[Target::Struct], value_kind: ValueKind::Text };
pub(crate) const INDEX: Key = Key {
    name: "index",
    targets: &[Target::Field],
    value_kind: ValueKind::Arguments(Target::Index),
};
pub(crate) const JSON: Key =
    Key { name: "json", targets: &[Target::Field], value_kind: ValueKind::None };
pub(crate) const NAME: Key =
    Key { name: "name", targets: &[Target::Index], value_kind: ValueKind::Text };
pub(crate) const ON_DECODE_ERROR: Key = Key {
    name: "on_decode_error",
    targets: &[Target::Struct, Target::Field],
    value_kind: ValueKind::Text,
};
pub(crate) const PAD: Key =
    Key { name: "pad", targets: &[Target::Encrypt], value_kind: ValueKind::Integer(2) };
pub(crate) const PREFIX: Key =
    Key { name: "prefix", targets: &[Target::Struct], value_kind: ValueKind::Text };
pub(crate) const RENAME: Key =
    Key { name: "rename", targets: &[Target::Field, Target::Variant], value_kind: ValueKind::Text };
pub(crate) const RENAME_ALL: Key = Key {
    name: "rename_all",
    targets: &[Target::Struct, Target::Value],
    value_kind: ValueKind::Text,
};
pub(crate) const SHOW: Key =
    Key { name: "show", targets: &[Target::Field], value_kind: ValueKind::None };
pub(crate) const SKIP: Key =
    Key { name: "skip", targets: &[Target::Field], value_kind: ValueKind::None };
pub(crate) const TTL: Key =
    Key { name: "ttl", targets: &[Target::Field], value_kind: ValueKind::Duration };
pub(crate) const WITH: Key =
    Key { name: "with", targets: &[Target::Field], value_kind: ValueKind::Module };

pub(crate) const WRITE_PLAIN: Key =
    Key { name: "write_plain", targets: &[Target::Encrypt], value_kind: ValueKind::None };

pub(crate) const KEYS: &[Key] = &[
    ACCEPT_PLAIN,
    ALIAS,
    BY,
    CACHED,
    CRATE,
    DEFAULT,
    DEFAULT_VARIANT,
    ENCRYPT,
    FIELDS,
    INDEX,
    JSON,
    NAME,
    ON_DECODE_ERROR,
    PAD,
    PREFIX,
    RENAME,
    RENAME_ALL,
    SHOW,
    SKIP,
    TTL,
    WITH,
    WRITE_PLAIN,
];

impl Key {
    pub(crate) fn find(name: &str, target: Target) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name && key.targets.contains(&target))
    }

    /// Returns the names of the keys for this item, in the order of the table.
    pub(crate) fn names(target: Target) -> Vec<&'static str> {
        Self::all_of(target).map(|key| key.name).collect()
    }

    fn all_of(target: Target) -> impl Iterator<Item = &'static Self> {
        KEYS.iter().filter(move |key| key.targets.contains(&target))
    }

    /// Returns the error message for a value of the wrong kind.
    pub(crate) fn expected(&self) -> String {
        let name = self.name;
        match self.value_kind {
            ValueKind::None => format!("`{name}` takes no value"),
            ValueKind::Text => format!("expected `{name} = \"…\"`"),
            ValueKind::Flag => format!("expected `{name}` or `{name} = false`"),
            ValueKind::Duration => {
                format!(
                    "expected a time with its unit (`ms`, `s`, `m`, `h` or `d`), such as `{name} \
                     = \"5m\"`"
                )
            }
            ValueKind::Integer(min) => {
                format!("expected a number from {min} to {}, such as `{name} = 64`", u16::MAX)
            }
            ValueKind::Path => format!("expected `{name} = some::path`"),
            ValueKind::Module => format!("expected `{name} = some::module`"),
            ValueKind::OptionalExpression => format!("expected `{name}` or `{name} = …`"),
            ValueKind::Arguments(target) => {
                let keys: Vec<_> = Self::all_of(target).map(Self::example).collect();
                format!("expected `{name}` or `{name}({})`", keys.join(", "))
            }
        }
    }

    /// Returns the key as an argument of another key.
    fn example(&self) -> String {
        let name = self.name;
        match self.value_kind {
            ValueKind::None => name.to_owned(),
            ValueKind::Integer(_) => format!("{name} = 64"),
            _ => format!("{name} = \"…\""),
        }
    }
}
