use super::*;

fn file(version: u8, dict: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend([version, 0]);
    match version {
        1 => bytes.extend(u16::try_from(dict.len()).unwrap().to_le_bytes()),
        _ => bytes.extend(u32::try_from(dict.len()).unwrap().to_le_bytes()),
    }
    bytes.extend(dict.bytes());
    bytes.extend(data);
    bytes
}

fn decode_bytes(bytes: &[u8]) -> std::result::Result<HostTensor, String> {
    let from_file = decode(bytes, Some(bytes.len() as u64));
    let from_pipe = decode(bytes, None);
    assert_eq!(from_file.as_ref().err().is_some(), from_pipe.as_ref().err().is_some());
    from_file
}

const DICT: &str = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n";

#[test]
fn reads_every_version() {
    let data = [1.5f32.to_le_bytes(), (-2.0f32).to_le_bytes()].concat();
    for version in [1, 2, 3] {
        let tensor = decode_bytes(&file(version, DICT, &data)).unwrap();
        assert_eq!(tensor.shape(), [2, 1]);
        assert_eq!(tensor.as_slice::<f32>().unwrap(), [1.5, -2.0]);
    }
    for (major, minor) in [(0, 0), (4, 0), (1, 1), (2, 1), (3, 255)] {
        let mut other = file(major, DICT, &data);
        other[7] = minor;
        let error = decode_bytes(&other).unwrap_err();
        assert!(error.contains(&format!("version {major}.{minor}; expected 1.0, 2.0 or 3.0")), "{error}");
    }
}

#[test]
fn a_file_cut_anywhere_or_with_more_is_refused() {
    let whole = file(1, DICT, &[0; 8]);
    for length in 0..whole.len() {
        let error = decode_bytes(&whole[..length]).unwrap_err();
        assert!(error.contains("truncated"), "{length}: {error}");
    }
    let longer = [whole.as_slice(), &[0]].concat();
    assert!(decode_bytes(&longer).unwrap_err().contains("takes 8 bytes, got 9"));
    assert!(decode_bytes(b"PK\x03\x04 not an array").unwrap_err().contains("isn't an .npy file"));
}

#[test]
fn a_header_that_lies_costs_no_memory() {
    let huge = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }";
    assert!(decode_bytes(&file(1, huge, &[0; 4])).unwrap_err().contains("takes 4000000000000 bytes, got 4"));
    let larger = "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9), }";
    assert!(decode_bytes(&file(1, larger, &[])).unwrap_err().contains("more data than any file"));
    let mut long_header = file(2, DICT, &[]);
    long_header[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(decode_bytes(&long_header).unwrap_err().contains("should have 4294967295 bytes"));
}

#[test]
fn what_is_written_is_read_back_aligned() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("array.npy");
    let tensors = [
        HostTensor::from_slice(&[7.25f32], &[]).unwrap(),
        HostTensor::from_slice::<f16>(&[], &[0, 3]).unwrap(),
        HostTensor::from_slice(&[i32::MIN, -1, 0, 1, 2, i32::MAX], &[3, 2]).unwrap(),
        HostTensor::from_slice(&[i64::MIN, i64::MAX], &[2]).unwrap(),
        HostTensor::from_slice(&[i8::MIN, -1, i8::MAX], &[3]).unwrap(),
        HostTensor::from_slice(&[0u8, 255], &[1, 2]).unwrap(),
        HostTensor::from_bytes(DataType::Bool, &[1, 0, 1], &[3]).unwrap(),
    ];
    for tensor in tensors {
        write(&path, &tensor).unwrap();
        let start = prefix(&tensor).unwrap();
        assert_eq!(start.len() % 64, 0);
        assert!(fs::read(&path).unwrap().starts_with(&start));
        let back = read(&path).unwrap();
        assert_eq!((back.shape(), back.dtype()), (tensor.shape(), tensor.dtype()));
        let bytes = |t: &HostTensor| {
            let mut bytes = Vec::new();
            write_elements(&mut bytes, t).unwrap();
            bytes
        };
        assert_eq!(bytes(&back), bytes(&tensor));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary file was left");
}

#[test]
fn what_numpy_cannot_hold_is_refused() {
    let boolean = file(1, "{'descr': '|b1', 'fortran_order': False, 'shape': (2, 1), }\n", &[1, 2]);
    assert!(decode_bytes(&boolean).unwrap_err().contains("boolean 1 is 2"));
    let tensor = HostTensor::zeros(DataType::BFloat16, &[2]).unwrap();
    let error = write(Path::new("nowhere.npy"), &tensor).unwrap_err().to_string();
    assert!(error.contains("BF16 arrays can't be written"), "{error}");
}

#[test]
fn a_failed_write_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept");
    fs::write(&path, "before").unwrap();
    let result = write_whole(&path, |out| {
        out.write_all(b"half of it")?;
        Err(io::Error::other("no more"))
    });
    assert_eq!(result.unwrap_err().to_string(), "no more");
    assert_eq!(fs::read(&path).unwrap(), b"before");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    assert!(write_whole(folder.path(), |_| Ok(())).is_err());
    let tensor = HostTensor::from_slice(&[1.0f32], &[1]).unwrap();
    let error = write(&folder.path().join("nowhere/x.npy"), &tensor).unwrap_err().to_string();
    assert!(error.starts_with("can't write") && error.contains("nowhere/x.npy"), "{error}");
}
