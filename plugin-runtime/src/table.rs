//! Tables whose positions have a type, so that a tensor's can't be taken for a layer's.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops;

/// A position in tables by `K`.
pub(crate) struct Index<K> {
    position: u32,
    by: PhantomData<fn() -> K>,
}

impl<K> Index<K> {
    /// The `position`th, from 0.
    pub(crate) const fn new(position: usize) -> Self {
        debug_assert!(position <= u32::MAX as usize);
        Index { position: position as u32, by: PhantomData }
    }

    /// From 0.
    pub(crate) const fn position(self) -> usize {
        self.position as usize
    }
}

impl<K> Clone for Index<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Index<K> {}

impl<K> PartialEq for Index<K> {
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position
    }
}

impl<K> Eq for Index<K> {}

impl<K> PartialOrd for Index<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Index<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.position.cmp(&other.position)
    }
}

impl<K> Hash for Index<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.position.hash(state);
    }
}

impl<K> fmt::Debug for Index<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.position.fmt(f)
    }
}

/// One `V` for each `K`.
pub(crate) struct Table<K, V = K> {
    items: Vec<V>,
    by: PhantomData<fn() -> K>,
}

impl<K, V> Table<K, V> {
    pub(crate) const fn new() -> Self {
        Table { items: Vec::new(), by: PhantomData }
    }

    pub(crate) fn push(&mut self, item: V) -> Index<K> {
        self.items.push(item);
        Index::new(self.items.len() - 1)
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Where the next item will be.
    pub(crate) fn next(&self) -> Index<K> {
        Index::new(self.items.len())
    }

    pub(crate) fn get(&self, index: Index<K>) -> Option<&V> {
        self.items.get(index.position())
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.items.truncate(len);
    }

    pub(crate) fn last_mut(&mut self) -> Option<&mut V> {
        self.items.last_mut()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, V> {
        self.items.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, V> {
        self.items.iter_mut()
    }

    /// Each with its position.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Index<K>, &V)> {
        self.items.iter().enumerate().map(|(position, item)| (Index::new(position), item))
    }

    /// What `of` makes of each, by the same positions.
    pub(crate) fn map<W>(&self, of: impl FnMut(&V) -> W) -> Table<K, W> {
        self.items.iter().map(of).collect()
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table::new()
    }
}

impl<K, V: Clone> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        Table { items: self.items.clone(), by: PhantomData }
    }
}

impl<K, V: fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.fmt(f)
    }
}

impl<K, V> FromIterator<V> for Table<K, V> {
    fn from_iter<I: IntoIterator<Item = V>>(items: I) -> Self {
        Table { items: items.into_iter().collect(), by: PhantomData }
    }
}

impl<K, V> ops::Index<Index<K>> for Table<K, V> {
    type Output = V;

    fn index(&self, index: Index<K>) -> &V {
        &self.items[index.position()]
    }
}

impl<K, V> ops::IndexMut<Index<K>> for Table<K, V> {
    fn index_mut(&mut self, index: Index<K>) -> &mut V {
        &mut self.items[index.position()]
    }
}

impl<'t, K, V> IntoIterator for &'t Table<K, V> {
    type Item = &'t V;
    type IntoIter = std::slice::Iter<'t, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
