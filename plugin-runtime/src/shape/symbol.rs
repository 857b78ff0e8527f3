//! The variables of shape expressions.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The kind of value that a symbol stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SymbolKind {
    /// A dynamic dimension of a network input.
    Dim,
    /// An extent that a layer's size tensor gives when it has run.
    Size,
    /// The size tensor that a `register` function is describing; arithmetic on it is refused.
    OwnSize,
}

/// A variable of a shape expression. Equal when kind and index are; the name is for people.
#[derive(Clone, Debug)]
pub struct Symbol {
    /// The kind of value that it stands for.
    pub kind: SymbolKind,
    /// Index of its value in the slice that evaluation reads.
    pub index: u32,
    /// The name that is printed.
    pub name: Arc<str>,
}

impl Symbol {
    fn key(&self) -> (SymbolKind, u32) {
        (self.kind, self.index)
    }
}

impl PartialEq for Symbol {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Symbol {}

impl PartialOrd for Symbol {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Symbol {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Hash for Symbol {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}
