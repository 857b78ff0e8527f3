//! Optimization profiles: the ranges that dynamic dimensions of a network's inputs may have.

use std::collections::{BTreeMap, HashMap};

use super::{Dims, Interval, MAX_RANK};
use crate::wording::counted;

/// The min, opt and max shape of each network input with dynamic dimensions. A network without dynamic inputs needs none:
/// the empty profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    inputs: BTreeMap<String, ProfileDims>,
    flaws: Vec<ProfileError>,
}

/// The shapes of one input, all of one rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProfileDims {
    /// The smallest extents that a run may have.
    pub min: Dims,
    /// The extents that tactics are timed at.
    pub opt: Dims,
    /// The largest extents that a run may have, which buffers are sized for.
    pub max: Dims,
}

/// An error of a profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The same input twice.
    #[error("the profile gives the dimensions of input `{input}` twice")]
    Duplicate {
        /// The input's name.
        input: String,
    },
    /// More dimensions than a tensor can have.
    #[error("the profile's {which} of input `{input}` has {got} dimensions, but a tensor has at most {MAX_RANK}")]
    TooManyDimensions {
        /// The input's name.
        input: String,
        /// `min`, `opt` or `max`.
        which: &'static str,
        /// How many dimensions it has.
        got: usize,
    },
    /// Another number of dimensions than the input has.
    #[error("the profile's {which} of input `{input}` has {}, but the input has {expected}: {shape}", counted(*got, "dimension"))]
    Rank {
        /// The input's name.
        input: String,
        /// `min`, `opt` or `max`.
        which: &'static str,
        /// How many dimensions the input has.
        expected: usize,
        /// How many dimensions the profile gives.
        got: usize,
        /// The input's shape, -1 where it is dynamic.
        shape: Box<Dims>,
    },
    /// Extents that are negative or out of order.
    #[error(
        "the profile of input `{input}` gives dimension {dim} min {min}, opt {opt}, max {max}, but it needs \
         0 <= min <= opt <= max"
    )]
    Order {
        /// The input's name.
        input: String,
        /// The dimension.
        dim: usize,
        /// Its smallest extent.
        min: i64,
        /// Its usual extent.
        opt: i64,
        /// Its largest extent.
        max: i64,
    },
    /// Another extent than the input's own in a dimension that is not dynamic.
    #[error(
        "the profile's {which} of input `{input}` has extent {got} in dimension {dim}, but there the input is static \
         with {expected}: {shape}"
    )]
    Static {
        /// The input's name.
        input: String,
        /// `min`, `opt` or `max`.
        which: &'static str,
        /// The dimension.
        dim: usize,
        /// The input's extent.
        expected: i64,
        /// The profile's extent.
        got: i64,
        /// The input's shape, -1 where it is dynamic.
        shape: Box<Dims>,
    },
    /// A dynamic input that the profile doesn't mention.
    #[error(
        "input `{input}` has dynamic dimensions, {shape}, but the profile doesn't say their range: add \
         `.dims(\"{input}\", min, opt, max)`"
    )]
    Missing {
        /// The input's name.
        input: String,
        /// The input's shape, -1 where it is dynamic.
        shape: Box<Dims>,
    },
    /// A name that no input of the network has.
    #[error("the profile names input `{input}`, which the network doesn't have; its inputs are: {}", .known.join(", "))]
    UnknownInput {
        /// The name.
        input: String,
        /// The names there are.
        known: Vec<String>,
    },
}

impl Profile {
    /// A profile without inputs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an input. A mistake in it is reported when the profile is validated.
    #[must_use]
    pub fn dims(
        mut self,
        input: impl Into<String>,
        min: impl AsRef<[i64]>,
        opt: impl AsRef<[i64]>,
        max: impl AsRef<[i64]>,
    ) -> Self {
        let input = input.into();
        let read = |which, extents: &[i64]| {
            let too_many = || ProfileError::TooManyDimensions { input: input.clone(), which, got: extents.len() };
            Dims::new(extents).ok_or_else(too_many)
        };
        let dims = read("min", min.as_ref())
            .and_then(|min| Ok(ProfileDims { min, opt: read("opt", opt.as_ref())?, max: read("max", max.as_ref())? }));
        match dims {
            Err(flaw) => self.flaws.push(flaw),
            Ok(_) if self.inputs.contains_key(&input) => self.flaws.push(ProfileError::Duplicate { input }),
            Ok(dims) => {
                self.inputs.insert(input, dims);
            }
        }
        self
    }

    /// The shapes given for an input.
    pub fn get(&self, input: &str) -> Option<&ProfileDims> {
        self.inputs.get(input)
    }

    /// All inputs by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ProfileDims)> {
        self.inputs.iter().map(|(name, dims)| (name.as_str(), dims))
    }

    /// Whether it mentions no input.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.flaws.is_empty()
    }

    /// Checks it against a network's inputs: name and shape, -1 where it is dynamic. Each dynamic input must be there;
    /// one that is static may be.
    ///
    /// # Errors
    /// The first mistake found.
    pub fn validate(&self, inputs: &[(&str, Dims)]) -> Result<(), ProfileError> {
        if let Some(flaw) = self.flaws.first() {
            return Err(flaw.clone());
        }
        let shapes: HashMap<&str, Dims> = inputs.iter().copied().collect();
        for (name, dims) in self.iter() {
            let Some(shape) = shapes.get(name) else {
                let known = inputs.iter().map(|(input, _)| (*input).to_owned()).collect();
                return Err(ProfileError::UnknownInput { input: name.to_owned(), known });
            };
            dims.validate(name, *shape)?;
        }
        match inputs.iter().find(|(name, shape)| shape.iter().any(|d| *d < 0) && self.get(name).is_none()) {
            Some((name, shape)) => Err(ProfileError::Missing { input: (*name).to_owned(), shape: Box::new(*shape) }),
            None => Ok(()),
        }
    }
}

impl ProfileDims {
    /// The range of one dimension; `None` beyond the rank.
    pub fn interval(&self, dim: usize) -> Option<Interval> {
        Some(Interval { min: *self.min.get(dim)?, max: *self.max.get(dim)? })
    }

    fn validate(&self, input: &str, shape: Dims) -> Result<(), ProfileError> {
        let named = [("min", &self.min), ("opt", &self.opt), ("max", &self.max)];
        let input = || input.to_owned();
        if let Some((which, dims)) = named.into_iter().find(|(_, dims)| dims.len() != shape.len()) {
            let (expected, got) = (shape.len(), dims.len());
            return Err(ProfileError::Rank { input: input(), which, expected, got, shape: Box::new(shape) });
        }
        for (dim, expected) in shape.iter().copied().enumerate() {
            let wrong = named.into_iter().find(|(_, dims)| expected >= 0 && dims[dim] != expected);
            if let Some((which, dims)) = wrong {
                return Err(ProfileError::Static {
                    input: input(),
                    which,
                    dim,
                    expected,
                    got: dims[dim],
                    shape: Box::new(shape),
                });
            }
            let [min, opt, max] = named.map(|(_, dims)| dims[dim]);
            if !(0 <= min && min <= opt && opt <= max) {
                return Err(ProfileError::Order { input: input(), dim, min, opt, max });
            }
        }
        Ok(())
    }
}
