//! TensorRT's quick plugins, of kind V3QUICK: those that it calls when it runs, and those whose kernels it takes into its plan.

mod build;
mod creator;
mod kernel;
mod launch;
mod lent;
mod run;

pub(super) use build::{aot_table, build_table};
pub(super) use creator::{creator_table, is_offered, requested};
pub(super) use lent::Lent;
pub(super) use run::runtime_table;
