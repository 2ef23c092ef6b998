fn handler(sessions: session_runtime::Sessions) {
    let _ = sessions.layer();
}
fn main() {}
