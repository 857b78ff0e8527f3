//! Tuning lockfiles: text, one timing decision per line, sorted.
//!
//! ```text
//! tuning lockfile, format 2. One timing decision a line, sorted. ...
//! reformat dims="[4]" from="FP32 LINEAR" to="FP16 LINEAR" kernel="-" device="cpu, ..." driver="-" nanoseconds=310
//! trial plugin="sample::add" version=1 attributes="block_size=256" tensors="FP32 [4] -> FP32 [4]"
//!     combination="FP32, FP32 (LINEAR)" tactic=1 name="Rows" check="tactics agree" kernel="-" device="cpu, ..."
//!     driver="-" nanoseconds=1250
//! ```
//!
//! (A record is one line; the last is broken here to fit.) In place of `nanoseconds` a record has `rejected="reason"`
//! where a trial doesn't work, and `checked="right"` where there was nothing to choose. A check that couldn't be done at
//! all of a profile's shapes says so: `check="tactics agree; not checked at max"`; builds that can do it try such a trial
//! anew, and others take it as it is. Trials of format 1, before
//! `check` came, prove nothing of what they wrote: they are passed over, and left out when the file is written again.
//! Whole lines make merges harmless: a line of either side is right by itself.

mod file;
mod line;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::time::Duration;

use super::record::{Key, Machine, Outcome, Subject};
pub(super) use file::{add, check_writable, read, read_if_there};
use line::{Fault, Line};

/// What a lockfile holds.
pub(super) type Records = BTreeMap<Key, Outcome>;

/// A lockfile as it was read.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Held {
    pub(super) records: Records,
    /// How many records of an older format were passed over.
    pub(super) outdated: usize,
}

const FORMAT: u64 = 2;
/// The format whose trials weren't checked for what they left unwritten.
const UNCHECKED_FORMAT: u64 = 1;
const TITLE: &str = "tuning lockfile, format ";
const ADVICE: &str =
    ". One timing decision a line, sorted. Builds reuse them; to have one timed anew, delete its line.";
/// The most bytes in a line; lines that are written here stay below.
const LONGEST_LINE: usize = 64 << 10;
/// The most bytes in a file.
const LARGEST_FILE: usize = 64 << 20;

/// What is wrong with a lockfile, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Flaw {
    /// From 1.
    line: usize,
    /// Characters, from 1; `None` where the line as a whole is wrong.
    column: Option<usize>,
    reason: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

fn parse(content: &[u8]) -> Result<Held, Flaw> {
    let mut records: BTreeMap<Key, (usize, Outcome)> = BTreeMap::new();
    let (mut format, mut outdated) = (FORMAT, 0);
    let mut rest = content;
    let mut number = 0;
    while number == 0 || !rest.is_empty() {
        number += 1;
        let whole = |reason: String| Flaw { line: number, column: None, reason };
        let end = rest.iter().take(LONGEST_LINE).position(|&byte| byte == b'\n');
        let Some(end) = end else {
            return Err(whole(match rest.len() {
                0 => "the file is empty; delete it to begin a new one".into(),
                1..LONGEST_LINE => "the line has no end, so the file was cut off; delete the line to go on".into(),
                _ => format!("the line has more than {LONGEST_LINE} bytes, so this is no tuning lockfile"),
            }));
        };
        let (line, behind) = (&rest[..end], &rest[end + 1..]);
        rest = behind;
        let text = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line))
            .map_err(|e| whole(format!("byte {} of the line isn't UTF-8 text", e.valid_up_to() + 1)))?;
        if ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|marker| text.starts_with(marker)) {
            let advice = "keep the lines of both sides, one of each that only differ in their outcome";
            return Err(whole(format!("merge conflict markers: {advice}, and delete the markers")));
        }
        if number == 1 {
            format = format_in(text).map_err(whole)?;
            continue;
        }
        if format == UNCHECKED_FORMAT && text.starts_with("trial ") {
            outdated += 1;
            continue;
        }
        let (key, outcome) = record(text).map_err(|fault| fault.at(number, text))?;
        if let Some((first, _)) = records.get(&key) {
            return Err(whole(format!("it records the same as line {first}; delete one of the two")));
        }
        records.insert(key, (number, outcome));
    }
    Ok(Held { records: records.into_iter().map(|(key, (_, outcome))| (key, outcome)).collect(), outdated })
}

fn format_in(text: &str) -> Result<u64, String> {
    let number = text.strip_prefix(TITLE).and_then(|rest| rest.split_once('.')).map(|(number, _)| number);
    match number.and_then(|number| number.parse::<u64>().ok()) {
        Some(format @ (FORMAT | UNCHECKED_FORMAT)) if text == header(format) => Ok(format),
        Some(format) if ![FORMAT, UNCHECKED_FORMAT].contains(&format) => Err(format!(
            "the file is of format {format}, and this version reads format {FORMAT}; build with another lockfile"
        )),
        _ => Err(format!("a tuning lockfile begins with `{}`, this file with {}", header(FORMAT), line::excerpt(text))),
    }
}

fn header(format: u64) -> String {
    format!("{TITLE}{format}{ADVICE}")
}

fn record(text: &str) -> Result<(Key, Outcome), Fault> {
    let mut line = Line::new(text);
    let subject = match line.word(&["trial", "reformat"])? {
        0 => Subject::Trial {
            plugin: line.text("plugin")?.into(),
            version: line.number("version")?,
            attributes: line.text("attributes")?.into(),
            tensors: line.text("tensors")?.into(),
            combination: line.text("combination")?.into(),
            tactic: line.number("tactic")?,
            name: line.text("name")?.into(),
            check: line.text("check")?.into(),
        },
        _ => Subject::Reformat {
            dims: line.text("dims")?.into(),
            from: line.text("from")?.into(),
            to: line.text("to")?.into(),
        },
    };
    let machine = Machine {
        kernel: line.text("kernel")?.into(),
        device: line.text("device")?.into(),
        driver: line.text("driver")?.into(),
    };
    let outcome = match line.field(&["nanoseconds", "rejected", "warm_nanoseconds", "checked"])? {
        0 => Outcome::Time(Duration::from_nanos(line.digits()?)),
        2 => Outcome::Times {
            warm: Duration::from_nanos(line.digits()?),
            cold: Duration::from_nanos(line.number("cold_nanoseconds")?),
        },
        3 => line.literal("\"right\"").map(|()| Outcome::Checked)?,
        _ => Outcome::Rejected(line.quoted()?),
    };
    line.end()?;
    Ok((Key { subject, machine }, outcome))
}

/// The whole file, or the number of bytes that is too many.
fn render(records: &Records) -> Result<String, usize> {
    let mut text = header(FORMAT);
    text.push('\n');
    for (key, outcome) in records {
        // To write to a String can't fail.
        let _ = writeln!(text, "{key} {outcome}");
        if text.len() > LARGEST_FILE {
            return Err(text.len());
        }
    }
    Ok(text)
}
