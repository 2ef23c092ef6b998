use session_runtime::Session;

#[derive(Session)]
struct Auth {
    #[session(index)]
    score: Option<f64>,
}

fn main() {
    let _ = Auth::by_score(1.0);
}
