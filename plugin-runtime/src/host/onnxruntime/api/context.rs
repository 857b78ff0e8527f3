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
pub(in crate::host::onnxruntime) struct Input {
    pub(in crate::host::onnxruntime) ty: ElementType,
    extents: [i64; MAX_RANK],
    rank: usize,
    pub(in crate::host::onnxruntime) data: *const c_void,
}

impl Input {
    #[inline]
    pub(in crate::host::onnxruntime) fn extents(&self) -> &[i64] {
        &self.extents[..self.rank]
    }
}

#[expect(unsafe_code, reason = "calls the runtime; each call's arguments are the context, and locals")]
impl Context<'_> {
    /// # Safety
    /// The context is the runtime's, and lives.
    #[inline]
    pub(in crate::host::onnxruntime) unsafe fn new(api: Api, raw: *mut OrtKernelContext) -> Self {
        Context { api, raw, life: PhantomData }
    }

    pub(super) fn raw(self) -> *const OrtKernelContext {
        self.raw
    }

    /// An input; `None` where the node leaves it out.
    #[inline]
    pub(in crate::host::onnxruntime) fn input(self, index: usize) -> Result<Option<Input>> {
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
        let mut input = unsafe {
            match self.api.version() {
                24.. => self.shape_by_reference(value)?,
                _ => self.shape_by_copy(value)?,
            }
        };
        input.data = data;
        Ok(Some(input))
    }

    /// # Safety
    /// The value is a tensor, and lives.
    #[inline]
    unsafe fn shape_by_reference(self, value: *const OrtValue) -> Result<Input> {
        let mut input = Input { ty: 0, extents: [0; MAX_RANK], rank: 0, data: ptr::null() };
        let mut extents = ptr::null();
        // SAFETY: as the caller says; `rank` extents lie there as long as the value lives.
        unsafe {
            self.api.tensor_shape_reference(value, &raw mut input.ty, &raw mut extents, &raw mut input.rank)?;
            let Some(room) = input.extents.get_mut(..input.rank) else { return Err(too_many(input.rank)) };
            if !room.is_empty() {
                room.copy_from_slice(std::slice::from_raw_parts(extents, input.rank));
            }
        }
        Ok(input)
    }

    /// # Safety
    /// The value is a tensor, and lives.
    unsafe fn shape_by_copy(self, value: *const OrtValue) -> Result<Input> {
        let mut input = Input { ty: 0, extents: [0; MAX_RANK], rank: 0, data: ptr::null() };
        let (api, mut shape) = (self.api, ptr::null_mut());
        // SAFETY: as the caller says; the shape is ours to release.
        unsafe {
            api.tensor_shape(value, &raw mut shape)?;
            let mut read = || {
                api.element_type(shape, &raw mut input.ty)?;
                api.rank(shape, &raw mut input.rank)?;
                match input.rank {
                    0..=MAX_RANK => api.extents(shape, input.extents.as_mut_ptr(), input.rank),
                    rank => Err(too_many(rank)),
                }
            };
            let read = read();
            api.release_shape(shape);
            read?;
        }
        Ok(input)
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
