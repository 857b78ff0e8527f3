//! Which sources of kernels a timing depends on.

use std::path::Path;

use super::Subject;
use crate::device::DeviceKind;
use crate::device::cuda::{SOURCES, runtime};
use crate::plugin::{Plugin, Registry};

/// All sources that are linked.
#[derive(Clone, Debug)]
pub(super) struct Kernels {
    /// Per source, the Rust file that declares it, and its checksum.
    sources: Vec<(&'static str, u32)>,
    /// Checksum of the sources of conversions.
    reformats: u32,
}

impl Kernels {
    pub(super) fn linked() -> Self {
        Kernels {
            sources: SOURCES.iter().map(|source| (source.rust_file, source.checksum())).collect(),
            reformats: joined(runtime::reformat_sources().iter().map(|source| source.checksum())),
        }
    }

    /// Checksum of the sources that a subject's timing depends on: the plugin's own, where it is known to have some.
    pub(super) fn checksum(&self, subject: &Subject) -> u32 {
        match subject {
            Subject::Reformat { .. } => self.reformats,
            Subject::Trial { plugin, version, .. } => {
                let plugin = Registry::global().ok().and_then(|registry| registry.get(plugin, *version).ok());
                self.of_files(&plugin.map(files_of).unwrap_or_default())
            }
        }
    }

    /// Checksum of the sources declared in these Rust files and their folders, or of all sources where there are none.
    fn of_files(&self, files: &[&str]) -> u32 {
        let own = self.sources.iter().filter(|(declared_in, _)| files.iter().any(|file| belongs(declared_in, file)));
        let mut own = own.map(|(_, checksum)| *checksum).peekable();
        match own.peek() {
            Some(_) => joined(own),
            None => joined(self.sources.iter().map(|(_, checksum)| *checksum)),
        }
    }
}

/// Checksum of the sources that a plugin's timings depend on.
#[cfg(feature = "tensorrt")]
pub(crate) fn checksum_of(plugin: &Plugin) -> u32 {
    Kernels::linked().of_files(&files_of(plugin))
}

/// The files with the code that runs a plugin on a GPU.
fn files_of(plugin: &Plugin) -> Vec<&'static str> {
    let implementation = plugin.impl_for(DeviceKind::Cuda).map(|entry| entry.location.file);
    implementation.into_iter().chain(plugin.aot.as_ref().map(|entry| entry.location.file)).collect()
}

/// Whether a Rust file is this one, or a module of it: `add.rs`, or whatever is in `add/`.
fn belongs(declared_in: &str, file: &str) -> bool {
    let file = Path::new(file);
    Path::new(declared_in) == file || Path::new(declared_in).starts_with(file.with_extension(""))
}

/// One checksum for all, whatever order they are linked in.
fn joined(checksums: impl Iterator<Item = u32>) -> u32 {
    let mut all: Vec<u32> = checksums.collect();
    all.sort_unstable();
    all.dedup();
    crc32fast::hash(bytemuck::cast_slice(&all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernels(sources: &[(&'static str, u32)]) -> Kernels {
        Kernels { sources: sources.to_vec(), reformats: 7 }
    }

    #[test]
    fn a_plugins_sources_are_those_of_its_file_and_folder() {
        let file = "samples/src/add.rs";
        for own in ["samples/src/add.rs", "samples/src/add/cuda.rs", "samples/src/add/deep/er.rs"] {
            assert!(belongs(own, file), "{own}");
        }
        for other in
            ["samples/src/add_more.rs", "samples/src/adder/cuda.rs", "src/add.rs", "samples/src/lib.rs", "", "/"]
        {
            assert!(!belongs(other, file), "{other}");
        }
    }

    #[test]
    fn sources_of_others_make_no_difference() {
        let before = kernels(&[("src/add.rs", 1), ("src/add/cuda.rs", 2), ("src/mul.rs", 3)]);
        let more = kernels(&[("src/new.rs", 9), ("src/mul.rs", 4), ("src/add/cuda.rs", 2), ("src/add.rs", 1)]);
        assert_eq!(before.of_files(&["src/add.rs"]), more.of_files(&["src/add.rs"]));
        assert_ne!(before.of_files(&["src/mul.rs"]), more.of_files(&["src/mul.rs"]));
        let changed = kernels(&[("src/add.rs", 1), ("src/add/cuda.rs", 8), ("src/mul.rs", 3)]);
        assert_ne!(before.of_files(&["src/add.rs"]), changed.of_files(&["src/add.rs"]));
        assert_eq!(before.of_files(&["src/mul.rs"]), changed.of_files(&["src/mul.rs"]));
        assert_eq!(before.of_files(&["src/x.rs", "src/mul.rs"]), before.of_files(&["src/mul.rs"]));
    }

    #[test]
    fn a_plugin_without_sources_of_its_own_depends_on_all() {
        let before = kernels(&[("src/add.rs", 1), ("src/mul.rs", 3)]);
        let changed = kernels(&[("src/add.rs", 1), ("src/mul.rs", 4)]);
        let again = kernels(&[("src/mul.rs", 3), ("src/add.rs", 1), ("src/copy.rs", 1)]);
        for files in [&["src/other.rs"][..], &[]] {
            assert_ne!(before.of_files(files), changed.of_files(files));
            assert_eq!(before.of_files(files), again.of_files(files));
        }
        let trial = |plugin: &str| Subject::Trial {
            plugin: plugin.into(),
            version: 1,
            attributes: "".into(),
            tensors: "".into(),
            combination: "".into(),
            tactic: 0,
            name: "".into(),
            check: "tactics agree".into(),
        };
        assert_eq!(before.checksum(&trial("nobody::knows")), before.of_files(&[]));
        let reformat = Subject::Reformat { dims: "".into(), from: "".into(), to: "".into() };
        assert_eq!((before.checksum(&reformat), changed.checksum(&reformat)), (7, 7));
    }

    #[test]
    fn the_runtimes_sources_are_linked() {
        let linked = Kernels::linked();
        let declared: Vec<_> =
            runtime::sources().into_iter().map(|source| (source.rust_file, source.checksum())).collect();
        assert!(declared.iter().all(|source| linked.sources.contains(source)));
        let of_reformats = runtime::reformat_sources().len();
        let reformats: Vec<u32> = declared[..of_reformats].iter().map(|(_, checksum)| *checksum).collect();
        assert_eq!(linked.reformats, joined(reformats.into_iter()));
    }
}
