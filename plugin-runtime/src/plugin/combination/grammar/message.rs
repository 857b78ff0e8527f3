//! Messages put together in constants, where nothing can be allocated.

use std::fmt;

use super::nearest::nearest;
use super::{Fault, GrammarError, Vocabulary};
use crate::tensor::{DataType, Format};

const CAPACITY: usize = 512;
/// The most bytes of an author's text that are quoted.
const LONGEST_QUOTE: usize = 96;
const ELLIPSIS: &str = "..";

/// A text of bounded length. What doesn't fit is left out.
#[derive(Clone, Copy)]
pub struct Message {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl Message {
    const EMPTY: Message = Message { bytes: [0; CAPACITY], length: 0 };

    /// The text.
    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }

    const fn push(&mut self, text: &str) {
        let fitting = prefix(text, CAPACITY - self.length).as_bytes();
        let mut i = 0;
        while i < fitting.len() {
            self.bytes[self.length + i] = fitting[i];
            i += 1;
        }
        self.length += fitting.len();
    }

    const fn push_quoted(&mut self, text: &str) {
        let shown = prefix(text, LONGEST_QUOTE);
        self.push("`");
        self.push(shown);
        if shown.len() < text.len() {
            self.push(ELLIPSIS);
        }
        self.push("`");
    }

    const fn push_number(&mut self, number: usize) {
        let mut digits = [0u8; 20];
        let mut rest = number;
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if let Ok(text) = std::str::from_utf8(digits.split_at(start).1) {
            self.push(text);
        }
    }

    const fn push_count(&mut self, number: usize, noun: &str) {
        self.push_number(number);
        self.push(" ");
        self.push(noun);
        if number != 1 {
            self.push("s");
        }
    }

    const fn push_entry(&mut self, entry: usize) {
        self.push("entry ");
        self.push_number(entry);
    }

    const fn push_names(&mut self, vocabulary: Vocabulary) {
        let mut i = 0;
        loop {
            let name = match vocabulary {
                Vocabulary::Types if i < DataType::ALL.len() => DataType::ALL[i].name(),
                Vocabulary::Layouts if i < Format::ALL.len() => Format::ALL[i].name(),
                _ => break,
            };
            self.push(if i == 0 { "" } else { ", " });
            self.push(name);
            i += 1;
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// As much of a text as fits into `length` bytes.
const fn prefix(text: &str, length: usize) -> &str {
    if text.len() <= length {
        return text;
    }
    let mut end = length;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.split_at(end).0
}

impl Vocabulary {
    const fn noun(self) -> &'static str {
        match self {
            Vocabulary::Types => "type",
            Vocabulary::Layouts => "layout",
        }
    }
}

impl GrammarError<'_> {
    /// The mistake, and what to write instead.
    pub const fn message(&self) -> Message {
        let mut message = Message::EMPTY;
        message.push(match self.vocabulary {
            Vocabulary::Types => "combination ",
            Vocabulary::Layouts => "layouts ",
        });
        message.push_quoted(self.text);
        message.push(": ");
        self.push_fault(&mut message);
        message
    }

    const fn push_fault(&self, message: &mut Message) {
        let noun = self.vocabulary.noun();
        match self.fault {
            Fault::EmptyText => {
                message.push("it is empty; ");
                self.push_wanted(message);
            }
            Fault::EmptyEntry { entry } => {
                message.push_entry(entry);
                message.push(" is empty; write a ");
                message.push(noun);
                message.push(" there, or drop a comma");
            }
            Fault::EmptyChoice { entry, written } => {
                message.push_entry(entry);
                message.push(" ");
                message.push_quoted(written);
                message.push(" has an empty choice; write a ");
                message.push(noun);
                message.push(" on both sides of each `|` or `*`");
            }
            Fault::UnknownName { entry, name } => self.push_unknown(message, entry, name),
            Fault::Unavailable { entry, name } => {
                message.push_entry(entry);
                message.push(" ");
                message.push_quoted(name);
                message.push(" isn't available here: it is a layout of DLA cores. Layouts are ");
                message.push_names(self.vocabulary);
            }
            Fault::Mixed { entry, written } => {
                message.push_entry(entry);
                message.push(" ");
                message.push_quoted(written);
                message.push(" mixes `|` and `*`; write `|` between choices taken together with the other entries' ");
                message.push("choices, or `*` between choices of its own");
            }
            Fault::UnequalChoices { entry, written, choices, first_entry, first_choices } => {
                message.push_entry(entry);
                message.push(" ");
                message.push_quoted(written);
                message.push(" has ");
                message.push_number(choices);
                message.push(" choices, but entry ");
                message.push_number(first_entry);
                message.push(" has ");
                message.push_number(first_choices);
                message.push("; choices with `|` are taken together, so write as many in each, or use `*`");
            }
            Fault::EntryCount { entries } => {
                message.push("it has ");
                message.push_number(entries);
                message.push(if entries == 1 { " entry; " } else { " entries; " });
                self.push_wanted(message);
            }
        }
    }

    /// `the plugin has 1 input and 2 outputs: write 3 types, the inputs' first, or one for all`
    const fn push_wanted(&self, message: &mut Message) {
        message.push("the plugin has ");
        message.push_count(self.inputs, "input");
        message.push(" and ");
        message.push_count(self.outputs, "output");
        message.push(": write ");
        message.push_count(self.inputs.saturating_add(self.outputs), self.vocabulary.noun());
        message.push(", the inputs' first, or one for all");
    }

    const fn push_unknown(&self, message: &mut Message, entry: usize, name: &str) {
        message.push_entry(entry);
        message.push(", ");
        message.push_quoted(name);
        message.push(", isn't a ");
        message.push(self.vocabulary.noun());
        let other_kind = match self.vocabulary {
            Vocabulary::Types => Format::from_name(name).is_some(),
            Vocabulary::Layouts => DataType::from_name(name).is_some(),
        };
        if other_kind {
            message.push(match self.vocabulary {
                Vocabulary::Types => " but a layout.",
                Vocabulary::Layouts => " but a type.",
            });
        } else if let Some(meant) = nearest(name, self.vocabulary) {
            message.push("; did you mean ");
            message.push(meant);
            message.push("?");
        } else if has_white_space(name) {
            message.push("; is a comma missing?");
        } else {
            message.push(".");
        }
        message.push(match self.vocabulary {
            Vocabulary::Types => " Types are ",
            Vocabulary::Layouts => " Layouts are ",
        });
        message.push_names(self.vocabulary);
    }
}

const fn has_white_space(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i].is_ascii_whitespace() {
            return true;
        }
        i += 1;
    }
    false
}

impl fmt::Display for GrammarError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message().as_str())
    }
}

impl std::error::Error for GrammarError<'_> {}
