//! Attributes as TensorRT's importer hands them over, and as a plan keeps them.

use plugin_runtime::prelude::*;
use tests::tensorrt::{DynamicDesc, Field, Plugin, find, log, quiet, types};

/// An attribute of each type.
#[register("tensorrt_test::every_type")]
fn every_type(
    x: &TensorDesc,
    a: i32,
    b: i64,
    c: f32,
    d: f64,
    e: bool,
    f: &str,
    g: &[u8],
    h: &[i8],
    i: &[i16],
    j: &[i32],
    k: &[i64],
    l: &[f16],
    m: &[bf16],
    n: &[f32],
    o: &[f64],
    p: &[bool],
) -> TensorDesc {
    x.like()
}

#[impl_plugin("tensorrt_test::every_type", device = cuda)]
fn every_type_cuda(
    x: Tensor,
    a: i32,
    b: i64,
    c: f32,
    d: f64,
    e: bool,
    f: &str,
    g: &[u8],
    h: &[i8],
    i: &[i16],
    j: &[i32],
    k: &[i64],
    l: &[f16],
    m: &[bf16],
    n: &[f32],
    o: &[f64],
    p: &[bool],
    outputs: [TensorMut; 1],
) -> Result<()> {
    Ok(())
}

/// As the importer makes them of the model's attributes.
fn imported() -> Vec<Field> {
    vec![
        Field::ints("a", &[-7]),
        Field::ints("b", &[7]),
        Field::floats("c", &[0.5]),
        Field::floats("d", &[0.25]),
        Field::ints("e", &[1]),
        Field::text("f", "reflect"),
        Field::text("g", "\u{1}\0two"),
        Field::new("h", 3, vec![255, 1], 2),
        Field::ints("i", &[-300, 300]),
        Field::ints("j", &[4]),
        Field::ints("k", &[]),
        Field::new("l", 0, vec![0, 0x3c], 1),
        Field::floats("m", &[1.5, 2.0]),
        Field::ints("n", &[1, 2, 3]),
        Field::floats("o", &[0.1]),
        Field::ints("p", &[1, 0, 1]),
    ]
}

fn with(field: Field) -> Vec<Field> {
    let mut fields = imported();
    let position = fields.iter().position(|known| known.name == field.name).expect("it has one of that name");
    fields[position] = field;
    fields
}

fn create(fields: &[Field], runtime: bool) -> Option<Plugin> {
    find("tensorrt_test::every_type").create("n", fields, runtime)
}

#[test]
fn every_type_is_read_and_kept() {
    let plugin = create(&imported(), false).unwrap_or_else(|| panic!("{:?}", log()));
    let kept = plugin.fields().unwrap();
    assert_eq!(kept.len(), 16);
    let field = |name: &str| kept.iter().find(|field| field.name.to_bytes() == name.as_bytes()).unwrap();
    assert_eq!(*field("a"), Field::ints("a", &[-7]));
    assert_eq!(*field("b"), Field::new("b", 10, 7i64.to_ne_bytes().into(), 1));
    assert_eq!(*field("d"), Field::new("d", 2, 0.25f64.to_ne_bytes().into(), 1));
    assert_eq!(*field("f"), Field::text("f", "reflect"));
    assert_eq!(*field("g"), Field::text("g", "\u{1}\0two"));
    assert_eq!(*field("k"), Field::new("k", 10, vec![], 0));
    let again = create(&kept, true).unwrap_or_else(|| panic!("{:?}", log()));
    assert_eq!(again.fields().unwrap(), kept);
    quiet("read and kept");
}

#[test]
fn what_an_attribute_cant_hold_is_told_by_its_name() {
    let told = |field: Field| {
        let name = field.name.to_string_lossy().into_owned();
        assert!(create(&with(field), false).is_none(), "{name}");
        let lines = log();
        let start = format!("layer `n` (tensorrt_test::every_type v1): attribute `{name}`: ");
        lines[0].strip_prefix(&start).unwrap_or_else(|| panic!("{lines:?}")).to_owned()
    };
    assert_eq!(told(Field::ints("e", &[2])), "it is 2; a boolean is 0 or 1");
    assert_eq!(told(Field::ints("i", &[1, 40_000])), "element 1 is 40000, which isn't in the range of i16");
    assert_eq!(told(Field::floats("a", &[1.0])), "it is the float 1.0; `i32` takes INT");
    assert_eq!(told(Field::text("j", "x")), "it is a string; `&[i32]` takes INTS, or a 1-D TENSOR of integers");
    assert_eq!(told(Field::ints("a", &[1, 2])), "it is a list of 2 integers; `i32` takes INT");
    assert!(told(Field::new("f", 6, vec![0xff, 0], 2)).starts_with("it isn't UTF-8"));
    // What the importer makes of a TENSOR of INT64 looks so.
    assert!(told(Field::new("k", 0, vec![0; 8], 4)).starts_with("it came as FLOAT16"));
    assert!(told(Field::new("k", 7, vec![0; 72], 1)).starts_with("TensorRT gives it as a field of type 7"));
    assert!(told(Field::new("k", -1, vec![0; 72], 1)).starts_with("TensorRT gives it as a field of type -1"));
    let mut negative = Field::ints("k", &[1]);
    negative.count = -1;
    assert!(told(negative).starts_with("TensorRT gave a field of -1 elements"));
    let null = Field { bytes: Vec::new(), ..Field::ints("k", &[1]) };
    assert!(told(null).starts_with("TensorRT gave a field of 1 elements at 0x0"));
}

/// Only `factor` is read where it runs.
#[register("tensorrt_test::longer")]
fn longer(x: &TensorDesc, more: i64, factor: f32) -> TensorDesc {
    TensorDesc::from_shape_expr([x.shape_expr(0) + more], x.dtype())
}

#[impl_plugin("tensorrt_test::longer", device = cuda)]
fn longer_cuda(x: Tensor, factor: f32, outputs: [TensorMut; 1]) -> Result<()> {
    Ok(())
}

#[test]
fn a_plan_keeps_what_the_impl_reads_and_the_shapes() {
    let longer = find("tensorrt_test::longer");
    let all = [Field::new("more", 10, 3i64.to_ne_bytes().into(), 1), Field::floats("factor", &[0.5])];
    let plugin = longer.create("n", &[Field::ints("more", &[3]), all[1].clone()], false).unwrap();
    assert_eq!(plugin.fields().unwrap(), all, "nothing is known of shapes yet");
    plugin.output_types(&[types::FLOAT]).unwrap();
    let (x, y) = (DynamicDesc::dynamic(types::FLOAT, &[1], &[9]), DynamicDesc::dynamic(types::FLOAT, &[4], &[12]));
    assert_eq!(plugin.configure(&[x], &[y]), 0);
    let kept = plugin.fields().unwrap();
    assert_eq!((kept.len(), &kept[0]), (2, &all[1]));
    assert_eq!((kept[1].name.to_str(), kept[1].ty), (Ok("plugin_runtime.outline"), 3));
    assert_eq!(plugin.copy().fields().unwrap(), kept);
    let again = longer.create("n", &kept, true).unwrap();
    assert_eq!(again.attach().fields().unwrap(), kept);
    quiet("kept");
    assert!(longer.create("n", &kept[1..], true).is_none());
    let lines = log();
    assert!(lines[0].contains("reads the attribute `factor`, which wasn't kept: build the plan again"), "{lines:?}");
    assert!(longer.create("n", &kept[..1], true).is_none());
    assert!(log()[0].contains("needs the attribute `more`"));
    let other = Field { ty: 5, count: 1, ..kept[1].clone() };
    assert!(longer.create("n", &[kept[0].clone(), other], true).is_none());
    assert!(log()[0].contains("TensorRT gave the field `plugin_runtime.outline` as one of type 5"));
}
