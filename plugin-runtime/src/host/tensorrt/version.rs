//! Which TensorRT loaded this library.

use std::ffi::{c_int, c_void};

use crate::host::library::library_of;

/// `getInferLibVersion()`: `major * 10000 + minor * 100 + patch`. TensorRT-RTX counts by itself, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Version(pub(super) i32);

/// The first TensorRT; what is below is TensorRT-RTX.
const TENSORRT: i32 = 100_000;

impl Version {
    /// The version of the library that an object of the host comes from: of several in a process the one that called.
    /// `None` where it doesn't say.
    pub(super) fn of_object(object: *const c_void) -> Option<Version> {
        if object.is_null() || !object.cast::<*const c_void>().is_aligned() {
            return None;
        }
        // SAFETY: an object of C++ with virtual functions begins with the address of a table in its library.
        #[expect(unsafe_code, reason = "reads an object of the host")]
        let table = unsafe { *object.cast::<*const c_void>() };
        let library = library_of(table)?;
        // SAFETY: every TensorRT has this function, which takes nothing and returns an int.
        #[expect(unsafe_code, reason = "calls the host")]
        unsafe {
            let version = library.get::<unsafe extern "C" fn() -> c_int>(b"getInferLibVersion\0").ok()?;
            Some(Version(version()))
        }
    }

    /// Whether loggers and what finds them aren't versioned interfaces yet.
    pub(super) fn has_old_loggers(self) -> bool {
        if self.0 >= TENSORRT { self.0 < 110_000 } else { self.0 < 10_500 }
    }

    /// Whether it knows quick plugins, with kernels that lie in the plan. TensorRT-RTX's importer refuses them.
    pub(super) fn knows_quick_plugins(self) -> bool {
        self.0 >= 100_900
    }

    /// Whether it knows plugins that update inputs in place.
    pub(super) fn knows_aliases(self) -> bool {
        self.0 < TENSORRT || self.0 >= 100_300
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn what_moved_follows_the_version() {
        let old = |version| Version(version).has_old_loggers();
        assert!([100_000, 101_601, 10_300, 10_400].into_iter().all(old));
        assert!(![110_000, 110_400, 10_500, 10_701].into_iter().any(old));
        let aliases = |version| Version(version).knows_aliases();
        assert!([10_300, 10_701, 100_300, 110_400].into_iter().all(aliases));
        assert!(![100_000, 100_200].into_iter().any(aliases));
        let quick = |version| Version(version).knows_quick_plugins();
        assert!([100_900, 101_601, 110_400].into_iter().all(quick));
        assert!(![10_300, 10_701, 100_000, 100_802].into_iter().any(quick));
    }

    #[test]
    fn an_object_of_no_library_has_no_version() {
        let table = [0usize; 4];
        let object = &raw const table;
        assert_eq!(Version::of_object((&raw const object).cast()), None);
        assert_eq!(Version::of_object(std::ptr::null()), None);
    }
}
