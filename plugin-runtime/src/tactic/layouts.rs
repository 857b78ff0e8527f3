//! Memory of trials that is used again: to lay it out takes longer than to run a tactic.

use super::trial::{Bench, Trials};
use crate::error::Result;
use crate::network::At;
use crate::plugin::combination::Combination;

/// The layout that was used last. No more than one takes memory at a time.
#[derive(Default)]
pub(super) struct Layouts<'t> {
    last: Option<(Of, Box<dyn Trials + 't>)>,
}

/// The shape, and the combination's index.
type Of = (At, usize);

impl<'t> Layouts<'t> {
    /// A layout for a combination, by its index among the layer's.
    ///
    /// # Errors
    /// As [`Bench::lay_out`].
    pub(super) fn take(
        &mut self,
        bench: &'t dyn Bench,
        index: usize,
        combination: &Combination,
    ) -> Result<Box<dyn Trials + 't>> {
        if let Some((of, laid_out)) = self.last.take()
            && of == (bench.at(), index)
        {
            return Ok(laid_out);
        }
        bench.lay_out(combination)
    }

    /// Keeps one whose tactics changed nothing that others read.
    pub(super) fn keep(&mut self, bench: &dyn Bench, index: usize, laid_out: Box<dyn Trials + 't>) {
        self.last = Some(((bench.at(), index), laid_out));
    }
}
