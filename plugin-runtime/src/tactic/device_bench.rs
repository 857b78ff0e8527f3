//! A layer with input data on a real device.

use std::sync::Arc;

use super::clock::{Clock, HostData, Original};
use super::laid_out::LaidOut;
use super::layer_data::Data;
use super::layer_extents::{dims, symbols};
use super::room;
use super::scratch::Scratch;
use super::trial::{Bench, POISONS, Trials};
use crate::device::cpu::reformat::reformat;
use crate::device::cuda::{AotCompiler, AotLaunches, AotProgram};
use crate::device::{Base, Device, Frame, Region, StepLayout, StepMemory, Stream};
use crate::error::{Error, Result};
use crate::network::{At, Layer, Network, Point, SymbolIndex, TensorIndex, data_dependent, largest_dims, range};
use crate::plugin::combination::Combination;
use crate::plugin::{AotEntry, ImplEntry, Implementation, Work};
use crate::shape::{Dims, Interval, ShapeExpr, SymbolKind};
use crate::tensor::{DataType, HostBytes, HostTensor, Representation, TensorDesc};

/// Network, compiler, stream and clock of all trials.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site<'n> {
    pub(super) network: &'n Network,
    pub(super) compiler: &'n AotCompiler,
    pub(super) stream: &'n Stream,
    pub(super) clock: &'n Clock,
}

/// A layer with input data on a device, at one of a profile's shapes.
#[derive(Debug)]
pub(super) struct DeviceBench<'n> {
    network: &'n Network,
    layer: &'n Layer,
    implementation: Implementation,
    compiler: &'n AotCompiler,
    at: At,
    /// One value per symbol, the layer's own size tensors at their upper bounds.
    symbols: Vec<i64>,
    /// One range per symbol, size tensors from 0 to their upper bounds, where size tensors stay on the device and the
    /// implementation copes with that.
    deferred: Option<Vec<Interval>>,
    /// Whether the network's dynamic extents too are such that only the device knows.
    withheld: bool,
    inputs: Arc<[HostTensor]>,
    stream: Stream,
    clock: &'n Clock,
}

/// A tactic's work, and its workspace in bytes.
type Prepared = (Work, usize);

/// The regions of inputs, and their data; `None` where that is the input's as it is.
type Inputs = Vec<(Region, Option<HostBytes>)>;

impl<'n> DeviceBench<'n> {
    /// # Errors
    /// When the extents can't be computed, or there is no such data.
    pub(super) fn new(
        site: Site<'n>,
        layer: &'n Layer,
        implementation: Implementation,
        point: &Point,
        data: &Data<'_>,
    ) -> Result<Self> {
        let Site { network, compiler, stream, clock } = site;
        let symbols = symbols(network, layer, point)?;
        let mut bytes = 0usize;
        for tensor in layer.tensors() {
            let linear = Representation::linear(network.tensors[tensor].dtype);
            bytes = bytes.saturating_add(linear.bytes(&dims(network, tensor, &symbols)?)?);
        }
        // Inputs, the outputs of runs with different poison, and the reference's outputs.
        room::check(point.at, bytes.saturating_mul(4))?;
        let inputs = data.inputs(network, layer, point, &symbols)?;
        let stays_there = stream.device().gpu().is_some() && implementation.device_shape();
        let deferred = stays_there.then(|| point.ranges.clone());
        let stream = stream.clone();
        let (at, withheld) = (point.at, false);
        Ok(DeviceBench {
            network,
            layer,
            implementation,
            compiler,
            at,
            symbols,
            deferred,
            withheld,
            inputs,
            stream,
            clock,
        })
    }

    /// With the network's dynamic extents known to the device alone; `ranges` hold their upper bounds, one per symbol.
    #[cfg(any(feature = "testing", test))]
    pub(super) fn withholding(self, ranges: Vec<Interval>) -> Self {
        DeviceBench { deferred: Some(ranges), withheld: true, ..self }
    }

    /// The extents that memory is reserved for: the largest, for a tensor whose true extents only the device knows.
    fn reserved(&self, tensor: TensorIndex, dims: Dims) -> Result<Dims> {
        let shape = &self.network.tensors[tensor].shape;
        let own = |symbol: u32| self.layer.sizes.contains(&Some(SymbolIndex::new(symbol as usize)));
        let is_found = |kind: SymbolKind| kind == SymbolKind::Size || self.withheld;
        let found_before = |e: &ShapeExpr| e.symbols().iter().any(|s| is_found(s.kind) && !own(s.index));
        match &self.deferred {
            Some(ranges) if shape.iter().any(found_before) => largest_dims(shape, ranges),
            _ => Ok(dims),
        }
    }

    /// Lays out the layer's tensors in scratch memory, for a workspace of so many bytes.
    fn memory(&self, combination: &Combination, workspace: usize, place: &mut Scratch) -> Result<(StepMemory, Inputs)> {
        let layer = self.layer;
        let representation =
            |position: usize| Representation::new(combination.types[position], combination.formats[position]);
        let mut layout = StepLayout::new(&layer.aliases);
        let mut inputs: Inputs = Vec::new();
        let mut extents = Vec::new();
        for (index, (data, name)) in self.inputs.iter().zip(layer.plugin().entry.inputs).enumerate() {
            let reserved = self.reserved(layer.inputs[index], data.extents())?;
            let (own, wanted) = (Representation::linear(data.dtype()), representation(index));
            let region = place.region(wanted.bytes(&reserved)?)?;
            let converted = (own != wanted).then(|| -> Result<HostBytes> {
                let mut bytes = HostBytes::zeroed(wanted.bytes(&data.extents())?)?;
                reformat(own, data.bytes(), wanted, &mut bytes, &data.extents())?;
                Ok(bytes)
            });
            inputs.push((region, converted.transpose()?));
            extents.push(place.extents(&reserved, &data.extents()));
            layout.input((*name).into(), wanted, reserved, region);
        }
        for (output, &tensor) in layer.outputs.iter().enumerate() {
            let dims = dims(self.network, tensor, &self.symbols)?;
            let reserved = self.reserved(tensor, dims)?;
            let wanted = representation(layer.inputs.len() + output);
            let region = match layer.aliases[output] {
                Some(input) => inputs[input].0,
                None => place.region(wanted.bytes(&reserved)?)?,
            };
            extents.push(place.extents(&reserved, &dims));
            layout.output(wanted, reserved, region);
        }
        let mut memory = layout.finish(place.region(workspace)?)?;
        for (tensor, offset) in extents.into_iter().enumerate() {
            if let Some(offset) = offset {
                memory.place_extents(tensor, offset);
            }
        }
        Ok((memory, inputs))
    }

    /// The work of each tactic of a combination.
    fn works(&self, combination: &Combination) -> Vec<(i32, Result<Prepared>)> {
        combination.tactics.iter().map(|&tactic| (tactic, self.work(combination, tactic))).collect()
    }

    fn work(&self, combination: &Combination, tactic: i32) -> Result<Prepared> {
        let bound = &self.layer.bound;
        let (inputs, outputs) = self.network.laid_out_descs(self.layer, combination);
        let (work, workspace) = match self.implementation {
            Implementation::Impl(entry) => (bound.work(entry, tactic), bound.workspace(entry, &inputs, &outputs)?),
            Implementation::Aot(entry) => self.kernels(entry, (&inputs, &outputs), tactic)?,
        };
        let Some(expr) = workspace else { return Ok((work, 0)) };
        let bytes = expr.evaluate(&self.symbols)?;
        match usize::try_from(bytes) {
            Ok(bytes) => Ok((work, bytes)),
            Err(_) => Err(Error::plugin(format_args!("its workspace, {expr}, would be {bytes} bytes"))),
        }
    }

    fn kernels(
        &self,
        entry: &AotEntry,
        descs: (&[TensorDesc], &[TensorDesc]),
        tactic: i32,
    ) -> Result<(Work, Option<ShapeExpr>)> {
        let described = self.layer.bound.kernels(entry, descs, tactic, self.compiler)?;
        let mut kernels = AotLaunches::new(&described.program, self.stream.device())?;
        let AotProgram { program, exprs, .. } = &*described.program;
        let mut values = vec![0; program.output_len()];
        program.evaluate(&self.symbols, &mut vec![0; program.scratch_len()], &mut values)?;
        if let Some(ranges) = &self.deferred {
            for (value, expr) in values.iter_mut().zip(exprs).filter(|(_, expr)| data_dependent(expr)) {
                *value = range(expr, ranges)?.max;
            }
        }
        kernels.set(&values)?;
        Ok((Work::Kernels(kernels), described.workspace))
    }
}

impl Bench for DeviceBench<'_> {
    fn at(&self) -> At {
        self.at
    }

    fn own_combination(&self) -> Combination {
        Combination::untuned(self.layer.tensors().map(|t| self.network.tensors[t].dtype))
    }

    fn output_types(&self) -> Vec<DataType> {
        self.layer.outputs.iter().map(|&tensor| self.network.tensors[tensor].dtype).collect()
    }

    #[cfg(any(feature = "testing", test))]
    fn inputs(&self) -> &[HostTensor] {
        &self.inputs
    }

    fn knows(&self, tactic: i32) -> bool {
        self.implementation.unknown_tactic(tactic).is_none()
    }

    fn on_cpu(&self, entry: &'static ImplEntry) -> Result<Box<dyn Bench + '_>> {
        Ok(Box::new(DeviceBench {
            implementation: Implementation::Impl(entry),
            symbols: self.symbols.clone(),
            deferred: None,
            withheld: false,
            inputs: self.inputs.clone(),
            stream: Device::cpu().create_stream()?,
            clock: &Clock::Host,
            ..*self
        }))
    }

    fn lay_out(&self, combination: &Combination) -> Result<Box<dyn Trials + '_>> {
        let works = self.works(combination);
        // Enough for every tactic.
        let workspace = works.iter().filter_map(|(_, work)| Some(work.as_ref().ok()?.1)).max().unwrap_or(0);
        let mut place = Scratch::default();
        let (memory, inputs) = self.memory(combination, workspace, &mut place)?;
        if self.stream.device().gpu().is_none() {
            room::check(self.at, place.end())?;
        }
        let mut frame = Frame::scratch(self.stream.device(), place.end(), place.table())?;
        let mut active = frame.activate(&mut [], &[])?;
        active.fill(Region { base: Base::Arena, offset: 0, len: place.end() }, POISONS[0], &self.stream)?;
        for ((region, converted), data) in inputs.iter().zip(&*self.inputs) {
            active.copy_in(*region, converted.as_deref().unwrap_or(data.bytes()), &self.stream)?;
        }
        let updated = |region: Region| {
            memory.inputs().iter().any(|input| input.in_place.is_some() && input.tensor.region == region)
        };
        let originals = inputs.into_iter().zip(&*self.inputs).filter(|((region, _), _)| updated(*region));
        let originals = originals.map(|((region, converted), data)| {
            let bytes = converted.map_or(HostData::Input(data), HostData::Converted);
            Ok((region, Original::new(bytes, &self.stream)?))
        });
        let originals = originals.collect::<Result<_>>()?;
        let works = works.into_iter().map(|(tactic, work)| (tactic, work.map(|(work, _)| work))).collect();
        let (clock, gaps) = (self.clock, place.gaps());
        let DeviceBench { network, layer, implementation, symbols, stream, .. } = self;
        let implementation = *implementation;
        Ok(Box::new(LaidOut {
            network,
            layer,
            implementation,
            symbols,
            stream,
            memory,
            frame,
            originals,
            works,
            clock,
            gaps,
        }))
    }
}
