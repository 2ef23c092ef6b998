//! The requests of the layers further out.

use std::sync::Arc;

use super::shared::{Link, Shared};

/// A chain of requests: each was opened by a layer around the layer of the one before.
pub(super) struct Outer<T>(Option<Arc<Node<T>>>);

struct Node<T> {
    /// Its own layer holds it. This link alone gives nobody access to it.
    request: Link<T>,
    outer: Outer<T>,
}

impl<T> Outer<T> {
    pub(super) fn new(request: Link<T>, outer: Self) -> Self {
        Self(Some(Arc::new(Node { request, outer })))
    }

    /// The nearest request that is still there and has this property.
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
