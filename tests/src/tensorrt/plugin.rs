//! Plugins, driven by the slots of their tables.

#![expect(unsafe_code, reason = "calls plugins by their tables")]

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use super::descs::{RawField, RawFields};
use super::{Desc, DynamicDesc, Expr, Exprs, Field, call};

pub(super) unsafe fn text(text: *const c_char) -> String {
    // SAFETY: plugins give texts that end with 0.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

#[repr(C)]
struct InterfaceInfo {
    kind: *const c_char,
    major: i32,
    minor: i32,
}

/// Kind and version of an interface.
pub(super) fn info(interface: *mut c_void) -> (String, i32, i32) {
    // SAFETY: it is an interface of a plugin.
    unsafe {
        let language = call!(interface, 0, fn() -> i32);
        assert_eq!(language, 0);
        let info = call!(interface, 1, fn() -> InterfaceInfo);
        (text(info.kind), info.major, info.minor)
    }
}

pub(super) unsafe fn read(fields: *const c_void) -> Option<Vec<Field>> {
    if fields.is_null() {
        return None;
    }
    // SAFETY: plugins give collections that are there, with as many fields as they say.
    unsafe {
        let RawFields { count, fields } = *fields.cast();
        let fields = if count == 0 { &[] } else { std::slice::from_raw_parts(fields, count as usize) };
        let read = |field: &RawField| {
            let size = match field.ty {
                3 | 6 => 1,
                0 | 4 | 9 => 2,
                1 | 5 => 4,
                _ => 8,
            };
            let bytes = match field.data.is_null() {
                true => Vec::new(),
                false => std::slice::from_raw_parts(field.data.cast::<u8>(), field.count as usize * size).to_vec(),
            };
            Field { name: CStr::from_ptr(field.name).into(), ty: field.ty, bytes, count: field.count }
        };
        Some(fields.iter().map(read).collect())
    }
}

/// Which interfaces a plugin has, whose functions stand in different slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Family {
    One,
    Quick,
}

/// A plugin, which this owns.
#[derive(Debug)]
pub struct Plugin {
    raw: *mut c_void,
    family: Family,
}

// SAFETY: each is used by one thread at a time.
unsafe impl Send for Plugin {}

impl Drop for Plugin {
    fn drop(&mut self) {
        // SAFETY: it is a plugin that this owns; slot 3 destroys and frees it.
        unsafe { call!(self.raw, 3, fn()) }
    }
}

impl Plugin {
    /// `None` for a null pointer.
    pub(super) fn own(raw: *mut c_void, family: Family) -> Option<Plugin> {
        (!raw.is_null()).then(|| Plugin { raw, family })
    }

    /// Where a function stands in the interface of V3ONE, and in that of V3QUICK.
    pub(super) fn slot(&self, one: usize, quick: usize) -> usize {
        match self.family {
            Family::One => one,
            Family::Quick => quick,
        }
    }

    /// Whether it has the quick interfaces.
    pub fn is_quick(&self) -> bool {
        self.family == Family::Quick
    }

    /// Whether the host takes its kernels into the plan, and calls nothing when it runs.
    pub fn is_aot(&self) -> bool {
        self.is_quick() && self.interface(2).is_null()
    }

    /// Itself, as a host has it.
    pub fn raw(&self) -> *mut c_void {
        self.raw
    }

    /// An interface: core 0, build 1, runtime 2; null for others.
    pub fn interface(&self, which: i32) -> *mut c_void {
        // SAFETY: it is a plugin.
        unsafe { call!(self.raw, 4, fn(i32) -> *mut c_void, which) }
    }

    /// Kind and version of itself, of its core, build and runtime, as far as it has them.
    pub fn infos(&self) -> Vec<(String, i32, i32)> {
        let all = [self.raw, self.interface(0), self.interface(1), self.interface(2)];
        all.into_iter().filter(|interface| !interface.is_null()).map(info).collect()
    }

    /// Name, version and namespace.
    pub fn names(&self) -> [String; 3] {
        let core = self.interface(0);
        // SAFETY: it is a plugin's core.
        unsafe {
            [
                text(call!(core, 4, fn() -> *const c_char)),
                text(call!(core, 5, fn() -> *const c_char)),
                text(call!(core, 6, fn() -> *const c_char)),
            ]
        }
    }

    /// A copy.
    ///
    /// # Panics
    /// For a null pointer.
    #[must_use]
    pub fn copy(&self) -> Plugin {
        // SAFETY: it is a plugin.
        let raw = unsafe { call!(self.raw, 5, fn() -> *mut c_void) };
        Plugin::own(raw, self.family).expect("a copy")
    }

    /// A copy for an execution context.
    ///
    /// # Panics
    /// For a null pointer.
    #[must_use]
    pub fn attach(&self) -> Plugin {
        if self.is_quick() {
            return self.copy();
        }
        // SAFETY: it is a plugin's runtime.
        let raw = unsafe { call!(self.interface(2), 7, fn(*mut c_void) -> *mut c_void, ptr::null_mut()) };
        Plugin::own(raw, self.family).expect("a copy")
    }

    /// What a plan keeps.
    pub fn fields(&self) -> Option<Vec<Field>> {
        // SAFETY: as above.
        unsafe { read(call!(self.interface(2), self.slot(8, 6), fn() -> *const c_void)) }
    }

    /// How many outputs it has.
    pub fn outputs(&self) -> i32 {
        // SAFETY: it is a plugin's build.
        unsafe { call!(self.interface(1), self.slot(8, 9), fn() -> i32) }
    }

    /// Types of the outputs for types of the inputs; an error is what was returned.
    ///
    /// # Errors
    /// What was returned, where it isn't 0.
    pub fn output_types(&self, inputs: &[i32]) -> Result<Vec<i32>, i32> {
        let mut types = vec![-7; self.outputs().max(0) as usize];
        let (room, count) = (types.as_mut_ptr(), types.len() as i32);
        let code = match self.family {
            Family::One => self.output_types_raw(room, count, inputs.as_ptr(), inputs.len() as i32),
            Family::Quick => return self.types_of_ranks(inputs, &vec![4; inputs.len()]),
        };
        if code == 0 { Ok(types) } else { Err(code) }
    }

    /// The same with whatever pointers and numbers.
    #[expect(clippy::not_unsafe_ptr_arg_deref, reason = "what isn't there has to be refused")]
    pub fn output_types_raw(&self, out: *mut i32, out_count: i32, inputs: *const i32, count: i32) -> i32 {
        assert!(!self.is_quick());
        // SAFETY: it is a plugin's build; tests give room, or pointers that are refused.
        unsafe { call!(self.interface(1), 5, fn(*mut i32, i32, *const i32, i32) -> i32, out, out_count, inputs, count) }
    }

    /// The input that an output is in the memory of, or -1.
    pub fn aliased_input(&self, output: i32) -> i32 {
        // SAFETY: as above.
        unsafe { call!(self.interface(1), self.slot(15, 10), fn(i32) -> i32, output) }
    }

    /// The outputs' extents for extents of the inputs.
    ///
    /// # Errors
    /// What was returned, where it isn't 0.
    pub fn output_shapes(&self, exprs: &Exprs, inputs: &[Vec<Expr>]) -> Result<Vec<Vec<Expr>>, i32> {
        let given: Vec<RawExprs> = inputs.iter().map(|input| RawExprs::new(exprs, input)).collect();
        let mut found = vec![RawExprs::EMPTY; self.outputs().max(0) as usize];
        let code = self.output_shapes_raw(
            (given.as_ptr(), given.len() as i32),
            0,
            (found.as_mut_ptr(), found.len() as i32),
            exprs.raw(),
        );
        if code != 0 {
            return Err(code);
        }
        let read = |raw: &RawExprs| {
            let extents = raw.extents[..raw.count as usize].iter();
            extents.map(|&expr| exprs.read(expr).expect("an expression of the builder")).collect()
        };
        Ok(found.iter().map(read).collect())
    }

    /// The same with whatever pointers and numbers; shape inputs are at a null pointer.
    #[expect(clippy::not_unsafe_ptr_arg_deref, reason = "what isn't there has to be refused")]
    pub fn output_shapes_raw(
        &self,
        (inputs, count): (*const RawExprs, i32),
        shape_inputs: i32,
        (found, found_count): (*mut RawExprs, i32),
        builder: *mut c_void,
    ) -> i32 {
        // SAFETY: it is a plugin's build; tests give room, or pointers that are refused.
        unsafe {
            call!(
                self.interface(1),
                self.slot(6, 5),
                fn(*const RawExprs, i32, *const RawExprs, i32, *mut RawExprs, i32, *mut c_void) -> i32,
                inputs,
                count,
                ptr::null(),
                shape_inputs,
                found,
                found_count,
                builder
            )
        }
    }

    /// Whether the types and layouts up to a position can be.
    pub fn supports(&self, position: i32, tensors: &[DynamicDesc], (inputs, outputs): (i32, i32)) -> bool {
        if self.is_quick() {
            return self.supports_quick(position, tensors, (inputs, outputs));
        }
        let tensors = tensors.as_ptr();
        // SAFETY: as above.
        unsafe {
            call!(
                self.interface(1),
                7,
                fn(i32, *const DynamicDesc, i32, i32) -> bool,
                position,
                tensors,
                inputs,
                outputs
            )
        }
    }

    /// Settles types and layouts.
    pub fn configure(&self, inputs: &[DynamicDesc], outputs: &[DynamicDesc]) -> i32 {
        // SAFETY: as above.
        unsafe {
            call!(
                self.interface(1),
                self.slot(4, 6),
                fn(*const DynamicDesc, i32, *const DynamicDesc, i32) -> i32,
                inputs.as_ptr(),
                inputs.len() as i32,
                outputs.as_ptr(),
                outputs.len() as i32
            )
        }
    }

    /// Bytes of scratch memory, of which quick plugins get none.
    pub fn workspace(&self, inputs: &[DynamicDesc], outputs: &[DynamicDesc]) -> usize {
        if self.is_quick() {
            return 0;
        }
        // SAFETY: as above.
        unsafe {
            call!(
                self.interface(1),
                9,
                fn(*const DynamicDesc, i32, *const DynamicDesc, i32) -> usize,
                inputs.as_ptr(),
                inputs.len() as i32,
                outputs.as_ptr(),
                outputs.len() as i32
            )
        }
    }

    /// The tactics of the combination that was configured.
    ///
    /// # Errors
    /// What was returned, where it isn't 0.
    pub fn tactics(&self) -> Result<Vec<i32>, i32> {
        let build = self.interface(1);
        // SAFETY: as above.
        unsafe {
            let count = call!(build, self.slot(11, 12), fn() -> i32);
            let mut tactics = vec![0; usize::try_from(count).map_err(|_| count)?];
            match call!(build, self.slot(10, 11), fn(*mut i32, i32) -> i32, tactics.as_mut_ptr(), count) {
                0 => Ok(tactics),
                code => Err(code),
            }
        }
    }

    /// The timing cache's id, and the metadata.
    pub fn texts(&self) -> [String; 2] {
        let build = self.interface(1);
        // SAFETY: as above.
        unsafe {
            [
                text(call!(build, self.slot(12, 13), fn() -> *const c_char)),
                text(call!(build, 14, fn() -> *const c_char)),
            ]
        }
    }

    /// Slot 13 of the build.
    pub fn combination_limit(&self) -> i32 {
        // SAFETY: as above.
        unsafe { call!(self.interface(1), 13, fn() -> i32) }
    }

    /// Takes a tactic: AOT kernels are asked for by it while the host builds.
    pub fn set_tactic(&self, tactic: i32) -> i32 {
        if self.is_aot() {
            // SAFETY: it is a plugin's build, for AOT kernels.
            return unsafe { call!(self.interface(1), 17, fn(i32) -> i32, tactic) };
        }
        // SAFETY: it is a plugin's runtime.
        unsafe { call!(self.interface(2), 4, fn(i32) -> i32, tactic) }
    }

    /// Takes the shapes of the runs that follow, which quick plugins aren't told.
    pub fn on_shape_change(&self, inputs: &[Desc], outputs: &[Desc]) -> i32 {
        if self.is_quick() {
            return 0;
        }
        // SAFETY: as above.
        unsafe {
            call!(
                self.interface(2),
                5,
                fn(*const Desc, i32, *const Desc, i32) -> i32,
                inputs.as_ptr(),
                inputs.len() as i32,
                outputs.as_ptr(),
                outputs.len() as i32
            )
        }
    }

    /// Runs it.
    ///
    /// # Safety
    /// The memory is there, as large as the descs say, until the work is done; the stream is the device's.
    pub unsafe fn enqueue(
        &self,
        (input_descs, output_descs): (&[Desc], &[Desc]),
        inputs: &[*const c_void],
        outputs: &[*mut c_void],
        workspace: *mut c_void,
        stream: *mut c_void,
    ) -> i32 {
        if self.is_quick() {
            // SAFETY: as the caller says.
            return unsafe { self.enqueue_quick((input_descs, output_descs), inputs, outputs, stream) };
        }
        // SAFETY: as the caller says.
        unsafe {
            call!(
                self.interface(2),
                6,
                fn(*const Desc, *const Desc, *const *const c_void, *const *mut c_void, *mut c_void, *mut c_void) -> i32,
                input_descs.as_ptr(),
                output_descs.as_ptr(),
                inputs.as_ptr(),
                outputs.as_ptr(),
                workspace,
                stream
            )
        }
    }
}

/// `DimsExprs`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RawExprs {
    /// The rank.
    pub count: i32,
    /// As many expressions.
    pub extents: [*const c_void; 8],
}

impl RawExprs {
    /// No extents.
    pub const EMPTY: RawExprs = RawExprs { count: 0, extents: [ptr::null(); 8] };

    /// Extents as expressions of a builder.
    pub fn new(exprs: &Exprs, extents: &[Expr]) -> RawExprs {
        let mut raw = RawExprs { count: extents.len() as i32, ..RawExprs::EMPTY };
        raw.extents.iter_mut().zip(extents).for_each(|(raw, extent)| *raw = exprs.make(*extent));
        raw
    }
}
