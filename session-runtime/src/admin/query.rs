//! Names and values in a URL or a form, and links with them.

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

/// The links to the pages, relative to the present page. So they do not depend on the place of the
/// pages, neither in the application nor behind a proxy.
pub(super) struct Links {
    /// The first page.
    home: String,
    /// The folder with the other pages.
    folder: String,
}

impl Links {
    /// `path` is the whole path of the request, and `page` the part within the router.
    pub(super) fn new(path: &str, page: &str) -> Self {
        let page = page.trim_start_matches('/');
        if page.is_empty() {
            return match path.rsplit('/').next() {
                None | Some("") => Self { home: "./".to_owned(), folder: "./".to_owned() },
                Some(last) => Self { home: format!("./{last}"), folder: format!("./{last}/") },
            };
        }
        let depth = page.split('/').count();
        let folder = format!("./{}", "../".repeat(depth - 1));
        let home = match path.rsplit('/').nth(depth) {
            None | Some("") => folder.clone(),
            Some(last) => format!("{folder}../{last}"),
        };
        Self { home, folder }
    }

    /// Returns the link to the first page.
    pub(super) fn home(&self, query: &[(&str, &str)]) -> String {
        link(&self.home, query)
    }

    /// Returns the link to another page.
    pub(super) fn page(&self, name: &str, query: &[(&str, &str)]) -> String {
        link(&format!("{}{name}", self.folder), query)
    }
}

fn link(page: &str, query: &[(&str, &str)]) -> String {
    match query {
        [] => page.to_owned(),
        query => format!("{page}?{}", text(query)),
    }
}

/// Returns the text of names and values.
pub(super) fn text(query: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(query).finish()
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

    #[test]
    fn links_lead_to_the_same_pages_from_every_page() {
        for (path, page, home, end) in [
            ("/", "/", "./", "./end"),
            ("/session", "/session", "./", "./end"),
            ("/a/b", "/", "./b", "./b/end"),
            ("/a/b/", "/", "./", "./end"),
            ("/a/b/end", "/end", "./../b", "./end"),
            ("/a/b/c/d", "/c/d", "./../../b", "./../end"),
            ("/b/session/", "/session/", "./../../b", "./../end"),
            ("/x/y", "/x/y", "./../", "./../end"),
        ] {
            let links = Links::new(path, page);
            assert_eq!(
                (links.home(&[]), links.page("end", &[])),
                (home.into(), end.into()),
                "{path}"
            );
        }
    }
}
