use session_runtime::Session;

struct Unstorable;

#[derive(Session)]
struct Cart<T> {
    last: Option<T>,
}

fn handler(_: &Session<Cart<Unstorable>>) {}

fn main() {}
