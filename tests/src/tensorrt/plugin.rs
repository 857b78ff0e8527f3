//! Creators and plugins, driven by the slots of their tables.

#![expect(unsafe_code, reason = "calls plugins by their tables")]

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;

use super::descs::{RawField, RawFields};
use super::{Desc, DynamicDesc, Expr, Exprs, Field, call, logger};

/// A creator: the library's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Creator(*mut c_void);

/// All creators, in the library's order. The plugins' log is this thread's.
///
/// # Panics
/// When there are none.
pub fn creators() -> Vec<Creator> {
    logger::give();
    let mut count = 0;
    // SAFETY: the pointer is to a local; what is returned are as many creators, for ever.
    unsafe {
        let creators = plugin_runtime::host::tensorrt::getCreators(&raw mut count);
        assert!(count > 0 && !creators.is_null());
        std::slice::from_raw_parts(creators, count as usize).iter().map(|&raw| Creator(raw.cast_mut())).collect()
    }
}

/// The creator of a plugin by its id, version 1.
///
/// # Panics
/// When there is none.
pub fn find(id: &str) -> Creator {
    let (namespace, name) = id.split_once("::").expect("an id");
    let found = creators().into_iter().find(|c| c.namespace() == namespace && c.name() == name && c.version() == "1");
    found.unwrap_or_else(|| panic!("no creator of {id}"))
}

unsafe fn text(text: *const c_char) -> String {
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
fn info(interface: *mut c_void) -> (String, i32, i32) {
    // SAFETY: it is an interface of a plugin.
    unsafe {
        let language = call!(interface, 0, fn() -> i32);
        assert_eq!(language, 0);
        let info = call!(interface, 1, fn() -> InterfaceInfo);
        (text(info.kind), info.major, info.minor)
    }
}

unsafe fn read(fields: *const c_void) -> Option<Vec<Field>> {
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

impl Creator {
    /// Slots 6 to 8 are texts.
    pub fn name(self) -> String {
        // SAFETY: it is a creator.
        unsafe { text(call!(self.0, 6, fn() -> *const c_char)) }
    }

    /// The plugin's version.
    pub fn version(self) -> String {
        // SAFETY: as above.
        unsafe { text(call!(self.0, 7, fn() -> *const c_char)) }
    }

    /// The plugin's namespace.
    pub fn namespace(self) -> String {
        // SAFETY: as above.
        unsafe { text(call!(self.0, 8, fn() -> *const c_char)) }
    }

    /// Kind and version of its interface.
    pub fn info(self) -> (String, i32, i32) {
        info(self.0)
    }

    /// The names of its attributes.
    ///
    /// # Panics
    /// When there is no collection.
    pub fn field_names(self) -> Vec<String> {
        // SAFETY: as above.
        let fields = unsafe { read(call!(self.0, 5, fn() -> *const c_void)) }.expect("fields");
        fields.iter().map(|field| field.name.to_string_lossy().into_owned()).collect()
    }

    /// A plugin; `None` where it refuses.
    pub fn create(self, name: &str, fields: &[Field], runtime: bool) -> Option<Plugin> {
        let name = CString::new(name).expect("no 0");
        let raw: Vec<RawField> = fields
            .iter()
            .map(|field| RawField {
                name: field.name.as_ptr(),
                data: if field.bytes.is_empty() { ptr::null() } else { field.bytes.as_ptr().cast() },
                ty: field.ty,
                count: field.count,
            })
            .collect();
        let raw = RawFields { count: raw.len() as i32, fields: raw.as_ptr() };
        self.create_raw(name.as_ptr(), (&raw const raw).cast(), i32::from(runtime))
    }

    /// The same of whatever pointers.
    #[expect(clippy::not_unsafe_ptr_arg_deref, reason = "what isn't there has to be refused")]
    pub fn create_raw(self, name: *const c_char, fields: *const c_void, phase: i32) -> Option<Plugin> {
        // SAFETY: it is a creator, and takes pointers that are there or null.
        let raw =
            unsafe { call!(self.0, 4, fn(*const c_char, *const c_void, i32) -> *mut c_void, name, fields, phase) };
        (!raw.is_null()).then(|| Plugin(raw))
    }
}

/// A plugin, which this owns.
#[derive(Debug)]
pub struct Plugin(*mut c_void);

// SAFETY: each is used by one thread at a time.
unsafe impl Send for Plugin {}

impl Drop for Plugin {
    fn drop(&mut self) {
        // SAFETY: it is a plugin that this owns; slot 3 destroys and frees it.
        unsafe { call!(self.0, 3, fn()) }
    }
}

impl Plugin {
    /// Itself, as a host has it.
    pub fn raw(&self) -> *mut c_void {
        self.0
    }

    /// An interface: core 0, build 1, runtime 2; null for others.
    pub fn interface(&self, which: i32) -> *mut c_void {
        // SAFETY: it is a plugin.
        unsafe { call!(self.0, 4, fn(i32) -> *mut c_void, which) }
    }

    /// Kind and version of itself, of its core, build and runtime.
    pub fn infos(&self) -> [(String, i32, i32); 4] {
        [self.0, self.interface(0), self.interface(1), self.interface(2)].map(info)
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
        let raw = unsafe { call!(self.0, 5, fn() -> *mut c_void) };
        assert!(!raw.is_null());
        Plugin(raw)
    }

    /// A copy for an execution context.
    ///
    /// # Panics
    /// For a null pointer.
    #[must_use]
    pub fn attach(&self) -> Plugin {
        // SAFETY: it is a plugin's runtime.
        let raw = unsafe { call!(self.interface(2), 7, fn(*mut c_void) -> *mut c_void, ptr::null_mut()) };
        assert!(!raw.is_null());
        Plugin(raw)
    }

    /// Slot 8 of the runtime.
    pub fn fields(&self) -> Option<Vec<Field>> {
        // SAFETY: as above.
        unsafe { read(call!(self.interface(2), 8, fn() -> *const c_void)) }
    }

    /// Slot 8 of the build.
    pub fn outputs(&self) -> i32 {
        // SAFETY: it is a plugin's build.
        unsafe { call!(self.interface(1), 8, fn() -> i32) }
    }

    /// Types of the outputs for types of the inputs; an error is what was returned.
    ///
    /// # Errors
    /// What was returned, where it isn't 0.
    pub fn output_types(&self, inputs: &[i32]) -> Result<Vec<i32>, i32> {
        let mut types = vec![-7; self.outputs().max(0) as usize];
        let (room, count) = (types.as_mut_ptr(), types.len() as i32);
        match self.output_types_raw(room, count, inputs.as_ptr(), inputs.len() as i32) {
            0 => Ok(types),
            code => Err(code),
        }
    }

    /// The same with whatever pointers and numbers.
    #[expect(clippy::not_unsafe_ptr_arg_deref, reason = "what isn't there has to be refused")]
    pub fn output_types_raw(&self, out: *mut i32, out_count: i32, inputs: *const i32, count: i32) -> i32 {
        // SAFETY: it is a plugin's build; tests give room, or pointers that are refused.
        unsafe { call!(self.interface(1), 5, fn(*mut i32, i32, *const i32, i32) -> i32, out, out_count, inputs, count) }
    }

    /// Slot 15 of the build.
    pub fn aliased_input(&self, output: i32) -> i32 {
        // SAFETY: as above.
        unsafe { call!(self.interface(1), 15, fn(i32) -> i32, output) }
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
                6,
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

    /// Slot 4 of the build.
    pub fn configure(&self, inputs: &[DynamicDesc], outputs: &[DynamicDesc]) -> i32 {
        // SAFETY: as above.
        unsafe {
            call!(
                self.interface(1),
                4,
                fn(*const DynamicDesc, i32, *const DynamicDesc, i32) -> i32,
                inputs.as_ptr(),
                inputs.len() as i32,
                outputs.as_ptr(),
                outputs.len() as i32
            )
        }
    }

    /// Slot 9 of the build.
    pub fn workspace(&self, inputs: &[DynamicDesc], outputs: &[DynamicDesc]) -> usize {
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

    /// Slots 11 and 10 of the build.
    ///
    /// # Errors
    /// What was returned, where it isn't 0.
    pub fn tactics(&self) -> Result<Vec<i32>, i32> {
        let build = self.interface(1);
        // SAFETY: as above.
        unsafe {
            let count = call!(build, 11, fn() -> i32);
            let mut tactics = vec![0; usize::try_from(count).map_err(|_| count)?];
            match call!(build, 10, fn(*mut i32, i32) -> i32, tactics.as_mut_ptr(), count) {
                0 => Ok(tactics),
                code => Err(code),
            }
        }
    }

    /// Slots 12 and 14 of the build: the timing cache's id, and the metadata.
    pub fn texts(&self) -> [String; 2] {
        let build = self.interface(1);
        // SAFETY: as above.
        unsafe { [text(call!(build, 12, fn() -> *const c_char)), text(call!(build, 14, fn() -> *const c_char))] }
    }

    /// Slot 13 of the build.
    pub fn combination_limit(&self) -> i32 {
        // SAFETY: as above.
        unsafe { call!(self.interface(1), 13, fn() -> i32) }
    }

    /// Slot 4 of the runtime.
    pub fn set_tactic(&self, tactic: i32) -> i32 {
        // SAFETY: it is a plugin's runtime.
        unsafe { call!(self.interface(2), 4, fn(i32) -> i32, tactic) }
    }

    /// Slot 5 of the runtime.
    pub fn on_shape_change(&self, inputs: &[Desc], outputs: &[Desc]) -> i32 {
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

    /// Slot 6 of the runtime.
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
