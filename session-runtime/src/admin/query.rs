//! Names and values in a URL or a form.

use form_urlencoded::{Serializer, parse};

/// The names and values of a request.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn read(text: &[u8]) -> Self {
        Self(parse(text).into_owned().collect())
    }

    /// Returns the first value of the name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Returns a link to a page beside the present page.
pub(super) fn link(page: &str, query: &[(&str, &str)]) -> String {
    match query {
        [] => page.to_owned(),
        query => format!("{page}?{}", Serializer::new(String::new()).extend_pairs(query).finish()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_reads_as_its_values() {
        let values = [("value", "a&b=c d+é%"), ("by", "user")];
        let link = link("session", &values);
        let (page, query) = link.split_once('?').unwrap();
        let query = Query::read(query.as_bytes());
        assert_eq!(page, "session");
        assert!(values.iter().all(|(name, value)| query.get(name) == Some(value)));
        assert_eq!(query.get("tag"), None);
    }
}
