//! A host like TensorRT, which drives the linked plugins through their tables of functions alone: structs, slots and owners are
//! written down here once more, from the headers, and not shared with what is tested.

mod builder;
mod descs;
mod logger;
mod network;
mod plugin;

pub use builder::{Expr, Exprs};
pub use descs::{Desc, Dims, DynamicDesc, Field, dims, formats, types};
pub use logger::{log, quiet};
pub use network::{Step, field, steps, type_number};
pub use plugin::{Creator, Plugin, RawExprs, creators, find};

/// The function in a slot of an object's table, called with the object and more.
macro_rules! call {
    ($object:expr, $slot:literal, fn($($ty:ty),*) $(-> $result:ty)? $(, $argument:expr)*) => {{
        let object: *mut ::std::ffi::c_void = $object;
        let table = *object.cast::<*const *const ::std::ffi::c_void>();
        let function: unsafe extern "C" fn(*mut ::std::ffi::c_void $(, $ty)*) $(-> $result)? =
            ::std::mem::transmute(*table.add($slot));
        function(object $(, $argument)*)
    }};
}
use call;
