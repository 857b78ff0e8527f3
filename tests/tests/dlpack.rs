//! Tensors in host memory, from another library and for one.

#![expect(unsafe_code, reason = "lends memory by its address")]

use std::ffi::c_void;
use std::ptr::null_mut;

use plugin_runtime::ErrorKind;
use plugin_runtime::device::cuda::DeviceTensor;
use plugin_runtime::device::dlpack::{DLDataType, DLDevice, DLPACK_FLAG_READ_ONLY, DLPackVersion};
use plugin_runtime::device::{Device, FOREIGN_ALIGNMENT};
use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;
use tests::dlpack::{Lent, give_back};

/// Each type with its code and bits in `dlpack.h`.
const TYPES: [(DataType, u8, u8); 9] = [
    (DataType::Int8, 0, 8),
    (DataType::Int32, 0, 32),
    (DataType::Int64, 0, 64),
    (DataType::UInt8, 1, 8),
    (DataType::Float16, 2, 16),
    (DataType::Float32, 2, 32),
    (DataType::BFloat16, 4, 16),
    (DataType::Bool, 6, 8),
    (DataType::Float8, 10, 8),
];

/// 512 floats to lend: 0, 1, 2 ..
fn memory() -> Vec<f32> {
    (0..512).map(|i| i as f32).collect()
}

fn lent(data: &mut [f32], shape: &[i64]) -> Lent {
    Lent::floats(data.as_mut_ptr().cast(), shape)
}

/// Takes a capsule of either layout. The deleter was called once by the time that there is a result.
#[track_caller]
fn take(lent: &Lent, legacy: bool) -> Result<HostTensor> {
    let (taken, deletions) = match legacy {
        true => {
            let (raw, deletions) = lent.legacy();
            // SAFETY: what is lent is there, or refused before it is read.
            (unsafe { HostTensor::from_dlpack_legacy(raw) }, deletions)
        }
        false => {
            let (raw, deletions) = lent.versioned();
            // SAFETY: as above.
            (unsafe { HostTensor::from_dlpack(raw) }, deletions)
        }
    };
    assert_eq!(deletions.count(), 1, "{lent:?}, legacy: {legacy}");
    taken
}

/// What is said of a capsule that isn't taken, of whichever layout.
#[track_caller]
fn refused(lent: &Lent) -> String {
    let [new, old] = [false, true].map(|legacy| take(lent, legacy).expect_err("it is refused"));
    assert_eq!((new.kind(), new.to_string()), (ErrorKind::Invalid, old.to_string()));
    new.to_string()
}

#[test]
fn a_tensor_is_copied_and_given_back() {
    let mut data = memory();
    for device in [(1, 0), (3, 0)] {
        for legacy in [false, true] {
            let tensor = Lent { device, byte_offset: 20, ..lent(&mut data, &[2, 3]) };
            let copy = take(&tensor, legacy).unwrap();
            assert_eq!((copy.dtype(), copy.shape()), (DataType::Float32, &[2, 3][..]));
            assert_eq!(copy.as_slice::<f32>().unwrap(), [5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
        }
    }
    let scalar = take(&Lent { shape: None, ..lent(&mut data[7..], &[]) }, false).unwrap();
    assert_eq!((scalar.shape(), scalar.as_slice::<f32>().unwrap()), (&[][..], &[7.0][..]));
    // To read what is lent read-only is no offence, and the copy can be written.
    let flags = DLPACK_FLAG_READ_ONLY;
    let mut copy = take(&Lent { flags, version: (1, 9), ..lent(&mut data, &[4]) }, false).unwrap();
    copy.as_mut_slice::<f32>().unwrap().fill(-1.0);
    assert_eq!(data, memory());
}

#[test]
fn a_capsule_without_a_deleter_is_taken() {
    let mut data = memory();
    let (raw, deletions) = Lent { deletable: false, ..lent(&mut data, &[3]) }.versioned();
    // SAFETY: the data is there.
    let copy = unsafe { HostTensor::from_dlpack(raw) }.unwrap();
    assert_eq!((copy.as_slice::<f32>().unwrap(), deletions.count()), (&[0.0, 1.0, 2.0][..], 0));
}

#[test]
fn strides_say_that_it_is_row_major_or_it_is_refused() {
    let mut data = memory();
    let mut with = |shape: &[i64], strides: &[i64]| Lent { strides: Some(strides.to_vec()), ..lent(&mut data, shape) };
    for (shape, strides) in [
        (&[3, 4, 5][..], &[20, 5, 1][..]),
        // The stride of a dimension of one element says nothing.
        (&[3, 1, 5], &[5, 77, 1]),
        (&[1], &[-3]),
        (&[1, 6], &[0, 1]),
        // Nor does any where there is no element.
        (&[2, 0, 3], &[9, 9, 9]),
        (&[], &[]),
    ] {
        assert_eq!(take(&with(shape, strides), false).unwrap().shape(), shape);
    }
    for (shape, strides) in [
        (&[3, 4][..], &[1, 3][..]),
        (&[3, 4], &[8, 1]),
        (&[3, 4], &[0, 1]),
        (&[3, 4], &[4, 2]),
        (&[4], &[-1]),
        (&[2, 1, 4], &[8, 4, 1]),
    ] {
        let said = refused(&with(shape, strides));
        assert!(said.contains(&format!("its strides are {strides:?} for extents {shape:?}")), "{said}");
        assert!(said.contains("make a contiguous copy first"), "{said}");
    }
    assert!(refused(&with(&[3, 4], &[1, 3])).contains("whose strides are [4, 1]"));
}

#[test]
fn types_go_both_ways_by_their_codes() {
    let mut data = memory();
    for (dtype, code, bits) in TYPES {
        let tensor = Lent { dtype: (code, bits, 1), ..lent(&mut data, &[3, 5]) };
        let copy = take(&tensor, true).unwrap();
        assert_eq!((copy.dtype(), copy.bytes().len()), (dtype, 15 * usize::from(bits) / 8));
        let bytes: &[u8] = bytemuck::cast_slice(&data);
        assert_eq!(copy.bytes(), &bytes[..copy.bytes().len()], "{dtype}");
        let capsule = copy.into_dlpack().unwrap().as_ptr();
        // SAFETY: it was just made.
        assert_eq!(unsafe { (*capsule).dl_tensor.dtype }, DLDataType { code, bits, lanes: 1 });
        // SAFETY: nobody else has it.
        let back = unsafe { HostTensor::from_dlpack(capsule) }.unwrap();
        assert_eq!((back.dtype(), back.shape()), (dtype, &[3, 5][..]));
        let bytes: &[u8] = bytemuck::cast_slice(&data);
        assert_eq!(back.bytes(), &bytes[..back.bytes().len()], "{dtype}");
    }
    let missing: Vec<DataType> =
        DataType::ALL.into_iter().filter(|dtype| TYPES.iter().all(|(known, ..)| known != dtype)).collect();
    for dtype in missing {
        let error = HostTensor::zeros(dtype, &[4]).unwrap().into_dlpack().unwrap_err();
        assert!(error.to_string().starts_with(&format!("{dtype} can't be given through DLPack")), "{error}");
    }
}

#[test]
fn other_types_are_refused_by_name() {
    let mut data = memory();
    for (dtype, name) in [
        ((2, 64, 1), "float64"),
        ((5, 64, 1), "complex64"),
        ((1, 16, 1), "uint16"),
        ((0, 4, 1), "int4"),
        ((6, 1, 1), "bool1"),
        ((12, 8, 1), "float8_e5m2 in 8 bits"),
        ((17, 4, 1), "float4_e2m1fn in 4 bits"),
        ((2, 32, 4), "4 times float32"),
        ((2, 32, 0), "0 times float32"),
        ((200, 7, 1), "of type code 200 in 7 bits"),
    ] {
        let said = refused(&Lent { dtype, ..lent(&mut data, &[1]) });
        let expected = format!("a tensor from DLPack: its elements are {name}; taken are FP32, FP16, BF16, FP8,");
        assert!(said.starts_with(&expected), "{said}");
    }
}

#[test]
fn what_lies_elsewhere_is_refused_by_name() {
    let mut data = memory();
    for (device, name) in [
        ((2, 3), "it lies in the memory of `cuda:3`,"),
        ((13, 0), "it lies in managed memory of CUDA,"),
        ((10, 0), "it lies in memory of DLPack's device type 10,"),
        ((-1, 0), "it lies in memory of DLPack's device type -1,"),
    ] {
        let said = refused(&Lent { device, ..lent(&mut data, &[1]) });
        assert!(said.contains(name) && said.ends_with("a HostTensor in host memory"), "{said}");
    }
}

#[test]
fn nonsense_is_refused_and_given_back() {
    let mut data = memory();
    let base = lent(&mut data, &[2, 3]);
    for (ndim, said) in
        [(9, "9 dimensions"), (-1, "-1 dimensions"), (i32::MIN, "-2147483648"), (i32::MAX, "2147483647")]
    {
        assert!(refused(&Lent { ndim: Some(ndim), ..base.clone() }).contains(said));
    }
    assert!(refused(&Lent { shape: None, ndim: Some(2), ..base.clone() }).contains("its extents are missing"));
    assert!(refused(&Lent { data: null_mut(), ..base.clone() }).contains("it has 24 bytes, but no address"));
    assert!(refused(&Lent { byte_offset: u64::MAX, ..base.clone() }).contains("longer than there are addresses"));
    let top: *mut c_void = std::ptr::without_provenance_mut(usize::MAX - 7);
    assert!(refused(&Lent { data: top, ..base.clone() }).contains("longer than there are addresses"));
    for shape in [&[2, -1][..], &[i64::MIN], &[-3, 0]] {
        assert!(
            refused(&Lent { shape: Some(shape.to_vec()), ..base.clone() }).contains("negative extent"),
            "{shape:?}"
        );
    }
    for shape in [&[i64::MAX][..], &[1 << 31, 1 << 31], &[1 << 62, 1 << 62, 4], &[1 << 61]] {
        let said = refused(&Lent { shape: Some(shape.to_vec()), ..base.clone() });
        assert!(said.contains("needs more memory than can be addressed"), "{said}");
    }
    let error = take(&Lent { version: (2, 0), ..base.clone() }, false).unwrap_err();
    assert!(error.to_string().contains("of version 2.0; taken are those of version 1"), "{error}");
    // An extent of 0 makes it empty, whatever the others are, and no address is needed.
    let none = take(&Lent { shape: Some(vec![i64::MAX, 0, 5]), data: null_mut(), ..base }, false).unwrap();
    assert_eq!((none.shape(), none.bytes().len()), (&[i64::MAX, 0, 5][..], 0));
    for legacy in [false, true] {
        // SAFETY: null is refused.
        let error = unsafe {
            if legacy { HostTensor::from_dlpack_legacy(null_mut()) } else { HostTensor::from_dlpack(null_mut()) }
        };
        assert!(error.unwrap_err().to_string().contains("a null pointer isn't a DLPack capsule"));
    }
}

#[test]
fn a_consumer_reads_and_writes_what_it_is_given() {
    for shape in [&[2, 3, 4][..], &[], &[1, 2, 3, 1, 2, 1, 1, 2], &[5, 0, 3], &[24]] {
        let mut tensor = HostTensor::zeros(DataType::Float32, shape).unwrap();
        let count = tensor.as_slice::<f32>().unwrap().len();
        tensor.as_mut_slice::<f32>().unwrap().iter_mut().zip(0..).for_each(|(x, i)| *x = i as f32);
        let capsule = tensor.into_dlpack().unwrap().as_ptr();
        // SAFETY: it was just made, and nobody else has it.
        let managed = unsafe { &*capsule };
        assert_eq!(managed.version, DLPackVersion { major: 1, minor: 1 });
        assert_eq!((managed.flags, managed.dl_tensor.byte_offset), (0, 0));
        assert_eq!(managed.dl_tensor.device, DLDevice { device_type: 1, device_id: 0 });
        assert_eq!(managed.dl_tensor.ndim as usize, shape.len());
        // SAFETY: there are so many of each, as DLPack says.
        let (extents, strides, data) = unsafe {
            (
                std::slice::from_raw_parts(managed.dl_tensor.shape, shape.len()),
                std::slice::from_raw_parts(managed.dl_tensor.strides, shape.len()),
                std::slice::from_raw_parts_mut(managed.dl_tensor.data.cast::<f32>(), count),
            )
        };
        assert_eq!(extents, shape);
        let row_major = (0..shape.len()).map(|d| shape[d + 1..].iter().map(|e| (*e).max(1)).product::<i64>());
        assert_eq!(strides, row_major.collect::<Vec<_>>(), "{shape:?}");
        assert!(count == 0 || data.as_ptr().addr().is_multiple_of(FOREIGN_ALIGNMENT));
        data.iter_mut().for_each(|x| *x = *x * 2.0 + 1.0);
        // SAFETY: nobody else has it.
        let back = unsafe { HostTensor::from_dlpack(capsule) }.unwrap();
        assert_eq!(back.shape(), shape);
        let expected: Vec<f32> = (0..count).map(|i| i as f32 * 2.0 + 1.0).collect();
        assert_eq!(back.as_slice::<f32>().unwrap(), expected);
    }
}

#[test]
fn a_capsule_can_be_given_back_by_another_thread() {
    struct Moved(std::ptr::NonNull<plugin_runtime::device::dlpack::DLManagedTensorVersioned>);
    // SAFETY: whoever has the capsule owns the tensor, which may change threads.
    unsafe impl Send for Moved {}
    let capsule = Moved(HostTensor::zeros(DataType::Int64, &[1 << 10]).unwrap().into_dlpack().unwrap());
    // SAFETY: nobody else has it.
    let give = move |capsule: Moved| unsafe { give_back(capsule.0.as_ptr()) };
    std::thread::spawn(move || give(capsule)).join().unwrap();
}

#[test]
fn a_stream_of_the_cpu_takes_no_device_tensor() {
    let mut data = memory();
    let stream = Device::cpu().create_stream().unwrap();
    let (raw, deletions) = Lent { device: (2, 0), ..lent(&mut data, &[3]) }.versioned();
    // SAFETY: it is refused before it is used.
    let error = unsafe { DeviceTensor::from_dlpack(&stream, raw) }.unwrap_err();
    assert!(error.to_string().contains("this is a stream of the CPU"), "{error}");
    assert_eq!(deletions.count(), 1);
    let (raw, deletions) = Lent { device: (2, 0), ..lent(&mut data, &[3]) }.legacy();
    // SAFETY: as above.
    unsafe { DeviceTensor::from_dlpack_legacy(&stream, raw) }.unwrap_err();
    assert_eq!(deletions.count(), 1);
}
