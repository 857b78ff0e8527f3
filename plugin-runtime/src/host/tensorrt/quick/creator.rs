//! Creators of kind V3QUICK.

use std::ffi::{c_char, c_void};
use std::sync::OnceLock;

use super::super::abi::{FieldCollection, InterfaceInfo, QuickCreatorTable, Table};
use super::super::creator::{Static, created, field_names, interface, name, namespace, version};
use super::super::object::{Family, type_info};
use crate::device::DeviceKind;
use crate::error::{Error, Result};
use crate::host::implementation;
use crate::network::Preference;
use crate::plugin::{Implementation, Plugin};

/// Whether a plugin has kernels for a plan, and nothing that needs scratch memory, which quick plugins don't get.
pub(in super::super) fn is_offered(plugin: &Plugin) -> bool {
    plugin.aot.is_some() && plugin.impl_for(DeviceKind::Cuda).is_none_or(|entry| entry.workspace.is_none())
}

/// The table of all creators of kind V3QUICK.
pub(in super::super) fn creator_table() -> &'static Table<QuickCreatorTable> {
    static TABLE: OnceLock<Static<QuickCreatorTable>> = OnceLock::new();
    let slots = QuickCreatorTable { interface: interface(info), create, field_names, name, version, namespace };
    &TABLE.get_or_init(|| Static(Table { offset_to_top: 0, type_info: type_info(), slots })).0
}

/// # Safety
/// Called by the host.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn info(_: *mut c_void) -> InterfaceInfo {
    InterfaceInfo { kind: c"PLUGIN CREATOR_V3QUICK".as_ptr(), major: 1, minor: 0 }
}

/// # Safety
/// Called by the host, with a creator, and with texts and fields that live during the call.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn create(
    this: *mut c_void,
    name: *const c_char,
    _namespace: *const c_char,
    collection: *const FieldCollection,
    phase: i32,
    request: i32,
) -> *mut c_void {
    // SAFETY: as above.
    unsafe { created(this, (name, collection), phase, Some(request)) }
}

/// What a host gets that asks for a quick plugin by one of `QuickPluginCreationRequest`, where fields ask for a preference.
/// Of a `saved` plan the fields decide: what it calls is JIT.
///
/// # Errors
/// For a request that there isn't, and one that insists on what the plugin doesn't have.
pub(in super::super) fn requested(
    plugin: &'static Plugin,
    saved: bool,
    request: i32,
    given: Preference,
) -> Result<(Family, Preference)> {
    let asked = match request {
        0 => given,
        1 => Preference::PreferJit,
        2 => Preference::PreferAot,
        3 => Preference::RequireJit,
        4 => Preference::RequireAot,
        other => return Err(Error::invalid(format_args!("TensorRT has creation requests 0 to 4, not {other}"))),
    };
    if saved {
        return Ok((Family::QuickJit, given));
    }
    let family = match implementation(plugin, asked)? {
        // Who prefers that the plugin is called gets it called, to launch the kernels itself.
        Implementation::Aot(_) if asked != Preference::PreferJit => Family::QuickAot,
        _ => Family::QuickJit,
    };
    Ok((family, asked))
}
