//! One file a command.

mod add;
mod all;
mod build;
mod circ_pad;
mod inplace_add;
mod inspect;
mod list;
mod new;
mod non_zero;
mod run;

pub(super) use add::{add, network as add_network};
pub(super) use all::all;
pub(super) use build::build;
pub(super) use circ_pad::{circ_pad, network as circ_pad_network};
pub(super) use inplace_add::inplace_add;
pub(super) use inspect::inspect;
pub(super) use list::list;
pub(super) use new::new;
pub(super) use non_zero::{network as non_zero_network, non_zero};
pub(super) use run::run;

use plugin_runtime::device::{Device, DeviceKind};
use plugin_runtime::network::Preference;

use super::failure::{Failure, Result};

/// What `--aot` asks of a plugin.
fn preference(aot: bool) -> Preference {
    if aot { Preference::PreferAot } else { Preference::Unspecified }
}

/// Refuses `--aot` where it can't be.
fn check_aot(asked: bool, device: &Device) -> Result<()> {
    if asked && device.kind() == DeviceKind::Cpu {
        return Err(Failure::work(
            "--aot puts CUDA kernels into the engine, which device cpu can't run: give --device cuda, or leave --aot out",
        ));
    }
    Ok(())
}
