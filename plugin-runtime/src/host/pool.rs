//! What each call needs for itself, kept from one call to the next.

use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// How many values are kept: as many calls run at once without making one anew.
const SLOTS: usize = 32;

/// Values of which each is used by one thread at a time. To take one and to give it back neither locks nor allocates.
pub(crate) struct Pool<T>([AtomicPtr<T>; SLOTS]);

impl<T> Pool<T> {
    pub(crate) fn new() -> Self {
        Pool([const { AtomicPtr::new(ptr::null_mut()) }; SLOTS])
    }

    /// One that nobody uses, the one given back last where one thread uses the pool.
    #[inline]
    pub(crate) fn take(&self) -> Option<Box<T>> {
        for slot in &self.0 {
            if slot.load(Ordering::Relaxed).is_null() {
                continue;
            }
            let taken = slot.swap(ptr::null_mut(), Ordering::Acquire);
            if !taken.is_null() {
                // SAFETY: the pointer came from a box in `give`, and whoever swaps it out is the only one who has it.
                #[expect(unsafe_code, reason = "a box that was put into an atomic pointer")]
                return Some(unsafe { Box::from_raw(taken) });
            }
        }
        None
    }

    /// Keeps one for later; where there is no room, it is dropped.
    #[inline]
    pub(crate) fn give(&self, value: Box<T>) {
        let value = Box::into_raw(value);
        for slot in &self.0 {
            let kept = slot.load(Ordering::Relaxed).is_null()
                && slot.compare_exchange(ptr::null_mut(), value, Ordering::Release, Ordering::Relaxed).is_ok();
            if kept {
                return;
            }
        }
        // SAFETY: the pointer came from a box above, and no slot took it.
        #[expect(unsafe_code, reason = "the box from above")]
        drop(unsafe { Box::from_raw(value) });
    }
}

impl<T> Drop for Pool<T> {
    fn drop(&mut self) {
        while let Some(value) = self.take() {
            drop(value);
        }
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.0.iter().filter(|slot| !slot.load(Ordering::Relaxed).is_null()).count();
        write!(f, "Pool({kept} kept)")
    }
}

// SAFETY: it hands values from thread to thread, each to one at a time, and never shares one.
#[expect(unsafe_code, reason = "values that change threads")]
unsafe impl<T: Send> Send for Pool<T> {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "values that change threads")]
unsafe impl<T: Send> Sync for Pool<T> {}
