//! The program `sessionctl`, for operators.

use std::process::ExitCode;

fn main() -> ExitCode {
    session_runtime::__sessionctl::main()
}
