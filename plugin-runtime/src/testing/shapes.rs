//! Extents that a plugin is tried at.

use std::ops::RangeInclusive;

use crate::network::Dim;
use crate::tensor::DataType;

/// An input of the suite.
pub(super) type Input = (DataType, Vec<Dim>);

/// A free extent: its name, and the range that it is tried in.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    pub(super) name: String,
    pub(super) range: RangeInclusive<i64>,
}

/// The values of all free extents, and what is special about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) label: &'static str,
    values: Vec<i64>,
}

/// Where nothing is said.
const USUAL: RangeInclusive<i64> = 0..=300;

/// Random assignments.
const ROUNDS: usize = 4;

/// The free extents of inputs, by name; those that are -1 are called by their input and place.
pub(super) fn extents(names: &[&str], inputs: &[Input], ranges: &[(String, RangeInclusive<i64>)]) -> Vec<Extent> {
    let mut extents: Vec<Extent> = Vec::new();
    for (name, (_, dims)) in names.iter().zip(inputs) {
        for (axis, dim) in dims.iter().enumerate() {
            if let Some(name) = name_of(name, axis, dim)
                && !extents.iter().any(|extent| extent.name == name)
            {
                let range = ranges.iter().find(|(of, _)| *of == name).map_or(USUAL, |(_, range)| range.clone());
                extents.push(Extent { name, range });
            }
        }
    }
    extents
}

fn name_of(input: &str, axis: usize, dim: &Dim) -> Option<String> {
    match dim {
        Dim::Fixed(_) => None,
        Dim::Dynamic => Some(format!("{input}.{axis}")),
        Dim::Named(name) => Some(name.clone()),
    }
}

/// One element, odd, around warps and blocks, random and empty, each within the ranges.
pub(super) fn assignments(extents: &[Extent], seed: u64) -> Vec<Assignment> {
    const ODD: [i64; 5] = [5, 7, 3, 11, 13];
    const WIDE: [i64; 5] = [33, 257, 65, 31, 129];
    const LONG: [i64; 5] = [3, 300, 2, 1, 2];
    let mut all: Vec<Assignment> = Vec::new();
    let mut add = |label, value: &dyn Fn(usize) -> i64| {
        let values = extents.iter().enumerate();
        let values = values.map(|(index, extent)| value(index).clamp(*extent.range.start(), *extent.range.end()));
        let assignment = Assignment { label, values: values.collect() };
        if !all.iter().any(|known| known.values == assignment.values) {
            all.push(assignment);
        }
    };
    add("odd", &|index| ODD[index % 5]);
    if extents.is_empty() {
        return all;
    }
    add("one element", &|_| 1);
    add("around a warp", &|index| WIDE[index % 5]);
    add("long", &|index| LONG[index % 5]);
    let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
    for _ in 0..ROUNDS {
        let random: Vec<i64> = extents
            .iter()
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                1 + (state >> 33) as i64 % 40
            })
            .collect();
        add("random", &|index| random[index]);
    }
    for empty in 0..extents.len() {
        add("empty", &|index| if index == empty { 0 } else { ODD[index % 5] });
    }
    all
}

impl Assignment {
    /// The same with larger extents.
    pub(super) fn larger(&self, by: i64) -> Assignment {
        Assignment { label: self.label, values: self.values.iter().map(|value| value + by).collect() }
    }

    /// The inputs with these extents.
    pub(super) fn fixed(&self, names: &[&str], inputs: &[Input], extents: &[Extent]) -> Vec<(DataType, Vec<i64>)> {
        let value = |name: &str, axis: usize, dim: &Dim| match dim {
            Dim::Fixed(extent) => *extent,
            _ => {
                let name = name_of(name, axis, dim).unwrap_or_default();
                let index = extents.iter().position(|extent| extent.name == name);
                index.and_then(|index| self.values.get(index).copied()).unwrap_or(1)
            }
        };
        let fixed = names.iter().zip(inputs).map(|(name, (dtype, dims))| {
            (*dtype, dims.iter().enumerate().map(|(axis, dim)| value(name, axis, dim)).collect())
        });
        fixed.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs() -> [Input; 2] {
        let float = DataType::Float32;
        [(float, vec![Dim::Named("n".into()), Dim::Fixed(4)]), (float, vec![Dim::Named("n".into()), Dim::Dynamic])]
    }

    #[test]
    fn extents_of_one_name_are_one() {
        let extents = extents(&["x", "y"], &inputs(), &[("n".into(), 1..=6)]);
        let named: Vec<_> = extents.iter().map(|extent| (extent.name.as_str(), extent.range.clone())).collect();
        assert_eq!(named, [("n", 1..=6), ("y.1", USUAL)]);
    }

    #[test]
    fn ranges_hold_and_special_extents_are_among_them() {
        let ranges = [("n".to_owned(), 1..=6)];
        let extents = extents(&["x", "y"], &inputs(), &ranges);
        let all = assignments(&extents, 0);
        assert!(all.len() >= 7, "{all:?}");
        for assignment in &all {
            let fixed = assignment.fixed(&["x", "y"], &inputs(), &extents);
            assert!((1..=6).contains(&fixed[0].1[0]) && fixed[0].1[0] == fixed[1].1[0] && fixed[0].1[1] == 4);
        }
        assert!(all.iter().any(|a| a.label == "empty" && a.values[1] == 0));
        assert!(all.iter().any(|a| a.values == [1, 1]));
        assert_eq!(all, assignments(&extents, 0), "the same for the same seed");
        assert_eq!(assignments(&[], 7).len(), 1);
    }
}
