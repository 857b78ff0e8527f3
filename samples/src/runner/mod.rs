//! The command line.

mod bench;
mod cli;
mod commands;
mod data;
mod device;
mod failure;
mod named;
mod npy;
mod onnxruntime;
mod output;
mod session;
mod source;
mod table;
mod tensorrt_rtx;
mod text;
mod tuning;
mod verify;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use output::Output;

/// Runs the command that the program was called with.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to be done when the message can't be written.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let mut out = Output::stdout();
    let result = run(&cli.command, &mut out).and_then(|()| out.flush());
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // What was printed before comes first; if that fails too, the first failure is the one to tell.
            let _ = out.flush();
            let _ = writeln!(std::io::stderr(), "error: {}", text::shown_lines(&failure.to_string()));
            failure.exit_code()
        }
    }
}

fn run(command: &Command, out: &mut Output) -> failure::Result<()> {
    match command {
        Command::Add(args) => commands::add(args, out),
        Command::InplaceAdd(args) => commands::inplace_add(args, out),
        Command::NonZero(args) => commands::non_zero(args, out),
        Command::CircPad(args) => commands::circ_pad(args, out),
        Command::All(args) => commands::all(args, out),
        Command::List => commands::list(out),
        Command::Run(args) => commands::run(args, out),
        Command::Build(args) => commands::build(args, out),
        Command::Inspect(args) => commands::inspect(args, out),
        Command::New(args) => commands::new(args, out),
        Command::Bench(args) => bench::bench(args, out),
    }
}
