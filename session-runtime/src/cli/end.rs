//! `sessionctl end`.

use std::io::{self, BufRead, IsTerminal as _, Write as _};

use serde::Serialize;

use super::args::EndArgs;
use super::connection::{Opened, Place};
use super::failure::Failure;
use super::output::{Output, Time};
use super::progress::Progress;
use super::tag::{Tag, no_session, select};
use super::untyped::Untyped;
use super::walk::by_tag;
use crate::session::found::FoundSessions;
use crate::session::sessions::Sessions;

#[derive(Serialize)]
struct Ended {
    ended: usize,
}

pub(super) async fn run(opened: Opened, args: EndArgs, output: &mut Output) -> Result<(), Failure> {
    let Opened { sessions, place } = &opened;
    let ended = match (&args.tag, args.selection.query()) {
        (Some(tag), _) => end_one(sessions, tag, &args, place).await?,
        (None, Some(query)) => {
            let wanted = args.selection.to_string();
            end_all(&sessions.find(query), &wanted, args.yes, place).await?
        }
        // The parser demands either.
        (None, None) => 0,
    };
    output.result(&Ended { ended }, format_args!("ended {ended}"))
}

/// Ends the session with a tag.
async fn end_one(
    sessions: &Sessions,
    tag: &Tag,
    args: &EndArgs,
    place: &Place,
) -> Result<usize, Failure> {
    let found = select(by_tag(sessions, tag.as_str(), &args.pace).await?, args.created);
    match &found[..] {
        [] => Err(no_session(tag, args.created, place)),
        [entry] => match entry.end().await? {
            true => Ok(1),
            false => Err(no_session(tag, args.created, place)),
        },
        several => {
            let created = several.iter().map(|entry| Time(entry.created_at()));
            Err(Failure::SharedTag(created.collect()))
        }
    }
}

/// Ends the sessions with a value in an indexed field.
async fn end_all(
    found: &FoundSessions<Untyped>,
    wanted: &str,
    is_answered: bool,
    place: &Place,
) -> Result<usize, Failure> {
    let mut count = found.count().await?;
    let mut answered = 1;
    while count > answered && !is_answered {
        ask(&format!("{count} sessions with {wanted} {place}"))?;
        answered = count;
        // Sessions may have begun since the question.
        count = found.count().await?;
    }
    // Also without a session: a login that is under way is refused.
    let working = Progress::working("ending sessions");
    let ended = found.end_all().await.map_err(|error| match count {
        0 => Failure::Sessions(error),
        _ => Failure::Unfinished(Box::new(error.into())),
    })?;
    drop(working);
    match ended {
        0 => Err(Failure::NoSession { wanted: wanted.to_owned(), place: place.to_string() }),
        _ => Ok(ended),
    }
}

/// Asks for a confirmation on the terminal.
fn ask(what: &str) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::NoAnswer(what.to_owned()));
    }
    write!(anstream::stderr(), "End {what}? [y/N] ").map_err(Failure::Answer)?;
    match is_yes(&mut io::stdin().lock())? {
        true => Ok(()),
        false => Err(Failure::Declined),
    }
}

fn is_yes(input: &mut impl BufRead) -> Result<bool, Failure> {
    let mut answer = String::new();
    input.read_line(&mut answer).map_err(Failure::Answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_no_text_ends_nothing() {
        for (typed, is_yes) in [("y\n", true), ("YES", true), ("", false), ("yeah\n", false)] {
            assert_eq!(super::is_yes(&mut typed.as_bytes()).unwrap(), is_yes, "{typed}");
        }
        let failure = is_yes(&mut &b"\xff\n"[..]).unwrap_err();
        assert!(failure.to_string().starts_with("cannot read the answer"), "{failure}");
    }
}
