//! Structs that a host hands over.

use std::ffi::{CString, c_char, c_void};

/// `Dims64`.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dims {
    /// The rank.
    pub count: i32,
    /// As many extents.
    pub extents: [i64; 8],
}

/// `PluginTensorDesc`.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Desc {
    /// -1 where one isn't known.
    pub dims: Dims,
    /// One of [`types`].
    pub dtype: i32,
    /// One of [`formats`].
    pub format: i32,
    /// Of INT8 and FP8.
    pub scale: f32,
}

/// `DynamicPluginTensorDesc`.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DynamicDesc {
    /// -1 where an extent is dynamic.
    pub desc: Desc,
    /// Of the profile.
    pub min: Dims,
    /// Of the profile.
    pub max: Dims,
    /// Of the profile.
    pub opt: Dims,
}

/// `DataType`.
pub mod types {
    #![expect(missing_docs, reason = "names say it")]
    pub const FLOAT: i32 = 0;
    pub const HALF: i32 = 1;
    pub const INT8: i32 = 2;
    pub const INT32: i32 = 3;
    pub const BOOL: i32 = 4;
    pub const UINT8: i32 = 5;
    pub const FP8: i32 = 6;
    pub const BF16: i32 = 7;
    pub const INT64: i32 = 8;
    pub const INT4: i32 = 9;
}

/// `TensorFormat`.
pub mod formats {
    #![expect(missing_docs, reason = "names say it")]
    pub const LINEAR: i32 = 0;
    pub const CHW2: i32 = 1;
    pub const HWC8: i32 = 2;
    pub const CHW4: i32 = 3;
    pub const CHW16: i32 = 4;
    pub const CHW32: i32 = 5;
    pub const HWC: i32 = 8;
}

/// Extents.
///
/// # Panics
/// For more than 8.
pub fn dims(extents: &[i64]) -> Dims {
    let mut dims = Dims { count: extents.len() as i32, extents: [0; 8] };
    dims.extents[..extents.len()].copy_from_slice(extents);
    dims
}

impl Desc {
    /// A LINEAR tensor.
    pub fn new(dtype: i32, extents: &[i64]) -> Desc {
        Desc { dims: dims(extents), dtype, format: formats::LINEAR, scale: 1.0 }
    }

    /// The same in another layout.
    #[must_use]
    pub fn laid_out(self, format: i32) -> Desc {
        Desc { format, ..self }
    }
}

impl DynamicDesc {
    /// A LINEAR tensor of fixed extents.
    pub fn fixed(dtype: i32, extents: &[i64]) -> DynamicDesc {
        let all = dims(extents);
        DynamicDesc { desc: Desc::new(dtype, extents), min: all, max: all, opt: all }
    }

    /// A LINEAR tensor whose extents are dynamic where those of `max` differ from those of `min`.
    pub fn dynamic(dtype: i32, min: &[i64], max: &[i64]) -> DynamicDesc {
        let extents: Vec<i64> = min.iter().zip(max).map(|(min, max)| if min == max { *min } else { -1 }).collect();
        DynamicDesc { desc: Desc::new(dtype, &extents), min: dims(min), max: dims(max), opt: dims(max) }
    }
}

/// `PluginField`, with its name and elements.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    /// The attribute.
    pub name: CString,
    /// `PluginFieldType`.
    pub ty: i32,
    /// The elements' bytes.
    pub bytes: Vec<u8>,
    /// How many elements.
    pub count: i32,
}

impl Field {
    /// INT32s, as the importer makes of an INT or of INTS.
    pub fn ints(name: &str, values: &[i32]) -> Field {
        let bytes = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
        Field::new(name, 5, bytes, values.len())
    }

    /// FLOAT32s, as the importer makes of a FLOAT or of FLOATS.
    pub fn floats(name: &str, values: &[f32]) -> Field {
        let bytes = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
        Field::new(name, 1, bytes, values.len())
    }

    /// CHARs, as the importer makes of a STRING.
    pub fn text(name: &str, text: &str) -> Field {
        let bytes: Vec<u8> = text.bytes().chain([0]).collect();
        let count = bytes.len();
        Field::new(name, 6, bytes, count)
    }

    /// Elements of any type.
    ///
    /// # Panics
    /// For a name with a 0.
    pub fn new(name: &str, ty: i32, bytes: Vec<u8>, count: usize) -> Field {
        Field { name: CString::new(name).expect("no 0"), ty, bytes, count: count as i32 }
    }
}

/// `PluginField` as it lies in memory.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct RawField {
    pub(super) name: *const c_char,
    pub(super) data: *const c_void,
    pub(super) ty: i32,
    pub(super) count: i32,
}

/// `PluginFieldCollection`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct RawFields {
    pub(super) count: i32,
    pub(super) fields: *const RawField,
}
