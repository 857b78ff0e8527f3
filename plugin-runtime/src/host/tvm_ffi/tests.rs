//! Arguments as the runtime hands them over.

#![expect(unsafe_code, reason = "makes arguments, and in the crate itself link sections count as unsafe")]

use std::ptr;

use super::abi::{Any, types};
use super::arguments::Arguments;
use crate::device::dlpack::{CPU, CUDA, CUDA_HOST, DLDataType, DLDevice, DLTensor};
use crate::plugin::{Plugin, Registry};
use crate::prelude::*;

/// Adds b to a in place.
#[register("ffi_test::add", crate = crate)]
fn add(a: &TensorDesc, b: &TensorDesc, #[default(1)] times: i32) -> TensorDesc {
    let _ = (b, times);
    a.aliased()
}

fn plugin() -> &'static Plugin {
    Registry::global().unwrap().get("ffi_test::add", 1).unwrap()
}

/// An array of singles in given memory.
struct Array {
    extents: Vec<i64>,
    strides: Option<Vec<i64>>,
    device: (i32, i32),
    start: *mut f32,
}

impl Array {
    fn new(start: *mut f32, extents: &[i64]) -> Array {
        Array { extents: extents.to_vec(), strides: None, device: (CPU, 0), start }
    }

    fn tensor(&mut self) -> DLTensor {
        DLTensor {
            data: self.start.cast(),
            device: DLDevice { device_type: self.device.0, device_id: self.device.1 },
            ndim: self.extents.len() as i32,
            dtype: DLDataType { code: 2, bits: 32, lanes: 1 },
            shape: self.extents.as_mut_ptr(),
            strides: self.strides.as_mut().map_or(ptr::null_mut(), |strides| strides.as_mut_ptr()),
            byte_offset: 0,
        }
    }
}

/// What comes of a question about a call with two arrays.
fn asked<T>(a: &mut Array, b: &mut Array, ask: impl FnOnce(&Arguments<'_>) -> Result<T>) -> Result<T> {
    let (mut a, mut b) = (a.tensor(), b.tensor());
    let all = [&raw mut a, &raw mut b].map(|tensor| Any::object(types::DL_TENSOR, tensor.cast()));
    // SAFETY: the values live until the end of this function.
    let arguments = unsafe { Arguments::new(plugin(), &all)? };
    ask(&arguments)
}

#[test]
fn memory_that_is_written_is_no_other_inputs() {
    let mut memory = [0f32; 16];
    let start = memory.as_mut_ptr();
    let at = |offset: usize| Array::new(start.wrapping_add(offset), &[2, 4]);
    for (a, b, apart) in [(0, 8, true), (8, 0, true), (0, 0, false), (0, 7, false), (7, 0, false)] {
        let found = asked(&mut at(a), &mut at(b), |arguments| arguments.check_apart(0));
        assert_eq!(found.is_ok(), apart, "{a} {b}");
        if let Err(error) = found {
            let expected = "input `b` of `ffi_test::add v1`: it shares memory with `a`, which is updated in place";
            assert_eq!(error.to_string(), expected);
        }
    }
    let mut none = Array::new(start, &[0, 4]);
    asked(&mut at(0), &mut none, |arguments| arguments.check_apart(0)).unwrap();
}

#[test]
fn inputs_are_contiguous_and_on_one_device() {
    let mut memory = [0f32; 16];
    let of = |extents: &[i64], strides: &[i64]| {
        let mut array = Array::new(memory.as_ptr().cast_mut(), extents);
        array.strides = Some(strides.to_vec());
        array
    };
    let taken = |array: &mut Array| {
        let mut other = Array::new(ptr::null_mut(), &[0]);
        asked(array, &mut other, |arguments| arguments.input(0).map(|input| input.extents.to_vec()))
    };
    for (extents, strides) in [
        (vec![2, 4], vec![4, 1]),
        (vec![2, 1, 4], vec![4, 99, 1]),
        (vec![1, 4], vec![7, 1]),
        (vec![0, 4], vec![1, 9]),
        (vec![3, 0], vec![5, 5]),
        (vec![], vec![]),
    ] {
        assert_eq!(taken(&mut of(&extents, &strides)).unwrap(), extents, "{strides:?}");
    }
    for (extents, strides) in
        [(vec![2, 4], vec![1, 2]), (vec![2, 4], vec![8, 1]), (vec![4], vec![-1]), (vec![4], vec![0])]
    {
        let error = taken(&mut of(&extents, &strides)).unwrap_err().to_string();
        assert!(
            error.starts_with("input `a` of `ffi_test::add v1`: its strides are") && error.contains("contiguous copy")
        );
    }
    let device = |a: (i32, i32), b: (i32, i32)| {
        let [mut first, mut second] = [a, b].map(|device| Array { device, ..of(&[1], &[1]) });
        asked(&mut first, &mut second, |arguments| arguments.device())
    };
    assert_eq!(device((CPU, 0), (CUDA_HOST, 0)).unwrap(), DLDevice { device_type: CPU, device_id: 0 });
    assert_eq!(device((CUDA, 1), (CUDA, 1)).unwrap(), DLDevice { device_type: CUDA, device_id: 1 });
    let error = device((CPU, 0), (CUDA, 0)).unwrap_err().to_string();
    assert_eq!(error, "input `b` of `ffi_test::add v1`: it lies in the memory of `cuda:0`, but `a` in host memory");
    assert!(device((CUDA, 0), (CUDA, 1)).is_err());
    memory.fill(0.0);
}

#[test]
fn values_are_counted_and_named() {
    let wrong = |all: &[Any]| {
        // SAFETY: the values are numbers.
        unsafe { Arguments::new(plugin(), all).and_then(|arguments| arguments.device()) }.unwrap_err().to_string()
    };
    let takes = "but takes 2 inputs: a, b; then 1 attribute: times";
    assert_eq!(wrong(&[]), format!("`ffi_test::add v1` is called with 0 values, {takes}"));
    assert_eq!(wrong(&[Any::NONE; 4]), format!("`ffi_test::add v1` is called with 4 values, {takes}"));
    assert_eq!(wrong(&[Any::int(3), Any::NONE]), "input `a` of `ffi_test::add v1`: it is an int, not an array");
    for (type_index, text) in
        [(types::TENSOR, "without an address"), (types::ARRAY, "without an address"), (-5, "an object")]
    {
        let null = Any::object(type_index, ptr::null_mut());
        assert!(wrong(&[null, null]).contains(text), "{}", wrong(&[null, null]));
    }
}
