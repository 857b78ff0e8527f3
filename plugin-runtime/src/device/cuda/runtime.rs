//! The kernels that the runtime itself needs between the layers of an engine.

use super::reformat::{REFORMAT, REFORMAT_WIDE};
use super::settle::SETTLE;
use super::{KERNELS, KernelEntry, Source};

/// All of the runtime's own sources.
pub(crate) fn sources() -> [&'static Source; 3] {
    [&REFORMAT, &REFORMAT_WIDE, &SETTLE]
}

/// The sources of conversions.
pub(crate) fn reformat_sources() -> [&'static Source; 2] {
    [&REFORMAT, &REFORMAT_WIDE]
}

/// The source of the kernels that compute extents from size tensors.
pub(crate) fn extents_source() -> &'static Source {
    &SETTLE
}

/// The kernels that are declared of one of them.
pub(crate) fn kernels_of(source: &'static Source) -> impl Iterator<Item = &'static KernelEntry> {
    KERNELS.iter().filter(move |kernel| std::ptr::eq(kernel.source, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_has_a_name_and_kernels_of_its_own() {
        let names = sources().map(|source| source.name);
        assert_eq!(names, ["reformat.cu", "reformat_wide.cu", "settle.cu"]);
        assert_eq!(sources().map(|source| kernels_of(source).count()), [3, 2, 2]);
        let checksums = sources().map(Source::checksum);
        assert!(checksums[0] != checksums[1] && checksums[1] != checksums[2] && checksums[0] != checksums[2]);
    }
}
