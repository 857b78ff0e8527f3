//! Plugins of these tests: those that every runtime has, and some that are only wrong or large.

pub(crate) mod faulty;
pub(crate) mod large;
pub(crate) mod late;
pub(crate) mod partial;
pub(crate) mod reduce;
pub(crate) mod wrong;

pub(crate) use tests::gpu_plugins::{
    BLOCK, address, ahead, calls_of, each, elementwise, extents, forget_calls, one_block, sizes,
};
