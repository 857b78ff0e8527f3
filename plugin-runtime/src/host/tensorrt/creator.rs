//! The linked plugins as creators: what the host makes its nodes of.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;
use std::sync::{Arc, OnceLock};

use super::abi::{CPP, CreatorTable, Field, FieldCollection, Interface, InterfaceInfo, Table, phase};
use super::arguments::text;
use super::attributes::{Attributes, OwnFields, fields, of_plugin, outline, preference};
use super::instance::{Instance, Shared};
use super::log::answer;
use super::object::{self, Family, type_info};
use super::quick;
use super::version::Version;
use crate::error::{Error, LayerContext, Result};
use crate::host::implementation;
use crate::network::{Preference, attribute_values};
use crate::plugin::{Implementation, OWN_DOMAIN, Plugin, Registry};

/// What a creator says of a plugin.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) plugin: &'static Plugin,
    pub(super) name: CString,
    pub(super) version: CString,
    pub(super) namespace: CString,
    fields: OwnFields,
}

/// A creator, as the host has it: its table, of whatever kind, comes first.
#[repr(C)]
pub(super) struct Creator {
    table: *const c_void,
    pub(super) names: &'static Names,
}

/// Pointers to all creators, which live for ever.
#[derive(Debug)]
pub(super) struct Creators {
    /// Those of kind V3ONE, then those of kind V3QUICK: of two that have the same name the host takes the last.
    all: Vec<*const Creator>,
    /// The same backwards: of two that have the same name the host unregisters the last, whichever it is given.
    backwards: Vec<*const Creator>,
    ones: usize,
}

// SAFETY: creators are only read.
#[expect(unsafe_code, reason = "pointers to what is only read")]
unsafe impl Send for Creators {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "pointers to what is only read")]
unsafe impl Sync for Creators {}

impl Creators {
    /// Those for a host of this version: one of each linked plugin, and of each other name that it claims, of each kind. The
    /// host unregisters them by their addresses, so they are the same each time; when it isn't `loading`, but unloading the
    /// library, the newest come first.
    ///
    /// # Errors
    /// When the linked plugins contradict each other.
    pub(super) fn of(version: Option<Version>, loading: bool) -> Result<&'static [*const Creator]> {
        static ALL: OnceLock<Result<Creators>> = OnceLock::new();
        let all = ALL.get_or_init(|| Creators::new(Registry::global()?));
        let Creators { all, backwards, ones } = all.as_ref().map_err(Error::clone)?;
        Ok(match (version.is_some_and(Version::knows_quick_plugins), loading) {
            (true, true) => all,
            (true, false) => backwards,
            (false, _) => &all[..*ones],
        })
    }

    fn new(registry: &'static Registry) -> Result<Creators> {
        let mut names: Vec<&'static Names> = Vec::new();
        for plugin in registry.plugins().iter().filter(|plugin| runs(plugin)) {
            for id in [plugin.entry.id].iter().chain(plugin.entry.onnx) {
                let Some((namespace, name)) = id.split_once("::") else { continue };
                let namespace = if namespace == OWN_DOMAIN { "" } else { namespace };
                let given = Names::new(plugin, namespace, name)?;
                if names.iter().all(|known| known.key() != given.key()) {
                    names.push(Box::leak(Box::new(given)));
                }
            }
        }
        let made =
            |table: *const c_void, names: &'static Names| ptr::from_ref(Box::leak(Box::new(Creator { table, names })));
        let one = (&raw const table().slots).cast();
        let quick = (&raw const quick::creator_table().slots).cast();
        let mut all: Vec<*const Creator> = names.iter().map(|names| made(one, names)).collect();
        let ones = all.len();
        all.extend(names.iter().filter(|names| quick::is_offered(names.plugin)).map(|names| made(quick, names)));
        let backwards = all.iter().rev().copied().collect();
        Ok(Creators { all, backwards, ones })
    }
}

/// Whether a plugin has something for a GPU.
fn runs(plugin: &Plugin) -> bool {
    plugin.impl_for(crate::device::DeviceKind::Cuda).is_some() || plugin.aot.is_some()
}

impl Names {
    fn key(&self) -> (&CStr, &CStr, &CStr) {
        (&self.name, &self.version, &self.namespace)
    }

    fn new(plugin: &'static Plugin, namespace: &str, name: &str) -> Result<Names> {
        let text = |text: &str| CString::new(text).map_err(|_| Error::invalid("a plugin's name holds a 0"));
        let own = plugin.entry.attributes.iter().map(|attribute| (attribute.name, attribute.ty));
        let fields = OwnFields::of_names(own)?;
        Ok(Names {
            plugin,
            name: text(name)?,
            version: text(&plugin.entry.version.to_string())?,
            namespace: text(namespace)?,
            fields,
        })
    }
}

/// A table that all threads read.
pub(super) struct Static<S>(pub(super) Table<S>);

// SAFETY: its pointers are to functions and constants.
#[expect(unsafe_code, reason = "pointers to what is only read")]
unsafe impl<S> Send for Static<S> {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "pointers to what is only read")]
unsafe impl<S> Sync for Static<S> {}

/// The table of all creators of kind V3ONE.
fn table() -> &'static Table<CreatorTable> {
    static TABLE: OnceLock<Static<CreatorTable>> = OnceLock::new();
    let slots = CreatorTable { interface: interface(info), create, field_names, name, version, namespace };
    &TABLE.get_or_init(|| Static(Table { offset_to_top: 0, type_info: type_info(), slots })).0
}

/// What creators begin with: they are the library's own, and nobody deletes them.
pub(super) fn interface(info: unsafe extern "C" fn(*mut c_void) -> InterfaceInfo) -> Interface {
    Interface { language, info, destroy: keep, delete: keep }
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
unsafe extern "C" fn info(_: *mut c_void) -> InterfaceInfo {
    InterfaceInfo { kind: c"PLUGIN CREATOR_V3ONE".as_ptr(), major: 1, minor: 0 }
}

/// # Safety
/// Called by nobody: creators are the library's own.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn keep(_: *mut c_void) {}

/// Functions that the host asks a creator by. None of them can fail.
macro_rules! answers {
    ($($name:ident -> $ty:ty = |$creator:ident| $answer:expr;)*) => {$(
        /// # Safety
        /// Called by the host, with a creator.
        #[expect(unsafe_code, reason = "called by the host")]
        pub(super) unsafe extern "C" fn $name(this: *mut c_void) -> $ty {
            // SAFETY: the host hands back what it was given, which lives for ever.
            match unsafe { this.cast_const().cast::<Creator>().as_ref() } {
                Some($creator) => $answer,
                None => ptr::null(),
            }
        }
    )*};
}

answers! {
    field_names -> *const FieldCollection = |creator| creator.names.fields.raw();
    name -> *const c_char = |creator| creator.names.name.as_ptr();
    version -> *const c_char = |creator| creator.names.version.as_ptr();
    namespace -> *const c_char = |creator| creator.names.namespace.as_ptr();
}

/// # Safety
/// Called by the host, with a creator, and with a text and fields that live during the call.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn create(
    this: *mut c_void,
    name: *const c_char,
    collection: *const FieldCollection,
    phase: i32,
) -> *mut c_void {
    // SAFETY: as above.
    unsafe { created(this, (name, collection), phase, None) }
}

/// A plugin that the host asked a creator for: a quick one where it gave a `request`.
///
/// # Safety
/// As [`create`].
#[expect(unsafe_code, reason = "takes pointers on trust")]
pub(super) unsafe fn created(
    this: *mut c_void,
    (name, collection): (*const c_char, *const FieldCollection),
    phase: i32,
    request: Option<i32>,
) -> *mut c_void {
    answer(ptr::null_mut(), || {
        // SAFETY: as the caller says.
        let (creator, name, fields) = unsafe {
            let Some(creator) = this.cast_const().cast::<Creator>().as_ref() else {
                return Err(Error::invalid("TensorRT gave no creator, but a null pointer"));
            };
            (creator, text(name).unwrap_or_default(), fields(collection))
        };
        let names = creator.names;
        let failed = |error: Error| {
            let layer = if name.is_empty() { names.name.to_string_lossy().into_owned() } else { name.clone() };
            error.in_layer(LayerContext::new(&layer, &names.plugin.label()))
        };
        // SAFETY: the host's fields hold what they say.
        let shared =
            fields.and_then(|fields| unsafe { made((names, &name), &fields, phase, request) }).map_err(failed)?;
        Ok(object::new(Instance::new(Arc::new(shared))))
    })
}

/// # Safety
/// Each field holds as many elements as it says.
#[expect(unsafe_code, reason = "takes pointers on trust")]
unsafe fn made(
    (names, name): (&'static Names, &str),
    fields: &[(&CStr, &Field)],
    phase: i32,
    request: Option<i32>,
) -> Result<Shared> {
    let saved = match phase {
        phase::BUILD => false,
        phase::RUNTIME => true,
        other => return Err(Error::invalid(format_args!("TensorRT has phases 0 and 1, not {other}"))),
    };
    let plugin = names.plugin;
    // SAFETY: as the caller says.
    let (mut given, preference, outline): (Attributes, Preference, _) = unsafe {
        let outline = if saved { outline(fields)? } else { None };
        (of_plugin(plugin, fields, saved)?, preference(plugin, fields)?, outline)
    };
    let (family, preference) = match request {
        Some(request) => quick::requested(plugin, saved, request, preference)?,
        None => (Family::One, preference),
    };
    let schema = plugin.entry.attributes;
    if outline.is_some() {
        // What only the register function reads wasn't kept: it isn't asked again.
        let is_given = |name: &str| given.iter().any(|(known, _)| *known == name);
        let others = schema.iter().filter(|attribute| !is_given(attribute.name));
        let others: Attributes = others.map(|attribute| (attribute.name, attribute.ty.zero())).collect();
        check_kept(plugin, preference, &others)?;
        given.extend(others);
    }
    let values = attribute_values(plugin, &given)?;
    let attributes = schema.iter().map(|attribute| attribute.name).zip(values).collect();
    Shared::new(names, name, attributes, (family, preference, outline))
}

/// What a plan keeps has to hold all that the impl reads.
fn check_kept(plugin: &'static Plugin, preference: Preference, missing: &Attributes) -> Result<()> {
    let Implementation::Impl(entry) = implementation(plugin, preference)? else {
        return Err(Error::invalid("its AOT kernels were built of attributes that weren't kept: build the plan again"));
    };
    match entry.attributes.iter().find(|name| missing.iter().any(|(missing, _)| missing == *name)) {
        None => Ok(()),
        Some(name) => Err(Error::invalid(format_args!(
            "{} reads the attribute `{name}`, which wasn't kept: build the plan again",
            Implementation::Impl(entry).describe()
        ))),
    }
}

impl std::fmt::Debug for Creator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Creator({})", self.names.plugin.label())
    }
}
