use session_runtime::Session;

#[derive(Session)]
struct Visitor<'a, 'b: 'a, T: 'a> {
    name: &'a &'b T,
}

fn main() {}
