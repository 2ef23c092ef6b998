//! `rename_all`: how a field's name becomes its stored name, as serde does it.

/// The names that `rename_all` takes.
pub(crate) const NAMES: &[&str] = &[
    "lowercase",
    "UPPERCASE",
    "PascalCase",
    "camelCase",
    "snake_case",
    "SCREAMING_SNAKE_CASE",
    "kebab-case",
    "SCREAMING-KEBAB-CASE",
];

#[derive(Clone, Copy)]
pub(crate) enum Case {
    Upper,
    Pascal,
    Camel,
    /// `snake_case` and `lowercase`: a field's name as it is.
    Snake,
    Kebab,
    ScreamingKebab,
}

impl Case {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "UPPERCASE" | "SCREAMING_SNAKE_CASE" => Self::Upper,
            "PascalCase" => Self::Pascal,
            "camelCase" => Self::Camel,
            "lowercase" | "snake_case" => Self::Snake,
            "kebab-case" => Self::Kebab,
            "SCREAMING-KEBAB-CASE" => Self::ScreamingKebab,
            _ => return None,
        })
    }

    pub(crate) fn apply(self, field: &str) -> String {
        match self {
            Self::Upper => field.to_ascii_uppercase(),
            Self::Pascal => field.split('_').map(capitalize).collect(),
            Self::Camel => uncapitalize(&Self::Pascal.apply(field)),
            Self::Snake => field.to_owned(),
            Self::Kebab => field.replace('_', "-"),
            Self::ScreamingKebab => field.to_ascii_uppercase().replace('_', "-"),
        }
    }
}

fn capitalize(word: &str) -> String {
    with_first(word, |first| first.to_ascii_uppercase())
}

fn uncapitalize(word: &str) -> String {
    with_first(word, |first| first.to_ascii_lowercase())
}

fn with_first(word: &str, change: impl FnOnce(char) -> char) -> String {
    let mut chars = word.chars();
    chars.next().map(change).into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of serde_derive's own tests, for fields.
    #[test]
    fn names_fields_as_serde_does() {
        for (field, upper, pascal, camel, kebab, screaming_kebab) in [
            ("outcome", "OUTCOME", "Outcome", "outcome", "outcome", "OUTCOME"),
            ("very_tasty", "VERY_TASTY", "VeryTasty", "veryTasty", "very-tasty", "VERY-TASTY"),
            ("a", "A", "A", "a", "a", "A"),
            ("z42", "Z42", "Z42", "z42", "z42", "Z42"),
        ] {
            for (case, expected) in [
                ("UPPERCASE", upper),
                ("PascalCase", pascal),
                ("camelCase", camel),
                ("lowercase", field),
                ("snake_case", field),
                ("SCREAMING_SNAKE_CASE", upper),
                ("kebab-case", kebab),
                ("SCREAMING-KEBAB-CASE", screaming_kebab),
            ] {
                assert_eq!(Case::parse(case).unwrap().apply(field), expected, "{case}");
            }
        }
    }

    #[test]
    fn every_listed_name_is_a_case() {
        assert!(NAMES.iter().all(|name| Case::parse(name).is_some()));
        assert!(Case::parse("Snake_Case").is_none());
    }
}
