//! Quick plugins: what their host can't launch, and arguments that no host should give.

use std::ptr::{null, null_mut};

use plugin_runtime::prelude::*;
use tests::tensorrt::{
    Desc, DynamicDesc, Expr, Exprs, Field, Launches, Plugin, RawExprs, Request, find_quick, log, quiet, types::FLOAT,
};

use crate::quick::{made, pad};

/// Its kernel is launched with what it finds itself.
#[register("tensorrt_test::finds_its_launch")]
fn finds_its_launch(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
    let found = size_tensor(x.numel(), x.numel()).dtype(DataType::Int64);
    (TensorDesc::from_shape_expr([found.expr()], x.dtype()), found)
}

#[aot_impl("tensorrt_test::finds_its_launch")]
fn finds_its_launch_aot(x: &TensorDesc, outputs: &[TensorDesc; 2]) -> AotKernel {
    AotKernel::new("find", "").grid([outputs[0].numel().ceil_div(32)]).block([32])
}

/// Launched beyond what a GPU takes.
#[register("tensorrt_test::too_large")]
fn too_large(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[aot_impl("tensorrt_test::too_large")]
fn too_large_aot(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
    AotKernel::new("large", "").block([2048])
}

/// What the log says, which has to be something.
#[track_caller]
fn told() -> String {
    let lines = log();
    assert!(!lines.is_empty(), "nothing was told");
    lines.join("\n")
}

/// What is told where a launch of one input is asked for.
fn refused(id: &str, fields: &[Field], outputs: &[DynamicDesc]) -> String {
    let plugin = made(id, fields, Request::StrictAot);
    let x = DynamicDesc::dynamic(outputs[0].desc.dtype, &[0], &[9]);
    plugin.output_types(&[x.desc.dtype]).unwrap();
    let exprs = Exprs::new();
    let given = vec![Expr::dynamic(7)];
    plugin.output_shapes(&exprs, std::slice::from_ref(&given)).unwrap_or_else(|_| panic!("{:?}", log()));
    assert_eq!(plugin.configure(&[x], outputs), 0, "{:?}", log());
    let tensors = [&[x], outputs].concat();
    assert!(plugin.launch(&exprs, &[given], &tensors, (1, outputs.len() as i32)).is_err());
    let launch = told();
    let descs: Vec<Desc> = tensors.iter().map(|tensor| tensor.desc).collect();
    assert!(plugin.kernel(&descs[..1], &descs[1..]).is_err());
    assert_eq!(told(), launch, "the kernel is refused as the launch is");
    launch
}

#[test]
fn launches_that_a_plan_cant_hold_are_told_with_the_way_out() {
    let y = DynamicDesc::dynamic(FLOAT, &[0], &[9]);
    let half = DynamicDesc::dynamic(tests::tensorrt::types::HALF, &[0], &[9]);
    let count = DynamicDesc::fixed(tests::tensorrt::types::INT64, &[]);
    let delta = Field::floats("delta", &[0.5]);
    let target = Field::text("target", "sm_80");
    let cases = [
        (refused("gpu::ahead", &[delta], &[y]), "its AOT kernels are 2 launches, and it makes one"),
        (refused("gpu::ahead_negated", &[], &[half]), "kernel `ahead_negated` takes its parameters in another order"),
        (refused("gpu::ahead_kept", &[], &[y, count]), "parameter 2 of kernel `ahead_kept` is a 64-bit integer"),
        (refused("gpu::ahead_ptx", &[target], &[y]), "parameter 2 of kernel `ahead_first` is a float"),
        (refused("tensorrt_test::finds_its_launch", &[], &[y, count]), "kernel `find` is launched with "),
    ];
    for (told, expected) in cases {
        assert!(told.contains("TensorRT can't launch it from a plan: "), "{told}");
        assert!(told.contains(expected), "{told}");
        assert!(told.contains("; change the #[aot_impl], or ") && told.ends_with("creator of kind V3ONE"), "{told}");
        assert_eq!(
            told.contains("prefer JIT"),
            !told.contains("2 launches"),
            "scratch memory isn't there either: {told}"
        );
    }
    let told = refused("tensorrt_test::too_large", &[], &[y]);
    assert!(told.contains("kernel `large`: block.x would be 2048: 1 to 1024 are possible"), "{told}");
}

#[test]
fn a_profile_that_reaches_beyond_what_a_launch_can_be_is_refused() {
    let plugin = made("tensorrt_test::ahead_only", &[], Request::StrictAot);
    plugin.output_types(&[FLOAT]).unwrap();
    let exprs = Exprs::new();
    let given = vec![Expr::dynamic(7)];
    plugin.output_shapes(&exprs, std::slice::from_ref(&given)).unwrap();
    let launch = |most: i64| {
        let x = DynamicDesc::dynamic(FLOAT, &[0], &[most]);
        plugin.launch(&exprs, std::slice::from_ref(&given), &[x, x], (1, 1))
    };
    assert!(launch((1 << 31) - 1).is_ok(), "{:?}", log());
    for most in [1 << 31, 1 << 40] {
        assert!(launch(most).is_err());
        let told = told();
        assert!(told.contains("at the largest extents of the profile: "), "{told}");
        assert!(told.contains(&format!("{most} doesn't fit 32 bits")) || told.contains("grid.x"), "{told}");
    }
    // Of a profile that isn't told nothing is known.
    let mut x = DynamicDesc::dynamic(FLOAT, &[0], &[9]);
    (x.min, x.max) = (tests::tensorrt::dims(&[-1]), tests::tensorrt::dims(&[-1]));
    assert!(plugin.launch(&exprs, &[given], &[x, x], (1, 1)).is_ok(), "{:?}", log());
}

#[test]
fn scratch_memory_is_refused_where_there_is_none() {
    let plugin = made("gpu::ahead", &[Field::floats("delta", &[0.5])], Request::PreferJit);
    assert!(!plugin.is_aot());
    plugin.output_types(&[FLOAT]).unwrap();
    let x = DynamicDesc::dynamic(FLOAT, &[1], &[9]);
    assert_ne!(plugin.configure(&[x], &[x]), 0);
    assert!(told().contains("it needs scratch memory, which TensorRT gives no quick plugin"));
}

#[test]
fn requests_and_phases_that_there_are_not() {
    let creator = find_quick("sample::circ_pad_plugin").unwrap();
    assert!(creator.create_quick_raw(null(), null(), (0, 0)).is_none());
    assert!(told().contains("TensorRT gave no fields, but a null pointer"));
    for request in [-1, 5, i32::MIN, i32::MAX] {
        for phase in [0, 1] {
            assert!(creator.create_quick_raw(null(), (&raw const EMPTY).cast(), (phase, request)).is_none());
            assert!(told().contains(&format!("TensorRT has creation requests 0 to 4, not {request}")));
        }
    }
    for phase in [-1, 2, i32::MAX] {
        assert!(creator.create_quick_raw(null(), (&raw const EMPTY).cast(), (phase, 0)).is_none());
        assert!(told().contains(&format!("TensorRT has phases 0 and 1, not {phase}")));
    }
}

/// A collection of no fields.
static EMPTY: (u64, usize) = (0, 0);

#[test]
fn types_and_combinations_of_impossible_arguments() {
    for request in [Request::StrictJit, Request::StrictAot] {
        let plugin = pad(&[1, 1], request);
        let (types, ranks) = ([FLOAT; 2], [1; 2]);
        let asked = |out: *mut i32, out_count, types: *const i32, ranks: *const i32, count| {
            assert_ne!(plugin.types_of_ranks_raw((out, out_count), types, ranks, count), 0);
            told()
        };
        let mut room = [0; 2];
        assert!(asked(null_mut(), 1, types.as_ptr(), ranks.as_ptr(), 1).contains("no output types"));
        assert!(asked(room.as_mut_ptr(), 1, null(), ranks.as_ptr(), 1).contains("no input types"));
        assert!(asked(room.as_mut_ptr(), 1, types.as_ptr(), null(), 1).contains("no ranks of inputs"));
        for count in [-1, 0, 2, i32::MIN, i32::MAX] {
            asked(room.as_mut_ptr(), count, types.as_ptr(), ranks.as_ptr(), 1);
            asked(room.as_mut_ptr(), 1, types.as_ptr(), ranks.as_ptr(), count);
        }
        for rank in [-1, 9, i32::MIN, i32::MAX] {
            assert!(asked(room.as_mut_ptr(), 1, types.as_ptr(), [rank].as_ptr(), 1).contains("a tensor of "));
        }
        let (x, y) = (DynamicDesc::fixed(FLOAT, &[4]), DynamicDesc::fixed(FLOAT, &[6]));
        let given = [x, y, y];
        assert!(plugin.combination_count_raw(null(), (1, 1)) < 0);
        for count in [-1, 0, 2, i32::MIN, i32::MAX] {
            assert!(plugin.combination_count_raw(given.as_ptr(), (count, 1)) < 0);
            assert!(plugin.combination_count_raw(given.as_ptr(), (1, count)) < 0);
        }
        assert_eq!(told().lines().count(), 11);
        let listed = plugin.combination_count_raw(given.as_ptr(), (1, 1));
        assert!(listed > 0);
        let mut room = vec![Desc::new(-7, &[]); 2 * listed as usize + 2];
        for count in [-1, 0, listed - 1, listed + 1, i32::MAX, i32::MIN] {
            assert_ne!(plugin.combinations_raw(given.as_ptr(), (1, 1), room.as_mut_ptr(), count), 0);
            assert!(told().contains(&format!("room for {count} combinations to a plugin with {listed}")));
        }
        assert_ne!(plugin.combinations_raw(given.as_ptr(), (1, 1), null_mut(), listed), 0);
        assert!(told().contains("no room for combinations"));
        assert!(room.iter().all(|desc| desc.dtype == -7), "nothing was written");
        let mut desc = x;
        desc.desc.dims.count = 9;
        assert!(plugin.combination_count_raw([desc, y].as_ptr(), (1, 1)) < 0);
        told();
    }
}

/// A plugin that was asked for all that a launch needs, and the descs of its tensors.
fn asked() -> (Plugin, [DynamicDesc; 2], Vec<Expr>) {
    let plugin = pad(&[1, 2, 3, 4], Request::StrictAot);
    plugin.output_types(&[FLOAT]).unwrap();
    let (x, y) = (
        DynamicDesc::dynamic(FLOAT, &[1, 3, 8, 9], &[50, 3, 8, 9]),
        DynamicDesc::dynamic(FLOAT, &[1, 3, 15, 12], &[50, 3, 15, 12]),
    );
    let extents = vec![Expr::dynamic(5), Expr::constant(3), Expr::constant(8), Expr::constant(9)];
    (plugin, [x, y], extents)
}

#[test]
fn launches_of_impossible_arguments() {
    let (plugin, tensors, extents) = asked();
    let exprs = Exprs::new();
    let input = RawExprs::new(&exprs, &extents);
    let launches = Launches::new();
    let (params, arguments) = launches.raw();
    let all = (&raw const input, tensors.as_ptr());
    assert_eq!(plugin.launch_raw(all, (1, 1), (params, arguments), exprs.raw()), 0, "{:?}", log());
    for (inputs, descs, given, builder, expected) in [
        (null(), tensors.as_ptr(), (params, arguments), exprs.raw(), "no inputs"),
        (&raw const input, null(), (params, arguments), exprs.raw(), "no tensors"),
        (
            &raw const input,
            tensors.as_ptr(),
            (null_mut(), arguments),
            exprs.raw(),
            "nothing that takes launch dimensions",
        ),
        (&raw const input, tensors.as_ptr(), (params, null_mut()), exprs.raw(), "nothing that takes arguments"),
        (&raw const input, tensors.as_ptr(), (params, arguments), null_mut(), "no expression builder"),
        (
            &raw const input,
            tensors.as_ptr(),
            (params.wrapping_byte_add(1), arguments),
            exprs.raw(),
            "where it can't be",
        ),
        (
            &raw const input,
            tensors.as_ptr(),
            (params, arguments.wrapping_byte_add(4)),
            exprs.raw(),
            "where it can't be",
        ),
    ] {
        assert_ne!(plugin.launch_raw((inputs, descs), (1, 1), given, builder), 0, "{expected}");
        assert!(told().contains(expected), "{expected}");
    }
    for count in [-1, 0, 2, i32::MIN, i32::MAX] {
        assert_ne!(plugin.launch_raw(all, (count, 1), (params, arguments), exprs.raw()), 0);
        assert_ne!(plugin.launch_raw(all, (1, count), (params, arguments), exprs.raw()), 0);
        assert_eq!(told().lines().count(), 2, "{count}");
    }
    for rank in [-1, 0, 9, i32::MAX] {
        let other = RawExprs { count: rank, ..input };
        let given = (&raw const other, tensors.as_ptr());
        assert_ne!(plugin.launch_raw(given, (1, 1), (params, arguments), exprs.raw()), 0, "{rank}");
        told();
    }
    let mut no_expr = input;
    no_expr.extents[1] = null();
    assert_ne!(plugin.launch_raw((&raw const no_expr, tensors.as_ptr()), (1, 1), (params, arguments), exprs.raw()), 0);
    assert!(told().contains("no expression for an extent"));
    let other = [DynamicDesc { desc: tensors[0].desc.laid_out(3), ..tensors[0] }, tensors[1]];
    let given = (&raw const input, other.as_ptr());
    assert_ne!(plugin.launch_raw(given, (1, 1), (params, arguments), exprs.raw()), 0);
    assert!(told().contains("it doesn't run as FP32:CHW4, FP32"));
}

#[test]
fn a_host_that_refuses_a_launch() {
    let (plugin, tensors, extents) = asked();
    let launched = |launches: &Launches, exprs: &Exprs| {
        let input = RawExprs::new(exprs, &extents);
        plugin.launch_raw((&raw const input, tensors.as_ptr()), (1, 1), launches.raw(), exprs.raw())
    };
    for taken in 0..7 {
        assert_ne!(launched(&Launches::refusing_after(taken, usize::MAX), &Exprs::new()), 0);
        assert!(told().contains("TensorRT refused "), "{taken}");
    }
    for taken in 0..14 {
        assert_ne!(launched(&Launches::refusing_after(usize::MAX, taken), &Exprs::new()), 0);
        assert!(told().contains("argument"), "{taken}");
    }
    assert_eq!(launched(&Launches::refusing_after(7, 14), &Exprs::new()), 0);
    quiet("took all");
    let mut refused = 0;
    for left in 4..40 {
        if launched(&Launches::new(), &Exprs::refusing_after(left)) != 0 {
            assert!(told().contains("TensorRT's expression builder refused"), "after {left}");
            refused += 1;
        }
    }
    assert!((5..36).contains(&refused), "{refused} expressions are made");
}

#[test]
fn kernels_of_impossible_arguments() {
    let plugin = made("tensorrt_test::ahead_only", &[], Request::StrictAot);
    let x = Desc::new(FLOAT, &[4]);
    let (mut name, mut image, mut bytes) = (null(), null_mut(), -7);
    let (name, image, bytes) = (&raw mut name, &raw mut image, &raw mut bytes);
    let good = ((&raw const x, 1), (&raw const x, 1));
    for (name, image, bytes) in [(null_mut(), image, bytes), (name, null_mut(), bytes), (name, image, null_mut())] {
        assert_ne!(plugin.kernel_raw(good, name, image, bytes), 0);
        assert!(told().contains("TensorRT gave no room for a kernel's "));
    }
    assert_ne!(plugin.kernel_raw(((null(), 1), good.1), name, image, bytes), 0);
    assert_ne!(plugin.kernel_raw((good.0, (null(), 1)), name, image, bytes), 0);
    for count in [-1, 0, 2, i32::MIN, i32::MAX] {
        let descs = [x; 2];
        assert_ne!(plugin.kernel_raw(((descs.as_ptr(), count), good.1), name, image, bytes), 0);
        assert_ne!(plugin.kernel_raw((good.0, (descs.as_ptr(), count)), name, image, bytes), 0);
    }
    for wrong in [Desc { dtype: 10, ..x }, Desc { format: 99, ..x }, Desc { dims: tests::tensorrt::dims(&[-5]), ..x }] {
        assert_ne!(plugin.kernel_raw(((&raw const wrong, 1), good.1), name, image, bytes), 0);
    }
    for tactic in [-1, 1, i32::MIN, i32::MAX] {
        assert_ne!(plugin.set_tactic(tactic), 0);
    }
    assert_eq!(told().lines().count(), 2 + 10 + 3 + 4);
    assert_eq!(plugin.kernel_raw(good, name, image, bytes), 0, "{:?}", log());
}

/// Where there is no GPU, what runs says so.
#[test]
fn a_run_with_impossible_arguments() {
    let plugin = pad(&[1, 1], Request::StrictJit);
    let (x, y) = (Desc::new(FLOAT, &[4]), Desc::new(FLOAT, &[6]));
    let run = |inputs: &[Desc], outputs: &[Desc]| {
        // SAFETY: counts are wrong, or there is no GPU, so that no address is followed.
        #[expect(unsafe_code, reason = "calls a plugin")]
        unsafe {
            plugin.enqueue((inputs, outputs), &[null()], &[null_mut()], null_mut(), null_mut())
        }
    };
    for (inputs, outputs) in [(&[x, x][..], &[y][..]), (&[], &[y]), (&[x], &[]), (&[x], &[y, y])] {
        assert_ne!(run(inputs, outputs), 0);
        assert!(told().contains("to a plugin with 1 and 1"));
    }
    assert_ne!(run(&[x], &[y]), 0, "a null pointer is refused, or there is no GPU");
    told();
}
