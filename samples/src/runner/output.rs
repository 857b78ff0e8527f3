//! Standard output that survives its reader's going away.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use super::failure::{Failure, Result};
use super::table::Table;

/// Where results are printed. When a reader such as `head` has closed the pipe, what follows is dropped in silence: the
/// program's status still tells the verdict.
pub(super) struct Output {
    sink: Box<dyn Write>,
    terminal: bool,
    closed: bool,
}

impl Output {
    pub(super) fn stdout() -> Self {
        let stdout: Stdout = io::stdout();
        let terminal = stdout.is_terminal();
        Output { sink: Box::new(BufWriter::new(stdout)), terminal, closed: false }
    }

    /// Prints a line.
    ///
    /// # Errors
    /// When it can't be written, a closed pipe aside.
    pub(super) fn line(&mut self, line: impl fmt::Display) -> Result<()> {
        self.attempt(|sink| writeln!(sink, "{line}"))
    }

    /// Prints a table: with borders on a terminal, else as plain lines.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub(super) fn table(&mut self, table: &Table) -> Result<()> {
        let text = if self.terminal { table.bordered() } else { table.plain() };
        self.attempt(|sink| sink.write_all(text.as_bytes()))
    }

    /// Prints what is held back.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub(super) fn flush(&mut self) -> Result<()> {
        self.attempt(|sink| sink.flush())
    }

    fn attempt(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        if self.closed {
            return Ok(());
        }
        match write(&mut self.sink) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result.map_err(|e| Failure::work(format_args!("can't write to standard output: {e}"))),
        }
    }
}
