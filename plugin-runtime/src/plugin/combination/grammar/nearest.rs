//! The nearest name in the vocabulary to one that isn't in it.

use super::Vocabulary;
use crate::tensor::{DataType, Format};

/// Names by which other languages and frameworks know our types and layouts.
const TYPE_SYNONYMS: [(&str, DataType); 23] = [
    ("F32", DataType::Float32),
    ("FLOAT", DataType::Float32),
    ("FLOAT32", DataType::Float32),
    ("F16", DataType::Float16),
    ("HALF", DataType::Float16),
    ("FLOAT16", DataType::Float16),
    ("BFLOAT16", DataType::BFloat16),
    ("F8", DataType::Float8),
    ("FLOAT8", DataType::Float8),
    ("E4M3", DataType::Float8),
    ("I64", DataType::Int64),
    ("LONG", DataType::Int64),
    ("I32", DataType::Int32),
    ("INT", DataType::Int32),
    ("I8", DataType::Int8),
    ("CHAR", DataType::Int8),
    ("S8", DataType::Int8),
    ("U8", DataType::UInt8),
    ("BYTE", DataType::UInt8),
    ("UCHAR", DataType::UInt8),
    ("I4", DataType::Int4),
    ("S4", DataType::Int4),
    ("BOOLEAN", DataType::Bool),
];
const LAYOUT_SYNONYMS: [(&str, Format); 6] = [
    ("CHW", Format::Linear),
    ("NCHW", Format::Linear),
    ("NCDHW", Format::Linear),
    ("ROW_MAJOR", Format::Linear),
    ("NHWC", Format::Hwc),
    ("NDHWC", Format::Dhwc),
];

/// Names longer than this aren't compared.
const LONGEST: usize = 15;
/// More edits than this, and the name is no misspelling.
const MOST_EDITS: usize = 2;

/// The nearest name of the vocabulary, where one is near.
pub(super) const fn nearest(name: &str, vocabulary: Vocabulary) -> Option<&'static str> {
    match vocabulary {
        Vocabulary::Types => nearest_type(name),
        Vocabulary::Layouts => nearest_layout(name),
    }
}

const fn nearest_type(name: &str) -> Option<&'static str> {
    let mut i = 0;
    while i < TYPE_SYNONYMS.len() {
        if name.eq_ignore_ascii_case(TYPE_SYNONYMS[i].0) {
            return Some(TYPE_SYNONYMS[i].1.name());
        }
        i += 1;
    }
    let mut best = (MOST_EDITS + 1, None);
    let mut i = 0;
    while i < DataType::ALL.len() {
        best = closer(best, name, DataType::ALL[i].name());
        i += 1;
    }
    best.1
}

const fn nearest_layout(name: &str) -> Option<&'static str> {
    let mut i = 0;
    while i < LAYOUT_SYNONYMS.len() {
        if name.eq_ignore_ascii_case(LAYOUT_SYNONYMS[i].0) {
            return Some(LAYOUT_SYNONYMS[i].1.name());
        }
        i += 1;
    }
    let mut best = (MOST_EDITS + 1, None);
    let mut i = 0;
    while i < Format::ALL.len() {
        best = closer(best, name, Format::ALL[i].name());
        i += 1;
    }
    best.1
}

type Best = (usize, Option<&'static str>);

const fn closer(best: Best, name: &str, candidate: &'static str) -> Best {
    let edits = distance(name.as_bytes(), candidate.as_bytes());
    // As many edits as there are letters would make any short name similar to any other.
    if edits < best.0 && edits < name.len() { (edits, Some(candidate)) } else { best }
}

/// Insertions, deletions, replacements and swaps of neighbours that make one name of the other, whatever the case.
/// `usize::MAX` where one is longer than [`LONGEST`].
const fn distance(a: &[u8], b: &[u8]) -> usize {
    if a.len() > LONGEST || b.len() > LONGEST {
        return usize::MAX;
    }
    let mut table = [[0usize; LONGEST + 1]; LONGEST + 1];
    let mut i = 0;
    while i <= a.len() {
        let mut j = 0;
        while j <= b.len() {
            table[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let same = a[i - 1].eq_ignore_ascii_case(&b[j - 1]);
                let mut edits = table[i - 1][j - 1] + !same as usize;
                edits = min(edits, table[i - 1][j] + 1);
                edits = min(edits, table[i][j - 1] + 1);
                let swapped = i > 1
                    && j > 1
                    && a[i - 1].eq_ignore_ascii_case(&b[j - 2])
                    && a[i - 2].eq_ignore_ascii_case(&b[j - 1]);
                if swapped { min(edits, table[i - 2][j - 2] + 1) } else { edits }
            };
            j += 1;
        }
        i += 1;
    }
    table[a.len()][b.len()]
}

const fn min(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}
