//! The table of extents that only the device knows, in the device's memory.

use crate::device::StepMemory;
use crate::engine::plan::Plan;
use crate::error::Result;
use crate::shape::{ShapeExpr, ShapeProgram, SymbolKind};

/// Bytes of a number.
pub(super) const WORD: usize = size_of::<i64>();

/// Layout of the table of true extents on the device: a place for each tensor that needs one.
pub(super) struct ExtentsTable {
    /// Per step whose size tensors later steps need on the device: the program for the extents that follow from them,
    /// which may be none, and the offset of its results in the table.
    pub(super) settled: Vec<Option<(ShapeProgram, usize)>>,
    pub(super) slots_at: usize,
    len: usize,
}

impl ExtentsTable {
    /// Gives a place in the table to each tensor in `memories` whose shape depends on data, except those of steps that
    /// run at true extents. The symbols' values come first.
    ///
    /// # Errors
    /// When an extent carries a mistake.
    pub(super) fn new(plan: &Plan, symbols: usize, memories: &mut [StepMemory]) -> Result<Self> {
        let mut maker: Vec<Option<usize>> = vec![None; symbols];
        let mut wanted: Vec<Vec<(usize, usize, &[ShapeExpr])>> = vec![Vec::new(); plan.steps.len()];
        for (position, step) in plan.steps.iter().enumerate() {
            let mut extents = &step.extents[..];
            let tensors = memories[position].ranks().enumerate().filter(|_| !step.waits());
            for (tensor, rank) in tensors {
                let (own, rest) = extents.split_at(rank.min(extents.len()));
                extents = rest;
                let last = own.iter().flat_map(ShapeExpr::symbols).filter(|s| s.kind == SymbolKind::Size);
                let last = last.filter_map(|s| maker.get(s.index as usize).copied().flatten()).max();
                if let Some(last) = last {
                    wanted[last].push((position, tensor, own));
                }
            }
            step.sizes.iter().for_each(|size| maker[size.symbol.position()] = Some(position));
        }
        let mut used = vec![false; plan.steps.len()];
        for (_, _, exprs) in wanted.iter().flatten() {
            let makers =
                exprs.iter().flat_map(ShapeExpr::symbols).filter_map(|s| maker.get(s.index as usize).copied()?);
            makers.for_each(|step| used[step] = true);
        }
        let mut programs = Vec::with_capacity(wanted.len());
        for (tensors, used) in wanted.iter().zip(used) {
            let exprs = tensors.iter().flat_map(|(_, _, exprs)| *exprs);
            programs.push(used.then(|| ShapeProgram::compile(exprs)).transpose()?);
        }
        // Intermediate values come before the results.
        let mut len = symbols + programs.iter().flatten().map(ShapeProgram::scratch_len).max().unwrap_or(0);
        let mut settled = Vec::with_capacity(wanted.len());
        for (tensors, program) in wanted.iter().zip(programs) {
            settled.push(program.map(|program| (program, len)));
            for (position, tensor, exprs) in tensors {
                memories[*position].place_extents(*tensor, len * WORD);
                len += exprs.len();
            }
        }
        Ok(ExtentsTable { settled, slots_at: symbols, len })
    }

    /// In bytes.
    pub(super) fn len(&self) -> usize {
        self.len * WORD
    }
}

#[cfg(test)]
#[expect(unsafe_code, reason = "in the crate itself the attributes' link sections count as such")]
mod tests {
    use super::*;
    use crate::device::{Device, DeviceKind};

    use crate::device::cuda::AotCompiler;
    use crate::network::{Bounds, Layer, Network};
    use crate::plugin::Implementation;
    use crate::prelude::*;
    use crate::shape::Profile;
    use crate::table::Table;
    use crate::tactic::Choice;

    use crate::plugin::combination::Combination;

    #[register("extents_test::keep", crate = crate)]
    fn keep(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
        let kept = size_tensor(1, x.numel());
        (TensorDesc::from_shape_expr([kept.expr()], x.dtype()), kept)
    }

    #[impl_plugin("extents_test::keep", device = cuda, crate = crate)]
    fn keep_cuda(x: Tensor, outputs: [TensorMut; 2]) {}

    #[register("extents_test::join", crate = crate)]
    fn join(x: &TensorDesc, y: &TensorDesc) -> TensorDesc {
        TensorDesc::from_shape_expr([x.numel() + y.numel()], x.dtype())
    }

    #[impl_plugin("extents_test::join", device = cuda, crate = crate)]
    fn join_cuda(x: Tensor, y: Tensor, outputs: [TensorMut; 1]) {}

    #[register("extents_test::negate", crate = crate)]
    fn negate(x: &TensorDesc) -> TensorDesc {
        x.like()
    }

    #[impl_plugin("extents_test::negate", device = cuda, device_shape = true, crate = crate)]
    fn negate_cuda(x: Tensor, outputs: [TensorMut; 1]) {}

    /// Two sizes, a layer that waits for both, and one that copes with their sum.
    fn plan() -> Plan {
        let mut network = Network::new();
        let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
        let [a, _] = network.add_plugin(keep::op(x)).unwrap();
        let [b, _] = network.add_plugin(keep::op(x)).unwrap();
        let [joined] = network.add_plugin(join::op(a, b)).unwrap();
        let [negated] = network.add_plugin(negate::op(joined)).unwrap();
        network.mark_output(negated, "y").unwrap();
        let profile = Profile::new().dims("x", [0], [10], [100]);
        let bounds = Bounds::new(&network, &profile).unwrap();
        let choice = |layer: &crate::network::Layer| Choice {
            implementation: Implementation::Impl(layer.plugin().impl_for(DeviceKind::Cuda).unwrap()),
            combination: Combination::untuned(
                layer.inputs.iter().chain(&layer.outputs).map(|&tensor| network.tensors[tensor].dtype),
            ),
            tactic: 0,
        };
        let choices: Table<Layer, Choice> = network.layers.iter().map(choice).collect();
        Plan::new(&network, &profile, &bounds, &choices, &AotCompiler::new(&Device::cpu(), &[])).unwrap()
    }

    #[test]
    fn a_layer_that_does_not_say_that_it_copes_waits_and_finds_no_extents_on_the_device() {
        let plan = plan();
        let awaited: Vec<&[usize]> = plan.steps.iter().map(|step| &*step.awaited).collect();
        assert_eq!(awaited, [&[][..], &[], &[1, 2], &[]]);
        let mut memories: Vec<StepMemory> = plan.steps.iter().map(|step| step.memory.clone()).collect();
        let table = ExtentsTable::new(&plan, 3, &mut memories).unwrap();
        let places = |step: usize| {
            let inputs = memories[step].inputs().iter().map(|input| input.tensor.extents);
            inputs.chain(memories[step].outputs().iter().map(|output| output.extents)).collect::<Vec<_>>()
        };
        assert_eq!(places(2), [None, None, None]);
        let at = places(3)[0].unwrap();
        assert_eq!(places(3), [Some(at), Some(at + WORD)]);
        // Both sizes are brought to the device's table, the first of them for nothing but the sum.
        let programs: Vec<_> = table.settled.iter().map(|s| s.as_ref().map(|(p, _)| p.output_len())).collect();
        assert_eq!(programs, [Some(0), Some(2), None, None]);
    }
}
