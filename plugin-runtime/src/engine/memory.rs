//! Where each value lies: in the caller's memory, in a constant, or in the arena, which values share over time.

use std::collections::BTreeMap;

use super::lower::{Lowered, Origin, Value, ValueIndex};
use crate::device::{Base, Region};
use crate::error::{Error, Result};
use crate::table::{Index, Table};
use crate::tensor::HostBytes;

/// A region for every value and for every step's workspace.
#[derive(Clone, Debug)]
pub(crate) struct MemoryPlan {
    pub(crate) values: Table<Value, Region>,
    pub(crate) workspaces: Vec<Region>,
    pub(crate) arena: usize,
    /// For each input of the network, whether a step updates it in place.
    pub(crate) updated: Vec<bool>,
    /// For each output of the network, the input whose memory it lies in.
    pub(crate) output_aliases: Vec<Option<usize>>,
}

/// Plans memory for `inputs` network inputs. `bytes` holds the most that each value, and `scratch` that each step's
/// workspace, can need; `kept` are values that have to stay until the run is over.
pub(crate) fn plan(
    lowered: &Lowered,
    inputs: usize,
    bytes: &Table<Value, usize>,
    scratch: &[usize],
    kept: &[ValueIndex],
) -> Result<MemoryPlan> {
    let groups = Groups::new(lowered);
    let Homes { home, updated, output_aliases } = Homes::new(lowered, &groups, inputs);
    let mut size: Table<Group, usize> = lowered.values.iter().map(|_| 0).collect();
    for (value, &bytes) in bytes.entries() {
        let group = groups.of(value);
        size[group] = bytes.max(size[group]);
    }
    let mut last_use = last_uses(lowered, &groups);
    for &value in kept {
        last_use[groups.of(value)] = lowered.steps.len().saturating_sub(1);
    }
    let mut arena = Arena::default();
    let mut offsets: Table<Group, Option<usize>> = lowered.values.iter().map(|_| None).collect();
    let mut workspaces = Vec::with_capacity(lowered.steps.len());
    let mut dying: Vec<Vec<GroupIndex>> = vec![Vec::new(); lowered.steps.len()];
    for (position, step) in lowered.steps.iter().enumerate() {
        for &value in &step.outputs {
            let group = groups.of(value);
            if home[group].is_none() && offsets[group].is_none() {
                offsets[group] = Some(arena.take(size[group])?);
                dying[last_use[group].max(position)].push(group);
            }
        }
        let workspace = Region { base: Base::Arena, offset: arena.take(scratch[position])?, len: scratch[position] };
        arena.give(workspace.offset, workspace.len);
        workspaces.push(workspace);
        for &group in &dying[position] {
            if let Some(offset) = offsets[group] {
                arena.give(offset, size[group]);
            }
        }
    }
    let region = |(value, &len): (ValueIndex, &usize)| {
        let group = groups.of(value);
        match home[group] {
            Some(base) => Region { base, offset: 0, len },
            None => Region { base: Base::Arena, offset: offsets[group].unwrap_or(0), len },
        }
    };
    let values = bytes.entries().map(region).collect();
    Ok(MemoryPlan { values, workspaces, arena: arena.end, updated, output_aliases })
}

/// Where groups of values lie that aren't in the arena.
struct Homes {
    home: Table<Group, Option<Base>>,
    updated: Vec<bool>,
    output_aliases: Vec<Option<usize>>,
}

impl Homes {
    fn new(lowered: &Lowered, groups: &Groups, inputs: usize) -> Homes {
        let mut home: Table<Group, Option<Base>> = lowered.values.iter().map(|_| None).collect();
        let mut updated = vec![false; inputs];
        for (value, v) in lowered.values.entries() {
            match v.origin {
                Origin::Input(input) => home[groups.of(value)] = Some(Base::Binding(input)),
                Origin::Constant(constant) => home[groups.of(value)] = Some(Base::Constant(constant)),
                Origin::Step => {}
            }
        }
        for (value, v) in lowered.values.entries() {
            if let (Origin::Step, Some(Base::Binding(input))) = (v.origin, home[groups.of(value)]) {
                updated[input] = true;
            }
        }
        let mut output_aliases = Vec::with_capacity(lowered.outputs.len());
        for (position, &value) in lowered.outputs.iter().enumerate() {
            let home = &mut home[groups.of(value)];
            output_aliases.push(match *home {
                Some(Base::Binding(input)) => Some(input),
                _ => {
                    *home = Some(Base::Binding(inputs + position));
                    None
                }
            });
        }
        Homes { home, updated, output_aliases }
    }
}

fn last_uses(lowered: &Lowered, groups: &Groups) -> Table<Group, usize> {
    let mut last: Table<Group, usize> = lowered.values.iter().map(|_| 0).collect();
    for (position, step) in lowered.steps.iter().enumerate() {
        step.inputs.iter().chain(&step.outputs).for_each(|&v| last[groups.of(v)] = position);
    }
    last
}

/// Values that lie in the same memory because one is updated in place to become the other.
struct Groups(Table<Value, GroupIndex>);

/// Of these there are at most as many as values.
enum Group {}

type GroupIndex = Index<Group>;

impl Groups {
    fn new(lowered: &Lowered) -> Self {
        let mut first: Table<Value, GroupIndex> = (0..lowered.values.len()).map(Index::new).collect();
        for step in &lowered.steps {
            for (&output, alias) in step.outputs.iter().zip(&step.aliases) {
                if let Some(input) = alias {
                    first[output] = first[step.inputs[*input]];
                }
            }
        }
        Groups(first)
    }

    fn of(&self, value: ValueIndex) -> GroupIndex {
        self.0[value]
    }
}

/// Free ranges below `end`, by offset; the smallest that fits is taken.
#[derive(Default)]
struct Arena {
    end: usize,
    free: BTreeMap<usize, usize>,
}

impl Arena {
    fn padded(len: usize) -> Result<usize> {
        len.checked_next_multiple_of(HostBytes::ALIGNMENT).ok_or_else(|| too_large(len))
    }

    fn take(&mut self, len: usize) -> Result<usize> {
        let len = Self::padded(len)?;
        if len == 0 {
            return Ok(0);
        }
        let fitting = self.free.iter().filter(|(_, free)| **free >= len).min_by_key(|(_, free)| **free);
        if let Some((&offset, &free)) = fitting {
            self.free.remove(&offset);
            if free > len {
                self.free.insert(offset + len, free - len);
            }
            return Ok(offset);
        }
        let tail = self.free.last_key_value().filter(|(offset, free)| **offset + **free == self.end);
        let offset = tail.map_or(self.end, |(&offset, _)| offset);
        self.free.remove(&offset);
        self.end = offset.checked_add(len).filter(|&end| end <= isize::MAX as usize).ok_or_else(|| too_large(len))?;
        Ok(offset)
    }

    fn give(&mut self, offset: usize, len: usize) {
        let (mut offset, mut len) = (offset, len.next_multiple_of(HostBytes::ALIGNMENT));
        if len == 0 {
            return;
        }
        if let Some((&before, &size)) = self.free.range(..offset).next_back()
            && before + size == offset
        {
            self.free.remove(&before);
            (offset, len) = (before, len + size);
        }
        if let Some(size) = self.free.remove(&(offset + len)) {
            len += size;
        }
        self.free.insert(offset, len);
    }
}

fn too_large(len: usize) -> Error {
    Error::invalid(format_args!("the intermediate tensors need more memory than can be addressed ({len} bytes more)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::lower::{Step, StepKind};
    use crate::tensor::{DataType, Format};

    fn value(origin: Origin) -> Value {
        Value { tensor: Index::new(0), dtype: DataType::UInt8, format: Format::Linear, origin }
    }

    fn table(bytes: &[usize]) -> Table<Value, usize> {
        bytes.iter().copied().collect()
    }

    fn step(inputs: &[usize], outputs: &[usize], aliases: &[Option<usize>]) -> Step {
        let [inputs, outputs] = [inputs, outputs].map(|values| values.iter().map(|&v| Index::new(v)).collect());
        Step { name: "s".into(), kind: StepKind::Reformat, inputs, outputs, aliases: aliases.to_vec() }
    }

    #[test]
    fn a_chain_needs_two_buffers_and_workspaces_use_what_is_free() {
        let values = [Origin::Input(0)].into_iter().chain(std::iter::repeat_n(Origin::Step, 6)).map(value).collect();
        let steps = (0..6).map(|i| step(&[i], &[i + 1], &[None])).collect();
        let lowered = Lowered { values, steps, outputs: vec![Index::new(6)] };
        let planned = plan(&lowered, 1, &table(&[128; 7]), &[0, 0, 64, 0, 0, 0], &[]).unwrap();
        assert_eq!(planned.arena, 2 * 128 + 64);
        assert_eq!(planned.values[Index::new(6)].base, Base::Binding(1));
        for (position, step) in lowered.steps.iter().enumerate() {
            let regions = step.inputs.iter().chain(&step.outputs).map(|&v| planned.values[v]);
            let regions: Vec<Region> = regions.chain([planned.workspaces[position]]).collect();
            for (i, a) in regions.iter().enumerate() {
                assert!(regions[..i].iter().all(|b| !a.overlaps(b)), "step {position}: {regions:?}");
            }
        }
    }

    #[test]
    fn two_in_place_steps_stay_in_the_callers_buffer() {
        let values = [Origin::Input(0), Origin::Step, Origin::Step].into_iter().map(value).collect();
        let steps = vec![step(&[0], &[1], &[Some(0)]), step(&[1], &[2], &[Some(0)])];
        let planned =
            plan(&Lowered { values, steps, outputs: vec![Index::new(2)] }, 1, &table(&[100; 3]), &[0, 0], &[]).unwrap();
        assert_eq!(planned.arena, 0);
        assert_eq!((planned.updated, planned.output_aliases), (vec![true], vec![Some(0)]));
        assert!(planned.values.iter().all(|r| r.base == Base::Binding(0)));
    }

    #[test]
    fn live_values_never_overlap_whatever_the_graph() {
        let mut state = 1u64;
        let mut below = |n: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize % n
        };
        for _ in 0..100 {
            let mut values = vec![Origin::Input(0)];
            let mut steps = Vec::new();
            for _ in 0..1 + below(20) {
                let inputs: Vec<usize> = (0..1 + below(2)).map(|_| below(values.len())).collect();
                let outputs: Vec<usize> = (0..1 + below(2)).map(|o| values.len() + o).collect();
                values.resize(values.len() + outputs.len(), Origin::Step);
                steps.push(step(&inputs, &outputs, &vec![None; outputs.len()]));
            }
            let bytes: Vec<usize> = values.iter().map(|_| below(300)).collect();
            let scratch: Vec<usize> = steps.iter().map(|_| below(100)).collect();
            let lowered = Lowered { values: values.into_iter().map(value).collect(), steps, outputs: Vec::new() };
            let kept: Vec<ValueIndex> = (1..bytes.len()).filter(|_| below(5) == 0).map(Index::new).collect();
            let planned = plan(&lowered, 1, &table(&bytes), &scratch, &kept).unwrap();
            for position in 0..lowered.steps.len() {
                let made = |v: ValueIndex| lowered.steps.iter().position(|s| s.outputs.contains(&v));
                let last =
                    |v: ValueIndex| lowered.steps.iter().rposition(|s| s.inputs.contains(&v) || s.outputs.contains(&v));
                let alive = |&v: &ValueIndex| {
                    made(v).is_some_and(|m| m <= position) && (last(v) >= Some(position) || kept.contains(&v))
                };
                let regions = (0..bytes.len()).map(Index::new).filter(alive).map(|v| planned.values[v]);
                let regions: Vec<Region> = regions.chain([planned.workspaces[position]]).collect();
                for (i, a) in regions.iter().enumerate() {
                    assert!(a.offset + a.len <= planned.arena);
                    assert!(regions[..i].iter().all(|b| !a.overlaps(b)), "{regions:?}");
                }
            }
        }
    }
}
