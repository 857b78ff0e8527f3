//! What an adapter holds of a node, and one call of it.

use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

#[cfg(any(feature = "onnxruntime", feature = "python", test))]
use super::Decision;
use super::plan::{Choose, Output};
use super::pool::Pool;
use super::state::{Largest, Places, State};
use super::{Node, Plan};
use crate::device::{Device, Stream};
use crate::error::{Error, Result};
use crate::network::Dim;
#[cfg(feature = "tensorrt")]
use crate::network::Network;
use crate::shape::{Dims, MAX_RANK};

/// A node of a host's graph, ready to be called by many threads at once.
///
/// What a call needs for itself (extents, bindings, room for kernels' arguments) is kept in a pool from one call to the
/// next, as often as calls ran at once. So a call whose extents are those of the call before allocates nothing and locks
/// nothing; other extents are computed from the plugin's expressions, without allocation too where the ranks stay the same.
pub(crate) struct Call {
    node: Node,
    choose: Box<Choose>,
    /// Quantisation scales of the inputs, then of the outputs; empty where there are none.
    scales: Vec<f32>,
    /// Whether there is one plan and no other.
    only: bool,
    /// Those of all dimensions that were met; the one for what the host declared comes first.
    plans: Mutex<Vec<Arc<Plan>>>,
    states: Pool<Kept>,
}

/// Where a caller that makes one call at a time keeps what it needs from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Home(Option<Box<Kept>>);

/// What is kept from one call to the next.
#[derive(Debug)]
struct Kept {
    inputs: Vec<Dims>,
    /// Whether what follows from the inputs' extents has to be computed anew.
    stale: bool,
    state: Option<State>,
    /// The stream of the last call on a GPU, by its address.
    stream: Option<(usize, Stream)>,
}

impl Call {
    /// `declared` holds what the host knows of the inputs' dimensions, where it knows their ranks.
    ///
    /// # Errors
    /// When the plugin refuses the inputs, has no impl for the device, or its kernels can't be compiled.
    #[cfg(any(feature = "onnxruntime", feature = "python", test))]
    pub(crate) fn new(node: Node, declared: Option<&[Vec<Dim>]>, choose: Box<Choose>) -> Result<Call> {
        let plan = match declared {
            Some(dims) => plan_declared(&node, dims, &*choose)?,
            None => None,
        };
        let plans = Mutex::new(plan.into_iter().collect());
        Ok(Call { node, choose, scales: Vec::new(), only: false, plans, states: Pool::new() })
    }

    /// With quantisation scales of the inputs, then of the outputs. Of a `network` that was made of the node before, the
    /// plugin isn't asked again, and other inputs are refused.
    ///
    /// # Errors
    /// As [`Call::new`].
    #[cfg(feature = "tensorrt")]
    pub(crate) fn scaled(node: Node, network: Option<Network>, choose: Box<Choose>, scales: Vec<f32>) -> Result<Call> {
        let only = network.is_some();
        let plan = network.map(|network| Plan::of_network(&node, network, &*choose, &scales)).transpose()?;
        let plans = Mutex::new(plan.map(Arc::new).into_iter().collect());
        Ok(Call { node, choose, scales, only, plans, states: Pool::new() })
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// What it runs as, where that is settled.
    pub(crate) fn plan(&self) -> Option<Arc<Plan>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).first().cloned()
    }

    /// Begins a call.
    #[inline]
    pub(crate) fn begin(&self) -> Lease<'_> {
        let kept = self.states.take().unwrap_or_else(|| Box::new(Kept::new(self.node.inputs.len())));
        Lease { call: self, kept: Some(kept), home: None }
    }

    /// Begins a call of a caller that makes one at a time, and keeps what it needs itself.
    #[cfg(feature = "tensorrt")]
    #[inline]
    pub(crate) fn begin_alone<'c>(&'c self, home: &'c mut Home) -> Lease<'c> {
        let kept = home.0.take().unwrap_or_else(|| Box::new(Kept::new(self.node.inputs.len())));
        Lease { call: self, kept: Some(kept), home: Some(home) }
    }

    /// Enqueues the node once more at the extents of the call before, which left what it needs in `home`; else as
    /// [`Lease::enqueue_in`].
    ///
    /// # Safety
    /// As [`Lease::enqueue_in`].
    ///
    /// # Errors
    /// As [`Lease::enqueue_in`].
    #[cfg(feature = "tensorrt")]
    #[inline]
    #[expect(unsafe_code, reason = "takes addresses on trust")]
    pub(crate) unsafe fn enqueue_again(&self, home: &mut Home, places: &Places<'_>, raw: *mut c_void) -> Result<()> {
        let kept = home.0.as_deref_mut().ok_or_else(not_prepared)?;
        // SAFETY: as the caller says.
        unsafe { kept.enqueue_in(&self.node.device, places, raw) }
    }

    #[cold]
    fn impossible(&self, input: usize, extents: &[i64]) -> Error {
        let name = self.node.plugin.entry.inputs.get(input).copied().unwrap_or_default();
        self.node.failed(Error::invalid(format_args!(
            "input `{name}` can't be {extents:?}: at most {MAX_RANK} extents of 0 or more are possible"
        )))
    }

    /// A plan for inputs of these extents.
    #[cold]
    fn plan_for(&self, inputs: &[Dims]) -> Result<Arc<Plan>> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let mut symbols = Vec::new();
        if let Some(plan) = plans.iter().find(|plan| plan.take(inputs, &mut symbols)) {
            return Ok(plan.clone());
        }
        if self.only {
            let given: Vec<String> = inputs.iter().map(ToString::to_string).collect();
            let given = given.join(", ");
            return Err(self.node.failed(Error::invalid(format_args!(
                "its inputs are {given}, which isn't what it was built for: an extent was another, or two were one"
            ))));
        }
        let open = |dims: &Dims| dims.iter().map(|_| Dim::Dynamic).collect();
        let fixed = |dims: &Dims| dims.iter().map(|&extent| Dim::Fixed(extent)).collect();
        let of = |dim: &dyn Fn(&Dims) -> Vec<Dim>| {
            Plan::scaled(&self.node, &inputs.iter().map(dim).collect::<Vec<_>>(), &*self.choose, &self.scales)
        };
        // Some plugins have to know an extent, or that two are one.
        let plan = Arc::new(of(&open).or_else(|_| of(&fixed))?);
        const MOST: usize = 64;
        if plans.len() == MOST {
            plans.remove(1);
        }
        plans.push(plan.clone());
        Ok(plan)
    }
}

/// A plan for what the host declared; `None` where that doesn't say enough, and what a call brings may do.
#[cfg(any(feature = "onnxruntime", feature = "python", test))]
fn plan_declared(node: &Node, dims: &[Vec<Dim>], choose: &Choose) -> Result<Option<Arc<Plan>>> {
    let error = match Plan::new(node, dims, choose) {
        Ok(plan) => return Ok(Some(Arc::new(plan))),
        Err(error) => error,
    };
    // Where the plugin takes extents that are one, or known, it is asked again when a call brings them.
    let could_be = |extent: &Dim| {
        let replaced = |dim: &Dim| if matches!(dim, Dim::Fixed(_)) { dim.clone() } else { extent.clone() };
        let dims: Vec<Vec<Dim>> = dims.iter().map(|dims| dims.iter().map(replaced).collect()).collect();
        Plan::new(node, &dims, &Decision::in_order).is_ok()
    };
    let is_open = dims.iter().flatten().any(|dim| !matches!(dim, Dim::Fixed(_)));
    match is_open && [Dim::Named("n".into()), Dim::Fixed(64)].iter().any(could_be) {
        true => Ok(None),
        false => Err(error),
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("node", &self.node).finish_non_exhaustive()
    }
}

impl Kept {
    fn new(inputs: usize) -> Self {
        Kept { inputs: vec![Dims::SCALAR; inputs], stale: true, state: None, stream: None }
    }

    /// # Safety
    /// As [`Lease::enqueue_in`].
    #[cfg(feature = "tensorrt")]
    #[inline]
    #[expect(unsafe_code, reason = "takes addresses on trust")]
    unsafe fn enqueue_in(&mut self, device: &Device, places: &Places<'_>, raw: *mut c_void) -> Result<()> {
        let Kept { state, stale, stream, .. } = self;
        let Some(state) = state.as_mut().filter(|_| !*stale) else { return Err(not_prepared()) };
        // SAFETY: as the caller says.
        let enqueued = unsafe { state.enqueue(places, borrowed(stream, device, raw)?) };
        enqueued.map_err(|error| state.failed(error))
    }
}

/// One call of a node: extents in, extents of the outputs out, then the run.
#[derive(Debug)]
pub(crate) struct Lease<'c> {
    call: &'c Call,
    /// There until this is dropped.
    kept: Option<Box<Kept>>,
    /// Where it goes then, unless that is the pool.
    home: Option<&'c mut Home>,
}

impl Lease<'_> {
    /// Says which extents an input has.
    ///
    /// # Errors
    /// When there is no such input, or the extents are more than a tensor can have.
    #[inline]
    pub(crate) fn set_input(&mut self, input: usize, extents: &[i64]) -> Result<()> {
        let call = self.call;
        let kept = self.kept()?;
        match kept.inputs.get_mut(input) {
            Some(dims) if **dims == *extents => Ok(()),
            Some(dims) => {
                let new = Dims::new(extents).filter(|dims| dims.iter().all(|extent| *extent >= 0));
                *dims = new.ok_or_else(|| call.impossible(input, extents))?;
                kept.stale = true;
                Ok(())
            }
            None => Err(call.node.failed(Error::invalid(format_args!("there is no input {input}")))),
        }
    }

    /// Computes what follows from the inputs' extents, if they aren't those of the call before.
    ///
    /// # Errors
    /// When the plugin refuses them, or an extent of an output would be negative.
    #[inline]
    pub(crate) fn prepare(&mut self) -> Result<()> {
        if self.kept()?.stale { self.prepare_anew() } else { Ok(()) }
    }

    #[cold]
    fn prepare_anew(&mut self) -> Result<()> {
        let call = self.call;
        let Kept { inputs, stale, state, .. } = self.kept()?;
        let failed = |error| call.node.failed(error);
        if let Some(state) = state
            && state.fit(inputs).map_err(failed)?
        {
            *stale = false;
            return Ok(());
        }
        let plan = call.plan_for(inputs)?;
        let fresh = state.insert(State::new(plan, &call.node.device).map_err(failed)?);
        if !fresh.fit(inputs).map_err(failed)? {
            return Err(failed(Error::invalid("its plan doesn't fit its inputs")));
        }
        *stale = false;
        Ok(())
    }

    /// Each output's type, and whether it depends on data.
    ///
    /// # Errors
    /// Before [`Lease::prepare`].
    pub(crate) fn outputs(&self) -> Result<&[Output]> {
        Ok(self.state()?.plan.outputs())
    }

    /// An output at the present extents of the inputs.
    ///
    /// # Errors
    /// Before [`Lease::prepare`].
    #[inline]
    pub(crate) fn output(&self, index: usize) -> Result<&Largest> {
        self.state()?.largest.get(index).ok_or_else(|| Error::invalid(format_args!("no output {index}")))
    }

    /// The largest extents that an output can have.
    ///
    /// # Errors
    /// Before [`Lease::prepare`].
    #[inline]
    pub(crate) fn largest(&self, output: usize) -> Result<Dims> {
        Ok(self.output(output)?.dims)
    }

    /// The extents that an output has after the run.
    ///
    /// # Errors
    /// Before [`Lease::prepare`].
    #[inline]
    pub(crate) fn found(&self, output: usize) -> Result<Dims> {
        self.state()?.outputs.get(output).copied().ok_or_else(|| Error::invalid(format_args!("no output {output}")))
    }

    /// Bytes of scratch memory that the run needs, at a multiple of 64.
    ///
    /// # Errors
    /// Before [`Lease::prepare`].
    #[inline]
    pub(crate) fn workspace(&self) -> Result<usize> {
        Ok(self.state()?.workspace)
    }

    /// A host's stream on the node's GPU. Allocates nothing where the last call had the same.
    ///
    /// # Safety
    /// As [`Stream::borrow_cuda`] says.
    ///
    /// # Errors
    /// When the driver doesn't know the stream.
    #[expect(unsafe_code, reason = "takes a handle on trust")]
    pub(crate) unsafe fn cuda_stream(&mut self, raw: *mut c_void) -> Result<Stream> {
        let device = &self.call.node.device;
        // SAFETY: as the caller says.
        unsafe { borrowed(&mut self.kept()?.stream, device, raw).cloned() }
    }

    /// Runs the node: on the CPU until it is done, on a GPU by enqueueing it, and then waiting if it finds extents.
    ///
    /// # Safety
    /// Each place holds as many bytes as the extents say, in the memory of the node's device, and the outputs as the largest
    /// extents say; they stay there until the run is done, and nothing else writes to them meanwhile, nor reads outputs and
    /// workspace. An output that is updated in place may be its input. The stream belongs to the node's device.
    ///
    /// # Errors
    /// Before [`Lease::prepare`]; when the plugin fails: names the node, its plugin, tactic and shapes.
    #[expect(unsafe_code, reason = "takes addresses on trust")]
    pub(crate) unsafe fn run(&mut self, places: &Places<'_>, stream: &Stream) -> Result<()> {
        let kept = self.kept()?;
        let Some(state) = kept.state.as_mut().filter(|_| !kept.stale) else { return Err(not_prepared()) };
        // SAFETY: as the caller says.
        unsafe { state.run(places, stream) }.map_err(|error| state.failed(error))
    }

    /// Enqueues the node on a GPU, and leaves it to the host to read the size tensors: waits for nothing. The caller has
    /// made the GPU's context the thread's.
    ///
    /// # Safety
    /// As [`Lease::run`].
    ///
    /// # Errors
    /// As [`Lease::run`].
    #[cfg(feature = "jax")]
    #[expect(unsafe_code, reason = "takes addresses on trust")]
    pub(crate) unsafe fn enqueue(&mut self, places: &Places<'_>, stream: &Stream) -> Result<()> {
        let kept = self.kept()?;
        let Some(state) = kept.state.as_mut().filter(|_| !kept.stale) else { return Err(not_prepared()) };
        // SAFETY: as the caller says.
        unsafe { state.enqueue(places, stream) }.map_err(|error| state.failed(error))
    }

    /// Enqueues the node in a host's stream on its GPU, and leaves it to the host to read the size tensors: waits for nothing,
    /// and allocates nothing where the last call had the same stream. The caller answers for it that a context which was the
    /// thread's at its last run still is.
    ///
    /// # Safety
    /// As [`Lease::run`] and [`Stream::borrow_cuda`].
    ///
    /// # Errors
    /// As [`Lease::run`], or when the driver doesn't know the stream.
    #[cfg(feature = "tensorrt")]
    #[inline]
    #[expect(unsafe_code, reason = "takes addresses on trust")]
    pub(crate) unsafe fn enqueue_in(&mut self, places: &Places<'_>, raw: *mut c_void) -> Result<()> {
        let device = &self.call.node.device;
        // SAFETY: as the caller says.
        unsafe { self.kept()?.enqueue_in(device, places, raw) }
    }

    #[inline]
    fn kept(&mut self) -> Result<&mut Kept> {
        self.kept.as_deref_mut().ok_or_else(not_prepared)
    }

    #[inline]
    fn state(&self) -> Result<&State> {
        let kept = self.kept.as_deref().filter(|kept| !kept.stale);
        kept.and_then(|kept| kept.state.as_ref()).ok_or_else(not_prepared)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // What a panic left half done isn't used again.
        if let Some(kept) = self.kept.take().filter(|_| !std::thread::panicking()) {
            match &mut self.home {
                Some(home) => home.0 = Some(kept),
                None => self.call.states.give(kept),
            }
        }
    }
}

/// A host's stream: the one of the call before, if that had the same.
///
/// # Safety
/// As [`Stream::borrow_cuda`].
#[inline]
#[expect(unsafe_code, reason = "takes a handle on trust")]
unsafe fn borrowed<'k>(kept: &'k mut Option<(usize, Stream)>, device: &Device, raw: *mut c_void) -> Result<&'k Stream> {
    if kept.as_ref().is_none_or(|(known, _)| *known != raw.addr()) {
        // SAFETY: as the caller says.
        *kept = Some((raw.addr(), unsafe { Stream::borrow_cuda(device, raw)? }));
    }
    kept.as_ref().map(|(_, stream)| stream).ok_or_else(not_prepared)
}

#[cold]
fn not_prepared() -> Error {
    Error::invalid("a call wasn't prepared")
}
