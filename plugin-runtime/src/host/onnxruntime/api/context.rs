//! One run of a node.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr;

use super::ElementType;
use crate::device::cpu::Lender;
use crate::error::{Error, Result};
use crate::host::onnxruntime::abi::{Api, OrtKernelContext, OrtValue};
use crate::shape::MAX_RANK;

/// One run of a node.
#[derive(Clone, Copy, Debug)]
pub(in crate::host::onnxruntime) struct Context<'c> {
    api: Api,
    raw: *mut OrtKernelContext,
    life: PhantomData<&'c OrtKernelContext>,
}

/// An input of a run.
#[derive(Clone, Copy, Debug)]
pub(in crate::host::onnxruntime) struct Input<'c> {
    pub(in crate::host::onnxruntime) ty: ElementType,
    pub(in crate::host::onnxruntime) extents: &'c [i64],
    pub(in crate::host::onnxruntime) data: *const c_void,
}

#[expect(unsafe_code, reason = "calls the runtime; each call's arguments are the context, and locals")]
impl<'c> Context<'c> {
    /// # Safety
    /// The context is the runtime's, and lives.
    #[inline]
    pub(in crate::host::onnxruntime) unsafe fn new(api: Api, raw: *mut OrtKernelContext) -> Self {
        Context { api, raw, life: PhantomData }
    }

    pub(super) fn raw(self) -> *const OrtKernelContext {
        self.raw
    }

    /// An input; `None` where the node leaves it out. `room` is for its extents, where the runtime copies them.
    #[inline]
    pub(in crate::host::onnxruntime) fn input<'r>(
        self,
        index: usize,
        room: &'r mut [i64; MAX_RANK],
    ) -> Result<Option<Input<'r>>>
    where
        'c: 'r,
    {
        let mut value = ptr::null();
        // SAFETY: a local; the value is borrowed from the run.
        unsafe { self.api.input(self.raw, index, &raw mut value)? };
        if value.is_null() {
            return Ok(None);
        }
        let mut data = ptr::null_mut();
        // SAFETY: the value lives until the run is over; its data isn't written.
        unsafe { self.api.tensor_data(value.cast_mut(), &raw mut data)? };
        // SAFETY: as above.
        let (ty, extents) = unsafe {
            match self.api.version() {
                24.. => self.shape_by_reference(value)?,
                _ => self.shape_by_copy(value, room)?,
            }
        };
        Ok(Some(Input { ty, extents, data }))
    }

    /// # Safety
    /// The value is a tensor, and lives as long as the run.
    #[inline]
    unsafe fn shape_by_reference(self, value: *const OrtValue) -> Result<(ElementType, &'c [i64])> {
        let (mut ty, mut extents, mut rank) = (0, ptr::null(), 0);
        // SAFETY: as the caller says; `rank` extents lie there as long as the value lives.
        unsafe {
            self.api.tensor_shape_reference(value, &raw mut ty, &raw mut extents, &raw mut rank)?;
            Ok((ty, if rank == 0 { &[] } else { std::slice::from_raw_parts(extents, rank) }))
        }
    }

    /// # Safety
    /// The value is a tensor, and lives.
    unsafe fn shape_by_copy(self, value: *const OrtValue, room: &mut [i64; MAX_RANK]) -> Result<(ElementType, &[i64])> {
        let (api, mut shape) = (self.api, ptr::null_mut());
        let (mut ty, mut rank) = (0, 0);
        // SAFETY: as the caller says; the shape is ours to release.
        unsafe {
            api.tensor_shape(value, &raw mut shape)?;
            let mut read = || {
                api.element_type(shape, &raw mut ty)?;
                api.rank(shape, &raw mut rank)?;
                match rank {
                    0..=MAX_RANK => api.extents(shape, room.as_mut_ptr(), rank),
                    rank => Err(too_many(rank)),
                }
            };
            let read = read();
            api.release_shape(shape);
            read?;
        }
        Ok((ty, &room[..rank]))
    }

    /// Makes an output of these extents; null where the node leaves it out.
    #[inline]
    pub(in crate::host::onnxruntime) fn output(self, index: usize, extents: &[i64]) -> Result<*mut c_void> {
        let (mut value, mut data) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the extents are as many as it is said; the value lives until the run is over.
        unsafe {
            self.api.output(self.raw, index, extents.as_ptr(), extents.len(), &raw mut value)?;
            if !value.is_null() {
                self.api.tensor_data(value, &raw mut data)?;
            }
        }
        Ok(data)
    }

    /// The run's stream on a GPU.
    #[inline]
    pub(in crate::host::onnxruntime) fn gpu_stream(self) -> Result<*mut c_void> {
        let mut stream = ptr::null_mut();
        // SAFETY: a local.
        unsafe { self.api.gpu_stream(self.raw, &raw mut stream)? };
        Ok(stream)
    }
}

impl Lender for Context<'_> {
    /// On the threads of the session's pool.
    fn lend(&self, times: usize, work: &(dyn Fn() + Sync)) {
        /// # Safety
        /// `work` is what `lend` gives.
        #[expect(unsafe_code, reason = "called by the runtime")]
        unsafe extern "C" fn call(work: *mut c_void, _index: usize) {
            // SAFETY: as the caller says; it lives until all calls have returned, and doesn't panic.
            let work = unsafe { &*work.cast::<&(dyn Fn() + Sync)>() };
            work();
        }
        // SAFETY: the runtime calls back before this returns only.
        #[expect(unsafe_code, reason = "calls the runtime")]
        let lent = unsafe { self.api.parallel_for(self.raw, call, times, 0, (&raw const work).cast_mut().cast()) };
        // Work that isn't done then is done by whoever asked.
        drop(lent);
    }
}

#[cold]
fn too_many(rank: usize) -> Error {
    Error::invalid(format_args!("an input has {rank} dimensions; at most {MAX_RANK} are possible"))
}
