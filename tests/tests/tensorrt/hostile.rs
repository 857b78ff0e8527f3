//! Arguments that no host should give. Each is answered with an error, and told.

use std::ptr::{null, null_mut};

use samples as _;
use tests::tensorrt::{Desc, DynamicDesc, Expr, Exprs, Field, Plugin, RawExprs, dims, find, log, types::FLOAT};

fn pad() -> Plugin {
    find("sample::circ_pad_plugin").create("pad", &[Field::ints("pads", &[1, 1])], false).expect("it is made")
}

/// What the log says, which has to be something.
#[track_caller]
fn told() -> String {
    let lines = log();
    assert!(!lines.is_empty(), "nothing was told");
    lines.join("\n")
}

#[test]
fn null_pointers() {
    let creator = find("sample::circ_pad_plugin");
    assert!(creator.create_raw(null(), null(), 0).is_none());
    assert!(told().contains("TensorRT gave no fields, but a null pointer"));
    let plugin = pad();
    assert_ne!(plugin.output_types_raw(null_mut(), 1, [FLOAT].as_ptr(), 1), 0);
    assert!(told().contains("no output types, but a null pointer"));
    assert_ne!(plugin.output_types_raw([0].as_mut_ptr(), 1, null(), 1), 0);
    assert!(told().contains("no input types, but a null pointer"));
    plugin.output_types(&[FLOAT]).unwrap();
    let exprs = Exprs::new();
    let (input, mut output) = ([RawExprs::new(&exprs, &[Expr::dynamic(4)])], [RawExprs::EMPTY]);
    let mut shapes = |input: *const RawExprs, output_is_null: bool, builder| {
        let output = if output_is_null { null_mut() } else { output.as_mut_ptr() };
        plugin.output_shapes_raw((input, 1), 0, (output, 1), builder)
    };
    assert_eq!(shapes(input.as_ptr(), false, exprs.raw()), 0);
    assert_ne!(shapes(null(), false, exprs.raw()), 0);
    assert_ne!(shapes(input.as_ptr(), true, exprs.raw()), 0);
    assert_ne!(shapes(input.as_ptr(), false, null_mut()), 0);
    let mut no_expr = input;
    no_expr[0].extents[0] = null();
    assert_ne!(shapes(no_expr.as_ptr(), false, exprs.raw()), 0);
    assert_eq!(told().lines().count(), 4);
}

#[test]
fn numbers_that_cant_be() {
    let plugin = pad();
    plugin.output_types(&[FLOAT]).unwrap();
    for count in [-1, 0, 2, i32::MIN, i32::MAX] {
        assert_ne!(plugin.output_types_raw([0; 2].as_mut_ptr(), count, [FLOAT; 2].as_ptr(), 1), 0, "{count}");
        assert_ne!(plugin.output_types_raw([0; 2].as_mut_ptr(), 1, [FLOAT; 2].as_ptr(), count), 0, "{count}");
        let descs = [DynamicDesc::fixed(FLOAT, &[4]); 4];
        assert!(!plugin.supports(0, &descs, (count, 1)) && !plugin.supports(0, &descs, (1, count)), "{count}");
        assert_eq!(told().lines().count(), 4, "{count}");
    }
    let descs = [DynamicDesc::fixed(FLOAT, &[4]), DynamicDesc::fixed(FLOAT, &[6])];
    for position in [-1, 2, 99, i32::MIN, i32::MAX] {
        assert!(!plugin.supports(position, &descs, (1, 1)));
        assert!(told().contains("position"));
    }
    for dtype in [-1, 10, 11, 12, i32::MAX] {
        assert!(plugin.output_types(&[dtype]).is_err());
        assert!(told().contains("isn't one that plugins can have"));
    }
    for output in [-1, 1, i32::MAX, i32::MIN] {
        assert_eq!(plugin.aliased_input(output), -1);
        told();
    }
    for tactic in [-1, i32::MIN, i32::MAX] {
        assert_ne!(plugin.set_tactic(tactic), 0);
        told();
    }
    assert!(find("sample::circ_pad_plugin").create_raw(null(), (&raw const EMPTY).cast(), 2).is_none());
    assert!(told().contains("TensorRT has phases 0 and 1, not 2"));
}

/// A collection of no fields.
static EMPTY: (u64, usize) = (0, 0);

#[test]
fn ranks_and_extents_that_cant_be() {
    let plugin = pad();
    plugin.output_types(&[FLOAT]).unwrap();
    let exprs = Exprs::new();
    for rank in [-1, 9, i32::MIN, i32::MAX] {
        let mut input = RawExprs::new(&exprs, &[Expr::dynamic(4)]);
        input.count = rank;
        let mut output = [RawExprs::EMPTY];
        assert_ne!(plugin.output_shapes_raw((&raw const input, 1), 0, (output.as_mut_ptr(), 1), exprs.raw()), 0);
        let mut desc = DynamicDesc::fixed(FLOAT, &[4]);
        desc.desc.dims.count = rank;
        let other = DynamicDesc::fixed(FLOAT, &[6]);
        assert!(!plugin.supports(0, &[desc, other], (1, 1)));
        assert_ne!(plugin.configure(&[desc], &[other]), 0);
        assert!(plugin.workspace(&[desc], &[other]) >= 1 << 40, "a size that no device has");
        assert_eq!(told().lines().count(), 4, "{rank}");
    }
    assert!(plugin.output_shapes(&exprs, &[vec![Expr::constant(-2)]]).is_err());
    assert!(told().contains("TensorRT gave an extent of -2"));
    let mut desc = DynamicDesc::fixed(FLOAT, &[-5]);
    desc.desc.dims = dims(&[-5]);
    assert_ne!(plugin.configure(&[desc], &[desc]), 0);
    told();
    let (huge, output) = (DynamicDesc::fixed(FLOAT, &[i64::MAX]), DynamicDesc::fixed(FLOAT, &[i64::MAX]));
    assert!(plugin.workspace(&[huge], &[output]) >= 1 << 40);
    told();
}

#[test]
fn a_builder_that_refuses() {
    let plugin = pad();
    plugin.output_types(&[FLOAT]).unwrap();
    let mut refused = 0;
    for left in 1..8 {
        let exprs = Exprs::refusing_after(left);
        match plugin.output_shapes(&exprs, &[vec![Expr::dynamic(4)]]) {
            Ok(shapes) => assert_eq!(shapes, [vec![Expr::dynamic(6)]]),
            Err(_) => {
                refused += 1;
                assert!(told().contains("TensorRT's expression builder refused"), "after {left}");
            }
        }
    }
    assert_eq!(refused, 2, "a constant and a sum are made");
    let non_zero = find("sample::non_zero_plugin").create("nz", &[], false).unwrap();
    non_zero.output_types(&[FLOAT]).unwrap();
    for left in 2..20 {
        let exprs = Exprs::refusing_after(left);
        if non_zero.output_shapes(&exprs, &[vec![Expr::dynamic(4), Expr::dynamic(5)]]).is_err() {
            assert!(told().contains("TensorRT's expression builder refused"), "after {left}");
        }
    }
}

#[test]
fn shape_inputs() {
    let plugin = pad();
    plugin.output_types(&[FLOAT]).unwrap();
    let exprs = Exprs::new();
    let (input, mut output) = ([RawExprs::new(&exprs, &[Expr::dynamic(4)])], [RawExprs::EMPTY]);
    assert_ne!(plugin.output_shapes_raw((input.as_ptr(), 1), 1, (output.as_mut_ptr(), 1), exprs.raw()), 0);
    assert!(told().contains("tensorrt_plugin_shape_input_indices"));
}

#[test]
fn questions_in_another_order() {
    let plugin = pad();
    assert!(plugin.output_shapes(&Exprs::new(), &[vec![Expr::dynamic(4)]]).is_err());
    assert!(told().contains("its inputs' types aren't known yet"));
    assert_eq!(plugin.aliased_input(0), -1);
    told();
    let (x, y) = (DynamicDesc::fixed(FLOAT, &[4]), DynamicDesc::fixed(FLOAT, &[6]));
    assert!(plugin.supports(1, &[x, y], (1, 1)) && plugin.configure(&[x], &[y]) == 0);
    assert_ne!(plugin.configure(&[x], &[DynamicDesc { desc: y.desc.laid_out(3), ..y }]), 0);
    assert!(told().contains("it doesn't run as FP32:LINEAR, FP32:CHW4; its combinations are: "));
}

/// Where there is no GPU, what runs says so.
#[test]
fn a_run_without_a_gpu() {
    if plugin_runtime::device::Device::cuda(0).is_ok() {
        return tests::command::skipped("a_run_without_a_gpu", "there is a GPU");
    }
    let plugin = pad().attach();
    let (x, y) = (Desc::new(FLOAT, &[4]), Desc::new(FLOAT, &[6]));
    assert_ne!(plugin.on_shape_change(&[x], &[y]), 0);
    assert!(told().contains("device `cuda` isn't available"));
}
