use session_runtime::Session;

#[derive(Session)]
struct Account {
    #[session(encrypt)]
    tries_left: u8,
}

async fn page(session: Session<Account>) {
    let _ = session.tries_left() == 1;
}

fn main() {}
