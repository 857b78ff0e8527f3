//! The element types of tensors by their names in Rust.

/// Types that slices have elements of.
pub(crate) const ELEMENTS: [&str; 7] = ["f32", "f16", "bf16", "i64", "i32", "i8", "u8"];

/// By what name in combinations and what variant of `DataType` a type is viewed as which.
const VIEWED_AS: [(&str, &str, &str); 10] = [
    ("FP32", "Float32", "f32"),
    ("FP16", "Float16", "f16"),
    ("BF16", "BFloat16", "bf16"),
    ("FP8", "Float8", "u8"),
    ("INT64", "Int64", "i64"),
    ("INT32", "Int32", "i32"),
    ("INT8", "Int8", "i8"),
    ("UINT8", "UInt8", "u8"),
    ("INT4", "Int4", "u8"),
    ("BOOL", "Bool", "u8"),
];

/// The type of Rust that a tensor is viewed as whose type has the name, in combinations or in `DataType`.
pub(crate) fn of_data_type(name: &str) -> Option<&'static str> {
    VIEWED_AS.iter().find(|(short, variant, _)| [*short, *variant].contains(&name)).map(|(_, _, rust)| *rust)
}

/// Says that `name` is none, and which there are.
pub(crate) fn no_element(name: &str) -> String {
    match name {
        "bool" => "`bool` isn't an element type of tensors: write `u8`, as which BOOL is viewed".to_owned(),
        _ => format!("`{name}` isn't an element type of tensors: write one of `{}`", ELEMENTS.join("`, `")),
    }
}
