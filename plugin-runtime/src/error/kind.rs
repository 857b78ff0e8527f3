//! Kinds of errors, for a caller to match.

use std::fmt;

/// The kind of an error.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A mistake that a plugin's own function reports, or its panic.
    Plugin,
    /// A request that can't be met: a shape out of range, a name that isn't there, a wrong type; or a file that isn't
    /// what it should be.
    Invalid,
    /// A tensor was viewed as a type that its elements don't have.
    ElementType,
    /// The linked plugins contradict each other, or one that was asked for isn't linked.
    Registry,
    /// A shape can't be computed, or an optimization profile doesn't fit the network.
    Shape,
    /// A device refused something, or something that ran on it failed.
    Device,
    /// A device can't be used by this process any more.
    DeviceLost,
    /// More memory would be needed than there is.
    OutOfMemory,
    /// A file or a stream of the operating system can't be read or written.
    Io,
    /// A build that times nothing lacks a record in its tuning lockfile.
    NotTimed,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ErrorKind::Plugin => "a plugin's own error",
            ErrorKind::Invalid => "an invalid request",
            ErrorKind::ElementType => "a wrong element type",
            ErrorKind::Registry => "a plugin that isn't linked, or contradicts another",
            ErrorKind::Shape => "a shape that can't be",
            ErrorKind::Device => "an error of a device",
            ErrorKind::DeviceLost => "a device that is lost",
            ErrorKind::OutOfMemory => "too little memory",
            ErrorKind::Io => "an error of the operating system",
            ErrorKind::NotTimed => "a missing record of a timing",
        })
    }
}
