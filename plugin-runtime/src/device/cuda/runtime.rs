//! The kernels that the runtime itself needs between the layers of an engine.

use super::reformat::all_sources;
use super::settle::SETTLE;
use super::{KERNELS, KernelEntry, Source};

/// All of the runtime's own sources.
pub(crate) fn sources() -> [&'static Source; 6] {
    let [any, flat, tiles, transpose, wide] = reformat_sources();
    [any, flat, tiles, transpose, wide, &SETTLE]
}

/// The sources of conversions.
pub(crate) fn reformat_sources() -> [&'static Source; 5] {
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
        let names = sources().map(|source| source.name);
        let reformats = ["any", "flat", "tiles", "transpose", "wide"].map(|name| format!("reformat_{name}.cu"));
        assert_eq!(names[..5], reformats.each_ref().map(String::as_str));
        assert_eq!(names[5], "settle.cu");
        assert_eq!(sources().map(|source| kernels_of(source).count()), [1, 1, 2, 3, 2, 2]);
        let checksums = sources().map(Source::checksum);
        for (index, checksum) in checksums.iter().enumerate() {
            assert!(!checksums[..index].contains(checksum));
        }
    }
}
