//! Enqueue allocates nothing after the first run with a shape.

use plugin_runtime::device::{Binding, Device};
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use tests::Random;
use tests::plugins::{add_channels, add_in_place, keep_positive, scale, twice};

#[test]
fn enqueue_allocates_nothing_after_the_first_run_with_a_shape() {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let image = network.add_input("image", DataType::Float32, [1, 5, 8, 8]).unwrap();
    let [double] = network.add_plugin(twice::op(x)).unwrap();
    let [kept, count] = network.add_plugin(keep_positive::op(double)).unwrap();
    let [scaled] = network.add_plugin(scale::op(kept, 0.5)).unwrap();
    let [sum] = network.add_plugin(add_in_place::op(scaled, 1.0)).unwrap();
    let [channels] = network.add_plugin(add_channels::op(image)).unwrap();
    for (tensor, name) in [(sum, "sum"), (count, "count"), (channels, "channels")] {
        network.mark_output(tensor, name).unwrap();
    }
    let (most, image_len) = (1 << 20, 5 * 64);
    let profile = Profile::new().dims("x", [1], [1000], [most]);
    let engine = Builder::new(Device::cpu()).profile(profile).build(&network).unwrap();
    let mut context = engine.create_context().unwrap();
    let stream = engine.device().create_stream().unwrap();
    let mut random = Random::new(1);
    let image = random.floats(&[image_len]);
    for n in [most, 1, 777] {
        let x = random.floats(&[n]);
        let (mut sum, mut count, mut channels) = (vec![0f32; 2 * n as usize], [0i64], vec![0f32; image_len as usize]);
        let mut run = || {
            let outputs = [Binding::output(&mut sum), Binding::output(&mut count), Binding::output(&mut channels)];
            let [a, b, c] = outputs;
            context.set_input_shape("x", &[n]).unwrap();
            context.enqueue(&mut [Binding::input(&x), Binding::input(&image), a, b, c], &stream).unwrap();
        };
        run();
        let allocated = allocation_counter::measure(run);
        assert_eq!((allocated.count_total, allocated.bytes_total), (0, 0), "with {n} elements");
        let positive = x.iter().filter(|x| **x > 0.0).count() as i64;
        assert_eq!(count, [2 * positive]);
    }
}
