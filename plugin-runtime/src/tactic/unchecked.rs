//! Shapes of a profile that results weren't checked at, as the records say it.

use super::record::{Subject, abridged};
use crate::network::At;

/// Which of a profile's shapes results weren't checked at.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Unchecked([bool; 3]);

const SHAPES: [At; 3] = [At::Min, At::Opt, At::Max];

impl Unchecked {
    /// Each set that isn't empty, the smaller ones first.
    pub(super) fn some() -> impl Iterator<Item = Unchecked> {
        let set = |bits: u8| Unchecked([bits & 1 != 0, bits & 2 != 0, bits & 4 != 0]);
        [4, 1, 2, 5, 6, 3, 7].into_iter().map(set)
    }

    pub(super) fn insert(&mut self, at: At) {
        self.0[at as usize] = true;
    }

    /// Whether all of these are among the other's.
    pub(super) fn is_within(self, other: Unchecked) -> bool {
        self.0.iter().zip(other.0).all(|(own, other)| !own || other)
    }

    /// `min and max`; nothing where all were checked.
    pub(super) fn names(self) -> String {
        let names = SHAPES.iter().zip(self.0).filter(|(_, unchecked)| *unchecked).map(|(at, _)| at.name());
        names.collect::<Vec<_>>().join(" and ")
    }

    /// A trial's subject, with what wasn't checked: `tactics agree; not checked at max`.
    pub(super) fn subject(self, mut subject: Subject) -> Subject {
        if let Subject::Trial { check, .. } = &mut subject
            && self != Unchecked::default()
        {
            *check = abridged(format_args!("{check}; not checked at {}", self.names()));
        }
        subject
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_told_by_their_names() {
        let names: Vec<String> = Unchecked::some().map(Unchecked::names).collect();
        assert_eq!(names, ["max", "min", "opt", "min and max", "opt and max", "min and opt", "min and opt and max"]);
        let mut max = Unchecked::default();
        assert_eq!(max.names(), "");
        max.insert(At::Max);
        assert!(Unchecked::default().is_within(max) && max.is_within(max));
        let wider: Vec<bool> = Unchecked::some().map(|set| max.is_within(set)).collect();
        assert_eq!(wider, [true, false, false, true, true, false, true]);
    }
}
