//! Constants whose data is in files beside the model, or beside the file that the model is a link to, and nowhere else.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use super::elements::{from_little_endian, layout};
use super::proto::{StringStringEntryProto, TensorProto};
use super::text::quoted;
use crate::error::{Error, Result};
use crate::tensor::HostTensor;

/// Reads them. No more is read in all than the files hold, so a small model can't ask for much by naming one range often.
pub(super) struct ExternalData<'p> {
    origin: Origin<'p>,
    /// The folders that data may lie in, links followed; the first is where it is looked for first.
    folders: Option<Vec<PathBuf>>,
    read: HashMap<PathBuf, u64>,
}

/// The origin of a model.
#[derive(Clone, Copy)]
pub(super) enum Origin<'p> {
    /// Memory alone: external data is refused.
    Memory,
    /// Memory, with a folder for its data.
    Folder(&'p Path),
    /// A file.
    File(&'p Path),
}

/// The location of a tensor's data.
struct Range<'t> {
    location: &'t str,
    offset: u64,
    length: Option<u64>,
}

impl<'p> ExternalData<'p> {
    pub(super) fn new(origin: Origin<'p>) -> Self {
        ExternalData { origin, folders: None, read: HashMap::new() }
    }

    pub(super) fn read(&mut self, tensor: &TensorProto) -> Result<HostTensor> {
        let (dtype, bytes) = layout(tensor)?;
        let range = Range::new(&tensor.external_data)?;
        if let Some(length) = range.length.filter(|&length| length != bytes) {
            return Err(Error::invalid(format_args!(
                "{dtype} {:?} takes {bytes} bytes, but its external data has a length of {length}",
                tensor.dims
            )));
        }
        let path = self.resolved(range.location)?;
        let failed = |what: &str, e: io::Error| {
            Error::invalid(format_args!("can't {what} the external data file {}: {e}", quoted(range.location)))
        };
        let regular = std::fs::metadata(&path).map_err(|e| failed("read", e))?.is_file();
        if !regular {
            return Err(Error::invalid(format_args!("external data {} isn't a file", quoted(range.location))));
        }
        let mut file = File::open(&path).map_err(|e| failed("open", e))?;
        let size = file.metadata().map_err(|e| failed("read", e))?.len();
        if range.offset.checked_add(bytes).is_none_or(|end| end > size) {
            return Err(Error::invalid(format_args!(
                "its external data is {bytes} bytes from offset {}, but the file {} has {size}",
                range.offset,
                quoted(range.location)
            )));
        }
        let read = self.read.entry(path).or_default();
        *read = read.saturating_add(bytes);
        if *read > size {
            return Err(Error::invalid(format_args!(
                "its external data overlaps that of other tensors: more is asked for than the {size} bytes that the file {} has",
                quoted(range.location)
            )));
        }
        let mut value = HostTensor::zeros(dtype, &tensor.dims)?;
        file.seek(SeekFrom::Start(range.offset)).map_err(|e| failed("read", e))?;
        file.read_exact(value.bytes_mut()).map_err(|e| failed("read", e))?;
        Ok(from_little_endian(value))
    }

    /// The file, which lies in one of the folders whatever links there are.
    fn resolved(&mut self, location: &str) -> Result<PathBuf> {
        let inside = |component: Component<'_>| matches!(component, Component::Normal(_) | Component::CurDir);
        let is_below = !location.is_empty() && Path::new(location).components().all(inside);
        if !is_below && !matches!(self.origin, Origin::Memory) {
            return Err(Error::invalid(format_args!(
                "external data {} has to be a path below the model's folder, without `..`",
                quoted(location)
            )));
        }
        let failed =
            |e: io::Error| Error::invalid(format_args!("can't find the external data file {}: {e}", quoted(location)));
        let folders = match &self.folders {
            Some(folders) => folders,
            None => self.folders.insert(self.origin.folders().map_err(failed)?),
        };
        let mut missing = None;
        for folder in folders {
            match folder.join(location).canonicalize() {
                Ok(path) if folders.iter().any(|folder| path.starts_with(folder)) => return Ok(path),
                Ok(path) => {
                    return Err(Error::invalid(format_args!(
                        "external data {} leads out of the model's folder by a link, to {}: put the file itself there",
                        quoted(location),
                        quoted(&path.to_string_lossy())
                    )));
                }
                Err(e) => missing = missing.or(Some(e)),
            }
        }
        match missing {
            Some(e) => Err(failed(e)),
            None => Err(Error::invalid(
                "its data is in another file, and the model wasn't read from a folder: use Network::from_onnx, or name the folder",
            )),
        }
    }
}

impl Origin<'_> {
    /// The folders that data may lie in, links followed. A model that is a link has two: where the link stands, and where
    /// the model itself does.
    fn folders(self) -> io::Result<Vec<PathBuf>> {
        let path = match self {
            Origin::Memory => return Ok(Vec::new()),
            Origin::Folder(folder) => return Ok(vec![folder.canonicalize()?]),
            Origin::File(path) => path,
        };
        let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let mut folders = vec![folder.canonicalize()?];
        if let Some(own) = path.canonicalize()?.parent().filter(|own| *own != folders[0]) {
            folders.push(own.to_owned());
        }
        Ok(folders)
    }
}

impl<'t> Range<'t> {
    fn new(entries: &'t [StringStringEntryProto]) -> Result<Self> {
        let value = |key: &str| -> Result<Option<&'t str>> {
            let mut values = entries.iter().filter(|e| e.key == key).map(|e| e.value.as_str());
            match (values.next(), values.next()) {
                (_, Some(_)) => Err(Error::invalid(format_args!("its external data has two entries `{key}`"))),
                (value, None) => Ok(value),
            }
        };
        let number = |key: &str| -> Result<Option<u64>> {
            let parsed = |text: &str| {
                text.parse().map_err(|_| {
                    Error::invalid(format_args!(
                        "the {key} of its external data is {}; a number of bytes is expected",
                        quoted(text)
                    ))
                })
            };
            value(key)?.map(parsed).transpose()
        };
        let location = value("location")?;
        Ok(Range {
            location: location.ok_or_else(|| Error::invalid("its external data has no entry `location`"))?,
            offset: number("offset")?.unwrap_or(0),
            length: number("length")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(pairs: &[(&str, &str)]) -> Vec<StringStringEntryProto> {
        pairs.iter().map(|(key, value)| StringStringEntryProto { key: (*key).into(), value: (*value).into() }).collect()
    }

    #[test]
    fn only_paths_below_the_folder_are_taken() {
        let folder = std::env::temp_dir();
        let mut data = ExternalData::new(Origin::Folder(&folder));
        for outside in ["", "/etc/passwd", "../x", "a/../../x", "a/..", "./../x"] {
            let message = data.resolved(outside).unwrap_err().to_string();
            assert!(message.contains("below the model's folder"), "{outside}: {message}");
        }
        let missing = data.resolved("no such\nfile\0").unwrap_err().to_string();
        assert!(missing.starts_with(r#"can't find the external data file "no such\nfile\0""#), "{missing}");
        assert!(ExternalData::new(Origin::Memory).resolved("x").unwrap_err().to_string().contains("from_onnx"));
    }

    #[test]
    fn ranges_are_numbers_given_once() {
        let range = entries(&[("location", "w"), ("offset", "4096"), ("length", "12"), ("checksum", "ab")]);
        let range = Range::new(&range).unwrap();
        assert_eq!((range.location, range.offset, range.length), ("w", 4096, Some(12)));
        for (pairs, expected) in [
            (&[("offset", "0")][..], "`location`"),
            (&[("location", "w"), ("location", "v")], "two entries `location`"),
            (&[("location", "w"), ("offset", "-1")], "offset"),
            (&[("location", "w"), ("length", "1e3")], "length"),
            (&[("location", "w"), ("length", "18446744073709551616")], "length"),
        ] {
            let message = Range::new(&entries(pairs)).err().unwrap().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
