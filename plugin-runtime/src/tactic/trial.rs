//! One layer on made-up data, at one of a profile's shapes.

use crate::plugin::combination::Combination;
use std::sync::Arc;
use std::time::Duration;

use super::candidates::{data_dependent, descs, laid_out_descs, tensors};
use super::clock::{Cache, Clock, Original};
use super::difference::converted;
use super::results::Results;
use super::room;
use super::sample_data::sample;
use super::{AotStep, aot_step};
use crate::device::cpu::reformat::reformat;
use crate::device::{Base, Device, Frame, Invocation, PlacedInput, PlacedTensor, Region, StepMemory, Stream};

use crate::device::cuda::{AotCompiler, AotProgram, AotRun};
use crate::error::{Error, Result};
use crate::network::{At, Layer, Network, Point, Producer, dims_at, largest_dims, range};
use crate::plugin::{ImplEntry, Runner, Sample};

use crate::guard::guarded;
use crate::shape::{Dims, Interval, ShapeExpr, SymbolKind};
use crate::tensor::{DataType, HostBytes, HostTensor, Representation, TensorInfo};

/// A layer with input data, ready to be laid out for one combination after another.
pub(crate) struct Bench<'n> {
    network: &'n Network,
    pub(super) layer: &'n Layer,
    runner: Runner,
    compiler: &'n AotCompiler,
    pub(super) at: At,
    /// One value a symbol, the layer's own size tensors at their upper bounds.
    symbols: Vec<i64>,
    /// The same with all size tensors anywhere up to their upper bounds, where what is found stays on the device and the
    /// runner copes with that.
    deferred: Option<Vec<Interval>>,
    inputs: Arc<[HostTensor]>,
    stream: Stream,
}

/// Tensors of the caller's own to try layers on, by the name of a network's tensor.
pub(crate) type Given = Vec<(Arc<str>, HostTensor)>;

impl<'n> Bench<'n> {
    /// # Errors
    /// When the extents can't be computed, or there is no such data.
    pub(crate) fn new(
        network: &'n Network,
        layer: &'n Layer,
        runner: Runner,
        compiler: &'n AotCompiler,
        point: &Point,
        stream: Stream,
        data: &Data<'_>,
    ) -> Result<Self> {
        let symbols = symbols(network, layer, point)?;
        let mut bytes = 0usize;
        for tensor in tensors(layer) {
            let linear = Representation::linear(network.tensors[tensor].dtype);
            bytes = bytes.saturating_add(linear.bytes(&dims(network, tensor, &symbols)?)?);
        }
        // Inputs, what runs with different poison wrote, and the reference.
        room::check(point.at, bytes.saturating_mul(4))?;
        let inputs = data.inputs(network, layer, point, &symbols)?;
        let stays_there = stream.device().gpu().is_some() && runner.device_shape();
        let deferred = stays_there.then(|| point.ranges.clone());
        Ok(Bench { network, layer, runner, compiler, at: point.at, symbols, deferred, inputs, stream })
    }

    /// The same layer and data for the plugin's impl for the CPU.
    pub(crate) fn on_cpu(&self, implementation: &'static ImplEntry) -> Result<Bench<'n>> {
        Ok(Bench {
            runner: Runner::Impl(implementation),
            symbols: self.symbols.clone(),
            deferred: None,
            inputs: self.inputs.clone(),
            stream: Device::cpu().create_stream()?,
            ..*self
        })
    }

    /// The types that the network has the outputs in.
    pub(super) fn output_types(&self) -> Vec<DataType> {
        self.layer.outputs.iter().map(|&tensor| self.network.tensors[tensor].dtype).collect()
    }

    /// Whether the runner has a tactic.
    pub(crate) fn knows(&self, tactic: i32) -> bool {
        self.runner.unknown_tactic(tactic).is_none()
    }

    /// The network's own types, LINEAR.
    pub(crate) fn own_combination(&self) -> Combination {
        Combination::untuned(tensors(self.layer).map(|t| self.network.tensors[t].dtype))
    }

    /// Lays the inputs out for a combination.
    ///
    /// # Errors
    /// When that takes more memory than there is, or the author's functions fail.
    pub(crate) fn lay_out(&self, combination: &Combination) -> Result<LaidOut<'_>> {
        let mut place = Placer::default();
        let mut originals = Vec::new();
        let mut inputs = Vec::new();
        for (index, (data, name)) in self.inputs.iter().zip(self.layer.plugin.entry.inputs).enumerate() {
            let tensor = self.layer.inputs[index];
            let mut placed = place.tensor(name, combination, index, self.reserved(tensor, data.extents())?)?;
            let (own, wanted) = (Representation::linear(data.dtype()), placed.info.representation());
            let mut bytes = HostBytes::zeroed(wanted.bytes(&data.extents())?)?;
            reformat(own, data.bytes(), wanted, &mut bytes, &data.extents())?;
            placed.extents = place.extents(&placed.info.dims, &data.extents());
            originals.push((placed.region, bytes));
            let in_place = self.layer.aliases.iter().position(|a| *a == Some(index));
            inputs.push(PlacedInput { tensor: placed, in_place });
        }
        let mut outputs = Vec::new();
        for (output, &tensor) in self.layer.outputs.iter().enumerate() {
            let position = inputs.len() + output;
            let dims = self.dims(tensor, &self.symbols)?;
            let reserved = self.reserved(tensor, dims)?;
            let mut placed = place.tensor(&format!("outputs[{output}]"), combination, position, reserved)?;
            placed.extents = place.extents(&reserved, &dims);
            if let Some(input) = self.layer.aliases[output] {
                placed.region = inputs[input].tensor.region;
            }
            outputs.push(placed);
        }
        let kernels = self.kernels(combination);
        let scratch = self.workspace_bytes(combination, &kernels)?;
        let workspace = place.region(scratch)?;
        let memory = StepMemory::new(inputs, outputs, workspace)?;
        if self.stream.device().gpu().is_none() {
            room::check(self.at, place.end)?;
        }
        let mut frame = Frame::scratch(self.stream.device(), place.end, &place.table)?;
        let mut active = frame.activate(&mut [], &[])?;
        active.fill(Region { base: Base::Arena, offset: 0, len: place.end }, POISONS[0], &self.stream)?;
        for (region, bytes) in &originals {
            active.copy_in(*region, bytes, &self.stream)?;
        }
        originals.retain(|(region, _)| {
            memory.inputs().iter().any(|input| input.in_place.is_some() && input.tensor.region == *region)
        });
        let originals = originals.into_iter().map(|(region, bytes)| Ok((region, Original::new(bytes, &self.stream)?)));
        let originals = originals.collect::<Result<_>>()?;
        Ok(LaidOut { bench: self, memory, frame, originals, kernels, clock: Clock::new(&self.stream)? })
    }

    /// The extents that memory is needed for: of a tensor that depends on data, the largest, where only the device knows
    /// the true ones.
    fn reserved(&self, tensor: usize, dims: Dims) -> Result<Dims> {
        let shape = &self.network.tensors[tensor].shape;
        let own = |symbol: u32| self.layer.sizes.contains(&Some(symbol));
        let found_before = |e: &ShapeExpr| e.symbols().iter().any(|s| s.kind == SymbolKind::Size && !own(s.index));
        match &self.deferred {
            Some(ranges) if shape.iter().any(found_before) => largest_dims(shape, ranges),
            _ => Ok(dims),
        }
    }

    fn dims(&self, tensor: usize, symbols: &[i64]) -> Result<Dims> {
        dims(self.network, tensor, symbols)
    }

    /// What each tactic of a combination runs ahead-of-time kernels with.
    fn kernels(&self, combination: &Combination) -> Vec<(i32, Result<(AotStep, AotRun)>)> {
        let Runner::Aot(entry) = self.runner else { return Vec::new() };
        let kernels = |tactic: i32| {
            let step = aot_step(self.network, self.layer, entry, combination, tactic, self.compiler)?;
            let mut run = AotRun::new(&step.program, self.stream.device())?;
            let AotProgram { program, exprs, .. } = &*step.program;
            let mut values = vec![0; program.output_len()];
            program.evaluate(&self.symbols, &mut vec![0; program.scratch_len()], &mut values)?;
            if let Some(ranges) = &self.deferred {
                for (value, expr) in values.iter_mut().zip(exprs).filter(|(_, expr)| data_dependent(expr)) {
                    *value = range(expr, ranges)?.max;
                }
            }
            run.set(&values)?;
            Ok((step, run))
        };
        combination.tactics.iter().map(|&tactic| (tactic, kernels(tactic))).collect()
    }

    /// Enough for every tactic.
    fn workspace_bytes(
        &self,
        combination: &Combination,
        kernels: &[(i32, Result<(AotStep, AotRun)>)],
    ) -> Result<usize> {
        let own = match self.runner {
            Runner::Impl(implementation) => workspace_expr(self.network, self.layer, implementation, combination)?,
            Runner::Aot(_) => None,
        };
        let of_kernels = kernels.iter().filter_map(|(_, made)| made.as_ref().ok()?.0.workspace.as_ref());
        let mut most = 0;
        for expr in own.iter().chain(of_kernels) {
            let bytes = expr.evaluate(&self.symbols)?;
            let bytes = usize::try_from(bytes)
                .map_err(|_| Error::plugin(format_args!("its workspace, {expr}, would be {bytes} bytes")))?;
            most = most.max(bytes);
        }
        Ok(most)
    }
}

/// What layers are tried on.
pub(crate) struct Data<'a> {
    pub(crate) given: &'a Given,
    pub(crate) seed: u64,
}

impl Data<'_> {
    /// The inputs of a layer: constants as they are, then what the caller gave, then sizes that an earlier layer finds as the
    /// layer's other inputs have them, then what the author describes.
    fn inputs(&self, network: &Network, layer: &Layer, point: &Point, symbols: &[i64]) -> Result<Arc<[HostTensor]>> {
        let described = match layer.plugin.entry.sample_inputs {
            Some(describe) => guarded(|| describe(&descs(network, &layer.inputs), &*layer.attributes))?,
            None => Vec::new(),
        };
        let input = |(index, &tensor): (usize, &usize)| {
            let node = &network.tensors[tensor];
            if let Producer::Constant(constant) = node.producer {
                return Ok(network.constants[constant].clone());
            }
            let dims = dims_at(&node.shape, &point.symbols)?;
            let given = || self.given.iter().filter(|(name, _)| *name == node.name).map(|(_, tensor)| tensor);
            if let Some(tensor) = given().find(|tensor| *tensor.dims() == *dims) {
                return Ok(tensor.clone());
            }
            if given().next().is_some() {
                let extents: Vec<String> = given().map(|tensor| tensor.extents().to_string()).collect();
                return Err(Error::invalid(format_args!(
                    "Builder::sample_input gives `{}` as {}, but at the profile's {} it is {dims}",
                    node.name,
                    extents.join(" and "),
                    point.at.name()
                )));
            }
            if let Some(symbol) = size_in(network, tensor) {
                return size_tensor(node.dtype, point.symbols[symbol as usize]);
            }
            let (seed, usual) = (self.seed ^ ((index as u64) << 32), Sample::new());
            let wanted = described.get(index).unwrap_or(&usual);
            sample(wanted, node.dtype, &dims, symbols, seed)
                .map_err(|e| Error::plugin(format_args!("data for input `{}`: {e}", layer.plugin.entry.inputs[index])))
        };
        layer.inputs.iter().enumerate().map(input).collect()
    }
}

/// The symbol that a tensor holds the value of, if it is a size tensor.
fn size_in(network: &Network, tensor: usize) -> Option<u32> {
    match network.tensors[tensor].producer {
        Producer::Layer { layer, output } => network.layers[layer].sizes[output],
        Producer::Cast(of) => size_in(network, of),
        Producer::Input(_) | Producer::Constant(_) => None,
    }
}

fn size_tensor(dtype: DataType, value: i64) -> Result<HostTensor> {
    converted(&HostTensor::from_slice(&[value], &[])?, dtype)
}

/// The values of a network's symbols that a layer is tried at: a profile's, the layer's own size tensors at their
/// upper bounds.
pub(super) fn symbols(network: &Network, layer: &Layer, point: &Point) -> Result<Vec<i64>> {
    let mut symbols = point.symbols.clone();
    for size in layer.sizes.iter().flatten() {
        if let Some(upper) = network.symbols.get(*size).and_then(|def| def.source.upper_bound()) {
            symbols[*size as usize] = upper.evaluate(&symbols)?.max(0);
        }
    }
    Ok(symbols)
}

/// Whether a layer's tensors have the same extents at two of a profile's shapes, as far as those can be computed.
pub(super) fn same_shape(network: &Network, layer: &Layer, a: &Point, b: &Point) -> bool {
    let dims = |point: &Point| {
        let symbols = symbols(network, layer, point).ok()?;
        tensors(layer).map(|tensor| dims(network, tensor, &symbols).ok()).collect::<Option<Vec<Dims>>>()
    };
    dims(a).is_some_and(|a| dims(b) == Some(a))
}

/// A tensor's extents where symbols have these values.
pub(super) fn dims(network: &Network, tensor: usize, symbols: &[i64]) -> Result<Dims> {
    dims_at(&network.tensors[tensor].shape, symbols)
}

/// The scratch memory that an impl asks for, in bytes.
pub(crate) fn workspace_expr(
    network: &Network,
    layer: &Layer,
    implementation: &ImplEntry,
    combination: &Combination,
) -> Result<Option<ShapeExpr>> {
    let Some(workspace) = implementation.workspace else { return Ok(None) };
    let descs = laid_out_descs(network, layer, combination);
    let (inputs, outputs) = descs.split_at(layer.inputs.len());
    let expr = guarded(|| workspace(inputs, outputs, &*layer.attributes))?;
    match expr.error() {
        Some(reason) => Err(Error::plugin(format_args!("its workspace: {reason}"))),
        None => Ok(Some(expr)),
    }
}

/// What memory holds that nothing was written to, one byte a run. The first is as a float no number, as an index out of
/// bounds; any two differ in each half of the byte.
pub(super) const POISONS: [u8; 4] = [0xff, 0x00, 0xa5, 0x5a];

/// Regions one after another in an arena.
#[derive(Default)]
struct Placer {
    end: usize,
    /// True extents of tensors, where they differ from those that memory is reserved for.
    table: Vec<i64>,
}

impl Placer {
    fn region(&mut self, len: usize) -> Result<Region> {
        let offset = self.end;
        let end = offset.checked_add(len).and_then(|end| end.checked_next_multiple_of(HostBytes::ALIGNMENT));
        self.end = end.filter(|&end| end <= isize::MAX as usize).ok_or_else(|| {
            Error::invalid("its inputs, outputs and workspace together need more memory than can be addressed")
        })?;
        Ok(Region { base: Base::Arena, offset, len })
    }

    /// Puts true extents into the table, where they aren't the ones that memory is reserved for. Returns where.
    fn extents(&mut self, reserved: &Dims, dims: &Dims) -> Option<usize> {
        if reserved == dims {
            return None;
        }
        let offset = size_of_val(&*self.table);
        self.table.extend_from_slice(dims);
        Some(offset)
    }

    fn tensor(&mut self, name: &str, combination: &Combination, position: usize, dims: Dims) -> Result<PlacedTensor> {
        let (dtype, format) = (combination.types[position], combination.formats[position]);
        let len = Representation::new(dtype, format).bytes(&dims)?;
        let info = TensorInfo { name: name.into(), dtype, format, dims, scale: 1.0 };
        Ok(PlacedTensor { info, region: self.region(len)?, capacity: len, extents: None })
    }
}

/// A layer whose memory is laid out for one combination.
pub(crate) struct LaidOut<'b> {
    bench: &'b Bench<'b>,
    memory: StepMemory,
    frame: Frame,
    /// What inputs that are updated in place held.
    originals: Vec<(Region, Original)>,
    clock: Clock,
    /// For each tactic, where AOT kernels run.
    kernels: Vec<(i32, Result<(AotStep, AotRun)>)>,
}

impl LaidOut<'_> {
    /// Runs a tactic once; inputs that it updates in place are restored before.
    pub(crate) fn run(&mut self, tactic: i32, cache: Cache) -> Result<Duration> {
        let (layer, stream) = (self.bench.layer, &self.bench.stream);
        let mut active = self.frame.activate(&mut [], &[])?;
        for (region, original) in &self.originals {
            original.restore(*region, &mut active, stream)?;
        }
        for (output, size) in self.memory.outputs().iter().zip(&layer.sizes) {
            if size.is_some() {
                active.clear_size(output, stream)?;
            }
        }
        let views = active.step(&self.memory);
        match self.bench.runner {
            Runner::Impl(implementation) => {
                let mut invocation = Invocation::new(views, &*layer.attributes, stream, tactic);
                self.clock.time(cache, || guarded(|| (implementation.run)(&mut invocation)))
            }
            Runner::Aot(_) => {
                let made = self.kernels.iter_mut().find(|(of, _)| *of == tactic).map(|(_, made)| made);
                let (_, run) = match made {
                    Some(Ok(made)) => made,
                    Some(Err(error)) => return Err(error.clone()),
                    None => return Err(Error::invalid(format_args!("it has no kernels for tactic {tactic}"))),
                };
                self.clock.time(cache, || run.launch(&views, stream))
            }
        }
    }

    /// Whether runs with a cold cache are timed apart.
    pub(crate) fn knows_cold(&self) -> bool {
        self.clock.knows_cold()
    }

    /// Runs a tactic once, with outputs that aren't updated in place and scratch memory full of poison before.
    pub(super) fn run_poisoned(&mut self, tactic: i32, poison: u8) -> Result<Results> {
        let stream = &self.bench.stream;
        let mut active = self.frame.activate(&mut [], &[])?;
        let outputs = self.memory.outputs().iter().zip(&self.bench.layer.aliases);
        let regions = outputs.filter(|(_, alias)| alias.is_none()).map(|(output, _)| (output.region, poison));
        // With another byte, so that what is copied from there isn't taken for unwritten.
        for (region, byte) in regions.chain([(self.memory.workspace(), !poison)]) {
            active.fill(region, byte, stream)?;
        }
        self.run(tactic, Cache::Warm)?;
        Ok(Results { outputs: self.outputs()?, poison })
    }

    /// For each output, whether it is updated in place.
    pub(super) fn in_place(&self) -> Vec<bool> {
        self.bench.layer.aliases.iter().map(Option::is_some).collect()
    }

    /// `x FP32 [2, 3] -> FP32 [2, 3]`
    pub(super) fn describe(&self) -> String {
        self.memory.describe()
    }

    /// What the last run wrote.
    fn outputs(&mut self) -> Result<Vec<HostTensor>> {
        let bench = self.bench;
        let mut active = self.frame.activate(&mut [], &[])?;
        let mut symbols = bench.symbols.clone();
        for (output, (placed, size)) in self.memory.outputs().iter().zip(&bench.layer.sizes).enumerate() {
            if let Some(size) = size {
                let upper = symbols[*size as usize];
                let found = active.read_size(placed, &bench.stream)?;
                check_size(output, found, upper)?;
                symbols[*size as usize] = found;
            }
        }
        let mut outputs = Vec::new();
        for (placed, &tensor) in self.memory.outputs().iter().zip(&bench.layer.outputs) {
            let dims = bench.dims(tensor, &symbols)?;
            let representation = placed.info.representation();
            let row_major = Representation::linear(placed.info.dtype);
            let mut data = HostTensor::zeros(placed.info.dtype, &dims)?;
            if representation == row_major {
                active.copy_out(placed.region, data.bytes_mut(), &bench.stream)?;
            } else {
                let mut bytes = HostBytes::zeroed(representation.bytes(&dims)?)?;
                active.copy_out(placed.region, &mut bytes, &bench.stream)?;
                reformat(representation, &bytes, row_major, data.bytes_mut(), &dims)?;
            }
            outputs.push(data);
        }
        Ok(outputs)
    }
}

/// Checks what an impl wrote into a size tensor.
pub(crate) fn check_size(output: usize, found: i64, upper: i64) -> Result<()> {
    match found {
        -1 => Err(Error::plugin(format_args!(
            "the impl didn't write its size tensor, output {output}: call outputs[{output}].write_size(n)"
        ))),
        n if n < 0 || n > upper => Err(Error::plugin(format_args!(
            "the impl wrote {n} to its size tensor, output {output}; it must be 0 to {upper}, its upper bound"
        ))),
        _ => Ok(()),
    }
}
