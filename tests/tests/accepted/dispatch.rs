#![deny(warnings)]

use plugin_runtime::prelude::*;

type Half = f16;

fn largest(dtype: DataType) -> Result<(i64, usize)> {
    dispatch!(dtype, T in [i32, core::primitive::i8, u8, i64] => {
        const BITS: u32 = T::BITS;
        static ZEROS: [T; 2] = [0; 2];
        struct Pair {
            first: T,
        }
        impl From<T> for Pair {
            fn from(first: T) -> Pair {
                Pair { first }
            }
        }
        let pair: Pair = T::MAX.into();
        let all: Vec<T> = ZEROS.iter().copied().chain([pair.first as T, <T>::MIN]).collect();
        Ok((all.iter().map(|&value| value as i64).max().unwrap_or_default(), BITS as usize))
    })
}

fn name(dtype: DataType) -> Result<&'static str> {
    dispatch!(dtype, T in [Half, bf16,] => Ok(<T as Element>::NAME))
}

#[test]
fn items_and_types_in_the_body() -> Result<()> {
    assert_eq!(largest(DataType::Int32)?, (i32::MAX.into(), 32));
    assert_eq!(largest(DataType::Bool)?, (255, 8));
    assert_eq!([name(DataType::Float16)?, name(DataType::BFloat16)?], ["f16", "bf16"]);
    Ok(())
}
