//! Plugins as objects of the host: four interfaces in one.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::OnceLock;

use super::abi::{
    AotBuildTable, BuildTable, CPP, CoreTable, Interface, InterfaceInfo, PluginTable, QuickBuildTable,
    QuickRuntimeTable, RuntimeTable, Table, capability,
};
use super::arguments::impossible;
use super::instance::Instance;
use super::log::{answer, host_version};
use super::version::Version;
use super::{build, quick, run};
use crate::error::{Error, Result};

/// Where an object's interfaces begin, in words.
pub(super) const PLUGIN: usize = 0;
pub(super) const CORE: usize = 1;
pub(super) const BUILD: usize = 2;
pub(super) const RUNTIME: usize = 3;

/// Which of the host's interfaces an object has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Family {
    /// V3ONE.
    One,
    /// V3QUICK: the host calls the plugin when it runs.
    QuickJit,
    /// V3QUICK with kernels that the host takes into its plan: nothing of the plugin runs.
    QuickAot,
}

/// A plugin as the host has it. Each interface begins with the address of its table; null where it doesn't have one.
#[repr(C)]
struct Object {
    tables: [*const c_void; 4],
    family: Family,
    /// `None` where it couldn't be copied: the host crashes if it gets no copy, so it gets one that refuses everything.
    instance: Option<Instance>,
}

/// The tables of all objects.
struct Tables {
    plugin: Table<PluginTable>,
    core: Table<CoreTable>,
    build: Table<BuildTable>,
    runtime: Table<RuntimeTable>,
    quick_core: Table<CoreTable>,
    quick_build: Table<QuickBuildTable>,
    quick_runtime: Table<QuickRuntimeTable>,
    aot_build: Table<AotBuildTable>,
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
        let core = |info| table(CoreTable { interface: interface(info), name, version, namespace });
        Tables {
            plugin: table(PluginTable { interface: interface(plugin_info), capability, clone }),
            core: core(core_info),
            build: table(build::table(interface(build_info))),
            runtime: table(run::table(interface(runtime_info))),
            quick_core: core(quick_core_info),
            quick_build: table(quick::build_table(interface(quick_build_info))),
            quick_runtime: table(quick::runtime_table(interface(quick_runtime_info))),
            aot_build: table(quick::aot_table(interface(aot_build_info))),
        }
    })
}

fn table<S>(slots: S) -> Table<S> {
    Table { offset_to_top: 0, type_info: type_info(), slots }
}

fn interface(info: unsafe extern "C" fn(*mut c_void) -> InterfaceInfo) -> Interface {
    Interface { language, info, destroy: keep, delete }
}

fn object(family: Family, instance: Option<Instance>) -> Object {
    let tables = tables();
    let [core, build, runtime] = match family {
        Family::One => [
            (&raw const tables.core.slots).cast(),
            (&raw const tables.build.slots).cast(),
            (&raw const tables.runtime.slots).cast(),
        ],
        Family::QuickJit => [
            (&raw const tables.quick_core.slots).cast(),
            (&raw const tables.quick_build.slots).cast(),
            (&raw const tables.quick_runtime.slots).cast(),
        ],
        Family::QuickAot => {
            [(&raw const tables.quick_core.slots).cast(), (&raw const tables.aot_build.slots).cast(), ptr::null()]
        }
    };
    Object { tables: [(&raw const tables.plugin.slots).cast(), core, build, runtime], family, instance }
}

/// An object that the host deletes.
pub(super) fn new(instance: Instance) -> *mut c_void {
    let family = instance.shared.family;
    Box::into_raw(Box::new(object(family, Some(instance)))).cast()
}

/// The object of a family that refuses everything. It is never freed.
fn refusing(family: Family) -> *mut c_void {
    static REFUSING: [OnceLock<Refusing>; 3] = [const { OnceLock::new() }; 3];
    let refusing = REFUSING[family as usize].get_or_init(|| Refusing(object(family, None)));
    ptr::from_ref(&refusing.0).cast_mut().cast()
}

/// The plugin that an interface of an object belongs to.
///
/// # Safety
/// What isn't null is that interface of an object that `new` or `refusing` made, and that isn't deleted meanwhile.
///
/// # Errors
/// For a null pointer, and the object that refuses everything.
#[expect(unsafe_code, reason = "takes a pointer on trust")]
#[inline]
pub(super) unsafe fn instance<'a>(this: *mut c_void, interface: usize) -> Result<&'a Instance> {
    if this.is_null() {
        return Err(impossible("no plugin, but a null pointer"));
    }
    // SAFETY: as the caller says.
    let object = unsafe { whole(this, interface) };
    object.instance.as_ref().ok_or_else(|| Error::invalid("this plugin couldn't be copied, as was said before"))
}

/// The object that an interface belongs to.
///
/// # Safety
/// It is that interface of an object that `new` or `refusing` made, and that isn't deleted meanwhile.
#[expect(unsafe_code, reason = "takes a pointer on trust")]
#[inline]
unsafe fn whole<'a>(this: *mut c_void, interface: usize) -> &'a Object {
    // SAFETY: as the caller says.
    unsafe { &*this.cast_const().cast::<*const c_void>().sub(interface).cast::<Object>() }
}

/// A copy of a plugin, or what refuses everything.
///
/// # Safety
/// As [`instance`].
#[expect(unsafe_code, reason = "takes a pointer on trust")]
pub(super) unsafe fn copy(this: *mut c_void, interface: usize) -> *mut c_void {
    // SAFETY: as the caller says.
    let copied = answer(ptr::null_mut(), || Ok(new(unsafe { instance(this, interface) }?.copy())));
    match (copied.is_null(), this.is_null()) {
        (false, _) => copied,
        (true, true) => refusing(Family::One),
        // SAFETY: as the caller says.
        (true, false) => refusing(unsafe { whole(this, interface) }.family),
    }
}

/// # Safety
/// Called by the host.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn language(_: *mut c_void) -> i32 {
    CPP
}

/// Functions that say what interface an object has, in version 1.0.
macro_rules! infos {
    ($($name:ident = $kind:literal;)*) => {$(
        /// # Safety
        /// Called by the host.
        #[expect(unsafe_code, reason = "called by the host")]
        unsafe extern "C" fn $name(_: *mut c_void) -> InterfaceInfo {
            InterfaceInfo { kind: $kind.as_ptr(), major: 1, minor: 0 }
        }
    )*};
}

infos! {
    plugin_info = c"PLUGIN";
    core_info = c"PLUGIN_V3ONE_CORE";
    runtime_info = c"PLUGIN_V3ONE_RUNTIME";
    quick_core_info = c"PLUGIN_V3QUICK_CORE";
    quick_build_info = c"PLUGIN_V3QUICK_BUILD";
    quick_runtime_info = c"PLUGIN_V3QUICK_RUNTIME";
    aot_build_info = c"PLUGIN_V3QUICKAOT_BUILD";
}

/// # Safety
/// Called by the host.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn build_info(_: *mut c_void) -> InterfaceInfo {
    // An older host doesn't know that plugins may update inputs in place.
    let major = if host_version().is_none_or(Version::knows_aliases) { 2 } else { 1 };
    InterfaceInfo { kind: c"PLUGIN_V3ONE_BUILD".as_ptr(), major, minor: 0 }
}

/// # Safety
/// Called by nobody: what a C++ compiler calls to destroy a part of another object.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn keep(_: *mut c_void) {}

/// # Safety
/// Called by the host, once for what `new` made, by its first interface.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn delete(this: *mut c_void) {
    let is_whole = !this.is_null() && {
        // SAFETY: it is an interface of an object: others than the first are parts, which nobody deletes.
        let table = unsafe { *this.cast_const().cast::<*const c_void>() };
        // SAFETY: as above. What refuses everything has no instance, and stays.
        table == (&raw const tables().plugin.slots).cast() && unsafe { whole(this, PLUGIN) }.instance.is_some()
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
    // SAFETY: as above.
    match unsafe { whole(this, PLUGIN) }.tables[interface].is_null() {
        true => ptr::null_mut(),
        false => this.wrapping_byte_add(interface * size_of::<usize>()),
    }
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

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    /// A host that couldn't get a copy crashes if it gets none.
    #[test]
    #[expect(unsafe_code, reason = "calls the tables' functions")]
    fn what_cant_be_copied_is_an_object_that_refuses() {
        for family in [Family::One, Family::QuickJit, Family::QuickAot] {
            let object = refusing(family);
            // SAFETY: it is an object of this library, by its first interface.
            let (parts, copied) = unsafe {
                let parts =
                    [capability::CORE, capability::BUILD, capability::RUNTIME].map(|part| capability(object, part));
                delete(object);
                (parts, clone(object))
            };
            assert_eq!(copied, object, "{family:?}");
            assert_eq!(parts.map(|part| part.is_null()), [false, false, family == Family::QuickAot], "{family:?}");
            // SAFETY: it is an object's core, then its build.
            unsafe {
                assert!(CStr::from_ptr(name(parts[0])).is_empty());
                assert!(instance(parts[1], BUILD).is_err());
            }
        }
        // SAFETY: a null pointer is answered too.
        unsafe { assert_eq!(clone(ptr::null_mut()), refusing(Family::One)) };
    }
}
