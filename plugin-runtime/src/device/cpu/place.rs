//! Where the system lets a thread run.
//!
//! A thread that is woken may be put on the core of the one that wakes it, even where others are idle: there it waits until
//! that one has done its work by itself. So a thread that goes to sleep excludes the core from which it was last woken.

#[cfg(target_os = "linux")]
pub(super) use linux::{Place, current_core};

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "functions of the C library, which std is linked with")]
mod linux {
    use std::ffi::{c_int, c_ulong};

    const WORD: usize = c_ulong::BITS as usize;
    /// As many cores as the C library's own type has room for.
    const WORDS: usize = 1024 / WORD;

    type Cores = [c_ulong; WORDS];

    unsafe extern "C" {
        fn sched_getcpu() -> c_int;
        fn sched_getaffinity(thread: c_int, bytes: usize, cores: *mut c_ulong) -> c_int;
        fn sched_setaffinity(thread: c_int, bytes: usize, cores: *const c_ulong) -> c_int;
    }

    /// The core on which the calling thread runs.
    pub(in super::super) fn current_core() -> Option<usize> {
        // SAFETY: it takes nothing and touches nothing.
        usize::try_from(unsafe { sched_getcpu() }).ok()
    }

    /// The cores of the calling thread. Whoever else changes them is heeded.
    #[derive(Default)]
    pub(in super::super) struct Place {
        /// What there was to choose from, and what was made of it.
        changed: Option<(Cores, Cores)>,
        excluded: Option<usize>,
    }

    impl Place {
        /// Keeps the thread off one core, and off no other, if it may run elsewhere.
        pub(in super::super) fn exclude(&mut self, core: Option<usize>) {
            if core == self.excluded {
                return;
            }
            self.excluded = core;
            let Some(now) = cores() else { return };
            let allowed = match self.changed {
                Some((allowed, made)) if made == now => allowed,
                _ => now,
            };
            let mut without = allowed;
            if let Some(core) = core
                && let Some(word) = without.get_mut(core / WORD)
            {
                *word &= !(1 << (core % WORD));
            }
            if without.iter().all(|&word| word == 0) {
                without = allowed;
            }
            // SAFETY: it reads as many bytes as there are. If it fails, the thread runs where it did.
            unsafe { sched_setaffinity(0, size_of::<Cores>(), without.as_ptr()) };
            self.changed = Some((allowed, without));
        }
    }

    fn cores() -> Option<Cores> {
        let mut cores = [0; WORDS];
        // SAFETY: it writes as many bytes as there are at most.
        let got = unsafe { sched_getaffinity(0, size_of::<Cores>(), cores.as_mut_ptr()) };
        (got == 0).then_some(cores)
    }

    #[cfg(test)]
    mod tests {
        use super::{Place, cores, current_core};

        #[test]
        fn a_core_is_excluded_and_allowed_again() {
            std::thread::spawn(|| {
                let before = cores().unwrap();
                let count = before.iter().map(|word| word.count_ones()).sum::<u32>();
                let core = current_core().unwrap();
                let mut place = Place::default();
                place.exclude(Some(core));
                let left = cores().unwrap().iter().map(|word| word.count_ones()).sum::<u32>();
                assert_eq!(left, (count - 1).max(1));
                assert!(count == 1 || current_core() != Some(core));
                place.exclude(Some(usize::MAX));
                assert_eq!(cores().unwrap(), before);
                place.exclude(Some(core));
                place.exclude(None);
                assert_eq!(cores().unwrap(), before);
            })
            .join()
            .unwrap();
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) use elsewhere::{Place, current_core};

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    pub(in super::super) fn current_core() -> Option<usize> {
        None
    }

    #[derive(Default)]
    pub(in super::super) struct Place;

    impl Place {
        pub(in super::super) fn exclude(&mut self, _core: Option<usize>) {}
    }
}
