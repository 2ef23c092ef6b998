//! The requests of outer layers.

use std::sync::Arc;

use super::shared::{Link, Shared};

/// A chain of requests. Each was opened by a layer around the previous layer.
pub(super) struct Outer<T>(Option<Arc<Node<T>>>);

struct Node<T> {
    /// Held by the request's own layer. This link alone gives no access.
    request: Link<T>,
    outer: Outer<T>,
}

impl<T> Outer<T> {
    pub(super) fn new(request: Link<T>, outer: Self) -> Self {
        Self(Some(Arc::new(Node { request, outer })))
    }

    /// Returns the nearest request that still exists and matches.
    pub(super) fn find(&self, is_wanted: impl Fn(&T) -> bool) -> Option<Shared<T>> {
        let nodes = std::iter::successors(self.0.as_deref(), |node| node.outer.0.as_deref());
        nodes.filter_map(|node| node.request.follow()).find(|request| is_wanted(request))
    }
}

impl<T> Clone for Outer<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Outer<T> {
    fn default() -> Self {
        Self(None)
    }
}
