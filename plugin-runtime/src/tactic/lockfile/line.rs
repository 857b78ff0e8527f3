//! One line of a lockfile, taken apart from left to right.

use super::Flaw;
use crate::tactic::record::{quoted, stays_as_it_is};

/// What is left of a line.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    rest: &'a str,
}

/// What is wrong with a line.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    /// Bytes from there to the end of the line.
    left: usize,
    reason: String,
}

impl Fault {
    pub(super) fn at(self, line: usize, text: &str) -> Flaw {
        let before = text.len().saturating_sub(self.left);
        let column = text.char_indices().take_while(|(at, _)| *at < before).count() + 1;
        Flaw { line, column: Some(column), reason: self.reason }
    }
}

/// Some characters of a text that may be anything.
pub(super) fn excerpt(text: &str) -> String {
    const MOST: usize = 40;
    if text.is_empty() {
        return "nothing".into();
    }
    let shown: String = text.chars().take(MOST).collect();
    let more = if shown.len() < text.len() { "..." } else { "" };
    format!("{}{more}", quoted(&shown))
}

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Line { rest: text }
    }

    fn fault(&self, reason: String) -> Fault {
        Fault { left: self.rest.len(), reason }
    }

    fn expected(&self, what: &str) -> Fault {
        self.fault(format!("expected {what}, found {}", excerpt(self.rest)))
    }

    /// The index of the word that the line begins with.
    pub(super) fn word(&mut self, words: &[&str]) -> Result<usize, Fault> {
        let found = self.rest.split(' ').next().unwrap_or_default();
        let Some(index) = words.iter().position(|word| *word == found) else {
            return Err(self.expected(&alternatives(words, "")));
        };
        self.rest = &self.rest[found.len()..];
        Ok(index)
    }

    /// The index of the field that comes next: a space, its name and `=`.
    pub(super) fn field(&mut self, names: &[&str]) -> Result<usize, Fault> {
        let after = |name: &&str| self.rest.strip_prefix(' ')?.strip_prefix(*name)?.strip_prefix('=');
        let Some((index, rest)) = names.iter().enumerate().find_map(|(i, name)| Some((i, after(name)?))) else {
            return Err(self.expected(&alternatives(names, " ")));
        };
        self.rest = rest;
        Ok(index)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, Fault> {
        self.field(&[name])?;
        self.quoted()
    }

    pub(super) fn number<T: TryFrom<u64>>(&mut self, name: &str) -> Result<T, Fault> {
        self.field(&[name])?;
        let start = self.clone();
        T::try_from(self.digits()?).map_err(|_| start.expected(&format!("a smaller number for {name}")))
    }

    /// A number as it is written here: no sign, no zeros before it.
    pub(super) fn digits(&mut self) -> Result<u64, Fault> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        let number = digits.parse().ok().filter(|_| digits == "0" || !digits.starts_with('0'));
        let number = number.ok_or_else(|| self.expected(&format!("a whole number up to {}", u64::MAX)))?;
        self.rest = rest;
        Ok(number)
    }

    /// A text between quotes.
    pub(super) fn quoted(&mut self) -> Result<String, Fault> {
        let Some(rest) = self.rest.strip_prefix('"') else { return Err(self.expected("a text between quotes")) };
        self.rest = rest;
        let mut text = String::new();
        loop {
            let plain = self.rest.find(|c| !stays_as_it_is(c)).unwrap_or(self.rest.len());
            text.push_str(&self.rest[..plain]);
            self.rest = &self.rest[plain..];
            match self.rest.chars().next() {
                Some('"') => {
                    self.rest = &self.rest[1..];
                    return Ok(text);
                }
                Some('\\') => text.push(self.escape()?),
                Some(c) => {
                    return Err(self
                        .fault(format!("this character has to be written as {}", quoted(c.encode_utf8(&mut [0; 4])))));
                }
                None => return Err(self.fault("the line ends within quotes".into())),
            }
        }
    }

    /// Just this text.
    pub(super) fn literal(&mut self, text: &str) -> Result<(), Fault> {
        self.rest = self.rest.strip_prefix(text).ok_or_else(|| self.expected(&format!("`{text}`")))?;
        Ok(())
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let short = [("\\\"", '"'), ("\\\\", '\\'), ("\\n", '\n'), ("\\r", '\r'), ("\\t", '\t')];
        let short = short.iter().find_map(|(text, c)| Some((*c, self.rest.strip_prefix(text)?)));
        let long = || {
            let (digits, rest) =
                self.rest.strip_prefix("\\u{")?.split_at_checked(self.rest.find('}')?.checked_sub(3)?)?;
            let hexadecimal = (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
            let code = u32::from_str_radix(digits, 16).ok().filter(|_| hexadecimal)?;
            Some((char::from_u32(code)?, rest.strip_prefix('}')?))
        };
        let Some((c, rest)) = short.or_else(long) else {
            return Err(self.expected(r#"one of \" \\ \n \r \t \u{..}"#));
        };
        self.rest = rest;
        Ok(c)
    }

    pub(super) fn end(&self) -> Result<(), Fault> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.expected("the end of the line")) }
    }
}

/// `` `nanoseconds=` or `rejected=` ``
fn alternatives(names: &[&str], before: &str) -> String {
    let equals = if before.is_empty() { "" } else { "=" };
    let names: Vec<String> = names.iter().map(|name| format!("`{before}{name}{equals}`")).collect();
    names.join(" or ")
}
