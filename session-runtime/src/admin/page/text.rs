//! Texts that other people wrote.

use maud::{Markup, html};

use crate::invisible::is_invisible;
use crate::session::shown::ShownValue;

use super::time::{period, time};

/// Returns a text whose invisible characters are visible. It does not change the direction of the
/// text around it.
pub(super) fn visible(text: &str) -> Markup {
    html! {
        bdi {
            @for part in parts(text) {
                @match part {
                    Part::Plain(text) => (text),
                    Part::Invisible(char) => span.char { (number(char)) },
                }
            }
        }
    }
}

/// Returns a text for a title, with at most this many characters.
pub(super) fn visible_in_title(text: &str, most: usize) -> String {
    let end = text.char_indices().nth(most).map(|(end, _)| end);
    let shown = parts(&text[..end.unwrap_or(text.len())]).map(|part| match part {
        Part::Plain(text) => text.to_owned(),
        Part::Invisible(char) => number(char),
    });
    shown.chain(end.map(|_| "…".to_owned())).collect()
}

/// Returns the value of a field, with at most this many characters.
pub(super) fn value(value: &ShownValue, most: usize) -> Markup {
    match value {
        ShownValue::Missing => html! { span.faint { "not set" } },
        ShownValue::Text(text) if text.is_empty() => html! { span.faint { "empty text" } },
        ShownValue::Text(text) => shortened(text, most),
        ShownValue::Bytes(bytes) => html! { span.faint { (bytes) " bytes" } },
        ShownValue::Time(at) => time(*at),
        ShownValue::Duration(length) => html! { (period(*length)) },
        ShownValue::Invalid => html! { span.wrong { "does not fit its type" } },
        ShownValue::Sealed => html! { span.wrong { "cannot be decrypted" } },
    }
}

fn number(char: char) -> String {
    format!("U+{:04X}", u32::from(char))
}

fn shortened(text: &str, most: usize) -> Markup {
    let Some((end, _)) = text.char_indices().nth(most) else { return visible(text) };
    let left = text[end..].chars().count();
    let more = if left == 1 { "more character" } else { "more characters" };
    html! { (visible(&text[..end])) span.faint { "… " (left) " " (more) } }
}

enum Part<'a> {
    Plain(&'a str),
    Invisible(char),
}

fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    text.split_inclusive(is_invisible).flat_map(|piece| {
        let last = piece.chars().next_back().filter(|last| is_invisible(*last));
        let plain = &piece[..piece.len() - last.map_or(0, char::len_utf8)];
        [Some(Part::Plain(plain)), last.map(Part::Invisible)].into_iter().flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_invisible_characters_are_text() {
        for (text, expected) in [
            ("ada", "<bdi>ada</bdi>"),
            ("", "<bdi></bdi>"),
            ("<b a=\"'\">&", "<bdi>&lt;b a=&quot;'&quot;&gt;&amp;</bdi>"),
            ("a\u{202e}b", r#"<bdi>a<span class="char">U+202E</span>b</bdi>"#),
            ("\0", r#"<bdi><span class="char">U+0000</span></bdi>"#),
            ("ن\u{200c}م é", "<bdi>ن\u{200c}م é</bdi>"),
        ] {
            assert_eq!(visible(text).into_string(), expected);
        }
    }

    #[test]
    fn characters_that_show_nothing_are_visible() {
        for char in [
            '\u{ad}',
            '\u{115f}',
            '\u{1160}',
            '\u{180e}',
            '\u{2060}',
            '\u{2064}',
            '\u{2800}',
            '\u{3164}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{ffa0}',
            '\u{e0001}',
            '\u{e007f}',
            '\u{e0100}',
        ] {
            let number = format!("U+{:04X}", u32::from(char));
            let text = format!("a{char}b");
            let span = format!(r#"<bdi>a<span class="char">{number}</span>b</bdi>"#);
            assert_eq!(visible(&text).into_string(), span);
            assert_eq!(visible_in_title(&text, 2), format!("a{number}…"));
            assert_eq!(visible_in_title(&text, 3), format!("a{number}b"));
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let cut = value(&ShownValue::Text("ééé".into()), 2).into_string();
        assert!(cut.starts_with("<bdi>éé</bdi>") && cut.contains("… 1 more character<"), "{cut}");
        assert_eq!(value(&ShownValue::Text("éé".into()), 2).into_string(), "<bdi>éé</bdi>");
    }
}
