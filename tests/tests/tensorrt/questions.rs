//! What a host asks while it builds, and what the samples answer.

use samples as _;
use tests::tensorrt::{DynamicDesc, Expr, Exprs, Field, Plugin, creators, find, formats, log, quiet, types};

use types::{FLOAT, HALF, INT32, INT64};

fn made(id: &str, fields: &[Field]) -> Plugin {
    let plugin = find(id).create("node", fields, false);
    plugin.unwrap_or_else(|| panic!("{id}: {:?}", log()))
}

fn pad(pads: &[i32]) -> Plugin {
    made("sample::circ_pad_plugin", &[Field::ints("pads", pads)])
}

fn values(shapes: &[Vec<Expr>]) -> Vec<Vec<i64>> {
    shapes.iter().map(|shape| shape.iter().map(|extent| extent.value).collect()).collect()
}

#[test]
fn every_linked_plugin_has_a_creator() {
    let all = creators();
    let ids: Vec<String> = all.iter().map(|creator| format!("{}::{}", creator.namespace(), creator.name())).collect();
    for id in ["circ_pad_plugin", "elemwise_add_plugin", "inplace_add_plugin", "non_zero_plugin"] {
        assert!(ids.contains(&format!("sample::{id}")), "{id} isn't among {ids:?}");
    }
    assert!(all.iter().all(|creator| creator.info() == ("PLUGIN CREATOR_V3ONE".into(), 1, 0)));
    assert_eq!(creators(), all, "a host unregisters creators by their addresses");
    assert_eq!(find("sample::circ_pad_plugin").field_names(), ["pads"]);
    assert_eq!(find("sample::non_zero_plugin").field_names(), [""; 0]);
}

#[test]
fn a_plugin_is_four_interfaces() {
    let plugin = pad(&[1, 1]);
    let kinds = ["PLUGIN", "PLUGIN_V3ONE_CORE", "PLUGIN_V3ONE_BUILD", "PLUGIN_V3ONE_RUNTIME"];
    assert_eq!(
        plugin.infos(),
        [1, 1, 2, 1].into_iter().zip(kinds).map(|(major, kind)| (kind.to_owned(), major, 0)).collect::<Vec<_>>()[..]
    );
    assert_eq!(plugin.names(), ["circ_pad_plugin", "1", "sample"]);
    assert!(plugin.interface(3).is_null() && plugin.interface(-1).is_null());
    assert_eq!(plugin.outputs(), 1);
    quiet("asked for its interfaces");
}

#[test]
fn shapes_and_types_are_the_register_functions() {
    let plugin = pad(&[1, 2, 3, 4]);
    assert_eq!(plugin.output_types(&[HALF]), Ok(vec![HALF]));
    assert_eq!(plugin.output_types(&[FLOAT]), Ok(vec![FLOAT]));
    let exprs = Exprs::new();
    let x = [Expr::dynamic(5), Expr::constant(3), Expr::dynamic(8), Expr::constant(9)];
    let shapes = plugin.output_shapes(&exprs, &[x.to_vec()]).unwrap();
    assert_eq!(values(&shapes), [[5, 3, 15, 12]]);
    assert_eq!(shapes[0].iter().map(|extent| extent.constant).collect::<Vec<_>>(), [false, true, false, true]);
    assert_eq!(exprs.operations(), 1, "what is known isn't computed by the host");
    assert_eq!(plugin.aliased_input(0), -1);
    quiet("asked for shapes");
}

#[test]
fn size_tensors_are_declared() {
    let plugin = made("sample::non_zero_plugin", &[]);
    assert_eq!(plugin.outputs(), 2);
    assert_eq!(plugin.output_types(&[FLOAT]), Ok(vec![INT32, INT64]));
    let exprs = Exprs::new();
    let shapes = plugin.output_shapes(&exprs, &[vec![Expr::dynamic(6), Expr::constant(7)]]).unwrap();
    assert_eq!(exprs.sizes(), [(1, 21, 42)]);
    assert_eq!(shapes, [vec![Expr::size(42), Expr::constant(2)], vec![]]);
    quiet("declared a size");
}

#[test]
fn an_output_that_is_updated_in_place_names_its_input() {
    let plugin = made("sample::inplace_add_plugin", &[Field::ints("delta", &[2])]);
    assert_eq!(plugin.output_types(&[FLOAT]), Ok(vec![FLOAT]));
    assert_eq!(plugin.aliased_input(0), 0);
    let exprs = Exprs::new();
    let x = vec![Expr::dynamic(6), Expr::constant(7)];
    assert_eq!(plugin.output_shapes(&exprs, std::slice::from_ref(&x)).unwrap(), [x]);
    assert_eq!(plugin.copy().aliased_input(0), 0);
    quiet("asked for aliases");
    assert_eq!(plugin.aliased_input(1), -1);
    assert_eq!(log(), ["layer `node` (sample::inplace_add_plugin v1): TensorRT gave output 1 to a plugin with 1"]);
}

#[test]
fn combinations_are_the_autotune_functions() {
    let plugin = pad(&[1, 1, 1, 1]);
    plugin.output_types(&[FLOAT]).unwrap();
    let desc = |dtype, format| {
        let mut desc = DynamicDesc::dynamic(dtype, &[1, 3, 8, 8], &[4, 3, 8, 8]);
        desc.desc.format = format;
        desc
    };
    let supported = |input: DynamicDesc, output: DynamicDesc| {
        [0, 1].map(|position| plugin.supports(position, &[input, output], (1, 1)))
    };
    use formats::{CHW4, HWC, LINEAR};
    assert_eq!(supported(desc(FLOAT, LINEAR), desc(FLOAT, LINEAR)), [true, true]);
    assert_eq!(supported(desc(HALF, LINEAR), desc(HALF, LINEAR)), [true, true]);
    assert_eq!(supported(desc(FLOAT, LINEAR), desc(HALF, LINEAR)), [true, false]);
    assert_eq!(supported(desc(FLOAT, LINEAR), desc(FLOAT, HWC)), [true, false]);
    assert_eq!(supported(desc(INT32, LINEAR), desc(INT32, LINEAR)), [false, false]);
    assert_eq!(supported(desc(FLOAT, CHW4), desc(FLOAT, CHW4))[0], supported(desc(HALF, CHW4), desc(HALF, CHW4))[0]);
    // Formats of other processors, and numbers that the future may bring.
    for format in [9, 10, 13, -1, i32::MAX] {
        assert_eq!(supported(desc(FLOAT, format), desc(FLOAT, format)), [false, false]);
    }
    assert_eq!(plugin.combination_limit(), 100);
    quiet("asked for combinations");
}

#[test]
fn tactics_follow_the_configured_combination() {
    let plugin = pad(&[1, 1, 1, 1]);
    plugin.output_types(&[FLOAT]).unwrap();
    assert_eq!(plugin.tactics(), Ok(vec![]), "nothing is configured yet");
    let x = DynamicDesc::dynamic(FLOAT, &[1, 3, 8, 8], &[4, 3, 8, 8]);
    let y = DynamicDesc::dynamic(FLOAT, &[1, 3, 10, 10], &[4, 3, 10, 10]);
    assert_eq!(plugin.configure(&[x], &[y]), 0);
    let tactics = plugin.tactics().unwrap();
    assert!(tactics.len() > 1 && tactics.iter().all(|tactic| *tactic > 0), "{tactics:?}");
    let [cache, metadata] = plugin.texts();
    for tactic in &tactics {
        assert!(metadata.contains(&format!("{tactic} = ")), "{metadata} doesn't name {tactic}");
        assert_eq!(plugin.set_tactic(*tactic), 0);
    }
    assert!(metadata.starts_with("sample::circ_pad_plugin v1: tactics "), "{metadata}");
    assert!(cache.starts_with("sample::circ_pad_plugin v1 [pads=[1, 1, 1, 1]]"), "{cache}");
    assert_ne!(pad(&[2, 2]).texts()[0], cache, "other attributes are timed anew");
    assert_eq!(pad(&[1, 1, 1, 1]).texts()[0], cache);
    quiet("configured");
    assert_ne!(plugin.set_tactic(999), 0);
    let lines = log();
    assert!(
        lines[0].starts_with("layer `node` (sample::circ_pad_plugin v1): the impl at")
            && lines[0].contains("no tactic 999"),
        "{lines:?}"
    );
}

#[test]
fn a_workspace_is_as_large_as_the_profile_needs() {
    let plugin = made("sample::non_zero_plugin", &[]);
    plugin.output_types(&[FLOAT]).unwrap();
    let outputs = [DynamicDesc::dynamic(INT32, &[0, 2], &[400, 2]), DynamicDesc::fixed(INT64, &[])];
    let bytes = |rows: i64| plugin.workspace(&[DynamicDesc::dynamic(FLOAT, &[1, 400], &[rows, 400])], &outputs);
    let (small, large) = (bytes(2), bytes(4096));
    assert!(0 < small && small < large && large < 1 << 30, "{small}, {large}");
    assert_eq!(pad(&[1, 1]).workspace(&[DynamicDesc::fixed(FLOAT, &[4])], &[DynamicDesc::fixed(FLOAT, &[6])]), 0);
    quiet("asked for a workspace");
}

#[test]
fn a_plan_keeps_what_makes_the_plugin_again() {
    let plugin = pad(&[3, 4, 5, 6]);
    let fields = plugin.fields().unwrap();
    assert_eq!(fields, [Field::ints("pads", &[3, 4, 5, 6])]);
    assert_eq!(made("sample::non_zero_plugin", &[]).fields(), Some(vec![]));
    let again = find("sample::circ_pad_plugin").create("node", &fields, true).unwrap();
    assert_eq!(again.fields().unwrap(), fields);
    assert_eq!(again.attach().fields().unwrap(), fields);
    quiet("made again");
}

#[test]
fn copies_know_what_their_original_was_told() {
    let plugin = pad(&[1, 1]);
    plugin.output_types(&[FLOAT]).unwrap();
    let exprs = Exprs::new();
    plugin.output_shapes(&exprs, &[vec![Expr::dynamic(4)]]).unwrap();
    let copies = [plugin.copy(), plugin.copy().copy(), plugin.attach(), plugin.attach().attach()];
    drop((plugin, exprs));
    for copy in &copies {
        let x = DynamicDesc::dynamic(FLOAT, &[1], &[9]);
        assert!(copy.supports(0, &[x, x], (1, 1)));
        let exprs = Exprs::new();
        assert_eq!(values(&copy.output_shapes(&exprs, &[vec![Expr::dynamic(4)]]).unwrap()), [[6]]);
    }
    quiet("copied");
}

#[test]
fn mistakes_of_a_model_are_told_with_the_node_and_its_plugin() {
    let pads = find("sample::circ_pad_plugin");
    assert!(pads.create("pad", &[], false).is_none());
    assert_eq!(
        log(),
        [
            "layer `pad` (sample::circ_pad_plugin v1): plugin `sample::circ_pad_plugin v1` needs the attribute `pads` (&[i32])"
        ]
    );
    let plugin = pad(&[1, 1, 1]);
    // What is wrong is told when the shapes are known.
    assert_eq!(plugin.output_types(&[FLOAT]), Ok(vec![FLOAT]));
    quiet("asked for types");
    assert!(plugin.output_shapes(&Exprs::new(), &[vec![Expr::dynamic(4), Expr::constant(5)]]).is_err());
    assert_eq!(
        log(),
        [
            "layer `node` (sample::circ_pad_plugin v1, inp0: FP32 [inp0.d0, 5]): `pads` holds 3 numbers; write (before, after) pairs, \
         the last dimension's first"
        ]
    );
    assert!(plugin.output_types(&[FLOAT, FLOAT]).is_err());
    assert_eq!(log(), ["layer `node` (sample::circ_pad_plugin v1): it is given 2 inputs, but takes 1: inp0"]);
}

#[test]
fn extents_that_a_layer_finds_are_passed_on_but_not_computed_with() {
    let add = made("sample::elemwise_add_plugin", &[Field::ints("block_size", &[256])]);
    add.output_types(&[FLOAT]).unwrap();
    let exprs = Exprs::new();
    let found = vec![Expr::size(9), Expr::constant(2)];
    assert_eq!(add.output_shapes(&exprs, std::slice::from_ref(&found)).unwrap(), std::slice::from_ref(&found));
    let pad = pad(&[0, 0, 1, 1]);
    pad.output_types(&[FLOAT]).unwrap();
    assert!(pad.output_shapes(&exprs, &[found]).is_err());
    let lines = log();
    assert!(lines[0].contains("it computes with an extent that another layer finds when it runs"), "{lines:?}");
    assert_eq!(exprs.operations(), 0);
}
