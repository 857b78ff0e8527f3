//! A plugin as a function of the runtime.

use std::ffi::c_void;

use super::abi::Any;
use super::api::{Api, Object};
use super::arguments::{Arguments, device_of};
use super::run::run;
use crate::device::dlpack::DLDevice;
use crate::error::Result;
use crate::host::{Calls, Described, Said, fenced};
use crate::plugin::Plugin;

/// A plugin's function, and the calls that it keeps.
#[derive(Debug)]
pub(super) struct Function {
    api: &'static Api,
    plugin: &'static Plugin,
    said: Said,
    extents_matter: bool,
    calls: Calls,
}

impl Function {
    /// Makes one, as an object.
    ///
    /// # Errors
    /// When an option of the environment can't be.
    pub(super) fn object(api: &'static Api, plugin: &'static Plugin, said: Said) -> Result<Object> {
        let extents_matter = said.tactics()?.need_extents();
        let function = Function { api, plugin, said, extents_matter, calls: Calls::new() };
        let this = Box::into_raw(Box::new(function));
        // SAFETY: both take the box for what it is.
        #[expect(unsafe_code, reason = "hands over a box")]
        let made = unsafe { api.function(this.cast(), call, delete) };
        if made.is_err() {
            // SAFETY: it wasn't handed over.
            #[expect(unsafe_code, reason = "the box from above")]
            drop(unsafe { Box::from_raw(this) });
        }
        made
    }

    fn run(&self, all: &[Any]) -> Result<Any> {
        // SAFETY: the runtime lends the arguments for the time of the call.
        #[expect(unsafe_code, reason = "takes arguments of the runtime")]
        let arguments = unsafe { Arguments::new(self.plugin, all)? };
        let device = arguments.device()?;
        let key = arguments.key(device, self.extents_matter)?;
        let ready = self.calls.get(key.words(), || self.describe(&arguments, device))?;
        drop(key);
        run(self.api, &ready, &arguments)
    }

    #[cold]
    fn describe(&self, arguments: &Arguments<'_>, device: DLDevice) -> Result<Described> {
        let id = self.plugin.entry.id;
        let extents = || (0..self.plugin.entry.inputs.len()).map(|input| Ok(arguments.input(input)?.extents.to_vec()));
        Ok(Described {
            name: id.rsplit("::").next().unwrap_or(id).into(),
            plugin: self.plugin,
            device: device_of(device)?,
            types: arguments.dtypes()?,
            attributes: arguments.attributes()?,
            extents: self.extents_matter.then(|| extents().collect::<Result<_>>()).transpose()?,
            tactics: self.said.tactics()?,
        })
    }
}

/// # Safety
/// Called by the runtime with what [`Function::object`] made, and as many arguments as it says.
#[expect(unsafe_code, reason = "called by the runtime")]
unsafe extern "C" fn call(this: *mut c_void, all: *const Any, count: i32, result: *mut Any) -> i32 {
    // SAFETY: as the caller says; the function is only read.
    let function = unsafe { &*this.cast::<Function>() };
    let run = || {
        // SAFETY: as the caller says.
        let any = function.run(unsafe { arguments(all, count) })?;
        // SAFETY: the runtime gives room for a value.
        unsafe { result.write(any) };
        Ok(0)
    };
    fenced(run, |kind, message| function.api.raise(kind, message))
}

/// # Safety
/// Called by the runtime, once for what [`Function::object`] made.
#[expect(unsafe_code, reason = "called by the runtime")]
unsafe extern "C" fn delete(this: *mut c_void) {
    let delete = || {
        // SAFETY: it came from a box, and isn't used any more.
        drop(unsafe { Box::from_raw(this.cast::<Function>()) });
        Ok(())
    };
    fenced(delete, |_, _| ());
}

/// The arguments of a call.
///
/// # Safety
/// As many as it says lie there.
#[inline]
#[expect(unsafe_code, reason = "takes a pointer on trust")]
pub(super) unsafe fn arguments<'a>(all: *const Any, count: i32) -> &'a [Any] {
    match usize::try_from(count) {
        // SAFETY: as the caller says.
        Ok(count) if count > 0 && !all.is_null() => unsafe { std::slice::from_raw_parts(all, count) },
        _ => &[],
    }
}
