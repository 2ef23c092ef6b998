use session_runtime::FieldValue;

#[derive(FieldValue)]
union Number {
    whole: u64,
    broken: f64,
}

fn main() {}
