//! The suite on a GPU: enqueued, recorded and replayed, saved and loaded, and by kernels compiled ahead of time.

use plugin_runtime::device::Device;
use plugin_runtime::engine::Engine;
use plugin_runtime::network::{Network, Preference};
use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;
use tests::suite::{self, Case, On, Run, Runtime, built, run_by_name};

use crate::gpu::quick;
use crate::rig::{Rig, assert_same};

/// How a case runs on a GPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    Enqueued,
    /// Recorded at each of the shapes, and replayed twice.
    Captured,
    SavedAndLoaded,
    AheadOfTime,
}

/// Cases whose graphs copy what their kernels wrote: initcheck looks at that when a graph is launched, before it is written.
const COPIES: [&str; 2] = ["updated_beside_a_reader", "constants"];

struct Cuda {
    device: Device,
    how: How,
}

impl Runtime for Cuda {
    fn name(&self) -> &'static str {
        match self.how {
            How::Enqueued => "cuda",
            How::Captured => "cuda captured",
            How::SavedAndLoaded => "cuda saved and loaded",
            How::AheadOfTime => "cuda ahead of time",
        }
    }

    fn leaves_out(&self, case: &Case) -> Option<String> {
        match self.how {
            How::AheadOfTime if !case.on.contains(&On::AheadOfTime) => Some("a plugin has no aot_impl".into()),
            How::Enqueued | How::SavedAndLoaded if case.on.is_empty() => Some("a plugin has no impl for cuda".into()),
            How::Captured if !case.on.contains(&On::Cuda) => Some("a plugin has no impl for cuda".into()),
            How::Captured if quick() && COPIES.contains(&case.name) => Some("GPU_TESTS=quick".into()),
            How::Captured if case.waits => Some("a run that waits for extents can't be recorded".into()),
            _ => None,
        }
    }

    fn run(&mut self, case: &Case) -> Result<Vec<Vec<HostTensor>>> {
        let mut engine = match self.how {
            How::AheadOfTime => {
                let ahead = Case { network: ahead_of_time(&case.network)?, ..case.clone() };
                built(&ahead, self.device.clone())?
            }
            _ => built(case, self.device.clone())?,
        };
        if let How::SavedAndLoaded | How::AheadOfTime = self.how {
            engine = Engine::from_bytes(&engine.to_bytes()?)?;
        }
        let mut rig = Rig::new(engine, &case.in_place);
        let run = |(position, run): (usize, &Run)| match self.how {
            How::Captured => {
                let earlier = case.runs[..position].iter().rev().find(|earlier| earlier.has_the_shapes_of(run));
                captured(&mut rig, run, earlier)
            }
            _ => {
                let found = rig.run(&run.inputs());
                let by_name = run_by_name(&mut rig.context, run).unwrap();
                suite::assert_same(&by_name, &found, &format!("{}, run by name", case.name));
                found
            }
        };
        Ok(case.runs.iter().enumerate().map(run).collect())
    }
}

/// Records a run, replays it on these data, on zeros, and on these again: both of its results have to be the same. Where
/// another run of the case has these shapes, it is replayed on that's data too.
fn captured(rig: &mut Rig, run: &Run, other: Option<&Run>) -> Vec<HostTensor> {
    let inputs = run.inputs();
    let mut buffers = rig.buffers(&inputs);
    let zeros: Vec<HostTensor> =
        inputs.iter().map(|(_, tensor)| HostTensor::zeros(tensor.dtype(), tensor.shape()).unwrap()).collect();
    let zeros: Vec<(&str, &HostTensor)> = inputs.iter().zip(&zeros).map(|((name, _), zeros)| (*name, zeros)).collect();
    rig.fill(&mut buffers, &zeros);
    rig.context.capture(&mut buffers.bindings(), &rig.stream).unwrap();
    let mut replayed = |rig: &mut Rig, inputs: &[(&str, &HostTensor)]| {
        rig.fill(&mut buffers, inputs);
        rig.enqueue(&mut buffers);
        rig.outputs(&buffers)
    };
    let first = replayed(rig, &inputs);
    if let Some(other) = other {
        for (found, expected) in replayed(rig, &other.inputs()).iter().zip(&other.expected) {
            assert_same(found, expected, "replayed on other data");
        }
    }
    replayed(rig, &zeros);
    for (found, first) in replayed(rig, &inputs).iter().zip(&first) {
        assert_same(found, first, "replayed once more");
    }
    first
}

/// The same network, whose layers insist on kernels compiled ahead of time.
fn ahead_of_time(network: &Network) -> Result<Network> {
    let mut network = network.clone();
    let layers: Vec<String> = network.inspect().layers.iter().map(|layer| layer.name.to_string()).collect();
    layers.iter().try_for_each(|layer| network.set_preference(layer, Preference::RequireAot))?;
    Ok(network)
}

macro_rules! on_cuda {
    ($($case:ident)*) => {
        on_cuda! { @as enqueued Enqueued: $($case)* }
        on_cuda! { @as captured Captured: $($case)* }
        on_cuda! { @as saved_and_loaded SavedAndLoaded: $($case)* }
        on_cuda! { @as ahead_of_time AheadOfTime: $($case)* }
    };
    (@as $module:ident $how:ident: $($case:ident)*) => {
        mod $module {
            use tests::suite::{cases, check};

            use crate::gpu::gpu;

            $(
                #[test]
                fn $case() {
                    let name = concat!("suite::", stringify!($module), "::", stringify!($case));
                    let Some(device) = gpu(name) else { return };
                    check(&mut super::Cuda { device: device.clone(), how: super::How::$how }, cases::$case());
                }
            )*
        }
    };
}

tests::for_each_case!(on_cuda);
