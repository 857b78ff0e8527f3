//! What a node of a host runs as, and why.

use std::fmt;
use std::path::PathBuf;

use crate::tactic::Choice;

/// What a node runs as, and why.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    pub(crate) choice: Choice,
    pub(crate) by: Decider,
}

/// Why a node runs as it does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Decider {
    /// The records of this lockfile.
    Lockfile(PathBuf),
    /// Trying it.
    Trial,
    /// It is the first that is listed.
    Order,
    /// The host, which timed it itself.
    #[cfg(feature = "tensorrt")]
    Host,
}

impl fmt::Display for Decider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Decider::Lockfile(path) => write!(f, "by tuning lockfile `{}`", path.display()),
            Decider::Trial => f.write_str("found by trying"),
            Decider::Order => f.write_str("the first that is listed"),
            #[cfg(feature = "tensorrt")]
            Decider::Host => f.write_str("chosen by the host"),
        }
    }
}
