//! Collects mistakes, so that all of them show at once.

use std::fmt::Display;

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Error, Result};

/// The mistakes found so far. There is no way to make one but [`Report::collect`], which hands them out: none is lost.
#[derive(Debug)]
pub(crate) struct Report {
    errors: Vec<Error>,
}

impl Report {
    /// The value that `work` returns, if it reported nothing; else every mistake, combined.
    pub(crate) fn collect<T>(work: impl FnOnce(&mut Report) -> Option<T>) -> Result<T> {
        let mut report = Report { errors: Vec::new() };
        let value = work(&mut report);
        let all = report.errors.into_iter().reduce(|mut all, next| {
            all.combine(next);
            all
        });
        match (all, value) {
            (Some(errors), _) => Err(errors),
            (None, Some(value)) => Ok(value),
            (None, None) => Err(Error::new(Span::call_site(), "this can't be expanded")),
        }
    }

    /// A mistake that the whole of `tokens` is underlined for.
    pub(crate) fn error(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.errors.push(Error::new_spanned(tokens, message));
    }

    /// A mistake at a place.
    pub(crate) fn error_at(&mut self, span: Span, message: impl Display) {
        self.errors.push(Error::new(span, message));
    }

    /// The value, or its error as one more mistake.
    pub(crate) fn absorb<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }
}
