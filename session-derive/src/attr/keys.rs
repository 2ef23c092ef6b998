//! Every key of `#[session(…)]`, in one table.

/// One key of `#[session(…)]`.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) places: &'static [Place],
    pub(crate) takes: Takes,
}

/// Where a key may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// What derives `Session`.
    Struct,
    Field,
    /// What derives `FieldValue`.
    Value,
    Variant,
}

impl Place {
    /// Where a key may have been meant to stand.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Struct => Self::Field,
            Self::Field => Self::Struct,
            Self::Value => Self::Variant,
            Self::Variant => Self::Value,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Struct => "the struct",
            Self::Field => "a field",
            Self::Value => "the enum",
            Self::Variant => "a variant",
        }
    }
}

/// What follows a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// The key alone.
    Nothing,
    /// `key = "text"`.
    Text,
    /// `key = "5m"`.
    Time,
    /// `key = some::path`.
    Path,
    /// `key = some::module`, or the same as text.
    Module,
    /// The key alone or `key = expression`.
    MaybeExpression,
}

pub(crate) const ALIAS: Key = Key { name: "alias", places: &[Place::Field], takes: Takes::Text };
pub(crate) const CRATE: Key =
    Key { name: "crate", places: &[Place::Struct, Place::Value], takes: Takes::Path };
pub(crate) const DEFAULT: Key =
    Key { name: "default", places: &[Place::Field], takes: Takes::MaybeExpression };
pub(crate) const DEFAULT_VARIANT: Key =
    Key { name: "default", places: &[Place::Variant], takes: Takes::Nothing };
pub(crate) const FIELDS: Key = Key { name: "fields", places: &[Place::Struct], takes: Takes::Text };
pub(crate) const JSON: Key = Key { name: "json", places: &[Place::Field], takes: Takes::Nothing };
pub(crate) const ON_DECODE_ERROR: Key =
    Key { name: "on_decode_error", places: &[Place::Struct, Place::Field], takes: Takes::Text };
pub(crate) const PREFIX: Key = Key { name: "prefix", places: &[Place::Struct], takes: Takes::Text };
pub(crate) const RENAME: Key =
    Key { name: "rename", places: &[Place::Field, Place::Variant], takes: Takes::Text };
pub(crate) const RENAME_ALL: Key =
    Key { name: "rename_all", places: &[Place::Struct, Place::Value], takes: Takes::Text };
pub(crate) const SKIP: Key = Key { name: "skip", places: &[Place::Field], takes: Takes::Nothing };
pub(crate) const TTL: Key = Key { name: "ttl", places: &[Place::Field], takes: Takes::Time };
pub(crate) const WITH: Key = Key { name: "with", places: &[Place::Field], takes: Takes::Module };

pub(crate) const KEYS: &[Key] = &[
    ALIAS,
    CRATE,
    DEFAULT,
    DEFAULT_VARIANT,
    FIELDS,
    JSON,
    ON_DECODE_ERROR,
    PREFIX,
    RENAME,
    RENAME_ALL,
    SKIP,
    TTL,
    WITH,
];

impl Key {
    pub(crate) fn find(name: &str, place: Place) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name && key.places.contains(&place))
    }

    /// The names of the keys that may stand there, in the order of the table.
    pub(crate) fn names(place: Place) -> Vec<&'static str> {
        KEYS.iter().filter(|key| key.places.contains(&place)).map(|key| key.name).collect()
    }

    /// What to say when something else follows the key than what it takes.
    pub(crate) fn expected(&self) -> String {
        let name = self.name;
        match self.takes {
            Takes::Nothing => format!("`{name}` takes no value"),
            Takes::Text => format!("expected `{name} = \"…\"`"),
            Takes::Time => {
                format!(
                    "expected a time with its unit (`ms`, `s`, `m`, `h` or `d`), such as `{name} = \"5m\"`"
                )
            }
            Takes::Path => format!("expected `{name} = some::path`"),
            Takes::Module => format!("expected `{name} = some::module`"),
            Takes::MaybeExpression => format!("expected `{name}` or `{name} = …`"),
        }
    }
}
