//! Tactics that write all, nothing or half of their output, or something wrong; and what builds have to make of them.

use plugin_runtime::engine::Engine;
use plugin_runtime::network::{IntoOp, Network, TensorId};
use plugin_runtime::prelude::*;
use plugin_runtime::tactic::TrialOutcome;
use plugin_runtime::tensor::HostTensor;

/// What a tactic writes to its output, which should be the input plus 1.
#[derive(Tactic, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Writes {
    /// The right result, by way of scratch memory.
    All = 1,
    /// Nothing.
    Nothing = 2,
    /// The first half.
    Half = 3,
    /// Something else: NaN, or as an integer the greatest.
    Wrong = 4,
    /// What happens to be in scratch memory.
    Scratch = 5,
}

/// Two tactics in the order in which they are listed, and what they are listed for.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The tactics.
    pub order: [Writes; 2],
    /// Type of input and output.
    pub dtype: DataType,
    /// Whether the output's extent is found by the plugin.
    pub sized: bool,
    /// Whether the right tactic is marked as the reference.
    pub marked: bool,
}

/// The right tactic and another, or two that aren't right, in both orders.
pub fn cases() -> Vec<Case> {
    use Writes::{All, Half, Nothing, Scratch, Wrong};
    let pairs = [[All, Nothing], [All, Half], [All, Wrong], [All, Scratch], [Nothing, Half], [Half, Scratch]];
    let orders = pairs.into_iter().flat_map(|[a, b]| [[a, b], [b, a]]);
    let typed = orders.flat_map(|order| [DataType::Float32, DataType::Int32].map(|dtype| (order, dtype)));
    let sized = typed.flat_map(|(order, dtype)| [false, true].map(|sized| (order, dtype, sized)));
    let marked = sized.flat_map(|(order, dtype, sized)| {
        let marks = if order.contains(&All) { vec![false, true] } else { vec![false] };
        marks.into_iter().map(move |marked| Case { order, dtype, sized, marked })
    });
    marked.collect()
}

/// What an autotune function lists for these attributes: types as a text, tactics, and the marked one or 0.
pub fn listed(types: &str, tactics: &[i32], marked: i32) -> Vec<AutoTuneCombination> {
    let combination = AutoTuneCombination::new(types).tactics(tactics.iter().copied());
    vec![if marked == 0 { combination } else { combination.reference(marked) }]
}

impl Case {
    /// What the plugins take as attributes: the tactics' numbers, and that of the marked one or 0.
    pub fn attributes(&self) -> (Vec<i32>, i32) {
        (self.order.map(|writes| writes as i32).into(), if self.marked { Writes::All as i32 } else { 0 })
    }

    /// A network of one layer, of as many elements.
    pub fn network<const N: usize, O: IntoOp<N>>(&self, extent: i64, op: impl FnOnce(TensorId) -> O) -> Network {
        let mut network = Network::new();
        let x = network.add_input("x", self.dtype, [extent]).expect("a name of its own");
        let outputs = network.add_named_plugin("layer", op(x)).expect("it takes any vector");
        network.mark_output(outputs[0], "y").expect("an output of its own");
        network
    }

    /// Checks what came of a build; `compared` says whether there is an impl for another device to compare with.
    pub fn check(&self, built: plugin_runtime::Result<Engine>, extent: usize, compared: bool) {
        let disagree = self.order.contains(&Writes::Wrong) && !self.marked && !compared;
        if disagree {
            let error = built.expect_err("nothing says which is right").to_string();
            assert!(error.contains("give different results, and nothing says which is right"), "{self:?}: {error}");
            for writes in self.order {
                assert!(error.contains(&format!("tactic {writes:?}")), "{self:?}: {error}");
            }
            assert!(error.contains(".reference(tactic)") && error.contains("compare = .."), "{self:?}: {error}");
            return;
        }
        if !self.order.contains(&Writes::All) {
            let error = built.expect_err("none is right").to_string();
            for writes in self.order {
                let reason = format!("tactic {writes:?}: {}", writes.reason(extent));
                assert!(error.contains(&reason), "{self:?}: {reason} isn't in {error}");
            }
            return;
        }
        let engine = built.unwrap_or_else(|error| panic!("{self:?}: {error}"));
        for trial in &engine.report().layers[0].trials {
            let writes = self.order.into_iter().find(|writes| format!("{writes:?}") == trial.tactic);
            match (writes, &trial.outcome) {
                // Another type's combination.
                (_, TrialOutcome::Rejected(reason)) if reason.contains("can't be converted") => {}
                (Some(Writes::All), TrialOutcome::Time(_) | TrialOutcome::Times { .. }) => assert!(trial.chosen),
                (Some(writes), TrialOutcome::Rejected(reason)) if writes != Writes::All => {
                    assert!(reason.starts_with(&writes.reason(extent)), "{self:?}: {reason}");
                }
                (_, outcome) => panic!("{self:?}: {} {outcome:?}", trial.tactic),
            }
        }
        self.run(&engine, extent);
    }

    fn run(&self, engine: &Engine, extent: usize) {
        let numbers: Vec<i32> = (0..extent as i32).collect();
        let tensor = |plus: i32| match self.dtype {
            DataType::Int32 => {
                HostTensor::from_slice(&numbers.iter().map(|n| n + plus).collect::<Vec<_>>(), &[extent as i64])
            }
            _ => {
                HostTensor::from_slice(&numbers.iter().map(|n| (n + plus) as f32).collect::<Vec<_>>(), &[extent as i64])
            }
        };
        let (x, expected) = (tensor(0).expect("it fits"), tensor(1).expect("it fits"));
        let outputs = engine.create_context().and_then(|mut context| context.run(&[("x", &x)]));
        let outputs = outputs.unwrap_or_else(|error| panic!("{self:?}: {error}"));
        assert!(outputs[0].1.bytes() == expected.bytes(), "{self:?}: the engine is wrong");
    }
}

impl Writes {
    /// How the reason begins that it is left out for.
    fn reason(self, extent: usize) -> String {
        match self {
            Writes::All => String::new(),
            Writes::Nothing => {
                format!("left {extent} of {extent} elements of outputs[0] unwritten, the first at 0")
            }
            Writes::Half => format!(
                "left {} of {extent} elements of outputs[0] unwritten, the first at {}",
                extent - extent / 2,
                extent / 2
            ),
            Writes::Wrong => "outputs[0] differs from the reference: element 0 is ".into(),
            Writes::Scratch => "outputs[0] differs from run to run: element 0 is ".into(),
        }
    }
}
