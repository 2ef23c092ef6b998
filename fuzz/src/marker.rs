//! A secret that must not appear in errors.

/// A secret that must not appear in errors.
pub(super) const MARKER: &str = "HUNTER2";

/// Returns the text with the marker inserted, at a position from the first byte.
pub(super) fn with_marker(text: &[u8]) -> Vec<u8> {
    let at = text.first().map_or(0, |byte| usize::from(*byte) % (text.len() + 1));
    [&text[..at], MARKER.as_bytes(), &text[at..]].concat()
}

/// Checks that neither an error nor any cause quotes the marker.
///
/// # Panics
///
/// Panics if the marker is quoted.
pub(super) fn assert_is_discreet(error: &(dyn std::error::Error + 'static)) {
    let mut next = Some(error);
    while let Some(error) = next {
        let told = format!("{error} {error:?}");
        assert!(!told.contains(MARKER), "{told}");
        next = error.source();
    }
}
