//! The types, layouts and tactics that an autotune function lists.

use super::choices::{Choices, IntoChoices, Positions};
use super::expansion::{Combination, MAX_COMBINATIONS, expand};
use super::grammar::{self, Vocabulary};
use crate::error::{Error, Result};
use crate::tensor::{DataType, Format};

/// The author's own tactic enum; `#[derive(Tactic)]` implements it. A plain `i32` is a tactic too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't a tactic",
    label = "expected an enum with `#[derive(Clone, Copy, Tactic)]`, by value, or an `i32`",
    note = "the variants of such an enum are numbers and hold nothing: `First = 1`",
    note = "of references make values: `.tactics(ALL.iter().copied())`, or `.tactics(ALL)`"
)]
pub trait Tactic: Copy {
    /// Its number, from 1.
    fn id(self) -> i32;
    /// The tactic of that number.
    fn from_id(id: i32) -> Option<Self>;
    /// The name of the tactic of that number.
    fn name(id: i32) -> Option<&'static str>;
}

impl Tactic for i32 {
    fn id(self) -> i32 {
        self
    }

    fn from_id(id: i32) -> Option<Self> {
        Some(id)
    }

    fn name(_id: i32) -> Option<&'static str> {
        None
    }
}

/// Tactics as [`AutoTuneCombination::tactics`] takes them: whatever is iterated over.
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't a list of tactics",
    label = "write an array: `.tactics([Way::First, Way::Second])`, `.tactics([1, 2])`",
    note = "an array holds tactics of one enum: for another one call `.tactics([..])` again"
)]
pub trait IntoTactics<T> {
    /// One after another.
    fn into_tactics(self) -> impl Iterator<Item = T>;
}

#[diagnostic::do_not_recommend]
impl<T, I: IntoIterator<Item = T>> IntoTactics<T> for I {
    fn into_tactics(self) -> impl Iterator<Item = T> {
        self.into_iter()
    }
}

/// The most tactics that one combination can have.
pub const MAX_TACTICS: usize = 4096;

/// Types and layouts that an impl supports, with its tactics.
///
/// As texts, one entry per input and output, inputs first. `|` stands between choices that are taken together in all
/// entries that have it, `*` between choices of an entry's own:
///
/// ```
/// # use plugin_runtime::plugin::combination::AutoTuneCombination;
/// AutoTuneCombination::new("FP32|FP16, FP32|FP16").layouts("LINEAR*CHW4, LINEAR").tactics([1, 2]);
/// ```
///
/// A text of one entry stands for every position: `AutoTuneCombination::new("FP32|FP16|BF16")`. Or position by position,
/// with texts or values:
///
/// ```
/// # use plugin_runtime::plugin::combination::AutoTuneCombination;
/// # use plugin_runtime::tensor::{DataType, Format};
/// AutoTuneCombination::by_position()
///     .pos([0, 1], DataType::Float32 | DataType::Float16)
///     .pos_with_layouts(2, DataType::Int32, Format::Linear * Format::Chw4)
///     .pos(3, "INT64");
/// ```
///
/// Mistakes are reported by [`AutoTuneCombination::expand`].
#[derive(Clone, Debug, Default)]
pub struct AutoTuneCombination {
    types: Option<String>,
    layouts: Option<String>,
    positions: Vec<Position>,
    tactics: Vec<i32>,
    references: Vec<i32>,
}

#[derive(Clone, Debug)]
struct Position {
    index: usize,
    types: Choices<DataType>,
    layouts: Option<Choices<Format>>,
}

impl AutoTuneCombination {
    /// Types: a text of one entry per position, or one entry for every position; LINEAR everywhere, the default tactic.
    pub fn new(io_types: impl IntoChoices<DataType>) -> Self {
        AutoTuneCombination { types: Some(io_types.into_choices().text().into()), ..AutoTuneCombination::default() }
    }

    /// An empty combination: each position is then given by [`AutoTuneCombination::pos`].
    pub fn by_position() -> Self {
        AutoTuneCombination::default()
    }

    /// Layouts: a text of one entry per position, or one entry for every position.
    #[must_use]
    pub fn layouts(mut self, layouts: impl IntoChoices<Format>) -> Self {
        self.layouts = Some(layouts.into_choices().text().to_string());
        self
    }

    /// Types of the inputs and outputs of these indices, inputs first, from 0. What was said of them before is replaced.
    #[must_use]
    pub fn pos(self, positions: impl Positions, types: impl IntoChoices<DataType>) -> Self {
        self.set(positions, types.into_choices(), None)
    }

    /// Types and layouts of the inputs and outputs of these indices, inputs first, from 0. What was said of them before
    /// is replaced.
    #[must_use]
    pub fn pos_with_layouts(
        self,
        positions: impl Positions,
        types: impl IntoChoices<DataType>,
        layouts: impl IntoChoices<Format>,
    ) -> Self {
        self.set(positions, types.into_choices(), Some(layouts.into_choices()))
    }

    fn set(mut self, positions: impl Positions, types: Choices<DataType>, layouts: Option<Choices<Format>>) -> Self {
        // Beyond this many, one of them is out of range in any case, which is reported then.
        for index in positions.indices().take(MAX_COMBINATIONS) {
            self.positions.push(Position { index, types: types.clone(), layouts: layouts.clone() });
        }
        self
    }

    /// Tactics, in addition to those listed before: values of an enum with `#[derive(Tactic)]`, or positive integers.
    #[must_use]
    pub fn tactics<T: Tactic>(mut self, tactics: impl IntoTactics<T>) -> Self {
        let room = (MAX_TACTICS + 1).saturating_sub(self.tactics.len());
        self.tactics.extend(tactics.into_tactics().take(room).map(T::id));
        self
    }

    /// Says that one of the tactics gives right results: those of all others are compared with it. Not needed where
    /// only one tactic works, or where a GPU's tactics are compared with the plugin's impl for the CPU. Without either,
    /// tactics that give different results make a build fail. Where tactics of several devices are listed, each may
    /// have one.
    #[must_use]
    pub fn reference<T: Tactic>(mut self, tactic: T) -> Self {
        if self.references.len() <= MAX_TACTICS {
            self.references.push(tactic.id());
        }
        self
    }

    /// Every combination of one type and one layout per position, in the order in which they are written: a later
    /// position changes before an earlier one, and layouts before types.
    ///
    /// # Errors
    /// When a text is wrong or isn't one entry per input and output, a position is missing or out of range, a tactic
    /// isn't positive, a reference isn't among the tactics, or there are more than [`MAX_COMBINATIONS`].
    pub fn expand(&self, inputs: usize, outputs: usize) -> Result<Vec<Combination>> {
        let tactics = self.expand_tactics()?;
        let types = self.types_text(inputs, outputs)?;
        let layouts = self.layouts_text(inputs, outputs)?;
        if let Some(stranger) = self.references.iter().find(|reference| !tactics.contains(reference)) {
            return Err(Error::plugin(format_args!(
                "tactic {stranger} is to be the reference, but isn't among the combination's tactics: list it with .tactics(..)"
            )));
        }
        let mut combinations = expand(&types, &layouts, &tactics, inputs, outputs)?;
        combinations.iter_mut().for_each(|combination| combination.references.clone_from(&self.references));
        Ok(combinations)
    }

    fn expand_tactics(&self) -> Result<Vec<i32>> {
        if self.tactics.len() > MAX_TACTICS {
            return Err(Error::plugin(format_args!("a combination has more than {MAX_TACTICS} tactics")));
        }
        if let Some(wrong) = self.tactics.iter().find(|&&tactic| tactic <= 0) {
            return Err(Error::plugin(format_args!(
                "tactic {wrong} is listed, but tactics are positive integers; list none to get the default tactic 0"
            )));
        }
        if self.tactics.is_empty() {
            return Ok(vec![0]);
        }
        let mut seen = std::collections::HashSet::new();
        Ok(self.tactics.iter().copied().filter(|&tactic| seen.insert(tactic)).collect())
    }

    fn types_text(&self, inputs: usize, outputs: usize) -> Result<String> {
        let count = inputs.saturating_add(outputs);
        if let Some(text) = &self.types
            && self.positions.is_empty()
        {
            return Ok(text.clone());
        }
        let mut entries = match &self.types {
            None => vec![None; self.room_for(inputs, outputs)?],
            Some(text) => {
                grammar::validate(text, Vocabulary::Types, inputs, outputs).map_err(Error::plugin)?;
                let mut entries: Vec<Option<&str>> = grammar::pieces(text, b',').map(Some).collect();
                if let [everywhere] = entries[..] {
                    entries = vec![everywhere; self.room_for(inputs, outputs)?];
                }
                entries
            }
        };
        for position in &self.positions {
            let Some(entry) = entries.get_mut(position.index) else {
                return Err(Error::plugin(format_args!(
                    "pos({}, ..) is out of range: the plugin's inputs and outputs are positions 0 to {}",
                    position.index,
                    count.saturating_sub(1)
                )));
            };
            *entry = Some(one_entry(position.types.text(), position.index)?);
        }
        let named = entries.iter().enumerate().map(|(index, entry)| {
            entry.ok_or_else(|| {
                Error::plugin(format_args!(
                    "position {index} ({}) has no types; add .pos({index}, ..)",
                    describe_position(index, inputs)
                ))
            })
        });
        Ok(named.collect::<Result<Vec<&str>>>()?.join(", "))
    }

    fn layouts_text(&self, inputs: usize, outputs: usize) -> Result<String> {
        let base = self.layouts.as_deref().unwrap_or(Format::Linear.name());
        if self.positions.iter().all(|position| position.layouts.is_none()) {
            return Ok(base.to_string());
        }
        grammar::validate(base, Vocabulary::Layouts, inputs, outputs).map_err(Error::plugin)?;
        let mut entries: Vec<&str> = grammar::pieces(base, b',').collect();
        if let [everywhere] = entries[..] {
            entries = vec![everywhere; self.room_for(inputs, outputs)?];
        }
        for position in &self.positions {
            if let (Some(entry), Some(layouts)) = (entries.get_mut(position.index), &position.layouts) {
                *entry = one_entry(layouts.text(), position.index)?;
            }
        }
        Ok(entries.join(", "))
    }

    /// The number of positions, which is also how much is set aside for them.
    fn room_for(&self, inputs: usize, outputs: usize) -> Result<usize> {
        inputs.checked_add(outputs).filter(|&count| count <= MAX_COMBINATIONS).ok_or_else(|| {
            Error::plugin(format_args!("{inputs} inputs and {outputs} outputs are more than {MAX_COMBINATIONS}"))
        })
    }
}

fn one_entry(text: &str, index: usize) -> Result<&str> {
    if text.contains(',') {
        return Err(Error::plugin(format_args!(
            "pos({index}, \"{text}\") has a comma: it takes one entry, which applies to each of its positions"
        )));
    }
    Ok(text)
}

fn describe_position(index: usize, inputs: usize) -> String {
    match index.checked_sub(inputs) {
        None => format!("input {index}"),
        Some(output) => format!("output {output}"),
    }
}
