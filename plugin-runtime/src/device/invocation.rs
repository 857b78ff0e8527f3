//! One run of one impl, as the generated code sees it.

use std::any::Any;

use super::Stream;
use super::views::StepViews;
use crate::error::{Error, Result};
use crate::tensor::{Tensor, TensorMut, Workspace};

/// A plugin's typed attribute struct, its type forgotten.
pub type DynAttributes = dyn Any + Send + Sync;

/// One run of one impl: its inputs, outputs, attributes, scratch memory, stream and tactic.
#[derive(Debug)]
pub struct Invocation<'a> {
    views: StepViews<'a>,
    attributes: &'a DynAttributes,
    stream: &'a Stream,
    tactic: i32,
}

impl<'a> Invocation<'a> {
    #[inline]
    pub(crate) fn new(views: StepViews<'a>, attributes: &'a DynAttributes, stream: &'a Stream, tactic: i32) -> Self {
        Invocation { views, attributes, stream, tactic }
    }

    /// Input `index`.
    ///
    /// # Errors
    /// Beyond the number of inputs.
    #[inline(always)]
    pub fn input(&self, index: usize) -> Result<Tensor<'a>> {
        self.views.input(index)
    }

    /// The outputs; they can be taken once.
    ///
    /// # Errors
    /// When there aren't `N`, or they were taken before.
    #[inline(always)]
    pub fn outputs<const N: usize>(&mut self) -> Result<[TensorMut<'a>; N]> {
        self.views.outputs()
    }

    /// The scratch memory; it can be taken once.
    ///
    /// # Errors
    /// When it was taken before.
    #[inline]
    pub fn workspace(&mut self) -> Result<Workspace<'a>> {
        self.views.workspace()
    }

    /// The typed attribute struct.
    ///
    /// # Errors
    /// When it has another type.
    #[inline]
    pub fn attributes<A: Any>(&self) -> Result<&'a A> {
        self.attributes.downcast_ref().ok_or_else(|| Error::invalid("the attributes belong to another plugin"))
    }

    /// The stream to put work on.
    #[inline]
    pub fn stream(&self) -> &'a Stream {
        self.stream
    }

    /// The number of the tactic to run; 0 is the default one.
    #[inline]
    pub fn tactic(&self) -> i32 {
        self.tactic
    }
}
