//! A secret that must not come out again.

/// A secret that must not come out again.
pub(super) const MARKER: &str = "HUNTER2";

/// The text with the marker inside, where its first byte says.
pub(super) fn with_marker(text: &[u8]) -> Vec<u8> {
    let at = text.first().map_or(0, |byte| usize::from(*byte) % (text.len() + 1));
    [&text[..at], MARKER.as_bytes(), &text[at..]].concat()
}

/// # Panics
///
/// If an error, or one of its causes, quotes the marker.
pub(super) fn assert_is_discreet(error: &(dyn std::error::Error + 'static)) {
    let mut next = Some(error);
    while let Some(error) = next {
        let told = format!("{error} {error:?}");
        assert!(!told.contains(MARKER), "{told}");
        next = error.source();
    }
}
