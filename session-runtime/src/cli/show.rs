//! `sessionctl show`.

use std::fmt;

use anstyle::Style;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;

use super::args::ShowArgs;
use super::connection::{Opened, redis_store};
use super::failure::Failure;
use super::list::{OrUnknown, Summary};
use super::output::Output;
use super::safe::Safe;
use super::tag::{no_session, select};
use super::time::Time;
use super::untyped::Untyped;
use super::walk::by_tag;
use crate::encryption::{Encryption, Place as EncryptedPlace, is_sealed};
use crate::error::Error;
use crate::session::found::SessionEntry;
use crate::store::{Lookup, PERMANENT_FIELD, Refresh};

/// A session with its fields.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    session: Summary,
    /// 0 for `normal`, 1 for `remembered`.
    lifetime_class: u8,
    indexes: Vec<Index>,
    fields: Vec<Field>,
}

#[derive(Serialize)]
struct Index {
    index: String,
    field: String,
    signed_in_at: Option<Time>,
}

#[derive(Serialize)]
struct Field {
    name: String,
    kind: Kind,
    bytes: usize,
    #[serde(flatten)]
    value: Option<Value>,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Text,
    Binary,
    Encrypted,
}

/// The value of a field, as JSON shows it.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Value {
    Text(String),
    Base64(String),
    Unreadable(&'static str),
}

const NO_KEY: &str =
    "it is encrypted, and neither SESSION_ENCRYPTION_KEYS nor SESSION_SECRET has a key";
/// The longest value that is shown as text, in characters.
const LONGEST: usize = 1_000;

pub(super) async fn run(
    opened: Opened,
    args: ShowArgs,
    output: &mut Output,
) -> Result<(), Failure> {
    let Opened { sessions, place, .. } = &opened;
    let found = by_tag(sessions, args.tag.as_str(), &args.pace).await?;
    let found = select(found, args.created);
    let mut shown = Vec::with_capacity(found.len());
    for entry in &found {
        shown.extend(look(&opened, entry, args.values).await?);
    }
    if shown.is_empty() {
        return Err(no_session(&args.tag, args.created, place));
    }
    for (at, session) in shown.iter().enumerate() {
        if at > 0 && !output.is_json() {
            output.text("")?;
        }
        output.result(session, session)?;
    }
    Ok(())
}

/// Reads a session. `None` if it has ended since it was found.
async fn look(
    opened: &Opened,
    entry: &SessionEntry<Untyped>,
    with_values: bool,
) -> Result<Option<Shown>, Failure> {
    let (store, key) = (redis_store(&opened.sessions)?, &entry.metadata().key);
    let stored = match store.get_all(key, "", Refresh::No).await {
        Ok(Lookup::Found(fields)) => fields,
        Ok(Lookup::Missing | Lookup::Dead) => return Ok(None),
        Err(error) => return Err(Failure::from(Error::from(error)).needing("+hscan")),
    };
    let indexes = store.indexes_of(key).await.map_err(Error::from)?;
    let mut fields = Vec::with_capacity(stored.len());
    for (name, value) in stored {
        if name != PERMANENT_FIELD {
            let shown = if with_values { Some(show(opened, entry, &name, &value)?) } else { None };
            fields.push(Field { name, kind: Kind::of(&value), bytes: value.len(), value: shown });
        }
    }
    fields.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Some(Shown {
        session: Summary::new(entry),
        lifetime_class: entry.metadata().lifetime.class(),
        indexes: indexes
            .into_iter()
            .map(|index| Index {
                index: index.index,
                field: index.field,
                signed_in_at: index.signed_in_at.map(Time),
            })
            .collect(),
        fields,
    }))
}

impl Kind {
    fn of(value: &[u8]) -> Self {
        match std::str::from_utf8(value) {
            _ if is_sealed(value) => Self::Encrypted,
            Ok(_) => Self::Text,
            Err(_) => Self::Binary,
        }
    }
}

/// Decrypts a value if it is encrypted.
fn show(
    opened: &Opened,
    entry: &SessionEntry<Untyped>,
    name: &str,
    value: &Bytes,
) -> Result<Value, Failure> {
    if !is_sealed(value) {
        return Ok(Value::of(value));
    }
    let keys = opened.sessions.manager().encryption_keys("encrypted")?;
    let place = EncryptedPlace { identity: entry.metadata().identity(), field: name };
    Ok(match keys.open(Encryption::new(), place, value) {
        Ok(value) => Value::of(&value),
        Err(_) if !opened.has_keys => Value::Unreadable(NO_KEY),
        Err(unopened) => Value::Unreadable(unopened.reason()),
    })
}

impl Value {
    fn of(value: &[u8]) -> Self {
        match std::str::from_utf8(value) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(STANDARD.encode(value)),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { tag, created_at, last_used_at, .. } = &self.session;
        write_line(f, "tag", tag)?;
        write_line(f, "created", created_at)?;
        write_line(f, "last used", OrUnknown(*last_used_at))?;
        write_line(f, "expires in", self.session.expires_in())?;
        write_line(f, "lifetime", LifetimeClass(self.lifetime_class))?;
        for index in &self.indexes {
            write_line(f, "index", index)?;
        }
        let bold = Style::new().bold();
        write!(f, "{bold}{:<24}  {:<9}  {:>8}{bold:#}", "FIELD", "KIND", "BYTES")?;
        self.fields.iter().try_for_each(|field| write!(f, "\n{field}"))
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, name: &str, value: impl fmt::Display) -> fmt::Result {
    writeln!(f, "{name:<12}{value}")
}

struct LifetimeClass(u8);

impl fmt::Display for LifetimeClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("normal"),
            1 => f.write_str("remembered"),
            class => write!(f, "class {class}"),
        }
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Safe(&self.index))?;
        if self.field != self.index {
            write!(f, ", of the field {}", Safe(&self.field))?;
        }
        match self.signed_in_at {
            Some(time) => write!(f, ", since {time}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, kind) = (Safe(&self.name).to_string(), self.kind);
        write!(f, "{name:<24}  {kind:<9}  {:>8}", self.bytes)?;
        match &self.value {
            Some(value) => write!(f, "  {value}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Encrypted => "encrypted",
        })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (form, text) = match self {
            Self::Text(text) => ("", text.as_str()),
            Self::Base64(text) => ("base64:", text.as_str()),
            Self::Unreadable(reason) => return write!(f, "not readable: {reason}"),
        };
        match text.char_indices().nth(LONGEST) {
            None => write!(f, "{form}{}", Safe(text)),
            Some((end, _)) => write!(f, "{form}{}… (all of it with --json)", Safe(&text[..end])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_off_at_a_character() {
        let text = |length| Value::Text("ü".repeat(length)).to_string();
        assert_eq!(text(LONGEST), "ü".repeat(LONGEST));
        assert_eq!(text(LONGEST + 1), "ü".repeat(LONGEST) + "… (all of it with --json)");
    }

    #[test]
    fn a_value_is_text_if_it_is_utf_8() {
        for (value, kind) in [
            (&b""[..], "text"),
            ("Grüße\0".as_bytes(), "text"),
            (&[0xff], "binary"),
            (&[0xf5, 0], "encrypted"),
            (&[0xf6], "encrypted"),
        ] {
            assert_eq!(Kind::of(value).to_string(), kind, "{value:?}");
        }
    }
}
