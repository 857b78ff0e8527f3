//! Each tactic is judged on what it wrote itself, in a GPU's memory. What is made of other types and of a marked tactic is
//! the same on each device: `tests/tuning/matrix.rs` shows it.

use plugin_runtime::engine::Builder;
use plugin_runtime::tensor::DataType;
use tests::partial::{Case, cases};

use crate::gpu::{gpu, quick};
use crate::plugins::partial::{partial, partial_compared, partial_sized};

/// The cases that the GPU's memory makes a difference to.
fn wanted() -> Vec<Case> {
    cases().into_iter().filter(|case| case.dtype == DataType::Float32 && !case.marked).collect()
}

#[test]
fn no_build_gives_a_wrong_engine() {
    let Some(device) = gpu("no_build_gives_a_wrong_engine") else { return };
    for extent in if quick() { vec![1001] } else { vec![1001, 4096] } {
        for case in wanted() {
            let (tactics, marked) = case.attributes();
            let network = match case.sized {
                true => case.network(extent, |x| partial_sized::op(x, &tactics, marked)),
                false => case.network(extent, |x| partial::op(x, &tactics, marked)),
            };
            case.check(Builder::new(device.clone()).build(&network), extent as usize, false);
        }
    }
}

#[test]
fn the_cpus_impl_says_what_is_right() {
    let Some(device) = gpu("the_cpus_impl_says_what_is_right") else { return };
    for case in wanted().into_iter().filter(|case| !case.sized) {
        let (tactics, marked) = case.attributes();
        let network = case.network(1001, |x| partial_compared::op(x, &tactics, marked));
        let built = Builder::new(device.clone()).build(&network);
        if let Ok(engine) = &built {
            assert_eq!(engine.report().layers[0].check.as_deref(), Some("against the impl for cpu"));
        }
        case.check(built, 1001, true);
    }
}
