//! The declared file's text, where the compiler tells where the Rust file is.

use std::path::{Path, PathBuf};

use syn::LitStr;

use super::model::Declaration;
use crate::report::Report;

/// What is known of the file.
#[derive(Debug, Default)]
pub(super) struct File {
    /// Its text and that of its headers, where it is CUDA C++ and could be read.
    pub(super) text: Option<String>,
    /// Whether it isn't where it is looked for; that is reported.
    pub(super) is_missing: bool,
}

pub(super) fn read(declaration: &Declaration, report: &mut Report) -> File {
    let Some(folder) = folder_of(&declaration.file) else { return File::default() };
    let mut file = File::default();
    let mut text = String::new();
    for name in std::iter::once(&declaration.file).chain(&declaration.headers) {
        let path = folder.join(name.value());
        match std::fs::read(&path) {
            Ok(bytes) => text += &String::from_utf8_lossy(&bytes),
            Err(error) => {
                let (name_text, path) = (name.value(), path.display());
                let why =
                    if error.kind() == std::io::ErrorKind::NotFound { "isn't there".into() } else { error.to_string() };
                report.error(
                    name,
                    format_args!("`{name_text}` is looked for beside this Rust file, as `{path}`, and that {why}"),
                );
                file.is_missing = true;
            }
        }
        text.push('\n');
    }
    file.text = (!declaration.is_image && !file.is_missing).then_some(text);
    file
}

/// The folder of the Rust file that a literal stands in.
fn folder_of(literal: &LitStr) -> Option<PathBuf> {
    let path = literal.span().unwrap_if_compiler()?.local_file()?;
    path.parent().map(Path::to_owned)
}

/// A span as the compiler knows it; there is none in tests of this crate.
trait CompilerSpan {
    fn unwrap_if_compiler(self) -> Option<proc_macro::Span>;
}

impl CompilerSpan for proc_macro2::Span {
    fn unwrap_if_compiler(self) -> Option<proc_macro::Span> {
        proc_macro::is_available().then(|| self.unwrap())
    }
}
