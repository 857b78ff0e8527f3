use super::*;
use crate::network::onnx::element_type as types;

fn read(attribute: &AttributeProto, wanted: AttributeType) -> Result<AttributeValue> {
    given(attribute).and_then(|given| converted(&given, wanted))
}

#[test]
fn each_value_comes_back_as_it_was_written() {
    use AttributeValue as Value;
    let f16s = [0.1, -65504.0, f32::INFINITY].map(f16::from_f32).to_vec();
    for value in [
        Value::Int32(i32::MIN),
        Value::Int64(i64::MAX),
        Value::Int32(0),
        Value::Float32(0.1),
        Value::Float64(0.1),
        Value::Float64(0.5),
        Value::Float64(1e300),
        Value::Float64(-0.0),
        Value::Bool(false),
        Value::Str("größe\n".into()),
        Value::Str(String::new()),
        Value::Bytes(vec![0, 255, 10]),
        Value::Bytes(Vec::new()),
        Value::Int8s(vec![-128, 127]),
        Value::Int16s(vec![-32768, 32767]),
        Value::Int32s(vec![i32::MIN, i32::MAX]),
        Value::Int64s(vec![i64::MIN, i64::MAX]),
        Value::Int64s(Vec::new()),
        Value::Float16s(f16s),
        Value::BFloat16s(vec![bf16::MAX, bf16::MIN_POSITIVE_SUBNORMAL]),
        Value::Float32s(vec![f32::MAX, f32::MIN_POSITIVE]),
        Value::Float64s(vec![0.5, 0.1]),
        Value::Float64s(vec![0.5, 2.0]),
        Value::Float64s(Vec::new()),
        Value::Bools(vec![true, false]),
    ] {
        assert_eq!(read(&to_proto("a", &value), value.ty()).unwrap(), value);
    }
    let nan = read(&to_proto("a", &Value::Float64(f64::NAN)), AttributeType::Float64).unwrap();
    assert!(matches!(nan, Value::Float64(v) if v.is_nan()));
}

#[test]
fn values_out_of_range_and_of_other_types_are_refused() {
    use AttributeType as Type;
    let one = |i: i64| int("a", i);
    let many = |v: &[i64]| ints("a", v);
    let of = |kind: AttributeKind| attribute("a", kind);
    for (given, wanted, expected) in [
        (one(1 << 31), Type::Int32, "it is 2147483648, which isn't in the range of i32"),
        (one(2), Type::Bool, "it is 2; a boolean is 0 or 1"),
        (one((1 << 24) + 1), Type::Float32, "it is the integer 16777217, which f32 doesn't hold exactly"),
        (one(i64::MAX), Type::Float32, "it is the integer 9223372036854775807, which f32 doesn't hold exactly"),
        (one((1 << 53) + 1), Type::Float64, "it is the integer 9007199254740993, which f64 doesn't hold exactly"),
        (one(i64::MAX), Type::Float64, "it is the integer 9223372036854775807, which f64 doesn't hold exactly"),
        (many(&[1, 2049]), Type::Float16s, "element 1 is the integer 2049, which f16 doesn't hold exactly"),
        (many(&[65536]), Type::Float16s, "element 0 is the integer 65536, which f16 doesn't hold exactly"),
        (many(&[257]), Type::BFloat16s, "element 0 is the integer 257, which bf16 doesn't hold exactly"),
        (string("a", "1"), Type::Float32, "it is a string; `f32` takes FLOAT, or an INT that it holds exactly"),
        (float("a", 1.0), Type::Int32, "it is the float 1.0; `i32` takes INT"),
        (float("a", 1.0), Type::Int64s, "`&[i64]` takes INTS, or a 1-D TENSOR of integers"),
        (doubles("a", &[1e300], &[]), Type::Float32, "it is 1e300, which is too large for f32"),
        (floats("a", vec![1.0, 65520.0]), Type::Float16s, "element 1 is 6.552e4, which is too large for f16"),
        (many(&[0, -1]), Type::Bytes, "element 1 is -1, which isn't in the range of u8"),
        (many(&[0, 128]), Type::Int8s, "element 1 is 128"),
        (many(&[0, -32769]), Type::Int16s, "element 1 is -32769"),
        (many(&[0, 3]), Type::Bools, "element 1 is 3"),
        (many(&[0, 3]), Type::Str, "it is a list of 2 integers; `&str` takes STRING"),
        (string("a", "x"), Type::Int32s, "it is a string; `&[i32]` takes INTS"),
        (tensor("a", types::UINT8, &[1, 1], vec![1]), Type::Bytes, "its tensor has 2 dimensions"),
        (tensor("a", types::FLOAT, &[1], vec![0; 4]), Type::Int32s, "it is a list of 1 float;"),
        (AttributeProto { f: Some(1.0), ..of(AttributeKind::Int) }, Type::Int32, "it is marked INT, but holds a FLOAT"),
        (AttributeProto { i: Some(1), ..of(AttributeKind::Text) }, Type::Str, "it is marked STRING, but holds an INT"),
        (AttributeProto { ints: vec![1], ..of(AttributeKind::Float) }, Type::Float32, "FLOAT, but holds INTS"),
        (of(AttributeKind::Tensor), Type::Int32s, "it is marked TENSOR, but holds none"),
        (of(AttributeKind::Graph), Type::Int32, "it is GRAPH, which a plugin can't take"),
        (of(AttributeKind::Strings), Type::Str, "it is STRINGS"),
        (of(AttributeKind::Undefined), Type::Str, "it has no type"),
        (AttributeProto { r#type: 77, ..one(1) }, Type::Int32, "of type 77, which ONNX doesn't define"),
    ] {
        let message = read(&given, wanted).unwrap_err().to_string();
        assert!(message.contains(expected), "{expected} isn't in {message}");
    }
    let mut bad = string("a", "abc");
    bad.s = Some(b"ab\xff".to_vec().into());
    let message = read(&bad, Type::Str).unwrap_err().to_string();
    assert_eq!(message, "it isn't UTF-8 after 2 bytes, \"ab\"");
    assert_eq!(read(&bad, Type::Bytes).unwrap(), AttributeValue::Bytes(b"ab\xff".to_vec()));
}

#[test]
fn tensors_stand_for_lists_and_single_values() {
    use AttributeType as Type;
    let le = |values: &[i16]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let list = tensor("a", types::INT16, &[2], le(&[-3, 4]));
    assert_eq!(read(&list, Type::Int64s).unwrap(), AttributeValue::Int64s(vec![-3, 4]));
    let single = tensor("a", types::INT16, &[], le(&[-3]));
    assert_eq!(read(&single, Type::Int32).unwrap(), AttributeValue::Int32(-3));
    let bools = tensor("a", types::BOOL, &[2], vec![1, 0]);
    assert_eq!(read(&bools, Type::Bools).unwrap(), AttributeValue::Bools(vec![true, false]));
    let halves = tensor("a", types::FLOAT16, &[1], f16::from_f32(0.5).to_le_bytes().to_vec());
    assert_eq!(read(&halves, Type::Float32s).unwrap(), AttributeValue::Float32s(vec![0.5]));
}

#[test]
fn a_zero_that_was_left_out_is_zero() {
    use AttributeType as Type;
    use AttributeValue as Value;
    for (kind, wanted, zero) in [
        (AttributeKind::Int, Type::Int32, Value::Int32(0)),
        (AttributeKind::Int, Type::Int64, Value::Int64(0)),
        (AttributeKind::Int, Type::Bool, Value::Bool(false)),
        (AttributeKind::Int, Type::Float32, Value::Float32(0.0)),
        (AttributeKind::Float, Type::Float32, Value::Float32(0.0)),
        (AttributeKind::Float, Type::Float64, Value::Float64(0.0)),
        (AttributeKind::Text, Type::Str, Value::Str(String::new())),
        (AttributeKind::Text, Type::Bytes, Value::Bytes(Vec::new())),
    ] {
        assert_eq!(read(&attribute("a", kind), wanted).unwrap(), zero);
    }
}

#[test]
fn integers_are_floats_where_that_is_exact() {
    use AttributeType as Type;
    use AttributeValue as Value;
    for exact in [0, 2, -7, 1 << 24, i64::MIN] {
        assert_eq!(read(&int("a", exact), Type::Float32).unwrap(), Value::Float32(exact as f32));
        assert_eq!(read(&int("a", exact), Type::Float64).unwrap(), Value::Float64(exact as f64));
    }
    let list = ints("a", &[1i64, -2048]);
    assert_eq!(read(&list, Type::Float16s).unwrap(), Value::Float16s(vec![f16::ONE, f16::from_f32(-2048.0)]));
    assert_eq!(read(&list, Type::BFloat16s).unwrap(), Value::BFloat16s(vec![bf16::ONE, bf16::from_f32(-2048.0)]));
    assert_eq!(read(&list, Type::Float32s).unwrap(), Value::Float32s(vec![1.0, -2048.0]));
    assert_eq!(read(&list, Type::Float64s).unwrap(), Value::Float64s(vec![1.0, -2048.0]));
    let tensor = tensor("a", types::INT16, &[], 3i16.to_le_bytes().to_vec());
    assert_eq!(read(&tensor, Type::Float32).unwrap(), Value::Float32(3.0));
}
