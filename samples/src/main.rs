//! Builds and runs the sample plugins, and checks their results: `samples --help`.

mod runner;

fn main() -> std::process::ExitCode {
    runner::main()
}
