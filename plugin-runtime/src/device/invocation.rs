//! One run of one impl, as the generated code sees it.

use crate::error::Result;
use crate::plugin::AttributeSet;
use crate::tensor::{Tensor, TensorMut, Workspace};

/// A queue of work on a device. On the CPU work is done when it is enqueued.
#[derive(Debug)]
pub struct Stream(());

/// One run of one impl: its inputs, outputs, attributes, scratch memory, stream and tactic.
#[derive(Debug)]
pub struct Invocation<'a>(&'a ());

impl<'a> Invocation<'a> {
    /// Input `index`.
    ///
    /// # Errors
    /// Beyond the number of inputs.
    pub fn input(&self, _index: usize) -> Result<Tensor<'a>> {
        unimplemented!()
    }

    /// The outputs; they can be taken once.
    ///
    /// # Errors
    /// When there aren't `N`, or they were taken before.
    pub fn outputs<const N: usize>(&mut self) -> Result<[TensorMut<'a>; N]> {
        unimplemented!()
    }

    /// The scratch memory; it can be taken once.
    ///
    /// # Errors
    /// When it was taken before.
    pub fn workspace(&mut self) -> Result<Workspace<'a>> {
        unimplemented!()
    }

    /// The typed attribute struct.
    ///
    /// # Errors
    /// When it has another type.
    pub fn attributes<A: AttributeSet>(&self) -> Result<&'a A> {
        unimplemented!()
    }

    /// The stream to put work on.
    pub fn stream(&self) -> &'a Stream {
        unimplemented!()
    }

    /// The number of the tactic to run; 0 is the default one.
    pub fn tactic(&self) -> i32 {
        unimplemented!()
    }
}
