//! Speed of sessions: by hand, with this library, and with other libraries. See
//! `benches/README.md`.

mod check;
mod child;
mod crowd;
mod growth;
mod link;
mod load;
mod measure;
mod options;
mod plot;
mod redis_server;
mod report;
mod scenario;
mod server;
mod stats;
mod table;

use std::error::Error;
use std::fs;
use std::path::Path;

use options::{Command, Options};
use report::Report;

/// Any error that ends the program. No caller needs to tell errors apart.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    match Options::read(std::env::args().skip(1))?.command {
        Command::Compare { selection, links, json, svg } => {
            let report = measure::compare(&selection, &links)?;
            println!("{}\n{}", table::markdown(&report), table::summary(&report));
            if let Some(path) = json {
                fs::write(path, serde_json::to_string_pretty(&report)?)?;
            }
            svg.map_or(Ok(()), |path| draw(&report, &path))
        }
        Command::Growth { is_quick, json } => {
            let growth = growth::measure(is_quick)?;
            println!("{}", growth.markdown());
            json.map_or(Ok(()), |path| Ok(fs::write(path, serde_json::to_string_pretty(&growth)?)?))
        }
        Command::Plot { json, svg } => {
            let report: Report = serde_json::from_slice(&fs::read(json)?)?;
            draw(&report, &svg)
        }
        Command::Serve { contestant, redis } => server::serve(contestant, &redis),
        Command::Delay { redis } => {
            child::end_with_input();
            link::serve(&redis)
        }
    }
}

fn draw(report: &Report, path: &Path) -> Result<(), Failure> {
    Ok(fs::write(path, plot::svg(report))?)
}
