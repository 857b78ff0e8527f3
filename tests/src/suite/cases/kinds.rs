//! BF16, and attributes of text and bytes.

use plugin_runtime::prelude::*;

use super::{LENGTHS, add, at, from_x, host, of_vectors};
use crate::gpu_plugins::kinds::{offsets, scale_bf16 as scale};
use crate::suite::Case;

/// A multiplication in BF16, which rounds, between casts from FP32 and back.
pub fn scale_bf16() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let narrow = network.cast(x, DataType::BFloat16).expect("it is of this network");
        let [scaled] = add(network, scale::op(narrow, 0.3));
        let wide = network.cast(scaled, DataType::Float32).expect("it is of this network");
        vec![scaled, wide]
    });
    let runs = at::<f32>(LENGTHS, |x, dims| {
        let scaled: Vec<bf16> = x.iter().map(|&x| bf16::from_f32(bf16::from_f32(x).to_f32() * 0.3)).collect();
        let wide: Vec<f32> = scaled.iter().map(|x| x.to_f32()).collect();
        vec![host(&scaled, dims), host(&wide, dims)]
    });
    of_vectors("scale_bf16", network, runs)
}

/// Bytes with 0 and 255 among them, and a text of characters that take several bytes; one by default.
pub fn attributes_of_text_and_bytes() -> Case {
    let network = from_x(DataType::Float32, 1, |network, x| {
        let [a] = add(network, offsets::op(x, &[0, 1, 128, 255, 7]).signs("+−−"));
        add(network, offsets::op(a, &[3])).into()
    });
    let runs = at::<f32>(LENGTHS, |x, dims| {
        let table = [0.0, 1.0, 128.0, 255.0, 7.0];
        let signs = [1.0, -1.0, -1.0];
        let y = x.iter().enumerate().map(|(i, x)| x * signs[i % 3] + table[i % 5] + 3.0);
        vec![host(&y.collect::<Vec<f32>>(), dims)]
    });
    of_vectors("attributes_of_text_and_bytes", network, runs)
}
