//! Creators, as a host calls them.

#![expect(unsafe_code, reason = "calls tables of functions")]

use std::ffi::{CString, c_char, c_void};
use std::ptr;

use super::descs::{RawField, RawFields};
use super::plugin::{Family, Plugin, info, read, text};
use super::{Field, call, logger};

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

/// All creators that a TensorRT of a version is given.
///
/// # Panics
/// When there are none.
pub fn creators_for(version: i32) -> Vec<Creator> {
    logger::give();
    let creators = plugin_runtime::host::tensorrt::creators_for(version).expect("plugins that agree");
    assert!(!creators.is_empty());
    creators.into_iter().map(|raw| Creator(raw.cast_mut())).collect()
}

/// The quick creator of a plugin by its id, version 1, as TensorRT 10.16 has it; `None` where it isn't offered.
pub fn find_quick(id: &str) -> Option<Creator> {
    let wanted = format!("{id} 1");
    creators_for(101_601).into_iter().find(|creator| creator.is_quick() && creator.label() == wanted)
}

/// `QuickPluginCreationRequest`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "names say it")]
pub enum Request {
    Unknown = 0,
    PreferJit = 1,
    PreferAot = 2,
    StrictJit = 3,
    StrictAot = 4,
}

/// The creator of a plugin by its id, version 1, of kind V3ONE.
///
/// # Panics
/// When there is none.
pub fn find(id: &str) -> Creator {
    let (namespace, name) = id.split_once("::").expect("an id");
    let found = creators().into_iter().find(|c| c.namespace() == namespace && c.name() == name && c.version() == "1");
    found.unwrap_or_else(|| panic!("no creator of {id}"))
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
        with_fields(fields, |fields| self.create_raw(name.as_ptr(), fields, i32::from(runtime)))
    }

    /// A quick plugin, of a creator of that kind; `None` where it refuses.
    pub fn create_quick(self, name: &str, fields: &[Field], runtime: bool, request: Request) -> Option<Plugin> {
        let name = CString::new(name).expect("no 0");
        with_fields(fields, |fields| self.create_quick_raw(name.as_ptr(), fields, (i32::from(runtime), request as i32)))
    }

    /// The same of whatever pointers and numbers: the phase and the request.
    #[expect(clippy::not_unsafe_ptr_arg_deref, reason = "what isn't there has to be refused")]
    pub fn create_quick_raw(
        self,
        name: *const c_char,
        fields: *const c_void,
        (phase, request): (i32, i32),
    ) -> Option<Plugin> {
        assert!(self.is_quick());
        // SAFETY: it is a creator of that kind, and takes pointers that are there or null.
        let raw = unsafe {
            call!(
                self.0,
                4,
                fn(*const c_char, *const c_char, *const c_void, i32, i32) -> *mut c_void,
                name,
                ptr::null(),
                fields,
                phase,
                request
            )
        };
        Plugin::own(raw, Family::Quick)
    }

    /// Whether it makes quick plugins.
    pub fn is_quick(self) -> bool {
        self.info().0 == "PLUGIN CREATOR_V3QUICK"
    }

    /// `namespace::name`, and the version.
    pub fn label(self) -> String {
        format!("{}::{} {}", self.namespace(), self.name(), self.version())
    }

    /// The same of whatever pointers.
    #[expect(clippy::not_unsafe_ptr_arg_deref, reason = "what isn't there has to be refused")]
    pub fn create_raw(self, name: *const c_char, fields: *const c_void, phase: i32) -> Option<Plugin> {
        // SAFETY: it is a creator, and takes pointers that are there or null.
        let raw =
            unsafe { call!(self.0, 4, fn(*const c_char, *const c_void, i32) -> *mut c_void, name, fields, phase) };
        Plugin::own(raw, Family::One)
    }
}

/// Calls with a collection of fields.
fn with_fields<R>(fields: &[Field], call: impl FnOnce(*const c_void) -> R) -> R {
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
    call((&raw const raw).cast())
}
