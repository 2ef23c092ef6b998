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

pub(super) fn page(output: &mut Output) -> Result<(), Failure> {
    let mut page = Vec::new();
    Man::new(Args::command()).render(&mut page)?;
    output.bytes(&page)
}
