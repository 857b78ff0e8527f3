//! Trials on a made-up device, which does what each test says.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::network::{Bounds, Network};
use crate::plugin::Implementation;
use crate::plugin::combination::Combination;
use crate::prelude::*;
use crate::shape::Profile;
use crate::table::Index;
use crate::tactic::candidates::Candidate;
use crate::tactic::results::Results;
use crate::tactic::room::of_results;
use crate::tactic::timings::{Keeping, Timings};
use crate::tactic::trial::Trials;
use crate::tensor::HostTensor;

#[register("trials_test::work", crate = crate)]
fn work(x: &TensorDesc) -> TensorDesc {
    x.like()
}

#[autotune("trials_test::work", crate = crate)]
fn work_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32").tactics([1, 2, 3])]
}

#[impl_plugin("trials_test::work", device = cpu, crate = crate)]
fn work_cpu(x: Tensor, outputs: [TensorMut; 1], tactic: i32) {
    let _ = tactic;
}

/// What a tactic does when it is run.
#[derive(Clone, Copy, Debug)]
enum Does {
    /// Writes this value everywhere, in so many microseconds with a warm cache and ten times as many with a cold one.
    Writes(f32, u64),
    /// Writes the first element only.
    LeavesUnwritten,
    /// Writes what it found there.
    ReadsItsOutput,
    Fails,
    /// Finds too little memory.
    LacksMemory,
    /// Finds too little memory when it is timed.
    LacksMemoryLater,
    /// Writes 1, but there is too little memory to look at that.
    LeavesNoRoom,
}

/// A device on which tactics 1, 2, 3 do what is said.
#[derive(Debug)]
struct MadeUp {
    at: At,
    does: [Does; 3],
    has_cold: bool,
    /// Why nothing can be laid out, if so.
    full: Option<Error>,
    /// How often it was laid out.
    layouts: Rc<Cell<usize>>,
    /// What the impl for the CPU does, and the tactics that it has.
    on_cpu: Option<([Does; 3], &'static [i32])>,
    knows: &'static [i32],
}

impl MadeUp {
    fn new(at: At, does: [Does; 3]) -> Self {
        MadeUp { at, does, has_cold: false, full: None, layouts: Rc::default(), on_cpu: None, knows: &[1, 2, 3] }
    }

    fn does(&self, tactic: i32) -> Does {
        if self.knows.contains(&tactic) { self.does[tactic as usize - 1] } else { Does::Fails }
    }
}

impl Bench for MadeUp {
    fn at(&self) -> At {
        self.at
    }

    fn own_combination(&self) -> Combination {
        Combination::untuned([DataType::Float32; 2])
    }

    fn output_types(&self) -> Vec<DataType> {
        vec![DataType::Float32]
    }

    fn knows(&self, tactic: i32) -> bool {
        self.knows.contains(&tactic)
    }

    fn on_cpu(&self, _: &'static ImplEntry) -> Result<Box<dyn Bench + '_>> {
        let (does, knows) = self.on_cpu.ok_or_else(|| Error::invalid("there is no other device here"))?;
        Ok(Box::new(MadeUp { knows, ..MadeUp::new(self.at, does) }))
    }

    fn lay_out(&self, _: &Combination) -> Result<Box<dyn Trials + '_>> {
        match &self.full {
            Some(error) => Err(error.clone()),
            None => {
                self.layouts.set(self.layouts.get() + 1);
                Ok(Box::new(LaidOut(self)))
            }
        }
    }
}

struct LaidOut<'b>(&'b MadeUp);

impl Trials for LaidOut<'_> {
    fn run(&mut self, tactic: i32, cache: Cache) -> Result<Duration> {
        match (self.0.does(tactic), cache) {
            (Does::Writes(_, micros), Cache::Warm) => Ok(Duration::from_micros(micros)),
            (Does::Writes(_, micros), Cache::Cold) => Ok(Duration::from_micros(micros * 10)),
            (Does::Fails, _) => Err(Error::plugin("no such luck")),
            (Does::LacksMemoryLater, _) => Err(Error::new(ErrorKind::OutOfMemory, "8 bytes are too many by now")),
            (Does::LeavesNoRoom, _) => Ok(Duration::from_micros(9)),
            (Does::LacksMemory | Does::LeavesUnwritten | Does::ReadsItsOutput, _) => {
                panic!("what is wrong isn't timed")
            }
        }
    }

    fn run_poisoned(&mut self, tactic: i32, poison: u8) -> Result<Results> {
        let found = f32::from_ne_bytes([poison; 4]);
        let values = match self.0.does(tactic) {
            Does::Writes(value, _) => [value, value],
            Does::LeavesUnwritten => [1.0, found],
            Does::ReadsItsOutput => [1.0, f32::from(poison)],
            Does::Fails => return Err(Error::plugin("no such luck")),
            Does::LacksMemory => return Err(Error::new(ErrorKind::OutOfMemory, "8 bytes are too many")),
            Does::LacksMemoryLater => [1.0, 1.0],
            Does::LeavesNoRoom => return Err(of_results(Error::new(ErrorKind::OutOfMemory, "8 bytes are too many"))),
        };
        Ok(Results { outputs: vec![HostTensor::from_slice(&values, &[2])?], poison })
    }

    fn run_expecting(&mut self, tactic: i32, poison: u8, expected: &[HostTensor]) -> Result<Option<Results>> {
        let ran = self.run_poisoned(tactic, poison)?;
        let same = ran.outputs.iter().zip(expected).all(|(got, expected)| got.bytes() == expected.bytes());
        Ok((!same).then_some(ran))
    }

    fn knows_cold(&self) -> bool {
        self.0.has_cold
    }

    fn in_place(&self) -> Vec<bool> {
        vec![false]
    }

    fn describe(&self) -> String {
        "x FP32 [2] -> FP32 [2]".into()
    }
}

/// Runs all trials; `reference` is the tactic that is right.
fn tried<T>(
    benches: Vec<MadeUp>,
    reference: Option<i32>,
    then: impl FnOnce(Result<()>, LayerTuning<'_>, &[Box<dyn Bench + '_>]) -> T,
) -> T {
    let source = reference.map_or(Source::Agreement, |tactic| Source::Marked { combination: 0, tactic });
    tried_against(source, benches, [&[1, 2, 3], &[]], then)
}

/// The same with the impl's own tactics, and those of others.
fn tried_against<T>(
    source: Source,
    benches: Vec<MadeUp>,
    [own, of_others]: [&[i32]; 2],
    then: impl FnOnce(Result<()>, LayerTuning<'_>, &[Box<dyn Bench + '_>]) -> T,
) -> T {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [2]).unwrap();
    let [y] = network.add_plugin(work::op(x)).unwrap();
    network.mark_output(y, "y").unwrap();
    let layer = &network.layers[Index::new(0)];
    let implementation = Implementation::Impl(layer.plugin().impl_for(DeviceKind::Cpu).unwrap());
    let combination = Combination { tactics: own.to_vec(), ..Combination::untuned([DataType::Float32; 2]) };
    let candidates = Candidates {
        device: DeviceKind::Cuda,
        implementation,
        combinations: vec![combination],
        of_others: vec![of_others.to_vec()],
        candidates: own.iter().map(|&tactic| Candidate { combination: 0, tactic, ruled_out: None }).collect(),
        autotuned: true,
    };
    let compare = vec![crate::plugin::Compare::new()].into();
    let check = Check { source, compare, text: "as the test says".into() };
    let bounds = Bounds::new(&network, &Profile::new()).unwrap();
    let point = bounds.point(At::Opt, network.symbols.iter()).unwrap();
    let timings = Timings::open(Keeping::Nothing, &crate::device::Device::cpu(), &mut |_| {}).unwrap();
    let mut tuning = LayerTuning::new(&network, layer, candidates, &[point], Some(check.into()), &timings).unwrap();
    let benches: Vec<Box<dyn Bench>> = benches.into_iter().map(|bench| Box::new(bench) as Box<dyn Bench>).collect();
    let effort = Effort { warm_up: 1, fewest: 3, most: 3, enough: Duration::ZERO, close: 0.1 };
    let ended = LayerTrials::new(&mut tuning, &benches, &effort, &mut |_| {}).run();
    then(ended, tuning, &benches)
}

fn implementation_on_cpu() -> &'static ImplEntry {
    let plugin = crate::plugin::Registry::global().unwrap().get("trials_test::work", 1).unwrap();
    plugin.impl_for(DeviceKind::Cpu).unwrap()
}

fn outcomes(tuning: &LayerTuning<'_>) -> Vec<Option<TrialOutcome>> {
    tuning.attempts.iter().map(|attempt| attempt.outcome.clone()).collect()
}

fn micros(count: u64) -> Option<TrialOutcome> {
    Some(TrialOutcome::Time(Duration::from_micros(count)))
}

fn reason(outcome: &Option<TrialOutcome>) -> &str {
    match outcome {
        Some(TrialOutcome::Rejected(reason)) => reason,
        other => panic!("{other:?} isn't a rejection"),
    }
}

#[test]
fn of_tactics_that_agree_the_quickest_is_taken() {
    let does = [Does::Writes(1.0, 30), Does::Writes(1.0, 10), Does::Writes(1.0, 20)];
    tried(vec![MadeUp::new(At::Opt, does)], None, |ended, tuning, _| {
        ended.unwrap();
        assert_eq!(outcomes(&tuning), [micros(30), micros(10), micros(20)]);
        let options = tuning.into_options().unwrap();
        assert_eq!(options.options.iter().map(|o| (o.combination, o.tactic)).collect::<Vec<_>>(), [(0, 2)]);
    });
}

#[test]
fn runs_are_counted_and_one_layout_does_for_all_of_them() {
    let right = [Does::Writes(1.0, 30), Does::Writes(1.0, 10), Does::Writes(1.0, 20)];
    let one_is_wrong = [Does::Writes(1.0, 30), Does::Writes(2.0, 10), Does::Writes(1.0, 20)];
    for (does, reference, layouts, runs) in [
        (right, None, 1, [0, 0, 3 * 2, 3 * 4]),
        (right, Some(1), 1, [0, 2, 3 * 2, 3 * 4]),
        (one_is_wrong, Some(1), 2, [0, 2, 3 * 2, 2 * 4]),
    ] {
        let bench = MadeUp::new(At::Opt, does);
        let made = bench.layouts.clone();
        tried(vec![bench], reference, |ended, tuning, _| {
            ended.unwrap();
            assert_eq!(Phase::ALL.map(|phase| tuning.cost.of(phase).runs), runs, "{does:?}");
        });
        assert_eq!(made.get(), layouts, "{does:?}");
    }
}

#[test]
fn what_differs_from_the_reference_or_writes_nothing_is_rejected_and_never_timed() {
    let does = [Does::Writes(1.0, 30), Does::Writes(2.0, 1), Does::LeavesUnwritten];
    tried(vec![MadeUp::new(At::Opt, does)], Some(1), |ended, tuning, _| {
        ended.unwrap();
        let outcomes = outcomes(&tuning);
        assert_eq!(outcomes[0], micros(30));
        assert!(reason(&outcomes[1]).contains("outputs[0] differs from the reference"), "{outcomes:?}");
        assert!(reason(&outcomes[2]).contains("left 1 of 2 elements of outputs[0] unwritten"), "{outcomes:?}");
    });
}

#[test]
fn the_cpus_impl_says_what_is_right_in_a_tactic_of_its_own() {
    // Of tactics 1 and 2 of the device, which agree, and 3 of the CPU.
    let wrong = [Does::Writes(2.0, 30), Does::Writes(2.0, 10), Does::Fails];
    let right = [Does::Writes(1.0, 30), Does::Writes(2.0, 10), Does::Fails];
    for (does, rejected) in [(wrong, [true, true]), (right, [false, true])] {
        let on_cpu = Some(([Does::Fails, Does::Fails, Does::Writes(1.0, 0)], &[3][..]));
        let bench = MadeUp { on_cpu, knows: &[1, 2], ..MadeUp::new(At::Opt, does) };
        let source = Source::Cpu(implementation_on_cpu());
        tried_against(source, vec![bench], [&[1, 2], &[3]], |ended, tuning, _| {
            ended.unwrap();
            let outcomes = outcomes(&tuning);
            let is_rejected = |outcome: &Option<_>| matches!(outcome, Some(TrialOutcome::Rejected(_)));
            assert_eq!([is_rejected(&outcomes[0]), is_rejected(&outcomes[1])], rejected, "{outcomes:?}");
            assert!(tuning.notes.is_empty(), "{:?}", tuning.notes);
        });
    }
}

#[test]
fn what_differs_from_run_to_run_or_fails_is_rejected() {
    let does = [Does::ReadsItsOutput, Does::Writes(1.0, 5), Does::Fails];
    tried(vec![MadeUp::new(At::Opt, does)], None, |ended, tuning, _| {
        ended.unwrap();
        let outcomes = outcomes(&tuning);
        assert!(reason(&outcomes[0]).contains("differs from run to run"), "{outcomes:?}");
        assert_eq!(outcomes[1], micros(5));
        assert_eq!(reason(&outcomes[2]), "no such luck");
    });
}

#[test]
fn tactics_that_disagree_have_no_outcome() {
    let does = [Does::Writes(1.0, 30), Does::Writes(2.0, 10), Does::Writes(1.0, 20)];
    tried(vec![MadeUp::new(At::Opt, does)], None, |ended, tuning, _| {
        let message = ended.unwrap_err().to_string();
        assert!(message.contains("give different results, and nothing says which is right"), "{message}");
        assert_eq!(outcomes(&tuning), [None, None, None]);
    });
}

#[test]
fn a_tactic_that_is_wrong_at_another_shape_is_rejected_with_the_shape() {
    let right = [Does::Writes(1.0, 3), Does::Writes(1.0, 2), Does::Writes(1.0, 1)];
    let at_max = [Does::Writes(1.0, 3), Does::Writes(1.0, 2), Does::Writes(7.0, 1)];
    let benches = vec![MadeUp::new(At::Opt, right), MadeUp::new(At::Max, at_max)];
    tried(benches, Some(1), |ended, tuning, _| {
        ended.unwrap();
        let outcomes = outcomes(&tuning);
        assert_eq!(outcomes[..2], [micros(3), micros(2)]);
        assert!(reason(&outcomes[2]).starts_with("at the profile's max, x FP32 [2] -> FP32 [2]: "), "{outcomes:?}");
    });
}

#[test]
fn what_does_not_fit_at_max_is_noted_and_does_not_count_against_a_tactic() {
    let does = [Does::Writes(1.0, 3), Does::Writes(1.0, 2), Does::Writes(1.0, 1)];
    let full =
        MadeUp { full: Some(Error::new(ErrorKind::OutOfMemory, "16 GiB are too many")), ..MadeUp::new(At::Max, does) };
    tried(vec![MadeUp::new(At::Opt, does), full], None, |ended, tuning, _| {
        ended.unwrap();
        assert_eq!(outcomes(&tuning), [micros(3), micros(2), micros(1)]);
        assert_eq!(tuning.notes.len(), 1, "{:?}", tuning.notes);
        assert!(tuning.notes[0].contains("isn't checked at the profile's max: 16 GiB are too many"));
    });
}

#[test]
fn what_finds_too_little_memory_is_left_out_without_a_verdict() {
    let not_tried = |reason: &str| Some(TrialOutcome::NotTried(reason.into()));
    let right = [Does::Writes(1.0, 3), Does::Writes(1.0, 2), Does::Writes(1.0, 1)];
    for reference in [None, Some(1)] {
        let does = [right[0], Does::LacksMemory, Does::LacksMemoryLater];
        tried(vec![MadeUp::new(At::Opt, does)], reference, |ended, tuning, _| {
            ended.unwrap();
            let expected = [micros(3), not_tried("8 bytes are too many"), not_tried("8 bytes are too many by now")];
            assert_eq!(outcomes(&tuning), expected);
            assert_eq!(tuning.into_options().unwrap().options[0].tactic, 1);
        });
        let at_max = [right[0], right[1], Does::LacksMemory];
        tried(vec![MadeUp::new(At::Opt, right), MadeUp::new(At::Max, at_max)], reference, |ended, tuning, _| {
            ended.unwrap();
            let reason = "at the profile's max, x FP32 [2] -> FP32 [2]: 8 bytes are too many";
            assert_eq!(outcomes(&tuning), [micros(3), micros(2), not_tried(reason)]);
        });
    }
    tried(vec![MadeUp::new(At::Opt, [Does::LacksMemory; 3])], None, |ended, tuning, _| {
        ended.unwrap();
        let error = tuning.into_options().err().unwrap();
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        let said = error.to_string();
        assert!(
            said.starts_with("there is too little memory to try `trials_test::work` on device `cuda`:\n"),
            "{said}"
        );
        assert_eq!(said.matches("8 bytes are too many").count(), 3, "{said}");
    });
}

#[test]
fn where_results_do_not_fit_at_max_a_tactic_stays_unchecked_there() {
    let right = [Does::Writes(1.0, 3), Does::Writes(1.0, 2), Does::Writes(1.0, 1)];
    let at_max = [right[0], Does::LeavesNoRoom, Does::LacksMemory];
    tried(vec![MadeUp::new(At::Opt, right), MadeUp::new(At::Max, at_max)], None, |ended, tuning, _| {
        ended.unwrap();
        assert_eq!(outcomes(&tuning)[..2], [micros(3), micros(2)]);
        assert!(matches!(outcomes(&tuning)[2], Some(TrialOutcome::NotTried(_))));
        assert_eq!(tuning.notes, ["FP32, FP32 (LINEAR) isn't checked at the profile's max: 8 bytes are too many"]);
    });
    let at_opt = [right[0], Does::LeavesNoRoom, right[2]];
    tried(vec![MadeUp::new(At::Opt, at_opt)], None, |ended, tuning, _| {
        ended.unwrap();
        assert!(matches!(outcomes(&tuning)[1], Some(TrialOutcome::NotTried(_))));
    });
}

#[test]
fn cold_runs_are_timed_apart_and_the_warm_ones_decide() {
    let does = [Does::Writes(1.0, 30), Does::Writes(1.0, 10), Does::Fails];
    let bench = MadeUp { has_cold: true, ..MadeUp::new(At::Opt, does) };
    tried(vec![bench], None, |ended, tuning, _| {
        ended.unwrap();
        let times = |warm: u64| {
            let [warm, cold] = [warm, warm * 10].map(Duration::from_micros);
            Some(TrialOutcome::Times { warm, cold })
        };
        assert_eq!(outcomes(&tuning)[..2], [times(30), times(10)]);
        assert_eq!(tuning.into_options().unwrap().options[0].tactic, 2);
    });
}

#[test]
fn where_nothing_works_each_reason_is_told() {
    let does = [Does::Fails, Does::LeavesUnwritten, Does::Fails];
    tried(vec![MadeUp::new(At::Opt, does)], None, |ended, tuning, _| {
        ended.unwrap();
        let message = tuning.into_options().err().unwrap().to_string();
        assert_eq!(message.matches("no such luck").count(), 2, "{message}");
        assert!(message.contains("left 1 of 2 elements"), "{message}");
    });
}
