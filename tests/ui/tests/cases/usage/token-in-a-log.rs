/// A token is a secret, which no log contains by accident.
fn log(token: &session_runtime::SessionToken) -> String {
    format!("signed in with {token:?}, or {token}")
}
fn main() {}
