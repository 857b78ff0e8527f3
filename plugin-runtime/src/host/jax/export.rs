//! The handlers of a library.

use std::ffi::c_void;

use super::abi::CallFrame;
use super::handler::handle;
use crate::device::DeviceKind;
use crate::host::library::pin;

macro_rules! handlers {
    ($($(#[$doc:meta])* $name:ident: $device:ident, $recordable:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// Called by XLA.
        #[expect(unsafe_code, reason = "called by the runtime")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(frame: *mut CallFrame) -> *mut c_void {
            pin();
            // SAFETY: as the caller says.
            unsafe { handle(frame, DeviceKind::$device, $recordable) }
        }
    )*};
}

handlers! {
    /// Runs a plugin on the CPU.
    plugin_runtime_jax_cpu: Cpu, false;
    /// Runs a plugin on a GPU.
    plugin_runtime_jax_cuda: Cuda, false;
    /// The same where XLA may record the call into a command buffer: an equal call was run before.
    plugin_runtime_jax_cuda_recorded: Cuda, true;
}
