//! Stored text that cannot change a terminal.

use std::fmt::{self, Write as _};

/// A text from the store, which visitors may have chosen. Characters that a terminal would act upon
/// are escaped: control characters, and those that change the direction of the text.
pub(crate) struct Safe<'a>(pub(crate) &'a str);

impl fmt::Display for Safe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match is_harmful(c) {
                true => write!(f, "{}", c.escape_default())?,
                false => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

fn is_harmful(c: char) -> bool {
    let changes_direction = matches!(c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_invisible = matches!(c, '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{feff}');
    c.is_control() || changes_direction || is_invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_would_act_upon_a_terminal_is_escaped() {
        for (text, shown) in [
            ("Grüße, 世界", "Grüße, 世界"),
            ("\x1b[2J", "\\u{1b}[2J"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("a\r\nb\t", "a\\r\\nb\\t"),
            ("\u{202e}abc", "\\u{202e}abc"),
            ("\x7f", "\\u{7f}"),
        ] {
            assert_eq!(Safe(text).to_string(), shown);
        }
    }
}
