//! Stored texts, cookies and settings made to take long, each a megabyte. The time to read a text
//! must be linear in the length.

mod parsers;
mod scripts;

/// The default limit of a stored value.
const LENGTH: usize = 1 << 20;

/// Returns named texts on which a parser or a pattern may backtrack.
fn texts() -> Vec<(String, String)> {
    let between = [
        ("", "1", ""),
        ("", "0", ""),
        ("", "9", ""),
        ("", "0", "1"),
        ("1", "0", ""),
        ("-", "1", ""),
        // Half-way between two 32-bit numbers, except for the last digit. The text itself decides.
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
