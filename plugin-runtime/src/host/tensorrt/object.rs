//! Plugins as objects of the host: four interfaces in one.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::OnceLock;

use super::abi::{BuildTable, CPP, CoreTable, Interface, InterfaceInfo, PluginTable, RuntimeTable, Table, capability};
use super::arguments::impossible;
use super::instance::Instance;
use super::log::{answer, host_version};
use super::version::Version;
use super::{build, run};
use crate::error::{Error, Result};

/// Where an object's interfaces begin, in words.
pub(super) const PLUGIN: usize = 0;
pub(super) const CORE: usize = 1;
pub(super) const BUILD: usize = 2;
pub(super) const RUNTIME: usize = 3;

/// A plugin as the host has it. Each interface begins with the address of its table.
#[repr(C)]
struct Object {
    tables: [*const c_void; 4],
    /// `None` where it couldn't be copied: the host crashes if it gets no copy, so it gets one that refuses everything.
    instance: Option<Instance>,
}

/// The tables of all objects.
struct Tables {
    plugin: Table<PluginTable>,
    core: Table<CoreTable>,
    build: Table<BuildTable>,
    runtime: Table<RuntimeTable>,
}

/// An object that refuses everything, for where there is no memory to make one.
struct Refusing(Object);

// SAFETY: their pointers are to functions and constants.
#[expect(unsafe_code, reason = "pointers to what is only read")]
unsafe impl Send for Tables {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "pointers to what is only read")]
unsafe impl Sync for Tables {}
// SAFETY: as above; it holds no instance.
#[expect(unsafe_code, reason = "pointers to what is only read")]
unsafe impl Send for Refusing {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "pointers to what is only read")]
unsafe impl Sync for Refusing {}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let (offset_to_top, type_info) = (0, type_info());
        let plugin = PluginTable { interface: interface(info::<PLUGIN>), capability, clone };
        let core = CoreTable { interface: interface(info::<CORE>), name, version, namespace };
        Tables {
            plugin: Table { offset_to_top, type_info, slots: plugin },
            core: Table { offset_to_top, type_info, slots: core },
            build: Table { offset_to_top, type_info, slots: build::table(interface(info::<BUILD>)) },
            runtime: Table { offset_to_top, type_info, slots: run::table(interface(info::<RUNTIME>)) },
        }
    })
}

fn interface(info: unsafe extern "C" fn(*mut c_void) -> InterfaceInfo) -> Interface {
    Interface { language, info, destroy: keep, delete }
}

fn object(instance: Option<Instance>) -> Object {
    let tables = tables();
    let first = [
        (&raw const tables.plugin.slots).cast(),
        (&raw const tables.core.slots).cast(),
        (&raw const tables.build.slots).cast(),
        (&raw const tables.runtime.slots).cast(),
    ];
    Object { tables: first, instance }
}

/// An object that the host deletes.
pub(super) fn new(instance: Instance) -> *mut c_void {
    Box::into_raw(Box::new(object(Some(instance)))).cast()
}

/// The object that refuses everything. It is never freed.
pub(super) fn refusing() -> *mut c_void {
    static REFUSING: OnceLock<Refusing> = OnceLock::new();
    ptr::from_ref(&REFUSING.get_or_init(|| Refusing(object(None))).0).cast_mut().cast()
}

/// The plugin that an interface of an object belongs to.
///
/// # Safety
/// What isn't null is that interface of an object that `new` or `refusing` made, and that isn't deleted meanwhile.
///
/// # Errors
/// For a null pointer, and the object that refuses everything.
#[expect(unsafe_code, reason = "takes a pointer on trust")]
pub(super) unsafe fn instance<'a>(this: *mut c_void, interface: usize) -> Result<&'a Instance> {
    if this.is_null() {
        return Err(impossible("no plugin, but a null pointer"));
    }
    // SAFETY: as the caller says.
    let object = unsafe { &*this.cast_const().cast::<*const c_void>().sub(interface).cast::<Object>() };
    object.instance.as_ref().ok_or_else(|| Error::invalid("this plugin couldn't be copied, as was said before"))
}

/// A copy of a plugin, or what refuses everything.
///
/// # Safety
/// As [`instance`].
#[expect(unsafe_code, reason = "takes a pointer on trust")]
pub(super) unsafe fn copy(this: *mut c_void, interface: usize) -> *mut c_void {
    // SAFETY: as the caller says.
    let copied = answer(ptr::null_mut(), || Ok(new(unsafe { instance(this, interface) }?.copy())));
    if copied.is_null() { refusing() } else { copied }
}

/// # Safety
/// Called by the host.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn language(_: *mut c_void) -> i32 {
    CPP
}

/// # Safety
/// Called by the host.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn info<const INTERFACE: usize>(_: *mut c_void) -> InterfaceInfo {
    let (kind, major) = match INTERFACE {
        PLUGIN => (c"PLUGIN", 1),
        CORE => (c"PLUGIN_V3ONE_CORE", 1),
        // An older host doesn't know that plugins may update inputs in place.
        BUILD => (c"PLUGIN_V3ONE_BUILD", if host_version().is_none_or(Version::knows_aliases) { 2 } else { 1 }),
        _ => (c"PLUGIN_V3ONE_RUNTIME", 1),
    };
    InterfaceInfo { kind: kind.as_ptr(), major, minor: 0 }
}

/// # Safety
/// Called by nobody: what a C++ compiler calls to destroy a part of another object.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn keep(_: *mut c_void) {}

/// # Safety
/// Called by the host, once for what `new` made, by its first interface.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn delete(this: *mut c_void) {
    let is_whole = !this.is_null() && this != refusing() && {
        // SAFETY: it is an interface of an object: others than the first are parts, which nobody deletes.
        let table = unsafe { *this.cast_const().cast::<*const c_void>() };
        table == (&raw const tables().plugin.slots).cast()
    };
    if is_whole {
        answer((), || {
            // SAFETY: it came from a box in `new`, and isn't used any more.
            drop(unsafe { Box::from_raw(this.cast::<Object>()) });
            Ok(())
        });
    }
}

/// # Safety
/// Called by the host, with a plugin.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn capability(this: *mut c_void, wanted: i32) -> *mut c_void {
    let interface = match wanted {
        capability::CORE => CORE,
        capability::BUILD => BUILD,
        capability::RUNTIME => RUNTIME,
        _ => return ptr::null_mut(),
    };
    if this.is_null() {
        return ptr::null_mut();
    }
    this.wrapping_byte_add(interface * size_of::<usize>())
}

/// # Safety
/// Called by the host, with a plugin.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn clone(this: *mut c_void) -> *mut c_void {
    // SAFETY: as above.
    unsafe { copy(this, PLUGIN) }
}

/// Functions that the host asks a plugin by, where it has no answer that says that it failed.
macro_rules! names {
    ($($name:ident)*) => {$(
        /// # Safety
        /// Called by the host, with a plugin's core.
        #[expect(unsafe_code, reason = "called by the host")]
        unsafe extern "C" fn $name(this: *mut c_void) -> *const c_char {
            // SAFETY: as above.
            unsafe { instance(this, CORE) }.map_or(c"".as_ptr(), |instance| instance.shared.names.$name.as_ptr())
        }
    )*};
}

names! { name version namespace }

/// What C++ finds before a table, so that a cast to a class of its own gives null: an object of `std::type_info` of a class
/// that nothing derives from. Null where C++'s library isn't there, and then nothing casts either.
pub(super) fn type_info() -> *const c_void {
    struct TypeInfo([*const c_void; 2]);
    // SAFETY: its pointers are to constants.
    #[expect(unsafe_code, reason = "pointers to what is only read")]
    unsafe impl Send for TypeInfo {}
    // SAFETY: as above.
    #[expect(unsafe_code, reason = "pointers to what is only read")]
    unsafe impl Sync for TypeInfo {}
    static TYPE_INFO: OnceLock<Option<TypeInfo>> = OnceLock::new();
    let made = TYPE_INFO.get_or_init(|| {
        let library = crate::host::library::loaded("libstdc++.so.6")?;
        // SAFETY: the symbol is a table of functions, of which only the address is taken.
        #[expect(unsafe_code, reason = "looks up a symbol of C++'s library")]
        let table = unsafe { library.get::<*const c_void>(b"_ZTVN10__cxxabiv117__class_type_infoE\0") }.ok()?;
        let first_slot = table.into_raw().cast_const().wrapping_byte_add(2 * size_of::<usize>());
        std::mem::forget(library);
        Some(TypeInfo([first_slot, c"14plugin_runtime".as_ptr().cast()]))
    });
    made.as_ref().map_or(ptr::null(), |made| made.0.as_ptr().cast())
}
