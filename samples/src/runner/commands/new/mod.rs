//! `samples new`: a crate of plugins.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::runner::cli::NewArgs;
use crate::runner::failure::{Failure, Result};
use crate::runner::output::Output;

/// The files of a crate, by their paths in it.
const FILES: [(&str, &str); 6] = [
    ("Cargo.toml", include_str!("Cargo.toml.txt")),
    ("README.md", include_str!("README.md.txt")),
    ("src/lib.rs", include_str!("lib.rs.txt")),
    ("src/scale.rs", include_str!("scale.rs.txt")),
    ("src/scale.cu", include_str!("scale.cu.txt")),
    ("tests/conformance.rs", include_str!("conformance.rs.txt")),
];

/// What Rust and its own crates, this one and TensorRT call something else.
const TAKEN: &str = "\
    abstract alloc as async await become box break const continue core crate do dyn else enum extern false final fn \
    for gen if impl in let loop macro match mod move mut override plugin_runtime priv proc_macro pub ref return \
    self static std struct super tensorrt test trait true trt try type typeof unsafe unsized use virtual where \
    while yield";

/// Writes a crate with one plugin into a folder that isn't there yet.
///
/// # Errors
/// When the folder's name can't be a crate's, it holds something, or it can't be written.
pub(in crate::runner) fn new(args: &NewArgs, out: &mut Output) -> Result<()> {
    let name = crate_name(&args.folder)?;
    let runtime = runtime()?;
    let empty = match fs::read_dir(&args.folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == ErrorKind::NotFound,
    };
    if !empty {
        return Err(Failure::work(format_args!("`{}` is there already: name another folder", args.folder.display())));
    }
    let path = format!("{:?}", runtime.to_string_lossy());
    for (file, text) in FILES {
        let text = text.replace("{name}", &name).replace("{crate}", &name.replace('-', "_")).replace("{path}", &path);
        let to = args.folder.join(file);
        let written = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&to, text));
        written.map_err(|error| Failure::work(format_args!("`{}` can't be written: {error}", to.display())))?;
    }
    let folder = args.folder.display();
    out.line(format_args!("{folder} holds a crate with one plugin, src/scale.rs: try it with"))?;
    out.line(format_args!("  cd {folder} && cargo test"))
}

/// The last part of the path, if it can be a crate's name.
fn crate_name(folder: &Path) -> Result<String> {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if TAKEN.split_whitespace().any(|taken| taken == name.replace('-', "_")) {
        return Err(Failure::usage(format_args!(
            "`{name}` is a word of Rust's or the name of something else: name the crate otherwise, as `{name}-plugins`"
        )));
    }
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(is_letter) {
        return Ok(name);
    }
    Err(Failure::usage(format_args!(
        "`{}` can't be a crate's name: write small letters, digits, `-` and `_`, a letter first, as `my-plugins`",
        folder.display()
    )))
}

/// The runtime of the clone that this program was built from.
fn runtime() -> Result<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin-runtime");
    path.canonicalize().map_err(|error| {
        Failure::work(format_args!(
            "the crate is to depend on the clone that this program was built from, and `{}` isn't there: {error}",
            path.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::crate_name;
    use std::path::Path;

    #[test]
    fn folders_are_named_as_crates() {
        for good in ["my-plugins", "/tmp/a_b2", "x/y/plugins/"] {
            assert!(crate_name(Path::new(good)).is_ok(), "{good}");
        }
        for bad in ["", "/", "My", "2d", "a b", "..", "ä"] {
            assert!(crate_name(Path::new(bad)).is_err(), "{bad}");
        }
        for taken in ["std", "plugin-runtime", "fn", "self", "crate", "super", "proc-macro", "gen"] {
            let refused = crate_name(Path::new(taken)).unwrap_err().to_string();
            assert!(refused.contains(&format!("as `{taken}-plugins`")), "{refused}");
        }
    }
}
