//! Memory that a context reserves and doesn't use. One test, as others in the process would be counted too.

use plugin_runtime::device::Device;
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::HostTensor;
use tests::plugins::refuse_nan;
use tests::tensor;

/// Elements of a tensor of 2 GiB.
const MOST: i64 = 1 << 29;
/// What may be resident of 2 GiB that nobody touches, in bytes.
const LITTLE: usize = 64 << 20;

/// Bytes of this process that are in memory; `None` where the system doesn't say.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()? << 10)
}

#[test]
fn memory_that_is_not_touched_is_not_taken() {
    let Some(_) = resident() else {
        return tests::command::skipped("memory_that_is_not_touched_is_not_taken", "only Linux tells what is resident");
    };
    let grows = |what: &str, before: Option<usize>| {
        let grown = resident().unwrap().saturating_sub(before.unwrap());
        assert!(grown < LITTLE, "{what} took {grown} bytes");
    };
    let before = resident();
    let zeros = HostTensor::zeros(DataType::Float32, &[MOST]).unwrap();
    assert_eq!(zeros.as_slice::<f32>().unwrap()[MOST as usize - 1], 0.0);
    grows("a tensor of 2 GiB", before);
    drop(zeros);

    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [between] = network.add_plugin(refuse_nan::op(x)).unwrap();
    let [y] = network.add_plugin(refuse_nan::op(between)).unwrap();
    network.mark_output(y, "y").unwrap();
    let profile = Profile::new().dims("x", [1], [4], [MOST]);
    let engine = Builder::new(Device::cpu()).profile(profile).without_checks().build(&network).unwrap();
    assert!(engine.report().arena_bytes[0] >= 1 << 31);
    let before = resident();
    let mut contexts: Vec<_> = (0..2).map(|_| engine.create_context().unwrap()).collect();
    grows("two contexts of 2 GiB", before);
    for context in &mut contexts {
        let found = context.run(&[("x", &tensor(&[1.0, 2.0, 3.0], &[3]))]).unwrap();
        assert_eq!(found[0].1.as_slice::<f32>().unwrap(), [1.0, 2.0, 3.0]);
    }
    grows("a run of 3 elements in each", before);
}
