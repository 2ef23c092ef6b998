//! Each attribute is marked, and nothing else is reported.

use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(cached, encrypt(accept_plain, pad = 64), default = 7)]
    pin: u64,
    #[session(json, encrypt)]
    names: Vec<String>,
    #[session(index, encrypt)]
    number: Option<u64>,
    plain: String,
}

async fn page(session: Session<Account>) -> Result<(), session_runtime::Error> {
    session.set_pin(session.pin().await? + 1).await?;
    session.names().take().await?;
    session.read((session.plain(), session.number())).await?;
    Ok(())
}

fn main() {}
