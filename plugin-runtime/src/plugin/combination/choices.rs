//! The choices of one position, written as values rather than text: `DataType::Float32 | DataType::Float16`.

use std::fmt::Display;
use std::marker::PhantomData;
use std::ops::{BitOr, Mul, Range, RangeInclusive};

use crate::tensor::{DataType, Format};

/// The choices of one input or output. Made from a text (`"FP32|FP16"`), from one value, from values joined by `|`
/// (taken [`Together`]) or from values joined by `*` ([`Independent`]). To mix the two doesn't compile:
///
/// ```compile_fail
/// # use plugin_runtime::tensor::DataType::{BFloat16, Float16, Float32};
/// let choices = Float32 | Float16 * BFloat16;
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choices<T> {
    text: String,
    names: PhantomData<T>,
}

impl<T> Choices<T> {
    fn from_text(text: String) -> Self {
        Choices { text, names: PhantomData }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl<T> From<&str> for Choices<T> {
    fn from(text: &str) -> Self {
        Choices::from_text(text.to_string())
    }
}

impl<T> From<String> for Choices<T> {
    fn from(text: String) -> Self {
        Choices::from_text(text)
    }
}

impl<T> From<&String> for Choices<T> {
    fn from(text: &String) -> Self {
        Choices::from_text(text.clone())
    }
}

/// What types (`T` is [`DataType`]) or layouts ([`Format`]) are given as: whatever [`Choices`] are made from.
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't a choice of `{T}`",
    label = "expected a text, as \"FP32|FP16\" for types or \"LINEAR|CHW4\" for layouts, or values of `{T}` joined by `|` or `*`",
    note = "a text for several inputs and outputs has commas: \"FP32|FP16, INT32\""
)]
pub trait IntoChoices<T> {
    /// The choices.
    fn into_choices(self) -> Choices<T>;
}

#[diagnostic::do_not_recommend]
impl<T, C: Into<Choices<T>>> IntoChoices<T> for C {
    fn into_choices(self) -> Choices<T> {
        self.into()
    }
}

impl<T: Display> From<Together<T>> for Choices<T> {
    fn from(choices: Together<T>) -> Self {
        Choices::from_text(join(&choices.0, "|"))
    }
}

impl<T: Display> From<Independent<T>> for Choices<T> {
    fn from(choices: Independent<T>) -> Self {
        Choices::from_text(join(&choices.0, "*"))
    }
}

fn join<T: Display>(choices: &[T], separator: &str) -> String {
    choices.iter().map(T::to_string).collect::<Vec<_>>().join(separator)
}

/// Choice k is taken together with choice k of all other positions that hold a `Together`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Together<T>(Vec<T>);

/// A choice of its own, crossed with everything else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Independent<T>(Vec<T>);

impl<T> FromIterator<T> for Together<T> {
    fn from_iter<I: IntoIterator<Item = T>>(choices: I) -> Self {
        Together(Vec::from_iter(choices))
    }
}

impl<T> FromIterator<T> for Independent<T> {
    fn from_iter<I: IntoIterator<Item = T>>(choices: I) -> Self {
        Independent(Vec::from_iter(choices))
    }
}

macro_rules! choices_of {
    ($value:ty) => {
        impl From<$value> for Choices<$value> {
            fn from(only: $value) -> Self {
                Choices::from_text(only.name().to_string())
            }
        }

        impl BitOr for $value {
            type Output = Together<$value>;
            fn bitor(self, other: $value) -> Together<$value> {
                Together(vec![self, other])
            }
        }

        impl BitOr<$value> for Together<$value> {
            type Output = Together<$value>;
            fn bitor(mut self, other: $value) -> Together<$value> {
                self.0.push(other);
                self
            }
        }

        impl Mul for $value {
            type Output = Independent<$value>;
            fn mul(self, other: $value) -> Independent<$value> {
                Independent(vec![self, other])
            }
        }

        impl Mul<$value> for Independent<$value> {
            type Output = Independent<$value>;
            fn mul(mut self, other: $value) -> Independent<$value> {
                self.0.push(other);
                self
            }
        }
    };
}

choices_of!(DataType);
choices_of!(Format);

/// Which inputs and outputs are meant, the inputs counted first, from 0: `2`, `[0, 1]`, `0..3`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` doesn't say which inputs and outputs are meant",
    label = "write numbers, the inputs' first, from 0: `2`, `[0, 1]` or `0..3`"
)]
pub trait Positions {
    /// One index after another.
    fn indices(self) -> impl Iterator<Item = usize>;
}

impl Positions for usize {
    fn indices(self) -> impl Iterator<Item = usize> {
        std::iter::once(self)
    }
}

impl<const N: usize> Positions for [usize; N] {
    fn indices(self) -> impl Iterator<Item = usize> {
        self.into_iter()
    }
}

impl<const N: usize> Positions for &[usize; N] {
    fn indices(self) -> impl Iterator<Item = usize> {
        self.iter().copied()
    }
}

impl Positions for &[usize] {
    fn indices(self) -> impl Iterator<Item = usize> {
        self.iter().copied()
    }
}

impl Positions for Vec<usize> {
    fn indices(self) -> impl Iterator<Item = usize> {
        self.into_iter()
    }
}

impl Positions for Range<usize> {
    fn indices(self) -> impl Iterator<Item = usize> {
        self
    }
}

impl Positions for RangeInclusive<usize> {
    fn indices(self) -> impl Iterator<Item = usize> {
        self
    }
}
