//! Concrete combinations, from texts of choices.

use std::collections::HashMap;
use std::fmt;

use super::grammar::{self, Link, Vocabulary};
use crate::error::{Error, Result};
use crate::tensor::{DataType, Format};

/// The most combinations of types and layouts that one plugin can list.
pub const MAX_COMBINATIONS: usize = 4096;

/// One type and one layout for each input and output, inputs first, and the tactics to try with them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Combination {
    /// Element types.
    pub types: Vec<DataType>,
    /// Memory layouts, as many.
    pub formats: Vec<Format>,
    /// Tactics, each once; 0 is the default one.
    pub tactics: Vec<i32>,
    /// Tactics marked with `.reference(..)`, whose results are right.
    pub references: Vec<i32>,
}

impl Combination {
    /// The combination of a plugin without an autotune function: the network's own types, LINEAR, the default tactic.
    pub fn untuned(types: impl IntoIterator<Item = DataType>) -> Combination {
        let types: Vec<DataType> = types.into_iter().collect();
        Combination { formats: vec![Format::Linear; types.len()], types, tactics: vec![0], references: Vec::new() }
    }

    /// Whether every tensor is LINEAR.
    pub fn is_linear(&self) -> bool {
        self.formats.iter().all(|&format| format == Format::Linear)
    }
}

/// `FP32, INT32 (LINEAR)`, or `FP32:CHW4, FP16:LINEAR` where a layout isn't LINEAR.
impl fmt::Display for Combination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let linear = self.is_linear();
        for (index, (dtype, format)) in self.types.iter().zip(&self.formats).enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            write!(f, "{dtype}")?;
            if !linear {
                write!(f, ":{format}")?;
            }
        }
        f.write_str(if linear { " (LINEAR)" } else { "" })
    }
}

#[derive(Default)]
pub(super) struct Merged {
    pub(super) combinations: Vec<Combination>,
    known: HashMap<(Vec<DataType>, Vec<Format>), usize>,
}

impl Merged {
    pub(super) fn add(&mut self, new: Combination) -> Result<()> {
        let key = (new.types.clone(), new.formats.clone());
        if let Some(known) = self.known.get(&key).and_then(|&index| self.combinations.get_mut(index)) {
            known.references.extend(new.references);
            if known.tactics == new.tactics {
                return Ok(());
            }
            let fresh: Vec<i32> = new.tactics.into_iter().filter(|tactic| !known.tactics.contains(tactic)).collect();
            known.tactics.extend(fresh);
            return Ok(());
        }
        if self.combinations.len() == MAX_COMBINATIONS {
            return Err(too_many());
        }
        self.known.insert(key, self.combinations.len());
        self.combinations.push(new);
        Ok(())
    }
}

/// Types crossed with layouts, each once, all with the same tactics.
pub(super) fn expand(
    types: &str,
    layouts: &str,
    tactics: &[i32],
    inputs: usize,
    outputs: usize,
) -> Result<Vec<Combination>> {
    grammar::validate(types, Vocabulary::Types, inputs, outputs).map_err(Error::plugin)?;
    grammar::validate(layouts, Vocabulary::Layouts, inputs, outputs).map_err(Error::plugin)?;
    let positions = inputs.saturating_add(outputs);
    let type_entries = everywhere(entries(types, DataType::from_name), positions);
    let layout_entries = everywhere(entries(layouts, Format::from_name), positions);
    let (type_axes, layout_axes) = (axes(&type_entries), axes(&layout_entries));
    let count = size(&type_axes).and_then(|n| n.checked_mul(size(&layout_axes)?));
    if count.is_none_or(|n| n > MAX_COMBINATIONS) {
        return Err(too_many());
    }
    let all_formats = cross(&layout_entries, &layout_axes);
    let mut merged = Merged::default();
    for types in cross(&type_entries, &type_axes) {
        for formats in &all_formats {
            let (types, formats, tactics) = (types.clone(), formats.clone(), tactics.to_vec());
            merged.add(Combination { types, formats, tactics, references: Vec::new() })?;
        }
    }
    Ok(merged.combinations)
}

fn too_many() -> Error {
    Error::plugin(format_args!(
        "the types and layouts listed make more than {MAX_COMBINATIONS} combinations; join choices by `|` instead of `*`"
    ))
}

/// The choices of one position.
#[derive(Clone)]
struct Entry<T> {
    link: Link,
    choices: Vec<T>,
}

/// The entries of a text that was found to be right.
fn entries<T>(text: &str, from_name: impl Fn(&str) -> Option<T>) -> Vec<Entry<T>> {
    grammar::pieces(text, b',')
        .map(|entry| {
            let link = Link::of(entry).unwrap_or(Link::Single);
            Entry { link, choices: grammar::pieces(entry, link.separator()).filter_map(&from_name).collect() }
        })
        .collect()
}

/// One entry stands for every position.
fn everywhere<T: Clone>(entries: Vec<Entry<T>>, positions: usize) -> Vec<Entry<T>> {
    match &entries[..] {
        [one] if positions <= MAX_COMBINATIONS => vec![one.clone(); positions],
        _ => entries,
    }
}

/// Something that is chosen once: `choices` ways, for all of `positions`.
struct Axis {
    positions: Vec<usize>,
    choices: usize,
}

/// In the order of first mention.
fn axes<T>(entries: &[Entry<T>]) -> Vec<Axis> {
    let mut axes: Vec<Axis> = Vec::new();
    let mut together: Option<usize> = None;
    for (position, entry) in entries.iter().enumerate() {
        match together.filter(|_| entry.link == Link::Together) {
            Some(axis) => axes[axis].positions.push(position),
            None => {
                if entry.link == Link::Together {
                    together = Some(axes.len());
                }
                axes.push(Axis { positions: vec![position], choices: entry.choices.len() });
            }
        }
    }
    axes
}

fn size(axes: &[Axis]) -> Option<usize> {
    axes.iter().try_fold(1usize, |n, axis| n.checked_mul(axis.choices))
}

/// Every way to choose, the last axis changing first.
fn cross<T: Copy>(entries: &[Entry<T>], axes: &[Axis]) -> Vec<Vec<T>> {
    let mut chosen: Vec<Vec<usize>> = vec![vec![0; entries.len()]];
    for axis in axes {
        let extended = chosen.iter().flat_map(|partial| {
            (0..axis.choices).map(|choice| {
                let mut partial = partial.clone();
                for &position in &axis.positions {
                    partial[position] = choice;
                }
                partial
            })
        });
        chosen = extended.collect();
    }
    chosen.iter().map(|choice| choice.iter().zip(entries).map(|(&k, entry)| entry.choices[k]).collect()).collect()
}

#[cfg(test)]
mod tests;
