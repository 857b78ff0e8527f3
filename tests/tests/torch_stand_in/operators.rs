//! What operators give, and what they throw.

use super::torch::{Tensor, Torch, Value};

#[test]
fn calls_give_what_plugins_compute_and_keep_nothing() {
    let _alone = Torch::alone();
    let torch = Torch::get();
    plain(torch);
    found(torch);
    attributes(torch);
    updated(torch);
    refused(torch);
    let before = torch.kept();
    for _ in 0..10 {
        plain(torch);
        found(torch);
        attributes(torch);
        updated(torch);
        refused(torch);
    }
    assert_eq!(torch.kept(), before);
}

fn plain(torch: &Torch) {
    for n in [0usize, 1, 7, 4099] {
        let values: Vec<f32> = (0..n).map(|i| i as f32 - 3.0).collect();
        let x = torch.floats(&values, &[n as i64]);
        let y = torch.call("gpu::scale", &[Value::Tensor(&x), Value::Float(2.5)], 1).unwrap();
        assert_eq!(y[0].floats(), values.iter().map(|x| x * 2.5).collect::<Vec<_>>());
        // With scratch memory.
        let y = torch.call("gpu::mirror", &[Value::Tensor(&x)], 1).unwrap();
        assert_eq!(y[0].floats(), values.iter().rev().chain(&values).copied().collect::<Vec<_>>());
    }
    let x = torch.floats(&[1.0, 2.0, 3.0, 4.0], &[1, 1, 2, 2]);
    let y = torch.call("sample::circ_pad_plugin", &[Value::Tensor(&x), Value::Ints(&[1, 0, 0, 1])], 1).unwrap();
    assert_eq!((y[0].sizes(), y[0].floats()), (vec![1, 1, 3, 3], vec![2.0, 1.0, 2.0, 4.0, 3.0, 4.0, 2.0, 1.0, 2.0]));
    // Columns for rows.
    let turned = torch.view(&x, &[1, 1, 2, 2], &[4, 4, 1, 2], 0);
    let y = torch.call("sample::circ_pad_plugin", &[Value::Tensor(&turned), Value::Ints(&[0; 4])], 1).unwrap();
    assert_eq!(y[0].floats(), [1.0, 3.0, 2.0, 4.0]);
}

fn found(torch: &Torch) {
    for (values, expected) in
        [([0.0, 1.0, 2.0, 0.0], &[0, 1, 1, 0][..]), ([0.0; 4], &[]), ([1.0; 4], &[0, 0, 0, 1, 1, 0, 1, 1])]
    {
        let x = torch.floats(&values, &[2, 2]);
        let y = torch.call("sample::non_zero_plugin", &[Value::Tensor(&x)], 2).unwrap();
        let count = expected.len() as i64 / 2;
        assert_eq!((y[0].sizes(), y[0].ints()), (vec![count, 2], expected.to_vec()));
        assert_eq!((y[1].sizes(), y[1].longs()), (vec![], vec![count]));
    }
}

fn attributes(torch: &Torch) {
    let x = torch.floats(&[1.0, 2.0, 3.0], &[3]);
    let offsets = |signs: &str| {
        let values = [Value::Tensor(&x), Value::Ints(&[0, 255]), Value::Text(signs)];
        torch.call("gpu::offsets", &values, 1).unwrap()[0].floats()
    };
    assert_eq!(offsets("+"), [1.0, 257.0, 3.0]);
    assert_eq!(offsets("−"), [-1.0, 253.0, -3.0]);
    assert_eq!(offsets("−+"), [-1.0, 257.0, -3.0]);
    let affine = |factors: &[f64], shift, negate| {
        let values = [Value::Tensor(&x), Value::Floats(factors), Value::Int(shift), Value::Bool(negate)];
        torch.call("gpu::affine", &values, 1).unwrap()[0].floats()
    };
    assert_eq!(affine(&[2.0, -1.0], 0, false), [2.0, -2.0, 6.0]);
    assert_eq!(affine(&[2.0], -2, true), [-0.0, -2.0, -4.0]);
}

fn updated(torch: &Torch) {
    let add = |x: &Tensor| torch.call("sample::inplace_add_plugin", &[Value::Tensor(x), Value::Int(2)], 0);
    let x = torch.floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3]);
    assert!(add(&x).unwrap().is_empty());
    assert_eq!(x.floats(), [3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    // A column, by way of a copy; then a row that starts askew.
    add(&torch.view(&x, &[2, 1], &[3, 1], 1)).unwrap();
    assert_eq!(x.floats(), [3.0, 6.0, 5.0, 6.0, 9.0, 8.0]);
    add(&torch.view(&x, &[1, 2], &[2, 1], 4)).unwrap();
    assert_eq!(x.floats(), [3.0, 6.0, 5.0, 6.0, 11.0, 10.0]);
}

fn refused(torch: &Torch) {
    let x = torch.floats(&[1.0, f32::NAN], &[2]);
    let fails = |name: &str, values: &[Value<'_>], results: usize| match torch.call(name, values, results) {
        Ok(_) => panic!("{name} was called"),
        Err(message) => message,
    };
    let message = fails("sample::non_zero_plugin", &[Value::Tensor(&x)], 2);
    let expected = "layer `sample::non_zero_plugin` (sample::non_zero_plugin v1, inp0: FP32 [2]): non_zero needs a matrix, \
                    but `inp0` is of rank 1";
    assert_eq!(message, expected);
    let message = fails("test::refuse_nan", &[Value::Tensor(&x), Value::Bool(false)], 1);
    assert!(message.ends_with("element 1 is NaN") && message.contains("FP32 [2]"), "{message}");
    let message = fails("test::refuse_nan", &[Value::Tensor(&x), Value::Bool(true)], 1);
    assert!(message.contains("panicked: element 1 is NaN"), "{message}");
    let message = fails("sample::circ_pad_plugin", &[Value::Tensor(&x), Value::Ints(&[1, 1 << 40])], 1);
    assert!(message.contains("attribute `pads`") && message.contains("element 1 is 1099511627776"), "{message}");
    let double = torch.doubles(&[1.0], &[1]);
    let message = fails("gpu::scale", &[Value::Tensor(&double), Value::Float(1.0)], 1);
    assert!(message.contains("input `x`: it is of torch.float64; plugins have FP32"), "{message}");
    let message = fails("test::colossal", &[Value::Tensor(&x)], 3);
    assert!(message.contains("PyTorch can't allocate a tensor"), "{message}");
    for tactic in [2, 3] {
        let message = fails("test::misbehave", &[Value::Tensor(&x), Value::Ints(&[tactic])], 2);
        assert!(message.contains("its size tensor, output 1"), "{message}");
    }
}
