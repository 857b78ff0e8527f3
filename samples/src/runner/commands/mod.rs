//! One file a command.

mod add;
mod all;
mod build;
mod circ_pad;
mod inplace_add;
mod inspect;
mod list;
mod non_zero;
mod run;

pub(super) use add::{add, network as add_network};
pub(super) use all::all;
pub(super) use build::build;
pub(super) use circ_pad::{circ_pad, network as circ_pad_network};
pub(super) use inplace_add::inplace_add;
pub(super) use inspect::inspect;
pub(super) use list::list;
pub(super) use non_zero::{network as non_zero_network, non_zero};
pub(super) use run::run;

use super::failure::{Failure, Result};

/// Refuses `--aot`.
fn without_aot(asked: bool) -> Result<()> {
    if asked {
        return Err(Failure::work(
            "--aot isn't there yet: kernels compiled ahead of time come with the CUDA device; leave --aot out",
        ));
    }
    Ok(())
}
