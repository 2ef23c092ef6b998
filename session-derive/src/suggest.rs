//! "did you mean …?"

/// The candidate that was probably meant, if one is near enough.
pub(crate) fn closest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let limit = name.chars().count().max(3) / 3;
    let (distance, best) = candidates
        .iter()
        .map(|candidate| (distance(name, candidate), *candidate))
        .min_by_key(|(distance, _)| *distance)?;
    (distance <= limit).then_some(best)
}

/// How many characters must be inserted, deleted, replaced or swapped with their neighbour to turn one text into the other.
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    for i in 0..=from.len() {
        for j in 0..=to.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
                replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1)
            };
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                rows[i][j] = rows[i][j].min(rows[i - 2][j - 2] + 1);
            }
        }
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        for (from, to, edits) in [
            ("", "", 0),
            ("json", "json", 0),
            ("", "json", 4),
            ("jsn", "json", 1),
            ("jsno", "json", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(from, to), edits, "{from} → {to}");
            assert_eq!(distance(to, from), edits, "{to} → {from}");
        }
    }

    #[test]
    fn suggests_what_is_near_and_nothing_else() {
        let keys = ["default", "json", "rename"];
        assert_eq!(closest("renmae", &keys), Some("rename"));
        assert_eq!(closest("defualt", &keys), Some("default"));
        assert_eq!(closest("jsn", &keys), Some("json"));
        assert_eq!(closest("flatten", &keys), None);
        assert_eq!(closest("json", &[]), None);
    }
}
