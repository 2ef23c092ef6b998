//! Stored text that cannot change a terminal.

use std::fmt::{self, Write as _};

use crate::invisible::is_invisible;

/// A text from the store, which visitors may have chosen. Characters that a terminal would act upon
/// are escaped: control characters, and those that reorder text or show nothing.
pub(crate) struct Safe<'a>(pub(crate) &'a str);

impl fmt::Display for Safe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match is_invisible(c) {
                true => write!(f, "{}", c.escape_default())?,
                false => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Safe lines: the same as [`Safe`], but a line may end.
pub(crate) struct SafeLines<'a>(pub(crate) &'a str);

impl fmt::Display for SafeLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.0.split('\n');
        write!(f, "{}", Safe(lines.next().unwrap_or_default()))?;
        lines.try_for_each(|line| write!(f, "\n{}", Safe(line)))
    }
}

/// A line of JSON with the same meaning, whose texts cannot change a terminal. Harmful characters
/// occur only within texts.
pub(super) struct SafeJson<'a>(pub(super) &'a str);

impl fmt::Display for SafeJson<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match is_invisible(c) {
                true => c
                    .encode_utf16(&mut [0; 2])
                    .iter()
                    .try_for_each(|unit| write!(f, "\\u{unit:04x}"))?,
                false => f.write_char(c)?,
            }
        }
        Ok(())
    }
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
            ("a\u{ad}b\u{180e}c", "a\\u{ad}b\\u{180e}c"),
            ("\u{2060}\u{2064}\u{206a}", "\\u{2060}\\u{2064}\\u{206a}"),
            ("\u{e0001}\u{e007f}", "\\u{e0001}\\u{e007f}"),
        ] {
            assert_eq!(Safe(text).to_string(), shown);
        }
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(SafeLines("a\r\n\x1bb\n").to_string(), "a\\r\n\\u{1b}b\n");
    }

    #[test]
    fn safe_json_has_the_same_meaning() {
        let text = "Grüße \n\u{9b}2J\x7f\x1b\u{202e}\\u0041\u{e0041}\u{1f600}\u{ad}";
        let line = serde_json::to_string(&[text]).unwrap();
        let safe = SafeJson(&line).to_string();
        assert!(!safe.contains(is_invisible), "{safe}");
        assert!(safe.contains("\\udb40\\udc41") && safe.contains('\u{1f600}'), "{safe}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&safe).unwrap(), [text]);
    }
}
