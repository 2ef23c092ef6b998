//! `rename_all`: converts the name of a field or a variant to the stored name, by the rules of
//! serde.

/// Names of the cases that `rename_all` accepts.
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

/// A case that `rename_all` accepts.
#[derive(Clone, Copy)]
pub(crate) enum RenameRule {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl RenameRule {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "lowercase" => Self::Lower,
            "UPPERCASE" => Self::Upper,
            "PascalCase" => Self::Pascal,
            "camelCase" => Self::Camel,
            "snake_case" => Self::Snake,
            "SCREAMING_SNAKE_CASE" => Self::ScreamingSnake,
            "kebab-case" => Self::Kebab,
            "SCREAMING-KEBAB-CASE" => Self::ScreamingKebab,
            _ => return None,
        })
    }

    /// Returns the stored name of a field. Field names are in `snake_case`.
    pub(crate) fn apply_to_field(self, field: &str) -> String {
        match self {
            Self::Upper | Self::ScreamingSnake => field.to_ascii_uppercase(),
            Self::Pascal => field.split('_').map(capitalize).collect(),
            Self::Camel => uncapitalize(&Self::Pascal.apply_to_field(field)),
            Self::Lower | Self::Snake => field.to_owned(),
            Self::Kebab => field.replace('_', "-"),
            Self::ScreamingKebab => field.to_ascii_uppercase().replace('_', "-"),
        }
    }

    /// Returns the stored name of a variant. Variant names are in `PascalCase`.
    pub(crate) fn apply_to_variant(self, variant: &str) -> String {
        match self {
            Self::Lower => variant.to_ascii_lowercase(),
            Self::Upper => variant.to_ascii_uppercase(),
            Self::Pascal => variant.to_owned(),
            Self::Camel => uncapitalize(variant),
            Self::Snake | Self::ScreamingSnake | Self::Kebab | Self::ScreamingKebab => {
                self.apply_to_field(&snake(variant))
            }
        }
    }
}

fn snake(variant: &str) -> String {
    let words = variant.char_indices().flat_map(|(index, c)| {
        let gap = (index > 0 && c.is_uppercase()).then_some('_');
        gap.into_iter().chain([c.to_ascii_lowercase()])
    });
    words.collect()
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

    /// Table from serde_derive's own tests, for fields.
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
                assert_eq!(
                    RenameRule::parse(case).unwrap().apply_to_field(field),
                    expected,
                    "{case}"
                );
            }
        }
    }

    /// Table from serde_derive's own tests, for variants.
    #[test]
    fn names_variants_as_serde_does() {
        for (variant, lower, upper, camel, snake) in [
            ("Outcome", "outcome", "OUTCOME", "outcome", "outcome"),
            ("VeryTasty", "verytasty", "VERYTASTY", "veryTasty", "very_tasty"),
            ("A", "a", "A", "a", "a"),
            ("Z42", "z42", "Z42", "z42", "z42"),
        ] {
            for (case, expected) in [
                ("lowercase", lower.to_owned()),
                ("UPPERCASE", upper.to_owned()),
                ("PascalCase", variant.to_owned()),
                ("camelCase", camel.to_owned()),
                ("snake_case", snake.to_owned()),
                ("SCREAMING_SNAKE_CASE", snake.to_ascii_uppercase()),
                ("kebab-case", snake.replace('_', "-")),
                ("SCREAMING-KEBAB-CASE", snake.to_ascii_uppercase().replace('_', "-")),
            ] {
                assert_eq!(
                    RenameRule::parse(case).unwrap().apply_to_variant(variant),
                    expected,
                    "{case}"
                );
            }
        }
    }

    #[test]
    fn every_listed_name_is_a_case() {
        assert!(NAMES.iter().all(|name| RenameRule::parse(name).is_some()));
        assert!(RenameRule::parse("Snake_Case").is_none());
    }
}
