//! `block_sum` and `block_max` of the runtime's header.

use plugin_runtime::device::Device;
use plugin_runtime::tensor::HostTensor;
use plugin_runtime::testing::call;
use tests::Random;

use crate::gpu::gpu;
use crate::plugins::reduce::reduce;

fn check(device: &Device, threads: usize, known: bool, random: &mut Random) {
    let x: Vec<i32> = (0..threads).map(|_| random.below(2001) as i32 - 2000).collect();
    let input = HostTensor::from_slice(&x, &[threads as i64]).unwrap();
    let reduced = call::<reduce::Plugin>().attributes(reduce::Attributes { known }).on(device).run(&[&input]).unwrap();
    let (sum, largest) = (x.iter().sum(), *x.iter().max().unwrap());
    let what = format!("{threads} threads, known: {known}");
    assert_eq!(reduced[0].as_slice::<i32>().unwrap(), vec![sum; threads], "{what}");
    assert_eq!(reduced[1].as_slice::<i32>().unwrap(), vec![largest; threads], "{what}");
}

#[test]
fn blocks_of_any_number_of_threads_are_reduced() {
    let Some(device) = gpu("blocks_of_any_number_of_threads_are_reduced") else { return };
    let mut random = Random::new(1);
    let whole_warps = (1..=32).map(|warps| 32 * warps);
    for threads in whole_warps.chain([1, 2, 31, 33, 63, 65, 100, 255, 257, 500, 993, 1023]) {
        check(&device, threads, false, &mut random);
    }
    for threads in [33, 256, 1024] {
        check(&device, threads, true, &mut random);
    }
}
