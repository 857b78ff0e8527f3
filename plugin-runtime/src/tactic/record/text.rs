//! Texts in records: of bounded length, on one line, and without anything that a reader can't see.

use std::fmt::{self, Write};
use std::sync::Arc;

/// Bytes of a text that is kept whole.
pub(in crate::tactic) const LONGEST: usize = 1000;
/// Bytes kept of a longer one.
const BEGINNING: usize = 200;

/// The text itself, or the beginning of one that is too long, with its length and a hash of it all.
pub(in crate::tactic) fn abridged(text: impl fmt::Display) -> Arc<str> {
    let mut abridging = Abridging { kept: String::new(), bytes: 0, hash: Abridging::EMPTY };
    // Only a text whose own Display fails, fails here; what it said until then has to do.
    let _ = write!(abridging, "{text}");
    let Abridging { mut kept, bytes, hash } = abridging;
    if bytes > kept.len() {
        kept.truncate(kept.floor_char_boundary(BEGINNING));
        let _ = write!(kept, "... ({bytes} bytes, FNV-1a {hash:032x})");
    }
    kept.into()
}

struct Abridging {
    kept: String,
    bytes: usize,
    hash: u128,
}

impl Abridging {
    const EMPTY: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
}

impl Write for Abridging {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.kept.len() == self.bytes {
            let room = LONGEST - self.kept.len();
            self.kept.push_str(&text[..text.floor_char_boundary(room)]);
        }
        self.bytes = self.bytes.saturating_add(text.len());
        self.hash = text.bytes().fold(self.hash, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(Self::PRIME));
        Ok(())
    }
}

/// Whether a character stands for itself between quotes. Those that end a line, can't be seen, or change how others
/// are shown, don't.
pub(in crate::tactic) fn stays_as_it_is(c: char) -> bool {
    match c {
        '"' | '\\' => false,
        ' '..='~' => true,
        _ => c.is_alphanumeric(),
    }
}

/// A text between quotes, escaped as in Rust.
pub(in crate::tactic) fn quoted(text: &str) -> Quoted<'_> {
    Quoted(text)
}

pub(in crate::tactic) struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                c if stays_as_it_is(c) => f.write_char(c)?,
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c => write!(f, "\\u{{{:x}}}", u32::from(c))?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_and_still_tells_itself_from_others() {
        let long = |last: char| format!("{}{last}", "é".repeat(LONGEST));
        let (a, b) = (abridged(long('a')), abridged(long('b')));
        assert_ne!(a, b);
        assert!(a.len() < BEGINNING + 100 && a.starts_with("ééé") && a.contains("(2001 bytes, FNV-1a "), "{a}");
        let whole = "x".repeat(LONGEST);
        assert_eq!(*abridged(&whole), *whole);
        assert_eq!(
            *abridged(format_args!("{}{}", "x".repeat(LONGEST - 1), "é")),
            *abridged("x".repeat(LONGEST - 1) + "é")
        );
        assert_eq!(*abridged(""), *"");
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        let mut abridging = Abridging { kept: String::new(), bytes: 0, hash: Abridging::EMPTY };
        abridging.write_str("foo").unwrap();
        abridging.write_str("bar").unwrap();
        assert_eq!(abridging.hash, 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
    }

    #[test]
    fn what_could_mislead_a_reader_is_escaped() {
        let shown = quoted("a\"\\\n\r\t\0 \u{202e}\u{feff}µ…").to_string();
        assert_eq!(shown, r#""a\"\\\n\r\t\u{0} \u{202e}\u{feff}µ\u{2026}""#);
    }
}
