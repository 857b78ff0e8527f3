//! Quick plugins: their creators, what is made on which request, and what they answer while a host builds.

use std::ptr::null;

use plugin_runtime::prelude::*;
use samples as _;
use tests::tensorrt::{
    Creator, DynamicDesc, Expr, Exprs, Field, Plugin, Request, creators, creators_for, find, find_quick, formats, log,
    quiet, types,
};

use types::{FLOAT, HALF, INT32, INT64};

const PTX: &str = ".version 7.0\n.target sm_50\n.address_size 64\n\
     .visible .entry ahead(.param .u64 x, .param .u32 n, .param .u64 y) { ret; }";

/// As an author who has kernels for a plan alone writes it.
#[register("tensorrt_test::ahead_only")]
fn ahead_only(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[aot_impl("tensorrt_test::ahead_only")]
fn ahead_only_aot(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
    let n = x.numel();
    AotKernel::new("ahead", PTX).grid([n.ceil_div(128)]).block([128]).shared_mem(64).extra_args([n])
}

/// Its impl has scratch memory.
#[register("tensorrt_test::with_scratch")]
fn with_scratch(x: &TensorDesc) -> TensorDesc {
    x.like()
}

fn scratch(x: &TensorDesc) -> ShapeExpr {
    x.numel()
}

#[impl_plugin("tensorrt_test::with_scratch", device = cuda, workspace = scratch)]
fn with_scratch_cuda(x: Tensor, outputs: [TensorMut; 1], workspace: Workspace) -> Result<()> {
    Ok(())
}

#[aot_impl("tensorrt_test::with_scratch")]
fn with_scratch_aot(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
    AotKernel::new("ahead", PTX).extra_args([x.numel()])
}

/// The type of its output is another where its input has one dimension.
#[register("tensorrt_test::of_ranks")]
fn of_ranks(x: &TensorDesc) -> TensorDesc {
    TensorDesc::from_shape_expr([x.numel()], if x.rank() == 1 { DataType::Int32 } else { DataType::Float16 })
}

#[aot_impl("tensorrt_test::of_ranks")]
fn of_ranks_aot(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> AotKernel {
    AotKernel::new("ahead", PTX).extra_args([x.numel()])
}

fn labels(creators: &[Creator], quick: bool) -> Vec<String> {
    creators.iter().filter(|creator| creator.is_quick() == quick).map(|creator| creator.label()).collect()
}

pub(crate) fn made(id: &str, fields: &[Field], request: Request) -> Plugin {
    let plugin = find_quick(id).expect("a quick creator").create_quick("node", fields, false, request);
    plugin.unwrap_or_else(|| panic!("{id}: {:?}", log()))
}

pub(crate) fn pad(pads: &[i32], request: Request) -> Plugin {
    made("sample::circ_pad_plugin", &[Field::ints("pads", pads)], request)
}

#[test]
fn quick_creators_come_last_and_where_they_are_known() {
    let recent = creators_for(101_601);
    let (ones, quick) = (labels(&recent, false), labels(&recent, true));
    assert_eq!(
        recent.iter().position(|creator| creator.is_quick()),
        Some(ones.len()),
        "of two the host takes the last"
    );
    for id in ["sample::circ_pad_plugin 1", "sample::elemwise_add_plugin 1", "tensorrt_test::ahead_only 1"] {
        assert!(quick.iter().any(|known| known == id) && ones.iter().any(|known| known == id), "{id}: {quick:?}");
    }
    for id in ["sample::non_zero_plugin 1", "sample::inplace_add_plugin 1", "tensorrt_test::with_scratch 1"] {
        assert!(!quick.iter().any(|known| known == id) && ones.iter().any(|known| known == id), "{id}: {quick:?}");
    }
    assert_eq!(creators_for(101_601), recent, "a host unregisters creators by their addresses");
    assert_eq!((creators_for(100_900), creators_for(110_400)), (recent.clone(), recent.clone()));
    // TensorRT before 10.9, TensorRT-RTX, and a host that tells no version.
    assert_eq!(creators(), recent[..ones.len()]);
    assert_eq!((creators_for(100_802), creators_for(10_701)), (creators(), creators()));
    let pad = find_quick("sample::circ_pad_plugin").unwrap();
    assert_eq!(pad.info(), ("PLUGIN CREATOR_V3QUICK".into(), 1, 0));
    assert_eq!((pad.field_names(), pad.version(), pad.namespace()), (vec!["pads".into()], "1".into(), "sample".into()));
    quiet("listed");
}

#[test]
fn an_object_has_the_interfaces_of_what_it_is() {
    let kinds = |plugin: &Plugin| plugin.infos().into_iter().map(|(kind, ..)| kind).collect::<Vec<_>>();
    let is_first = |plugin: &Plugin| plugin.infos().iter().all(|(_, major, minor)| (*major, *minor) == (1, 0));
    for plugin in [pad(&[1, 1], Request::StrictJit), pad(&[1, 1], Request::StrictJit).copy()] {
        assert_eq!(kinds(&plugin), ["PLUGIN", "PLUGIN_V3QUICK_CORE", "PLUGIN_V3QUICK_BUILD", "PLUGIN_V3QUICK_RUNTIME"]);
        assert!(is_first(&plugin) && !plugin.is_aot());
        assert_eq!((plugin.names(), plugin.outputs()), (["circ_pad_plugin", "1", "sample"].map(String::from), 1));
    }
    for plugin in [pad(&[1, 1], Request::StrictAot), pad(&[1, 1], Request::StrictAot).copy()] {
        assert_eq!(kinds(&plugin), ["PLUGIN", "PLUGIN_V3QUICK_CORE", "PLUGIN_V3QUICKAOT_BUILD"]);
        assert!(is_first(&plugin) && plugin.is_aot());
        assert_eq!((plugin.names(), plugin.outputs()), (["circ_pad_plugin", "1", "sample"].map(String::from), 1));
        assert!([2, 3, -1, i32::MAX].into_iter().all(|which| plugin.interface(which).is_null()));
    }
    quiet("asked for interfaces");
}

#[test]
fn requests_prefer_or_insist() {
    use Request::{PreferAot, PreferJit, StrictAot, StrictJit, Unknown};
    let both = [(Unknown, false), (PreferJit, false), (PreferAot, true), (StrictJit, false), (StrictAot, true)];
    for (request, aot) in both {
        assert_eq!(pad(&[1, 1], request).is_aot(), aot, "{request:?}");
    }
    // What is preferred to be called, and has no impl, launches its kernels itself.
    for (request, aot) in [(Unknown, true), (PreferJit, false), (PreferAot, true), (StrictAot, true)] {
        assert_eq!(made("tensorrt_test::ahead_only", &[], request).is_aot(), aot, "{request:?}");
    }
    quiet("made");
    let only = find_quick("tensorrt_test::ahead_only").unwrap();
    assert!(only.create_quick("node", &[], false, StrictJit).is_none());
    let told = log();
    assert!(
        told[0].starts_with("layer `node` (tensorrt_test::ahead_only v1): it insists on an impl")
            && told[0].contains("but has AOT kernels only for device `cuda`"),
        "{told:?}"
    );
    let fields = [Field::ints("pads", &[1, 1]), Field::ints("aot", &[1])];
    let asked_by_fields = made("sample::circ_pad_plugin", &fields, Unknown);
    assert!(asked_by_fields.is_aot() && !made("sample::circ_pad_plugin", &fields, StrictJit).is_aot());
    quiet("asked by fields");
}

#[test]
fn what_a_plan_calls_is_made_of_its_fields() {
    let plugin = pad(&[1, 2, 3, 4], Request::PreferJit);
    let fields = plugin.fields().unwrap();
    let creator = find_quick("sample::circ_pad_plugin").unwrap();
    for request in [Request::Unknown, Request::PreferJit, Request::StrictAot] {
        let again = creator.create_quick("node", &fields, true, request).unwrap();
        assert!(!again.is_aot());
        assert_eq!(again.fields().unwrap(), fields, "{request:?}");
    }
    let (x, y) = (DynamicDesc::fixed(FLOAT, &[1, 2, 3, 4]), DynamicDesc::fixed(FLOAT, &[1, 2, 10, 7]));
    assert_eq!(plugin.configure(&[x], &[y]), 0, "{:?}", log());
    assert!(plugin.copy().fields().unwrap().iter().any(|field| field.name.to_bytes() == b"plugin_runtime.outline"));
    quiet("kept");
}

#[test]
fn types_may_depend_on_ranks() {
    let plugin = made("tensorrt_test::of_ranks", &[], Request::Unknown);
    assert_eq!(plugin.types_of_ranks(&[FLOAT], &[1]), Ok(vec![INT32]));
    assert_eq!(plugin.types_of_ranks(&[FLOAT], &[3]), Ok(vec![HALF]));
    let exprs = Exprs::new();
    let shapes = plugin.output_shapes(&exprs, &[vec![Expr::dynamic(4), Expr::constant(3), Expr::constant(2)]]).unwrap();
    assert_eq!(shapes, [vec![Expr::dynamic(24)]]);
    quiet("asked for types");
}

#[test]
fn answers_are_those_of_v3one() {
    for request in [Request::StrictJit, Request::StrictAot] {
        let quick = pad(&[1, 2, 3, 4], request);
        let one = find("sample::circ_pad_plugin").create("node", &[Field::ints("pads", &[1, 2, 3, 4])], false).unwrap();
        let x = [Expr::dynamic(5), Expr::constant(3), Expr::dynamic(8), Expr::constant(9)];
        let shapes = [&quick, &one].map(|plugin| {
            assert_eq!(plugin.output_types(&[FLOAT]), Ok(vec![FLOAT]));
            plugin.output_shapes(&Exprs::new(), &[x.to_vec()]).unwrap()
        });
        assert_eq!(shapes[0], shapes[1]);
        assert_eq!((quick.aliased_input(0), quick.texts()[1].clone()), (-1, one.texts()[1].clone()));
        let x = DynamicDesc::dynamic(FLOAT, &[1, 3, 8, 8], &[4, 3, 8, 8]);
        let y = DynamicDesc::dynamic(FLOAT, &[1, 3, 15, 11], &[4, 3, 15, 11]);
        let listed = quick.combinations(&[x, y], (1, 1)).unwrap();
        assert!(
            listed.contains(&vec![(FLOAT, formats::LINEAR); 2]) && listed.contains(&vec![(HALF, formats::LINEAR); 2])
        );
        for combination in &listed {
            let of = |at: usize, desc: DynamicDesc| {
                let (dtype, format) = combination[at];
                DynamicDesc { desc: tests::tensorrt::Desc { dtype, format, ..desc.desc }, ..desc }
            };
            let (x, y) = (of(0, x), of(1, y));
            if request == Request::StrictJit {
                assert!(one.supports(1, &[x, y], (1, 1)), "{combination:?}");
            }
            assert_eq!(quick.configure(&[x], &[y]), 0, "{:?}", log());
            let tactics = quick.tactics().unwrap();
            assert!(!tactics.is_empty() && tactics.iter().all(|&tactic| quick.set_tactic(tactic) == 0), "{tactics:?}");
        }
    }
    quiet("asked");
}

/// The launch of a plugin's kernel for tensors of these extents, all dynamic but for those that are 3.
fn launch(plugin: &Plugin, dtype: i32, input: &[i64], output: &[i64]) -> Result<tests::tensorrt::Launch, i32> {
    plugin.output_types(&[dtype])?;
    let exprs = Exprs::new();
    let given: Vec<Expr> = input.iter().map(|&e| if e == 3 { Expr::constant(3) } else { Expr::dynamic(e) }).collect();
    plugin.output_shapes(&exprs, std::slice::from_ref(&given))?;
    let of = |extents: &[i64]| {
        let least: Vec<i64> = extents.iter().map(|&e| if e == 3 { 3 } else { 0 }).collect();
        DynamicDesc::dynamic(dtype, &least, extents)
    };
    let (x, y) = (of(input), of(output));
    match plugin.configure(&[x], &[y]) {
        0 => plugin.launch(&exprs, &[given], &[x, y], (1, 1)),
        code => Err(code),
    }
}

#[test]
fn launches_are_the_authors_expressions() {
    let plugin = pad(&[1, 2, 3, 4], Request::StrictAot);
    for (tactic, threads) in [(21, 256), (22, 1024)] {
        assert_eq!(plugin.set_tactic(tactic), 0);
        let launch = launch(&plugin, FLOAT, &[50, 3, 8, 9], &[50, 3, 15, 12]).unwrap_or_else(|_| panic!("{:?}", log()));
        let elements: i64 = 50 * 3 * 15 * 12;
        let expected = [(elements + threads - 1) / threads, 1, 1, threads, 1, 1, 0];
        assert_eq!(launch.dimensions, expected.map(Some));
        assert_eq!(launch.arguments, [0, 0, 3, 1, 50, 3, 8, 9, 3, 15, 12, 50 * 3 * 8 * 9, elements]);
    }
    let only = made("tensorrt_test::ahead_only", &[], Request::Unknown);
    let launched = launch(&only, INT64, &[300, 3], &[300, 3]).unwrap();
    assert_eq!(launched.dimensions, [8, 1, 1, 128, 1, 1, 64].map(Some));
    assert_eq!(launched.arguments, [900]);
    let copy = only.copy();
    drop(only);
    assert_eq!(launch(&copy, INT64, &[300, 3], &[300, 3]).unwrap(), launched);
    quiet("launched");
}

#[test]
fn extents_that_another_layer_finds_are_not_computed_with() {
    let plugin = made("tensorrt_test::ahead_only", &[], Request::Unknown);
    plugin.output_types(&[FLOAT]).unwrap();
    let exprs = Exprs::new();
    let found = vec![Expr::size(9), Expr::constant(2)];
    plugin.output_shapes(&exprs, std::slice::from_ref(&found)).unwrap();
    let x = DynamicDesc::dynamic(FLOAT, &[0, 2], &[9, 2]);
    assert!(plugin.launch(&exprs, &[found], &[x, x], (1, 1)).is_err());
    assert!(log()[0].contains("it computes with an extent that another layer finds when it runs"));
}

#[test]
fn a_kernel_of_ptx_needs_no_gpu() {
    let plugin = made("tensorrt_test::ahead_only", &[], Request::StrictAot);
    launch(&plugin, FLOAT, &[3, 5], &[3, 5]).unwrap();
    let x = tests::tensorrt::Desc::new(FLOAT, &[3, 5]);
    let kernel = plugin.kernel(&[x], &[x]).unwrap_or_else(|_| panic!("{:?}", log()));
    assert_eq!((kernel.name.as_str(), kernel.image), ("ahead", [PTX.as_bytes(), &[0]].concat()));
    // What was lent once is lent again.
    let place = |plugin: &Plugin| {
        let (mut name, mut image, mut bytes) = (null(), std::ptr::null_mut(), 0);
        assert_eq!(plugin.kernel_raw(((&x, 1), (&x, 1)), &raw mut name, &raw mut image, &raw mut bytes), 0);
        (name, image)
    };
    assert_eq!(place(&plugin), place(&plugin));
    assert_ne!(place(&plugin), place(&plugin.copy()), "each owns what it lends");
    quiet("gave a kernel");
    if plugin_runtime::device::Device::cuda(0).is_ok() {
        return tests::command::skipped("a_kernel_of_ptx_needs_no_gpu: sources", "there is a GPU");
    }
    let plugin = pad(&[1, 1], Request::StrictAot);
    launch(&plugin, FLOAT, &[1, 1, 3, 5], &[1, 1, 3, 7]).unwrap();
    let desc = |extents| tests::tensorrt::Desc::new(FLOAT, extents);
    assert!(plugin.kernel(&[desc(&[1, 1, 3, 5])], &[desc(&[1, 1, 3, 7])]).is_err());
    let told = log();
    assert!(
        told[0].starts_with("layer `node` (sample::circ_pad_plugin v1, tactic AOT ")
            && told[0].contains("its kernel is to be compiled for the GPU that builds: "),
        "{told:?}"
    );
}
