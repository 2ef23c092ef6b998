//! The suite's session, and the execution of steps.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use futures::future::join_all;
use serde_json::{Value, json};
use session_runtime::{Error, Field, Lifetime, Session};

use super::gates::Gates;
use super::script::{Script, Step};

/// The session of the acceptance suite.
#[derive(Debug, Session)]
pub struct Visitor {
    /// Number of visits.
    pub count: u64,
    small: u8,
    name: String,
    nickname: Option<String>,
    vip: bool,
    age: Option<u32>,
    #[session(json)]
    properties: BTreeMap<String, Value>,
    #[session(json)]
    note: Option<Value>,
    #[session(default = 100)]
    credit: i64,
}

/// Runs an operation on the field with this name, for any type.
macro_rules! on_field {
    ($session:expr, $name:expr, $operation:ident) => {
        match $name {
            "count" => $operation!($session.count()),
            "small" => $operation!($session.small()),
            "name" => $operation!($session.name()),
            "nickname" => $operation!($session.nickname()),
            "vip" => $operation!($session.vip()),
            "age" => $operation!($session.age()),
            "properties" => $operation!($session.properties()),
            "note" => $operation!($session.note()),
            "credit" => $operation!($session.credit()),
            other => panic!("the session of the suite has no field {other}"),
        }
    };
}

/// Runs the script's steps, and returns their results.
pub(crate) async fn run(
    session: &Session<Visitor>,
    script: &Script,
    gates: &Gates,
) -> Result<Vec<Value>, Error> {
    take_all(session, &script.steps, script.strict, gates).await
}

/// Runs the script's late steps.
pub(crate) async fn run_late(
    session: &Session<Visitor>,
    script: &Script,
    gates: &Gates,
) -> Vec<Value> {
    take_all(session, &script.late, false, gates).await.unwrap()
}

async fn take_all(
    session: &Session<Visitor>,
    steps: &[Step],
    strict: bool,
    gates: &Gates,
) -> Result<Vec<Value>, Error> {
    let mut results = Vec::new();
    for step in steps {
        match take(session, step, gates).await {
            Ok(value) => results.push(json!({ "ok": value })),
            Err(error) if strict => return Err(error),
            Err(error) => results.push(json!({ "error": questions(&error) })),
        }
    }
    Ok(results)
}

fn take<'a>(
    session: &'a Session<Visitor>,
    step: &'a Step,
    gates: &'a Gates,
) -> Pin<Box<dyn Future<Output = Result<Value, Error>> + Send + 'a>> {
    Box::pin(async move {
        match step {
            Step::Get(field) => get(session, field).await,
            Step::Set(field, value) => {
                set(session, field, value.clone()).await.map(|()| Value::Null)
            }
            Step::Exists(field) => {
                macro_rules! exists {
                    ($field:expr) => {
                        $field.exists().await
                    };
                }
                on_field!(session, field.as_str(), exists).map(Value::from)
            }
            Step::Raw(field) => {
                macro_rules! raw {
                    ($field:expr) => {
                        $field.raw().await
                    };
                }
                let stored = on_field!(session, field.as_str(), raw)?;
                Ok(stored.map(|stored| String::from_utf8_lossy(&stored).into_owned()).into())
            }
            Step::Remove(field) => {
                macro_rules! remove {
                    ($field:expr) => {
                        $field.remove().await
                    };
                }
                on_field!(session, field.as_str(), remove).map(Value::from)
            }
            Step::Clear => session.clear().await.map(|()| Value::Null),
            Step::SessionId => {
                Ok(session.session_id().map(|id| id.expose_secret().to_owned()).into())
            }
            Step::SessionExists => session.exists().await.map(Value::from),
            Step::ExpiresIn => {
                Ok(session.expires_in().await?.map(|left| left.as_secs_f64()).into())
            }
            Step::Rotate => session.rotate().await.map(|()| Value::Null),
            Step::Renew(class) => {
                session.renew(Lifetime::custom(*class)).await.map(|()| Value::Null)
            }
            Step::Destroy => session.destroy().await.map(|()| Value::Null),
            Step::Join(steps) => {
                let results = join_all(steps.iter().map(|step| take(session, step, gates))).await;
                results.into_iter().collect::<Result<Vec<_>, _>>().map(Value::from)
            }
            Step::Gate(name) => {
                gates.pass(name).await;
                Ok(Value::Null)
            }
        }
    })
}

async fn get(session: &Session<Visitor>, field: &str) -> Result<Value, Error> {
    macro_rules! get {
        ($field:expr) => {
            serde_json::to_value($field.await?).unwrap()
        };
    }
    Ok(on_field!(session, field, get))
}

async fn set(session: &Session<Visitor>, field: &str, value: Value) -> Result<(), Error> {
    macro_rules! set {
        ($field:expr) => {
            assign($field, value).await
        };
    }
    on_field!(session, field, set)
}

async fn assign<T: serde::de::DeserializeOwned>(
    field: Field<'_, T>,
    value: Value,
) -> Result<(), Error> {
    field.set(serde_json::from_value(value).unwrap()).await
}

/// Returns the names of all `is_…` methods that return true for this error.
fn questions(error: &Error) -> Vec<&'static str> {
    let answers = [
        ("decode", error.is_decode()),
        ("encode", error.is_encode()),
        ("cross_site", error.is_cross_site()),
        ("gone", error.is_gone()),
        ("too_large", error.is_too_large()),
        ("unavailable", error.is_unavailable()),
        ("outcome_unknown", error.is_outcome_unknown()),
        ("headers_sent", error.is_headers_sent()),
        ("missing_layer", error.is_missing_layer()),
        ("config", error.is_config()),
    ];
    answers.into_iter().filter_map(|(question, yes)| yes.then_some(question)).collect()
}
