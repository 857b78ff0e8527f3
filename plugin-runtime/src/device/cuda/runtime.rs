//! The kernels that the runtime itself needs between the layers of an engine.

use super::reformat::all_sources;
use super::settle::SETTLE;
use super::{KERNELS, KernelEntry, Source};

/// All of the runtime's own sources.
pub(crate) fn sources() -> Vec<&'static Source> {
    reformat_sources().into_iter().chain([extents_source()]).collect()
}

/// The sources of conversions.
pub(crate) fn reformat_sources() -> [&'static Source; 12] {
    all_sources()
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
        let found: Vec<_> = sources().into_iter().map(|source| (source.name, kernels_of(source).count())).collect();
        let expected = [
            ("reformat_any.cu", 1),
            ("reformat_flat.cu", 2),
            ("reformat_tiles.cu", 2),
            ("reformat_transpose.cu", 3),
            ("reformat_cast_1.cu", 3),
            ("reformat_cast_2.cu", 3),
            ("reformat_cast_4.cu", 3),
            ("reformat_short.cu", 6),
            ("reformat_short_tiles.cu", 6),
            ("reformat_eights.cu", 2),
            ("reformat_crossed.cu", 3),
            ("reformat_wide.cu", 2),
            ("settle.cu", 2),
        ];
        assert_eq!(found, expected);
        let checksums: Vec<_> = sources().into_iter().map(Source::checksum).collect();
        for (index, checksum) in checksums.iter().enumerate() {
            assert!(!checksums[..index].contains(checksum));
        }
    }
}
