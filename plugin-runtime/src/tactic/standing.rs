//! Which results are right at one shape, as far as that is known.

use super::difference::coarsest;
use super::results::Outputs;
use crate::plugin::Compare;
use crate::tensor::DataType;

/// Results, and the coarsest type that they were computed in.
pub(super) type Result = (Outputs, DataType);

/// The results of candidates at one shape: compared with a reference, or where there is none, with each other.
#[derive(Debug, Default)]
pub(super) struct Standing {
    reference: Option<Result>,
    classes: Vec<Class>,
}

/// Candidates whose results agree.
#[derive(Debug)]
struct Class {
    /// `None` beyond [`Standing::MOST_KEPT`].
    result: Option<Result>,
    members: Vec<usize>,
}

/// Candidates that agree, where others don't.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Agreeing {
    pub(super) members: Vec<usize>,
    /// How they differ from the first that agree; `None` for those, and for results that weren't kept.
    pub(super) how: Option<String>,
}

impl Standing {
    /// How many different results are kept.
    const MOST_KEPT: usize = 4;

    pub(super) fn new(reference: Option<Result>) -> Self {
        Standing { reference, classes: Vec::new() }
    }

    /// What most results are compared with: those of the reference, or else of the first candidates.
    pub(super) fn expected(&self) -> Option<&Outputs> {
        let first = || self.classes.first().and_then(|class| class.result.as_ref());
        self.reference.as_ref().or_else(first).map(|(outputs, _)| outputs)
    }

    /// Takes a candidate whose results are bit for bit the expected ones.
    pub(super) fn agrees(&mut self, candidate: usize) {
        if let (None, Some(first)) = (&self.reference, self.classes.first_mut()) {
            first.members.push(candidate);
        }
    }

    /// Takes a candidate's results.
    ///
    /// # Errors
    /// What differs from the reference, where there is one.
    pub(super) fn judge(
        &mut self,
        candidate: usize,
        result: Result,
        compare: &[Compare],
    ) -> std::result::Result<(), String> {
        if let Some(reference) = &self.reference {
            return match differ(&result, reference, compare) {
                None => Ok(()),
                Some((output, how)) => Err(format!("outputs[{output}] differs from the reference: {how}")),
            };
        }
        let agrees = |class: &&mut Class| class.result.as_ref().is_some_and(|r| differ(&result, r, compare).is_none());
        if let Some(class) = self.classes.iter_mut().find(agrees) {
            class.members.push(candidate);
            return Ok(());
        }
        let result = (self.classes.len() < Self::MOST_KEPT).then_some(result);
        self.classes.push(Class { result, members: vec![candidate] });
        Ok(())
    }

    /// The sets of candidates that agree, where results of candidates that were not rejected otherwise disagree.
    pub(super) fn disagreement(&self, rejected: impl Fn(usize) -> bool, compare: &[Compare]) -> Option<Vec<Agreeing>> {
        let alive = |class: &Class| class.members.iter().copied().filter(|&c| !rejected(c)).collect::<Vec<usize>>();
        let classes = self.classes.iter().map(|class| (alive(class), &class.result));
        let classes: Vec<_> = classes.filter(|(members, _)| !members.is_empty()).collect();
        let (_, first) = classes.first().filter(|_| classes.len() > 1)?;
        let how = |result: &Option<Result>| {
            let (output, how) = differ(result.as_ref()?, first.as_ref()?, compare)?;
            Some(format!("outputs[{output}]: {how}"))
        };
        Some(classes.iter().map(|(members, result)| Agreeing { members: members.clone(), how: how(result) }).collect())
    }
}

fn differ((outputs, of): &Result, (reference, reference_of): &Result, compare: &[Compare]) -> Option<(usize, String)> {
    outputs.differ_from(reference, compare, coarsest([of, reference_of]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tactic::results::Results;
    use crate::tensor::HostTensor;

    fn result(value: f32) -> Result {
        let outputs = vec![HostTensor::from_slice(&[value], &[1]).unwrap()];
        (Results { outputs, poison: 0 }.in_types(&[DataType::Float32]).unwrap(), DataType::Float32)
    }

    #[test]
    fn with_a_reference_what_differs_is_refused() {
        let mut standing = Standing::new(Some(result(1.0)));
        assert_eq!(standing.judge(0, result(1.0), &[Compare::new()]), Ok(()));
        let refused = standing.judge(1, result(2.0), &[Compare::new()]).unwrap_err();
        assert_eq!(refused, "outputs[0] differs from the reference: element 0 is 2, not 1");
        assert!(standing.disagreement(|_| false, &[Compare::new()]).is_none());
    }

    #[test]
    fn without_one_no_majority_is_right() {
        let mut standing = Standing::new(None);
        for (candidate, value) in [3.0, 1.0, 1.0, 2.0].into_iter().enumerate() {
            assert_eq!(standing.judge(candidate, result(value), &[Compare::new()]), Ok(()));
        }
        let sets = standing.disagreement(|c| c == 0, &[Compare::new()]).unwrap();
        let agreeing =
            |members: &[usize], how: Option<&str>| Agreeing { members: members.to_vec(), how: how.map(str::to_owned) };
        assert_eq!(sets, [agreeing(&[1, 2], None), agreeing(&[3], Some("outputs[0]: element 0 is 2, not 1"))]);
        assert!(standing.disagreement(|c| c == 0 || c == 3, &[Compare::new()]).is_none());
        for candidate in 4..10 {
            standing.judge(candidate, result(candidate as f32 * 10.0), &[Compare::new()]).unwrap();
        }
        let sets = standing.disagreement(|_| false, &[Compare::new()]).unwrap();
        assert_eq!((sets.len(), &sets[4]), (9, &agreeing(&[5], None)), "what isn't kept is named all the same");
    }
}
