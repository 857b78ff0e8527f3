//! How a library's functions are found.

use std::ffi::c_void;

use super::abi::{Any, types};
use super::api::{Api, FAILED};
use super::arguments::{int, text};
use super::function::{Function, arguments};
use crate::error::{Error, Result};
use crate::host::attributes::plugin_of;
use crate::host::{Said, fenced};

/// `plugin_runtime_function(id, version, lockfile, tune)`, as tvm-ffi finds it; the module's docs say what it gives.
///
/// # Safety
/// Called by tvm-ffi, with as many arguments as it says, and room for a result.
#[expect(unsafe_code, reason = "called by the runtime")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __tvm_ffi_plugin_runtime_function(
    _: *mut c_void,
    all: *const Any,
    count: i32,
    result: *mut Any,
) -> i32 {
    crate::host::library::pin();
    let Some(api) = Api::get() else { return FAILED };
    let give = || {
        // SAFETY: as the caller says.
        let function = function(api, unsafe { arguments(all, count) })?;
        // SAFETY: as above.
        unsafe { result.write(function) };
        Ok(0)
    };
    fenced(give, |kind, message| api.raise(kind, message))
}

fn function(api: &'static Api, all: &[Any]) -> Result<Any> {
    let [id, ..] = all else {
        return Err(Error::invalid("say which plugin: plugin_runtime_function(id, version, lockfile, tune)"));
    };
    // SAFETY: the runtime lends the arguments for the time of the call.
    #[expect(unsafe_code, reason = "takes arguments of the runtime")]
    let (id, lockfile) = unsafe { (text(Some(id), "id")?.unwrap_or_default(), text(all.get(2), "lockfile")?) };
    // No plugin has a version that is none.
    let version = int(all.get(1), "version")?.map(|version| u32::try_from(version).unwrap_or(0));
    let plugin = plugin_of(id, version)?;
    let tune = int(all.get(3), "tune")?.map(|tune| tune != 0);
    let said = Said { lockfile: lockfile.map(str::to_owned), tune };
    Ok(Function::object(api, plugin, said)?.into_any(types::FUNCTION))
}
