//! Text from a model in messages and in the network's names: it may hold anything.

use std::fmt::{self, Display};

use crate::error::{Error, Result};
use crate::suggest::did_you_mean;

/// The longest name that is accepted, in bytes.
pub(super) const LONGEST_NAME: usize = 1024;

/// In quotes, escaped, and cut where it is long.
pub(super) fn quoted(text: &str) -> impl Display + '_ {
    const MOST: usize = 128;
    fmt::from_fn(move |f| {
        let cut = text.floor_char_boundary(MOST);
        write!(f, "{:?}{}", &text[..cut], if cut < text.len() { "…" } else { "" })
    })
}

/// A name that can stand in any message, table or file.
pub(super) fn check_name(what: impl Display, name: &str) -> Result<()> {
    if name.len() > LONGEST_NAME {
        return Err(Error::invalid(format_args!(
            "{what}: the name {} has {} bytes; {LONGEST_NAME} are the most",
            quoted(name),
            name.len()
        )));
    }
    let unprintable = |c: char| {
        c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if let Some(found) = name.chars().find(|&c| unprintable(c)) {
        return Err(Error::invalid(format_args!(
            "{what}: the name {} holds the control character {found:?}",
            quoted(name)
        )));
    }
    Ok(())
}

/// `; did you mean ..?`, or nothing, as where there are too many names to look through.
pub(super) fn suggestion<'a>(name: &str, known: impl ExactSizeIterator<Item = &'a str>) -> String {
    const MOST: usize = 1 << 12;
    if known.len() > MOST {
        return String::new();
    }
    did_you_mean(name, known.filter(|known| check_name("", known).is_ok()))
}

/// An error with the place in the model it belongs to. One of a layer already says where.
pub(super) fn at(place: impl Display, error: Error) -> Error {
    match error.layer() {
        Some(_) => error,
        None => error.within(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_escape_and_cut() {
        assert_eq!(quoted("a\nb\"\u{1b}[31m").to_string(), r#""a\nb\"\u{1b}[31m""#);
        for long in ["x".repeat(1000), "é".repeat(1000)] {
            let text = quoted(&long).to_string();
            assert!(text.len() < 140 && text.ends_with("\"…"), "{text}");
        }
    }

    #[test]
    fn names_are_one_line_and_not_endless() {
        for good in ["x", "a/b.c:0", "größe", "with space", ""] {
            assert!(check_name("node", good).is_ok(), "{good}");
        }
        for bad in ["a\nb", "\u{1b}[2J", "a\0", "\u{202e}gpj.exe", "a\u{2028}b", &"x".repeat(1025)] {
            let message = check_name("node", bad).unwrap_err().to_string();
            assert!(message.starts_with("node: the name \"") && !message.contains(['\n', '\u{1b}', '\0']), "{message}");
        }
    }
}
