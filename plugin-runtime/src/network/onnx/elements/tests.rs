use super::*;

fn tensor(code: i32, dims: &[i64]) -> TensorProto {
    TensorProto { dims: dims.to_vec(), data_type: Some(code), ..TensorProto::default() }
}

fn raw(code: i32, dims: &[i64], bytes: &[u8]) -> TensorProto {
    TensorProto { raw_data: Some(bytes.to_vec().into()), ..tensor(code, dims) }
}

/// The elements of a type in the field that is theirs, from their bytes.
fn typed(dtype: DataType, dims: &[i64], bytes: &[u8]) -> TensorProto {
    let mut tensor = tensor(code(dtype), dims);
    match dtype {
        DataType::Float32 => tensor.float_data = each(bytes, f32::from_le_bytes),
        DataType::Int64 => tensor.int64_data = each(bytes, i64::from_le_bytes),
        DataType::Int32 => tensor.int32_data = each(bytes, i32::from_le_bytes),
        DataType::Float16 | DataType::BFloat16 => tensor.int32_data = each(bytes, |b| u16::from_le_bytes(b).into()),
        DataType::Int8 => tensor.int32_data = each(bytes, |b| i8::from_le_bytes(b).into()),
        _ => tensor.int32_data = each(bytes, |[b]| b.into()),
    }
    tensor
}

fn message<T>(result: Result<T>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn raw_and_typed_data_are_the_same_tensor() {
    for dtype in DataType::ALL {
        for dims in [&[][..], &[3], &[2, 3], &[0, 7], &[1, 1, 1, 1, 1, 1, 1, 5]] {
            let len = dtype.bytes_for(dims.iter().product::<i64>() as u64).unwrap() as usize;
            let mut bytes: Vec<u8> = (0..len).map(|i| (i * 37 + 11) as u8).collect();
            match dtype {
                DataType::Bool => bytes.iter_mut().for_each(|b| *b &= 1),
                DataType::Int4 if dims.iter().product::<i64>() % 2 == 1 => bytes[len - 1] &= 0x0f,
                _ => {}
            }
            for proto in [raw(code(dtype), dims, &bytes), typed(dtype, dims, &bytes)] {
                let found = host_tensor(&proto).unwrap();
                assert_eq!((found.dtype(), found.shape()), (dtype, dims));
                assert_eq!(from_little_endian(found.clone()).bytes(), found.bytes());
                assert_eq!(to_proto("", &found).raw_data.unwrap(), bytes, "{dtype} {dims:?}");
            }
        }
    }
}

#[test]
fn what_no_program_should_see_is_made_whole() {
    let bools = host_tensor(&raw(types::BOOL, &[4], &[0, 1, 2, 255])).unwrap();
    assert_eq!(bools.bytes(), [0, 1, 1, 1]);
    let int4 = host_tensor(&raw(types::INT4, &[3], &[0x21, 0xf3])).unwrap();
    assert_eq!(int4.bytes(), [0x21, 0x03]);
}

#[test]
fn mistakes_are_told() {
    let ints = |code, values: &[i32], dims: &[i64]| TensorProto { int32_data: values.to_vec(), ..tensor(code, dims) };
    for (proto, expected) in [
        (raw(types::FLOAT, &[2, 2], &[0; 15]), "FP32 [2, 2] takes 16 bytes, but 15 were given"),
        (raw(types::FLOAT, &[1 << 40, 1 << 10], &[0; 15]), "takes 4503599627370496 bytes"),
        (raw(types::FLOAT, &[i64::MAX, i64::MAX], &[]), "more than memory can hold"),
        (raw(types::INT64, &[i64::MAX], &[]), "more than memory can hold"),
        (raw(types::INT8, &[2, -1], &[]), "its dimension 1 is -1"),
        (raw(types::INT8, &[1; 9], &[0]), "9 dimensions"),
        (raw(types::DOUBLE, &[1], &[0; 8]), "DOUBLE isn't supported; these are: FLOAT, FLOAT16"),
        (raw(8, &[1], &[0; 8]), "STRING isn't supported"),
        (raw(77, &[1], &[0; 8]), "element type 77, which ONNX doesn't define"),
        (ints(types::UINT8, &[0, 256], &[2]), "element 1 of int32_data is 256; 0 to 255 is possible"),
        (ints(types::INT8, &[-129], &[1]), "-128 to 127"),
        (ints(types::BOOL, &[2], &[1]), "0 to 1"),
        (ints(types::FLOAT16, &[-1], &[1]), "0 to 65535"),
        (ints(types::FLOAT, &[1], &[1]), "elements of FLOAT stand in float_data or raw_data, but it holds int32_data"),
        (ints(types::INT64, &[1], &[1]), "INT64 stand in int64_data"),
        (TensorProto { float_data: vec![1.0], ..raw(types::FLOAT, &[1], &[0; 4]) }, "both raw_data and float_data"),
        (TensorProto { segment: Some(vec![].into()), ..tensor(types::FLOAT, &[0]) }, "segments"),
        (TensorProto { string_data: vec![vec![].into()], ..tensor(types::FLOAT, &[0]) }, "string_data"),
    ] {
        let message = message(host_tensor(&proto));
        assert!(message.contains(expected), "{expected} isn't in {message}");
    }
}

#[test]
fn numbers_are_read_from_every_type_that_attributes_can_have() {
    let ints = |proto: &TensorProto| match numbers(proto).unwrap() {
        Numbers::Ints(values) => values,
        Numbers::Floats(values) => panic!("{values:?}"),
    };
    let floats = |proto: &TensorProto| match numbers(proto).unwrap() {
        Numbers::Floats(values) => values,
        Numbers::Ints(values) => panic!("{values:?}"),
    };
    for (code, width, expected) in [
        (types::INT8, 1, -2),
        (types::UINT8, 1, 254),
        (types::INT16, 2, -2),
        (types::UINT16, 2, 65534),
        (types::INT32, 4, -2),
        (types::UINT32, 4, 4294967294),
        (types::INT64, 8, -2),
    ] {
        let mut bytes = vec![0xff; width];
        bytes[0] = 0xfe;
        assert_eq!(ints(&raw(code, &[1], &bytes)), [expected], "{}", types::name(code));
    }
    assert_eq!(ints(&raw(types::UINT64, &[1], &7u64.to_le_bytes())), [7]);
    assert_eq!(ints(&TensorProto { uint64_data: vec![9], ..tensor(types::UINT32, &[1]) }), [9]);
    assert_eq!(ints(&raw(types::BOOL, &[2], &[0, 1])), [0, 1]);
    assert_eq!(floats(&raw(types::FLOAT16, &[1], &f16::from_f32(1.5).to_le_bytes())), [1.5]);
    assert_eq!(floats(&raw(types::BFLOAT16, &[1], &bf16::from_f32(-2.0).to_le_bytes())), [-2.0]);
    assert_eq!(floats(&raw(types::DOUBLE, &[1], &0.1f64.to_le_bytes())), [0.1]);
    assert_eq!(floats(&TensorProto { double_data: vec![0.1], ..tensor(types::DOUBLE, &[1]) }), [0.1]);
    assert_eq!(floats(&tensor(types::FLOAT, &[0])), []);
    assert_eq!(ints(&tensor(types::INT64, &[0])), []);
    for (code, int32, expected) in [(types::FLOAT16, 0x3c00, 1.0), (types::BFLOAT16, 0x3f80, 1.0)] {
        assert_eq!(floats(&TensorProto { int32_data: vec![int32], ..tensor(code, &[1]) }), [expected]);
    }
    for (proto, expected) in [
        (raw(types::UINT64, &[1], &[255; 8]), "18446744073709551615 isn't an i64"),
        (TensorProto { uint64_data: vec![1 << 32], ..tensor(types::UINT32, &[1]) }, "isn't a UINT32"),
        (
            TensorProto { int64_data: vec![1, 2], ..tensor(types::INT64, &[3]) },
            "3 elements by its extents, but holds 2",
        ),
        (raw(types::FLOAT, &[2], &[0; 4]), "2 elements of FLOAT take 4 bytes each, but it holds 4 bytes"),
        (raw(types::INT64, &[1 << 62], &[]), "4611686018427387904 elements"),
        (raw(types::INT4, &[2], &[0]), "a tensor of INT4 can't be an attribute's value"),
        (TensorProto { data_location: Some(1), ..tensor(types::FLOAT, &[0]) }, "in another file"),
    ] {
        let message = message(numbers(&proto));
        assert!(message.contains(expected), "{expected} isn't in {message}");
    }
}
