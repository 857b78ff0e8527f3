//! The grammar of combination texts, checked alike while an author's crate is compiled and while it runs.
//!
//! A text holds one entry per input and output, separated by commas, inputs first. An entry is a name, or names separated
//! by `|` (choices taken together with all other entries that have `|`) or by `*` (a choice of its own). White space
//! around names doesn't matter. A text of one entry stands for every position.

mod message;
mod nearest;
#[cfg(test)]
mod tests;

pub use message::Message;

use crate::suggest::same_text;
use crate::tensor::{DataType, Format};

/// Which names a text is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Vocabulary {
    /// Names of [`DataType`]s.
    Types,
    /// Names of [`Format`]s.
    Layouts,
}

/// An error of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct GrammarError<'t> {
    /// The whole text.
    pub text: &'t str,
    /// The vocabulary of its names.
    pub vocabulary: Vocabulary,
    /// Number of inputs of the plugin.
    pub inputs: usize,
    /// Number of outputs of the plugin.
    pub outputs: usize,
    /// The mistake.
    pub fault: Fault<'t>,
}

/// A mistake in a text. Entries are counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Fault<'t> {
    /// There is nothing in it.
    EmptyText,
    /// Nothing stands between two commas, or after the last one.
    EmptyEntry {
        /// Which one.
        entry: usize,
    },
    /// Nothing stands on one side of a `|` or `*`.
    EmptyChoice {
        /// Which one.
        entry: usize,
        /// Its text.
        written: &'t str,
    },
    /// A name that isn't in the vocabulary.
    UnknownName {
        /// Its entry, counted from 1.
        entry: usize,
        /// The name.
        name: &'t str,
    },
    /// A layout that exists on other hardware only.
    Unavailable {
        /// Its entry, counted from 1.
        entry: usize,
        /// The name.
        name: &'t str,
    },
    /// Both `|` and `*` in one entry.
    Mixed {
        /// Which one.
        entry: usize,
        /// Its text.
        written: &'t str,
    },
    /// Two entries with `|` that don't have the same number of choices.
    UnequalChoices {
        /// The later entry.
        entry: usize,
        /// Its text.
        written: &'t str,
        /// How many it has.
        choices: usize,
        /// The first entry with `|`.
        first_entry: usize,
        /// How many that has.
        first_choices: usize,
    },
    /// Not one entry for each input and output.
    EntryCount {
        /// How many there are.
        entries: usize,
    },
}

/// Checks a text of type names.
///
/// # Errors
/// The first mistake in it.
pub const fn validate_types(text: &str, inputs: usize, outputs: usize) -> Result<(), GrammarError<'_>> {
    validate(text, Vocabulary::Types, inputs, outputs)
}

/// Checks a text of layout names.
///
/// # Errors
/// The first mistake in it.
pub const fn validate_layouts(text: &str, inputs: usize, outputs: usize) -> Result<(), GrammarError<'_>> {
    validate(text, Vocabulary::Layouts, inputs, outputs)
}

/// Checks a literal of type names while a crate is compiled.
///
/// # Panics
/// With a message that says what to write, when the text is wrong.
#[track_caller]
pub const fn check_types(text: &str, inputs: usize, outputs: usize) {
    if let Err(error) = validate_types(text, inputs, outputs) {
        panic!("{}", error.message().as_str());
    }
}

/// Checks a literal of layout names while a crate is compiled.
///
/// # Panics
/// With a message that says what to write, when the text is wrong.
#[track_caller]
pub const fn check_layouts(text: &str, inputs: usize, outputs: usize) {
    if let Err(error) = validate_layouts(text, inputs, outputs) {
        panic!("{}", error.message().as_str());
    }
}

/// How an entry's choices go with the other entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Link {
    /// There is one choice.
    Single,
    /// Choice k is taken in all such entries at once.
    Together,
    /// Crossed with everything else.
    Independent,
}

impl Link {
    /// `None` for an entry that mixes both.
    pub(super) const fn of(entry: &str) -> Option<Link> {
        match (split_first(entry, b'|').1, split_first(entry, b'*').1) {
            (None, None) => Some(Link::Single),
            (Some(_), None) => Some(Link::Together),
            (None, Some(_)) => Some(Link::Independent),
            (Some(_), Some(_)) => None,
        }
    }

    /// The separator of choices.
    pub(super) const fn separator(self) -> u8 {
        match self {
            Link::Single | Link::Together => b'|',
            Link::Independent => b'*',
        }
    }
}

/// The pieces of a text between separators, white space around them dropped: entries for `b','`, choices for a
/// [`Link::separator`].
pub(super) fn pieces(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let (piece, tail) = split_first(rest?, separator);
        rest = tail;
        Some(piece)
    })
}

/// The text up to the first `separator`, which is ASCII, trimmed; and what follows it.
const fn split_first(text: &str, separator: u8) -> (&str, Option<&str>) {
    let bytes = text.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] == separator {
            let (piece, tail) = text.split_at(i);
            return (piece.trim_ascii(), Some(tail.split_at(1).1));
        }
        i += 1;
    }
    (text.trim_ascii(), None)
}

pub(super) const fn validate(
    text: &str,
    vocabulary: Vocabulary,
    inputs: usize,
    outputs: usize,
) -> Result<(), GrammarError<'_>> {
    match find_fault(text, vocabulary, inputs.saturating_add(outputs)) {
        None => Ok(()),
        Some(fault) => Err(GrammarError { text, vocabulary, inputs, outputs, fault }),
    }
}

const fn find_fault(text: &str, vocabulary: Vocabulary, positions: usize) -> Option<Fault<'_>> {
    if text.trim_ascii().is_empty() {
        return Some(Fault::EmptyText);
    }
    let mut entry = 0;
    let mut first_together: Option<(usize, usize)> = None;
    let mut rest = Some(text);
    while let Some(remaining) = rest {
        let (written, tail) = split_first(remaining, b',');
        rest = tail;
        entry += 1;
        if written.is_empty() {
            return Some(Fault::EmptyEntry { entry });
        }
        let Some(link) = Link::of(written) else {
            return Some(Fault::Mixed { entry, written });
        };
        let choices = match count_choices(written, link, entry, vocabulary) {
            Ok(choices) => choices,
            Err(fault) => return Some(fault),
        };
        match (link, first_together) {
            (Link::Together, None) => first_together = Some((entry, choices)),
            (Link::Together, Some((first_entry, first_choices))) if choices != first_choices => {
                return Some(Fault::UnequalChoices { entry, written, choices, first_entry, first_choices });
            }
            _ => {}
        }
    }
    if entry == positions || entry == 1 { None } else { Some(Fault::EntryCount { entries: entry }) }
}

const fn count_choices<'t>(
    written: &'t str,
    link: Link,
    entry: usize,
    vocabulary: Vocabulary,
) -> Result<usize, Fault<'t>> {
    let mut choices = 0;
    let mut rest = Some(written);
    while let Some(remaining) = rest {
        let (name, tail) = split_first(remaining, link.separator());
        rest = tail;
        choices += 1;
        if name.is_empty() {
            return Err(Fault::EmptyChoice { entry, written });
        }
        match vocabulary {
            Vocabulary::Types if DataType::from_name(name).is_none() => {
                return Err(Fault::UnknownName { entry, name });
            }
            Vocabulary::Layouts if is_dla_layout(name) => return Err(Fault::Unavailable { entry, name }),
            Vocabulary::Layouts if Format::from_name(name).is_none() => {
                return Err(Fault::UnknownName { entry, name });
            }
            _ => {}
        }
    }
    Ok(choices)
}

const fn is_dla_layout(name: &str) -> bool {
    same_text(name, "DLA_LINEAR") || same_text(name, "DLA_HWC4")
}
