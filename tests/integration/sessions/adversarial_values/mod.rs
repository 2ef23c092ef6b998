//! Stored texts, cookies and settings that are made to take long: a megabyte each. Reading one
//! takes a time that is linear in its length.

mod parsers;
mod scripts;

/// The default limit of a stored value.
const LENGTH: usize = 1 << 20;

/// Texts on which a parser or a pattern may go back and forth, each with its name.
fn texts() -> Vec<(String, String)> {
    let between = [
        ("", "1", ""),
        ("", "0", ""),
        ("", "9", ""),
        ("", "0", "1"),
        ("1", "0", ""),
        ("-", "1", ""),
        // Half-way between two numbers of 32 bits, but for its last digit: the text itself
        // decides.
        ("16777217.", "0", "1"),
        ("0.", "0", "1"),
        ("0.", "01", ""),
        ("1e", "0", "1"),
        ("1e-", "9", ""),
        ("1", "0", "e-1048000"),
        ("", "1.", ""),
        ("", ".", ""),
        ("", "-", ""),
        ("", "e", ""),
        ("", "1e", ""),
        ("1", "0", "x"),
        ("", "1", ":"),
        ("1:", "1", ""),
        ("", "1:", ""),
        ("", " ", ""),
        ("", "\0", ""),
        ("", "ä", ""),
        ("", "[", ""),
        ("", "{\"a\":", ""),
        ("[", "0,", "0]"),
        ("[", "1.1,", "1.1]"),
        ("\"", "\\u0041", "\""),
        ("\"", "\\", "\""),
        ("", "%", ""),
        ("", ";", ""),
        ("", ",", ""),
        ("", "a=b; ", ""),
        ("", "__Host-session-id=x; ", ""),
    ];
    let filled = between.map(|(before, filling, after)| {
        let count = (LENGTH - before.len() - after.len()) / filling.len();
        let name = format!("{before}{filling}…{after}").escape_debug().to_string();
        (name, [before, &filling.repeat(count), after].concat())
    });
    filled.into()
}
