//! Placeholder, being replaced: combinations.

/// The author's own tactic enum; `#[derive(Tactic)]` implements it.
pub trait Tactic: Copy {
    /// Its number, from 1.
    fn id(self) -> i32;
    /// The tactic of that number.
    fn from_id(id: i32) -> Option<Self>;
    /// The name of the tactic of that number.
    fn name(id: i32) -> Option<&'static str>;
}

/// Types and layouts an impl supports, with its tactics.
#[derive(Clone, Debug)]
pub struct AutoTuneCombination {}
