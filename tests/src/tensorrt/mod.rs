//! A host like TensorRT, which drives the linked plugins through their tables of functions alone: structs, slots and owners are
//! written down here once more, from the headers, and not shared with what is tested.

mod builder;
mod creator;
mod descs;
mod launch;
mod logger;
mod network;
mod plugin;
mod quick;

pub use builder::{Expr, Exprs};
pub use creator::{Creator, Request, creators, creators_for, find, find_quick};
pub use descs::{Desc, Dims, DynamicDesc, Field, dims, formats, types};
pub use launch::{Launch, Launches};
pub use logger::{log, quiet};
pub use network::{Create, Step, field, steps, steps_of, type_number};
pub use plugin::{Plugin, RawExprs};
pub use quick::Kernel;

/// The function in a slot of an object's table, called with the object and more.
macro_rules! call {
    ($object:expr, $slot:expr, fn($($ty:ty),* $(,)?) $(-> $result:ty)? $(, $argument:expr)* $(,)?) => {{
        let object: *mut ::std::ffi::c_void = $object;
        let table = *object.cast::<*const *const ::std::ffi::c_void>();
        let function: unsafe extern "C" fn(*mut ::std::ffi::c_void $(, $ty)*) $(-> $result)? =
            ::std::mem::transmute(*table.add($slot));
        function(object $(, $argument)*)
    }};
}
use call;
