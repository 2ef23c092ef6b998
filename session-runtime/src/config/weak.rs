//! Detection of guessable secrets, which nobody replaced with a random secret.

/// Returns the reason to refuse a secret. Random secrets are never refused, whether bytes, base64,
/// hexadecimal or letters.
pub(super) fn why(secret: &[u8]) -> Option<&'static str> {
    if let Some(reason) = pattern(secret) {
        return Some(reason);
    }
    if !secret.iter().all(|c| c.is_ascii_graphic() || *c == b' ') {
        return None;
    }
    let letters = letters_and_digits(secret);
    if BEGINNINGS.iter().any(|word| letters.starts_with(word))
        || NOWHERE.iter().any(|word| letters.contains(word))
    {
        return Some(PLACEHOLDER);
    }
    // The rest of "my-very-long-session-signing-key-1234567890" is not a secret either.
    let rest = WORDS.iter().fold(letters.clone(), |rest, word| rest.replace(word, ""));
    let mostly_words = rest.len() * 2 < letters.len();
    let holds_words = rest.len() < letters.len() && letters.len() >= ENOUGH_LETTERS;
    (mostly_words || holds_words && pattern(rest.as_bytes()).is_some()).then_some(PLACEHOLDER)
}

const PLACEHOLDER: &str =
    "looks like a placeholder: it contains words such as `secret` or `change me`";

fn pattern(secret: &[u8]) -> Option<&'static str> {
    if repeats_itself(secret) {
        return Some("repeats the same characters");
    }
    if different(secret) < LEAST_DIFFERENT {
        return Some("has too few different characters");
    }
    if counts_up_or_down(secret) {
        return Some("is a simple sequence of characters");
    }
    None
}

/// Returns whether the secret repeats its first half, or a shorter beginning.
fn repeats_itself(secret: &[u8]) -> bool {
    (1..=secret.len() / 2).any(|period| secret[period..] == secret[..secret.len() - period])
}

fn different(secret: &[u8]) -> usize {
    let mut seen = [false; 256];
    secret.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|seen| **seen).count()
}

/// Returns whether three of four bytes are neighbours of the byte before: `abcd…`, `9876…`,
/// `1122…`.
fn counts_up_or_down(secret: &[u8]) -> bool {
    let neighbours = secret.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 1).count();
    neighbours * 4 >= secret.len() * 3
}

fn letters_and_digits(secret: &[u8]) -> String {
    secret
        .iter()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| char::from(c.to_ascii_lowercase()))
        .collect()
}

/// The minimum number of different characters. A random secret of 32 hexadecimal or decimal digits
/// has fewer only in one of many millions of cases.
const LEAST_DIFFERENT: usize = 6;

/// The minimum number of letters for the search for words. With fewer letters, punctuation makes a
/// secret hard to guess, and short words occur by chance.
const ENOUGH_LETTERS: usize = 24;

const BEGINNINGS: &[&str] = &[
    "secret",
    "mysecret",
    "yoursecret",
    "supersecret",
    "topsecret",
    "password",
    "default",
    "example",
    "insecure",
    "qwerty",
];

const NOWHERE: &[&str] =
    &["changeme", "changethis", "replaceme", "replacethis", "placeholder", "donotuse"];

/// Known words. Longer words come first if they contain another word.
const WORDS: &[&str] = &[
    "development",
    "production",
    "application",
    "characters",
    "passphrase",
    "password",
    "sessions",
    "session",
    "security",
    "insecure",
    "signing",
    "testing",
    "staging",
    "default",
    "example",
    "secrets",
    "secret",
    "cookies",
    "cookie",
    "random",
    "should",
    "string",
    "please",
    "change",
    "qwerty",
    "really",
    "super",
    "token",
    "value",
    "local",
    "bytes",
    "least",
    "long",
    "very",
    "this",
    "that",
    "must",
    "your",
    "test",
    "with",
    "key",
    "the",
    "for",
];
