//! The container of every engine file: a header, a table of sections, and the sections.
//!
//! All numbers are little-endian. Offsets count from the start of the file.
//!
//! | header      |                                           |
//! |-------------|-------------------------------------------|
//! | bytes 0-7   | [`MAGIC`]                                 |
//! | bytes 8-11  | [`FORMAT_VERSION`]                        |
//! | bytes 12-15 | number of sections                        |
//! | bytes 16-23 | length of the file                        |
//! | bytes 24-27 | CRC-32 of the table                       |
//! | bytes 28-59 | 0                                         |
//! | bytes 60-63 | CRC-32 of bytes 0-59                      |
//!
//! | entry of the table |                                    |
//! |--------------------|------------------------------------|
//! | bytes 0-3          | kind, see [`SectionKind`]          |
//! | bytes 4-7          | CRC-32 of the section              |
//! | bytes 8-15         | offset                             |
//! | bytes 16-23        | length                             |
//! | bytes 24-31        | 0                                  |
//!
//! The table follows the header. Each section starts at the next multiple of [`ALIGNMENT`] after what is before it, the
//! gaps hold zeros, and the file ends with its last section.

use std::io::{self, Write};
use std::ops::Range;

use crate::tensor::HostBytes;

/// The first bytes of a file. Some are bytes that text modes change, so that such damage shows.
pub(super) const MAGIC: [u8; 8] = *b"\x89PLAN\r\n\x1a";
/// The format version that is read and written here.
pub(super) const FORMAT_VERSION: u32 = 2;
/// Alignment of sections, so that a constant can be used where it lies.
pub(super) const ALIGNMENT: u64 = HostBytes::ALIGNMENT as u64;

const HEADER: usize = 64;
const HEADER_CHECKSUM: usize = 60;
const ENTRY: usize = 32;

/// The kind of a section. New kinds take the next number; a version refuses those that it doesn't know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SectionKind {
    /// An [`EngineRecord`](super::records::EngineRecord); the first section, and no other.
    Graph = 1,
    /// The elements of one constant, row-major, in the order of the graph's constants.
    Constant = 2,
    /// Compiled kernels for one architecture, or PTX, in the order of the graph's images; after the constants.
    Image = 3,
}

impl SectionKind {
    fn from_number(number: u32) -> Option<Self> {
        [SectionKind::Graph, SectionKind::Constant, SectionKind::Image].into_iter().find(|kind| *kind as u32 == number)
    }
}

/// A section to write.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) kind: SectionKind,
    pub(super) checksum: u32,
    pub(super) bytes: &'a [u8],
}

/// A section of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Section {
    pub(super) kind: SectionKind,
    pub(super) checksum: u32,
    pub(super) range: Range<usize>,
}

/// Writes a whole file.
pub(super) fn write(parts: &[Part<'_>], out: &mut dyn Write) -> io::Result<()> {
    let sizes: Vec<_> = parts.iter().map(|p| (p.kind, p.checksum, p.bytes.len() as u64)).collect();
    let (head, offsets) = head(&sizes)?;
    out.write_all(&head)?;
    let mut end = head.len() as u64;
    for (part, offset) in parts.iter().zip(offsets) {
        let gap = usize::try_from(offset - end).map_err(|_| too_large())?;
        out.write_all(&[0; ALIGNMENT as usize][..gap])?;
        out.write_all(part.bytes)?;
        end = offset + part.bytes.len() as u64;
    }
    Ok(())
}

/// How many bytes [`write()`] writes at most.
pub(super) fn len(parts: &[Part<'_>]) -> usize {
    let sections = parts.iter().map(|part| ENTRY + ALIGNMENT as usize + part.bytes.len());
    sections.fold(HEADER, usize::saturating_add)
}

/// Header and table of sections of these kinds, checksums and lengths, and where each begins.
pub(super) fn head(sections: &[(SectionKind, u32, u64)]) -> io::Result<(Vec<u8>, Vec<u64>)> {
    let mut end = (HEADER + ENTRY * sections.len()) as u64;
    let mut table = Vec::with_capacity(ENTRY * sections.len());
    let mut offsets = Vec::with_capacity(sections.len());
    for &(kind, checksum, len) in sections {
        let offset = end.checked_next_multiple_of(ALIGNMENT).ok_or_else(too_large)?;
        end = offset.checked_add(len).ok_or_else(too_large)?;
        offsets.push(offset);
        table.extend((kind as u32).to_le_bytes());
        table.extend(checksum.to_le_bytes());
        table.extend(offset.to_le_bytes());
        table.extend(len.to_le_bytes());
        table.extend([0; 8]);
    }
    let mut head = Vec::with_capacity(HEADER + table.len());
    head.extend(MAGIC);
    head.extend(FORMAT_VERSION.to_le_bytes());
    head.extend(u32::try_from(sections.len()).map_err(|_| too_large())?.to_le_bytes());
    head.extend(end.to_le_bytes());
    head.extend(crc32fast::hash(&table).to_le_bytes());
    head.resize(HEADER_CHECKSUM, 0);
    head.extend(crc32fast::hash(&head).to_le_bytes());
    head.extend(table);
    Ok((head, offsets))
}

fn too_large() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "its sections are too large for a file")
}

/// The sections of a file: they lie one after another within it. Their checksums aren't compared here.
pub(super) fn parse(file: &[u8]) -> Result<Vec<Section>, String> {
    let magic = &file[..file.len().min(MAGIC.len())];
    if magic != MAGIC {
        return Err(format!(
            "it isn't an engine file: it begins with \"{}\", not \"{}\"",
            magic.escape_ascii(),
            MAGIC.escape_ascii()
        ));
    }
    let version = number::<4>(file, 8).map(u32::from_le_bytes).ok_or_else(|| truncated(file.len(), HEADER as u64))?;
    if version != FORMAT_VERSION {
        return Err(format!(
            "it has format version {version}, but this program reads version {FORMAT_VERSION}: save the engine again \
             with the version of this program"
        ));
    }
    let header = file.get(..HEADER).ok_or_else(|| truncated(file.len(), HEADER as u64))?;
    compare("header", crc32fast::hash(&header[..HEADER_CHECKSUM]), u32_at(header, HEADER_CHECKSUM)?)?;
    let (count, len) = (u32_at(header, 12)?, u64_at(header, 16)?);
    if len != file.len() as u64 {
        return Err(truncated(file.len(), len));
    }
    let table = usize::try_from(count).ok().and_then(|count| count.checked_mul(ENTRY));
    let table = table.and_then(|bytes| file.get(HEADER..)?.get(..bytes));
    let table = table.ok_or_else(|| format!("its {len} bytes can't hold the table of its {count} sections"))?;
    compare("table of sections", crc32fast::hash(table), u32_at(header, 24)?)?;
    sections(table, len)
}

fn sections(table: &[u8], file_len: u64) -> Result<Vec<Section>, String> {
    let mut sections = Vec::with_capacity(table.len() / ENTRY);
    let mut end = (HEADER + table.len()) as u64;
    for (position, entry) in table.chunks_exact(ENTRY).enumerate() {
        let kind = u32_at(entry, 0)?;
        let kind = SectionKind::from_number(kind)
            .ok_or_else(|| format!("section {position} is of kind {kind}, which this program doesn't know"))?;
        let (offset, len) = (u64_at(entry, 8)?, u64_at(entry, 16)?);
        let expected = end.checked_next_multiple_of(ALIGNMENT);
        let range = offset.checked_add(len).filter(|&end| expected == Some(offset) && end <= file_len);
        let range = range.and_then(|end| Some(usize::try_from(offset).ok()?..usize::try_from(end).ok()?));
        let Some(range) = range else {
            return Err(format!(
                "section {position} can't lie at {len} bytes from {offset} in a file of {file_len}: what is before it \
                 ends at {end}"
            ));
        };
        end = offset + len;
        sections.push(Section { kind, checksum: u32_at(entry, 4)?, range });
    }
    if end != file_len {
        return Err(format!("its last section ends at {end}, but the file at {file_len}"));
    }
    Ok(sections)
}

/// Compares a section with its checksum.
pub(super) fn compare(what: &str, found: u32, expected: u32) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("its {what} is damaged: the checksum is {found:08x}, but {expected:08x} was saved"))
}

fn truncated(len: usize, expected: u64) -> String {
    let cut = if (len as u64) < expected { "it is cut short" } else { "something was added to it" };
    format!("{cut}: it has {len} bytes, but should have {expected}")
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, String> {
    number(bytes, at).map(u32::from_le_bytes).ok_or_else(|| format!("it ends before byte {at} of a header"))
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, String> {
    number(bytes, at).map(u64::from_le_bytes).ok_or_else(|| format!("it ends before byte {at} of a header"))
}
