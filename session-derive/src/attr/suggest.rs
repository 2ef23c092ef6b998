//! Suggestions for misspelled names: "did you mean …?"

use strsim::osa_distance;

/// Suggests the closest name. If no name is close, lists all names.
pub(crate) fn hint(text: &str, names: &[&str], otherwise: &str) -> String {
    match closest(text, names) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("{otherwise} {}", list(names)),
    }
}

/// Returns the closest candidate, if close enough for a suggestion.
fn closest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let limit = name.chars().count().max(3) / 3;
    let near = candidates.iter().map(|candidate| (osa_distance(name, candidate), *candidate));
    let (distance, best) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= limit).then_some(best)
}

pub(crate) fn list(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_similar_names() {
        let keys = ["default", "json", "rename"];
        assert_eq!(closest("renmae", &keys), Some("rename"));
        assert_eq!(closest("defualt", &keys), Some("default"));
        assert_eq!(closest("jsn", &keys), Some("json"));
        assert_eq!(closest("flatten", &keys), None);
        assert_eq!(closest("json", &[]), None);
    }
}
