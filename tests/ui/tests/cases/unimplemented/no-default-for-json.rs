use session_runtime::Session;

#[derive(serde::Serialize, serde::Deserialize)]
struct Theme;

#[derive(Session)]
struct Visitor {
    #[session(json)]
    theme: Theme,
}
fn main() {}
