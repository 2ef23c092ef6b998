fn handler(sessions: session_runtime::Sessions) {
    let _ = sessions.middleware();
}
fn main() {}
