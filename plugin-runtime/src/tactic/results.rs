//! The outputs that trials wrote.

use super::difference::{converted, difference};
use crate::error::Result;
use crate::plugin::Compare;
use crate::tensor::{DataType, HostTensor};

/// The outputs of a run, row-major, in the types that they were made in, at their true extents.
#[derive(Clone, Debug)]
pub(crate) struct Results {
    pub(super) outputs: Vec<HostTensor>,
    /// The byte that outputs were filled with before the run, except those updated in place.
    pub(super) poison: u8,
}

/// Elements of an output that a run didn't write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Unwritten {
    pub(super) output: usize,
    first: usize,
    count: usize,
    of: usize,
}

impl std::fmt::Display for Unwritten {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Unwritten { output, first, count, of } = self;
        write!(f, "left {count} of {of} elements of outputs[{output}] unwritten, the first at {first}")
    }
}

impl Results {
    /// The first output that wasn't written whole, given runs with different poison: a byte that follows the poison was
    /// never written. `in_place` says which outputs held their input instead.
    pub(super) fn unwritten(runs: &[Results], in_place: &[bool]) -> Option<Unwritten> {
        let first = runs.first()?;
        (0..first.outputs.len()).filter(|&output| !in_place[output]).find_map(|output| {
            let pieces: Vec<(&[u8], u8)> = runs.iter().map(|run| (run.outputs[output].bytes(), run.poison)).collect();
            let dtype = first.outputs[output].dtype();
            // Where a size differs from run to run, the length that all runs have.
            let len = pieces.iter().map(|(bytes, _)| bytes.len()).min()?;
            let elements = runs.iter().map(|run| run.outputs[output].extents().numel().unwrap_or(0)).min()? as usize;
            if len == 0 || pieces.windows(2).all(|pair| pair[0].0[..len] == pair[1].0[..len]) {
                return None;
            }
            let follows = |element: usize| match dtype {
                DataType::Int4 => {
                    let shift = 4 * (element % 2);
                    pieces.iter().all(|(bytes, poison)| (bytes[element / 2] ^ poison) >> shift & 0xf == 0)
                }
                _ => {
                    let size = (dtype.bits() / 8) as usize;
                    (element * size..(element + 1) * size)
                        .any(|at| pieces.iter().all(|(bytes, poison)| bytes[at] == *poison))
                }
            };
            let mut unwritten = (0..elements).filter(|&element| follows(element));
            let first = unwritten.next()?;
            Some(Unwritten { output, first, count: 1 + unwritten.count(), of: elements })
        })
    }

    /// Converts to the network's own types.
    pub(super) fn in_types(self, types: &[DataType]) -> Result<Outputs> {
        let convert = |(output, &dtype): (HostTensor, &DataType)| match output.dtype() == dtype {
            true => Ok(output),
            false => converted(&output, dtype),
        };
        Ok(Outputs(self.outputs.into_iter().zip(types).map(convert).collect::<Result<_>>()?))
    }
}

/// The layer's outputs after a run, row-major, in the network's own types, at their true extents.
#[derive(Clone, Debug)]
pub(crate) struct Outputs(Vec<HostTensor>);

impl Outputs {
    pub(super) fn tensors(&self) -> &[HostTensor] {
        &self.0
    }

    /// Outputs that aren't a run's.
    #[cfg(any(feature = "testing", test))]
    pub(super) fn of(outputs: Vec<HostTensor>) -> Self {
        Outputs(outputs)
    }

    /// The first output that differs from the reference's, and how.
    pub(super) fn differ_from(
        &self,
        reference: &Outputs,
        compare: &[Compare],
        coarsest: DataType,
    ) -> Option<(usize, String)> {
        let mut pairs = reference.0.iter().zip(&self.0).zip(compare).enumerate();
        pairs.find_map(|(output, ((expected, got), compare))| {
            difference(expected, got, compare, coarsest).map(|how| (output, how))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(outputs: &[HostTensor], poison: u8) -> Results {
        Results { outputs: outputs.to_vec(), poison }
    }

    fn bytes(dtype: DataType, bytes: &[u8], elements: i64) -> HostTensor {
        HostTensor::from_bytes(dtype, bytes, &[elements]).unwrap()
    }

    #[test]
    fn what_follows_the_poison_was_not_written() {
        let of = |a: &[u8], b: &[u8]| {
            let outputs = [(a, 0xff), (b, 0x00)].map(|(data, poison)| run(&[bytes(DataType::UInt8, data, 4)], poison));
            Results::unwritten(&outputs, &[false]).map(|unwritten| unwritten.to_string())
        };
        assert_eq!(of(&[1, 2, 3, 4], &[1, 2, 3, 4]), None);
        assert_eq!(of(&[0xff, 0, 0xff, 0], &[0xff, 0, 0xff, 0]), None, "written with what happens to be poison");
        assert_eq!(
            of(&[1, 0xff, 0xff, 4], &[1, 0, 0, 4]).unwrap(),
            "left 2 of 4 elements of outputs[0] unwritten, the first at 1"
        );
        assert_eq!(of(&[1, 2, 3, 4], &[5, 6, 7, 8]), None, "written, if with something else each time");
    }

    #[test]
    fn a_part_of_an_element_is_enough() {
        let halves = [(0xff, [1, 0xff, 3, 4]), (0x00, [1, 0x00, 3, 4])];
        let runs = halves.map(|(poison, data)| run(&[bytes(DataType::Float16, &data, 2)], poison));
        assert_eq!(Results::unwritten(&runs, &[false]).unwrap(), Unwritten { output: 0, first: 0, count: 1, of: 2 });
        let packed = [(0xff, [0x21, 0x0f]), (0x00, [0x21, 0x00])];
        let runs = packed.map(|(poison, data)| run(&[bytes(DataType::Int4, &data, 3)], poison));
        assert_eq!(Results::unwritten(&runs, &[false]).unwrap(), Unwritten { output: 0, first: 2, count: 1, of: 3 });
    }

    #[test]
    fn outputs_updated_in_place_and_empty_ones_are_passed_over() {
        let runs = [0xff, 0x00].map(|poison| {
            let same = bytes(DataType::UInt8, &[poison; 2], 2);
            run(&[same.clone(), bytes(DataType::UInt8, &[], 0), same], poison)
        });
        assert_eq!(Results::unwritten(&runs, &[true, false, true]), None);
        assert_eq!(Results::unwritten(&runs, &[true, false, false]).unwrap().output, 2);
    }

    #[test]
    fn results_of_random_length_are_looked_at_as_far_as_all_have_them() {
        let runs = [(0xff, 3), (0x00, 2)]
            .map(|(poison, n)| run(&[bytes(DataType::UInt8, &vec![poison; n], n as i64)], poison));
        assert_eq!(Results::unwritten(&runs, &[false]).unwrap(), Unwritten { output: 0, first: 0, count: 2, of: 2 });
    }
}
