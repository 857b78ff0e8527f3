//! Reads kernels and their parameters from a cubin, an ELF file with NVIDIA's own sections.

use super::super::Architecture;

const ELF64_LITTLE_ENDIAN: [u8; 6] = *b"\x7fELF\x02\x01";
const MACHINE_CUDA: u16 = 190;
const HEADER_BYTES: usize = 64;
const SECTION_HEADER_BYTES: usize = 64;
const SEGMENT_HEADER_BYTES: usize = 56;
const SYMBOL_BYTES: usize = 24;
/// No name that matters is longer; damaged ones end here.
const MAX_NAME_BYTES: usize = 1 << 12;
const SECTION_SYMBOLS: u32 = 2;
const SYMBOL_FUNCTION: u8 = 2;
/// Takes no place in the file.
const SECTION_NO_BITS: u32 = 8;
/// From here on, processors' own kinds.
const SECTION_OF_PROCESSOR: u32 = 0x7000_0000;
/// Set in `st_other` for kernels, not for functions that kernels call.
const SYMBOL_IS_KERNEL: u8 = 0x10;

/// Attributes in `.nv.info.<kernel>`.
mod attribute {
    /// How a record's value is stored: in a payload that follows, rather than within the record.
    pub(super) const IN_PAYLOAD: u8 = 4;
    /// A parameter: ordinal at byte 4, offset at 6, size in the upper 14 bits of the word at 8.
    pub(super) const PARAMETER: u8 = 0x17;
    /// The bytes of all parameters.
    pub(super) const PARAMETERS_BYTES: u8 = 0x19;
    /// A parameter of a kernel with more than 4 KiB of them: size in the lower 16 bits of the word at 8.
    pub(super) const LARGE_PARAMETER: u8 = 0x45;
}

#[derive(Clone, Copy)]
pub(super) struct Cubin<'a> {
    bytes: &'a [u8],
    /// All section headers.
    sections: &'a [u8],
    /// The names of the sections.
    names: &'a [u8],
}

#[derive(Clone, Copy)]
struct Section<'a> {
    name: &'a [u8],
    kind: u32,
    /// The section that this one's names are in, for symbols.
    link: usize,
    /// Nothing where the file doesn't hold them.
    bytes: &'a [u8],
    /// Whether the file holds all that it has to.
    is_whole: bool,
}

impl<'a> Cubin<'a> {
    /// Nothing, where it is none or is damaged.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Cubin<'a>> {
        let header = bytes.get(..HEADER_BYTES)?;
        let sections_at = usize::try_from(u64_at(header, 40)?).ok()?;
        let (entry_bytes, count, names_at) = (u16_at(header, 58)?, u16_at(header, 60)?, u16_at(header, 62)?);
        if !header.starts_with(&ELF64_LITTLE_ENDIAN)
            || u16_at(header, 18)? != MACHINE_CUDA
            || usize::from(entry_bytes) != SECTION_HEADER_BYTES
        {
            return None;
        }
        let sections = bytes.get(sections_at..)?.get(..usize::from(count) * SECTION_HEADER_BYTES)?;
        let cubin = Cubin { bytes, sections, names: &[] };
        let names = cubin.section(usize::from(names_at))?.bytes;
        let cubin = Cubin { names, ..cubin };
        (cubin.segments_are_whole()? && cubin.sections().all(|section| section.is_whole)).then_some(cubin)
    }

    /// Whether what is loaded lies within the file, since the driver isn't told where that ends.
    fn segments_are_whole(&self) -> Option<bool> {
        let at = usize::try_from(u64_at(self.bytes, 32)?).ok()?;
        let (entry_bytes, count) = (usize::from(u16_at(self.bytes, 54)?), usize::from(u16_at(self.bytes, 56)?));
        if count == 0 {
            return Some(true);
        }
        let headers = self.bytes.get(at..)?.get(..entry_bytes * count)?;
        let is_whole = |header: &[u8]| {
            let end = u64_at(header, 8)?.checked_add(u64_at(header, 32)?)?;
            Some(end <= self.bytes.len() as u64)
        };
        Some(entry_bytes >= SEGMENT_HEADER_BYTES && headers.chunks(entry_bytes).all(|h| is_whole(h) == Some(true)))
    }

    pub(super) fn architecture(&self) -> Option<Architecture> {
        let (abi, flags) = (*self.bytes.get(8)?, u32_at(self.bytes, 48)?);
        // CUDA 12 and older wrote version 7, with the number in the lowest byte.
        let number = if abi <= 7 { flags & 0xFF } else { flags >> 8 & 0xFF };
        (number != 0).then(|| Architecture::from_number(number))
    }

    pub(super) fn kernel_names(&self) -> Vec<&'a str> {
        let symbols = self.sections().find(|section| section.kind == SECTION_SYMBOLS);
        let strings = symbols.and_then(|symbols| self.section(symbols.link));
        let (Some(symbols), Some(strings)) = (symbols, strings) else { return Vec::new() };
        let is_kernel = |symbol: &&[u8]| symbol[4] & 0xF == SYMBOL_FUNCTION && symbol[5] & SYMBOL_IS_KERNEL != 0;
        let name_of = |symbol| str::from_utf8(string_at(strings.bytes, u32_at(symbol, 0)?)?).ok();
        symbols.bytes.chunks_exact(SYMBOL_BYTES).filter(is_kernel).filter_map(name_of).collect()
    }

    pub(super) fn parameters(&self, kernel: &str) -> Option<Vec<usize>> {
        let is_info = |name: &[u8]| name.strip_prefix(b".nv.info.") == Some(kernel.as_bytes());
        let mut rest = self.sections().find(|section| is_info(section.name))?.bytes;
        let mut parameters: Vec<(u16, usize)> = Vec::new();
        let mut total = 0;
        while !rest.is_empty() {
            let (format, attribute, value) = (rest[0], *rest.get(1)?, u16_at(rest, 2)?);
            rest = rest.get(4..)?;
            let mut payload: &[u8] = &[];
            if format == attribute::IN_PAYLOAD {
                (payload, rest) = rest.split_at_checked(usize::from(value))?;
            }
            let bytes = match attribute {
                attribute::PARAMETER => u32_at(payload, 8)? >> 18,
                attribute::LARGE_PARAMETER => u32_at(payload, 8)? & 0xFFFF,
                attribute::PARAMETERS_BYTES => {
                    total = usize::from(value);
                    continue;
                }
                _ => continue,
            };
            parameters.push((u16_at(payload, 4)?, usize::try_from(bytes).ok()?));
        }
        parameters.sort_unstable();
        let in_order = parameters.iter().enumerate().all(|(at, &(ordinal, _))| usize::from(ordinal) == at);
        let bytes: usize = parameters.iter().map(|parameter| parameter.1).sum();
        // The total counts the gaps between parameters too.
        (in_order && bytes <= total && (total == 0) == (bytes == 0))
            .then(|| parameters.into_iter().map(|parameter| parameter.1).collect())
    }

    fn sections(self) -> impl Iterator<Item = Section<'a>> {
        (0..self.sections.len() / SECTION_HEADER_BYTES).map_while(move |at| self.section(at))
    }

    fn section(&self, index: usize) -> Option<Section<'a>> {
        let header = self.sections.chunks_exact(SECTION_HEADER_BYTES).nth(index)?;
        let at = usize::try_from(u64_at(header, 24)?).ok()?;
        let size = usize::try_from(u64_at(header, 32)?).ok()?;
        let (name, kind) = (string_at(self.names, u32_at(header, 0)?).unwrap_or_default(), u32_at(header, 4)?);
        let bytes = self.bytes.get(at..).and_then(|bytes| bytes.get(..size));
        // Memory that starts as anything has a size, but nothing in the file.
        let is_memory = name == b".nv.global" || name.starts_with(b".nv.shared") || name.starts_with(b".nv.local");
        let may_be_absent = kind == SECTION_NO_BITS || kind >= SECTION_OF_PROCESSOR && is_memory;
        Some(Section {
            name,
            kind,
            link: usize::try_from(u32_at(header, 40)?).ok()?,
            bytes: bytes.unwrap_or_default(),
            is_whole: bytes.is_some() || may_be_absent,
        })
    }
}

fn string_at(strings: &[u8], at: u32) -> Option<&[u8]> {
    let string = strings.get(usize::try_from(at).ok()?..)?;
    string.iter().take(MAX_NAME_BYTES).position(|&byte| byte == 0).map(|end| &string[..end])
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array_at(bytes, at).map(u64::from_le_bytes)
}
