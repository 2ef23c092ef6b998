use session_runtime::Session;

#[derive(Session)]
struct Cart<T> {
    last: Option<T>,
}

fn handler(_: &Session<Cart<std::path::PathBuf>>) {}

fn main() {}
