//! Element types in PyTorch's numbers, which it is asked for.

use super::abi::Torch;
use crate::error::{Error, Result};
use crate::tensor::DataType;

/// Numbers of PyTorch's types are below this.
const MOST: usize = 64;

/// The types that both know.
#[derive(Clone, Debug)]
pub(super) struct Types {
    by_code: [Option<DataType>; MOST],
    codes: [i32; DataType::ALL.len()],
}

/// In place of the number of a type that PyTorch hasn't.
const NONE: i32 = -1;

impl Types {
    pub(super) fn new(torch: &Torch) -> Types {
        let mut types = Types { by_code: [None; MOST], codes: [NONE; DataType::ALL.len()] };
        for (dtype, slot) in DataType::ALL.into_iter().zip(&mut types.codes) {
            let Some(code) = asked(torch, dtype) else { continue };
            *slot = code;
            if let Some(known) = usize::try_from(code).ok().and_then(|code| types.by_code.get_mut(code)) {
                *known = Some(dtype);
            }
        }
        types
    }

    /// # Errors
    /// For a type that plugins can't have.
    #[inline]
    pub(super) fn data_type(&self, code: i32) -> Result<DataType> {
        let known = usize::try_from(code).ok().and_then(|code| self.by_code.get(code)).copied().flatten();
        known.ok_or_else(|| unknown(code))
    }

    /// # Errors
    /// For a type that PyTorch hasn't.
    #[inline]
    pub(super) fn code(&self, dtype: DataType) -> Result<i32> {
        let code = DataType::ALL.iter().position(|known| *known == dtype).map_or(NONE, |index| self.codes[index]);
        if code == NONE { Err(Error::invalid(format_args!("PyTorch has no {dtype}"))) } else { Ok(code) }
    }
}

/// PyTorch's number of a type.
fn asked(torch: &Torch, dtype: DataType) -> Option<i32> {
    let functions = &torch.functions;
    let code = match dtype {
        DataType::Float32 => functions.aoti_torch_dtype_float32,
        DataType::Float16 => functions.aoti_torch_dtype_float16,
        DataType::BFloat16 => functions.aoti_torch_dtype_bfloat16,
        DataType::Float8 => functions.aoti_torch_dtype_float8_e4m3fn,
        DataType::Int64 => functions.aoti_torch_dtype_int64,
        DataType::Int32 => functions.aoti_torch_dtype_int32,
        DataType::Int8 => functions.aoti_torch_dtype_int8,
        DataType::UInt8 => functions.aoti_torch_dtype_uint8,
        DataType::Bool => functions.aoti_torch_dtype_bool,
        DataType::Int4 => return None,
    };
    // SAFETY: it takes and changes nothing.
    #[expect(unsafe_code, reason = "calls PyTorch")]
    Some(unsafe { code() })
}

#[cold]
fn unknown(code: i32) -> Error {
    // As the messages of PyTorch name them; the numbers don't change.
    let name = match code {
        2 => "torch.int16",
        7 => "torch.float64",
        8 => "torch.complex32",
        9 => "torch.complex64",
        10 => "torch.complex128",
        23 => "torch.float8_e5m2",
        27 => "torch.uint16",
        28 => "torch.uint32",
        29 => "torch.uint64",
        _ => {
            return Error::invalid(format_args!("its element type, {code} in PyTorch's numbers, isn't one of plugins"));
        }
    };
    let known = DataType::ALL.map(DataType::name);
    Error::invalid(format_args!("it is of {name}; plugins have {}", known.join(", ")))
}
