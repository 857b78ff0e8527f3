//! Arrays in numpy's `.npy` files, versions 1.0 to 3.0.

mod header;

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use half::f16;
use plugin_runtime::tensor::{DataType, HostTensor};
use plugin_runtime::whole_file;

use super::failure::{Failure, Result};
use header::Header;
pub(super) use header::numpy_name;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Reads a little-endian array in C order, of a type that tensors have. No more memory is taken than the file has bytes,
/// whatever its header says.
///
/// # Errors
/// When the file can't be read, isn't such an array, or is shorter or longer than its header says.
pub(super) fn read(path: &Path) -> Result<HostTensor> {
    let failed = |why: String| Failure::work(format_args!("can't read {}: {why}", path.display()));
    let file = File::open(path).map_err(|e| failed(e.to_string()))?;
    let metadata = file.metadata().map_err(|e| failed(e.to_string()))?;
    if metadata.is_dir() {
        return Err(failed("it is a directory, not an .npy file".into()));
    }
    let size = metadata.is_file().then_some(metadata.len());
    decode(file, size).map_err(failed)
}

/// Writes an array, whole or not at all.
///
/// # Errors
/// When it can't be written, or has a type that numpy lacks.
pub(super) fn write(path: &Path, tensor: &HostTensor) -> Result<()> {
    let failed = |why: String| Failure::work(format_args!("can't write {}: {why}", path.display()));
    let bytes = prefix(tensor).map_err(failed)?;
    write_whole(path, |out| {
        out.write_all(&bytes)?;
        write_elements(out, tensor)
    })
    .map_err(|e| failed(e.to_string()))
}

fn decode(mut source: impl Read, size: Option<u64>) -> std::result::Result<HostTensor, String> {
    let mut start = [0; 8];
    read_exactly(&mut source, &mut start, "an .npy file's first 8 bytes")?;
    let [magic @ .., major, minor] = start;
    if magic != *MAGIC {
        return Err("it isn't an .npy file: it doesn't begin with \\x93NUMPY".into());
    }
    // numpy reads no minor version but 0.
    let (length, length_bytes) = match (major, minor) {
        (1, 0) => {
            let mut length = [0; 2];
            read_exactly(&mut source, &mut length, "the header's length")?;
            (u32::from(u16::from_le_bytes(length)), 2)
        }
        (2 | 3, 0) => {
            let mut length = [0; 4];
            read_exactly(&mut source, &mut length, "the header's length")?;
            (u32::from_le_bytes(length), 4)
        }
        _ => return Err(format!("it is of .npy version {major}.{minor}; expected 1.0, 2.0 or 3.0")),
    };
    let mut text = Vec::new();
    source.by_ref().take(length.into()).read_to_end(&mut text).map_err(|e| e.to_string())?;
    if text.len() as u64 != u64::from(length) {
        return Err(format!("it is truncated: its header should have {length} bytes, got {}", text.len()));
    }
    let header = Header::parse(&text)?;
    let shown = describe(&header);
    let expected = header.data_bytes().ok_or_else(|| format!("{shown} is more data than any file can hold"))?;
    let mismatch = |got: u64| {
        let kind = if got < expected { "it is truncated" } else { "it goes on after its data" };
        format!("{kind}: {shown} takes {expected} bytes, got {got}")
    };
    if let Some(size) = size {
        let data = size.saturating_sub(start.len() as u64 + length_bytes + u64::from(length));
        if data != expected {
            return Err(mismatch(data));
        }
    }
    let mut bytes = Vec::new();
    source.take(expected.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 != expected {
        return Err(mismatch(bytes.len() as u64));
    }
    tensor(&header, &bytes)
}

fn read_exactly(source: &mut impl Read, buffer: &mut [u8], what: &str) -> std::result::Result<(), String> {
    source.read_exact(buffer).map_err(|e| match e.kind() {
        io::ErrorKind::UnexpectedEof => format!("it is truncated: it ends within {what}"),
        _ => e.to_string(),
    })
}

fn describe(header: &Header) -> String {
    format!("{} {:?}", header.dtype, header.dims)
}

fn tensor(header: &Header, bytes: &[u8]) -> std::result::Result<HostTensor, String> {
    let dims = &header.dims;
    match header.dtype {
        DataType::Float32 => HostTensor::from_slice(&elements(bytes, f32::from_le_bytes), dims),
        DataType::Float16 => HostTensor::from_slice(&elements(bytes, f16::from_le_bytes), dims),
        DataType::Int32 => HostTensor::from_slice(&elements(bytes, i32::from_le_bytes), dims),
        DataType::Int64 => HostTensor::from_slice(&elements(bytes, i64::from_le_bytes), dims),
        DataType::Bool => {
            if let Some(at) = bytes.iter().position(|byte| *byte > 1) {
                return Err(format!("its boolean {at} is {}; expected 0 or 1", bytes[at]));
            }
            HostTensor::from_bytes(DataType::Bool, bytes, dims)
        }
        dtype @ (DataType::Int8 | DataType::UInt8) => HostTensor::from_bytes(dtype, bytes, dims),
        other => return Err(format!("{other} arrays can't be read")),
    }
    .map_err(|e| e.to_string())
}

fn elements<T, const N: usize>(bytes: &[u8], from_bytes: fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|&chunk| from_bytes(chunk)).collect()
}

/// Everything before the data.
fn prefix(tensor: &HostTensor) -> std::result::Result<Vec<u8>, String> {
    let header = Header { dtype: tensor.dtype(), dims: tensor.shape().to_vec() };
    let mut text = header.text().ok_or_else(|| format!("{} arrays can't be written as .npy", header.dtype))?;
    let unpadded = MAGIC.len() + 4 + text.len() + 1;
    text.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(64) - unpadded));
    text.push('\n');
    let length = u16::try_from(text.len()).map_err(|_| "its shape takes too much room".to_owned())?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend(length.to_le_bytes());
    bytes.extend(text.into_bytes());
    Ok(bytes)
}

fn write_elements(out: &mut dyn Write, tensor: &HostTensor) -> io::Result<()> {
    macro_rules! write_as {
        ($rust:ty) => {
            tensor
                .as_slice::<$rust>()
                .map_err(io::Error::other)?
                .iter()
                .try_for_each(|value| out.write_all(&value.to_le_bytes()))
        };
    }
    match tensor.dtype() {
        DataType::Float32 => write_as!(f32),
        DataType::Float16 => write_as!(f16),
        DataType::Int32 => write_as!(i32),
        DataType::Int64 => write_as!(i64),
        DataType::Int8 | DataType::UInt8 | DataType::Bool => out.write_all(tensor.bytes()),
        other => Err(io::Error::other(format!("{other} arrays can't be written as .npy"))),
    }
}

/// Writes a file whole or not at all. What isn't a file, such as a pipe, is written to directly.
pub(super) fn write_whole(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(present) if present.is_dir() => Err(io::Error::from(io::ErrorKind::IsADirectory)),
        Ok(present) if !present.is_file() => {
            let mut out = BufWriter::new(File::options().write(true).open(path)?);
            content(&mut out)?;
            out.flush()
        }
        _ => whole_file::write(path, content),
    }
}

#[cfg(test)]
mod tests;
