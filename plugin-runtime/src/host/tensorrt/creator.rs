//! The linked plugins as creators: what the host makes its nodes of.

use std::ffi::{CString, c_char, c_void};
use std::ptr;
use std::sync::{Arc, OnceLock};

use super::abi::{CPP, CreatorTable, Field, FieldCollection, Interface, InterfaceInfo, Table, phase};
use super::arguments::text;
use super::attributes::{Attributes, OwnFields, fields, of_plugin, outline, preference};
use super::instance::{Instance, Shared};
use super::log::answer;
use super::object::{self, type_info};
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

/// A creator, as the host has it.
#[repr(C)]
pub(super) struct Creator {
    table: *const CreatorTable,
    names: Names,
}

/// Pointers to all creators, which live for ever.
#[derive(Debug)]
pub(super) struct Creators(Vec<*const Creator>);

// SAFETY: creators are only read.
#[expect(unsafe_code, reason = "pointers to what is only read")]
unsafe impl Send for Creators {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "pointers to what is only read")]
unsafe impl Sync for Creators {}

impl Creators {
    /// One of each linked plugin, and of each other name that it claims. The host unregisters them by their addresses, so
    /// they are the same each time.
    ///
    /// # Errors
    /// When the linked plugins contradict each other.
    pub(super) fn all() -> Result<&'static Creators> {
        static ALL: OnceLock<Result<Creators>> = OnceLock::new();
        let all = ALL.get_or_init(|| Ok(Creators(creators(Registry::global()?)?)));
        all.as_ref().map_err(Error::clone)
    }

    pub(super) fn as_slice(&self) -> &[*const Creator] {
        &self.0
    }
}

fn creators(registry: &'static Registry) -> Result<Vec<*const Creator>> {
    let mut made: Vec<Creator> = Vec::new();
    for plugin in registry.plugins().iter().filter(|plugin| runs(plugin)) {
        for id in [plugin.entry.id].iter().chain(plugin.entry.onnx) {
            let Some((namespace, name)) = id.split_once("::") else { continue };
            let namespace = if namespace == OWN_DOMAIN { "" } else { namespace };
            let names = Names::new(plugin, namespace, name)?;
            let key = |names: &Names| (names.name.clone(), names.version.clone(), names.namespace.clone());
            if made.iter().all(|creator| key(&creator.names) != key(&names)) {
                made.push(Creator { table: &raw const table().slots, names });
            }
        }
    }
    Ok(made.into_iter().map(|creator| ptr::from_ref(Box::leak(Box::new(creator)))).collect())
}

/// Whether a plugin has something for a GPU.
fn runs(plugin: &Plugin) -> bool {
    plugin.impl_for(crate::device::DeviceKind::Cuda).is_some() || plugin.aot.is_some()
}

impl Names {
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

/// The table of all creators.
fn table() -> &'static Table<CreatorTable> {
    struct Shared(Table<CreatorTable>);
    // SAFETY: its pointers are to functions and constants.
    #[expect(unsafe_code, reason = "pointers to what is only read")]
    unsafe impl Send for Shared {}
    // SAFETY: as above.
    #[expect(unsafe_code, reason = "pointers to what is only read")]
    unsafe impl Sync for Shared {}
    static TABLE: OnceLock<Shared> = OnceLock::new();
    let slots = CreatorTable {
        interface: Interface { language, info, destroy: keep, delete: keep },
        create,
        field_names,
        name,
        version,
        namespace,
    };
    &TABLE.get_or_init(|| Shared(Table { offset_to_top: 0, type_info: type_info(), slots })).0
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
        unsafe extern "C" fn $name(this: *mut c_void) -> $ty {
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
    answer(ptr::null_mut(), || {
        // SAFETY: as above.
        let (creator, name, fields) = unsafe {
            let Some(creator) = this.cast_const().cast::<Creator>().as_ref() else {
                return Err(Error::invalid("TensorRT gave no creator, but a null pointer"));
            };
            (creator, text(name).unwrap_or_default(), fields(collection))
        };
        let names = &creator.names;
        let failed = |error: Error| {
            let layer = if name.is_empty() { names.name.to_string_lossy().into_owned() } else { name.clone() };
            error.in_layer(LayerContext::new(&layer, &names.plugin.label()))
        };
        // SAFETY: the host's fields hold what they say.
        let shared = fields.and_then(|fields| unsafe { made(names, &name, &fields, phase) }).map_err(failed)?;
        Ok(object::new(Instance::new(Arc::new(shared))))
    })
}

/// # Safety
/// Each field holds as many elements as it says.
#[expect(unsafe_code, reason = "takes pointers on trust")]
unsafe fn made(names: &'static Names, name: &str, fields: &[(&std::ffi::CStr, &Field)], phase: i32) -> Result<Shared> {
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
    Shared::new(names, name, attributes, (preference, outline))
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
