//! `sessionctl completion` and `sessionctl man`.

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};
use clap_mangen::Man;

use super::args::Args;
use super::failure::Failure;
use super::output::Output;

pub(super) fn completion(shell: Shell, output: &mut Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    generate(shell, &mut Args::command(), "sessionctl", &mut script);
    output.bytes(&script)
}

/// Prints the page of the program, or of a command.
pub(super) fn page(words: &[String], output: &mut Output) -> Result<(), Failure> {
    let mut program = Args::command();
    // Sets the whole names of commands.
    program.build();
    let mut command = &program;
    for word in words {
        command = command.find_subcommand(word).ok_or(Failure::NoCommand)?;
    }
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    output.bytes(&page)
}
