struct Visitor;

fn handler(_: &session_runtime::Session<Visitor>) {}

fn main() {}
