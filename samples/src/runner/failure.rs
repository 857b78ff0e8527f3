//! What ends a command early.

use std::fmt;
use std::process::ExitCode;

pub(super) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command ended without a right result: what is printed on stderr, and with which status the program ends.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command line asks for something that makes no sense. Status 2.
    Usage(String),
    /// The work failed, or its result is wrong. Status 1.
    Work(String),
}

impl Failure {
    pub(super) fn usage(message: impl fmt::Display) -> Self {
        Failure::Usage(message.to_string())
    }

    pub(super) fn work(message: impl fmt::Display) -> Self {
        Failure::Work(message.to_string())
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Usage(_) => ExitCode::from(2),
            Failure::Work(_) => ExitCode::from(1),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(message) | Failure::Work(message) => f.write_str(message),
        }
    }
}

impl From<plugin_runtime::Error> for Failure {
    fn from(error: plugin_runtime::Error) -> Self {
        Failure::work(error)
    }
}
