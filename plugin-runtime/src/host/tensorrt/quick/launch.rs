//! Launches of kernels that lie in the host's plan.

use std::ffi::c_void;
use std::sync::PoisonError;

use super::super::abi::{
    DynamicDesc, Foreign, KernelLaunchParams, LaunchParamsTable, SymExprs, SymExprsTable, TensorDesc,
};
use super::super::arguments::impossible;
use super::super::described::Described;
use super::super::instance::Instance;
use super::super::outputs::dimensions;
use super::super::shapes::{Exprs, Extent};
use super::super::workspace::of_profile;
use super::lent::SymExpr;
use crate::device::cuda::{CheckedLaunches, DIMENSIONS, ProgramLaunch, ProgramParameter};
use crate::error::{Error, LayerContext, Result};
use crate::network::{Network, SymbolSource, data_dependent};
use crate::plugin::{DescribedLaunches, Implementation};
use crate::shape::ShapeExpr;

/// What takes a launch's dimensions and arguments, during a call of the host.
#[derive(Clone, Copy, Debug)]
pub(super) struct LaunchParams {
    dimensions: *const Foreign<LaunchParamsTable>,
    arguments: *const Foreign<SymExprsTable>,
}

impl LaunchParams {
    /// # Safety
    /// What isn't null is the host's, and lives during its call.
    ///
    /// # Errors
    /// For a null pointer.
    #[expect(unsafe_code, reason = "takes pointers on trust")]
    pub(super) unsafe fn new(params: *const KernelLaunchParams, arguments: *const SymExprs) -> Result<LaunchParams> {
        let missing = |what: &str| impossible(format_args!("nothing that takes {what}, but a null pointer"));
        if !params.is_aligned() || !arguments.is_aligned() {
            return Err(impossible("what takes a launch at an address where it can't be"));
        }
        // SAFETY: as the caller says.
        let (dimensions, arguments) = unsafe {
            let params = params.as_ref().ok_or_else(|| missing("launch dimensions"))?;
            let arguments = arguments.as_ref().ok_or_else(|| missing("arguments"))?;
            (params.inner, arguments.inner)
        };
        // SAFETY: as the caller says.
        let has_tables = unsafe {
            let dimensions = dimensions.as_ref().is_some_and(|inner| !inner.table.is_null());
            dimensions && arguments.as_ref().is_some_and(|inner| !inner.table.is_null())
        };
        if has_tables { Ok(LaunchParams { dimensions, arguments }) } else { Err(missing("launches")) }
    }

    /// Gives the host a launch's dimensions, in the order of [`DIMENSIONS`], then its arguments.
    fn set(self, exprs: &[*mut c_void]) -> Result<()> {
        let refused = |what: &str| Error::invalid(format_args!("TensorRT refused {what} of a launch"));
        let (dimensions, arguments) = exprs.split_at(DIMENSIONS.len().min(exprs.len()));
        let count = i32::try_from(arguments.len()).map_err(|_| refused("so many arguments"))?;
        // SAFETY: `new` was promised objects that live; the expressions live as long as the plugin.
        #[expect(unsafe_code, reason = "calls the host")]
        unsafe {
            let table = &*(*self.dimensions).table;
            for ((dimension, &expr), what) in table.dimensions.iter().zip(dimensions).zip(DIMENSIONS) {
                if (dimension.set)(self.dimensions.cast_mut().cast(), expr) == 0 {
                    return Err(refused(what));
                }
            }
            let (table, this) = (&*(*self.arguments).table, self.arguments.cast_mut().cast());
            if (table.set_count)(this, count) == 0 {
                return Err(refused("the number of arguments"));
            }
            for (index, &expr) in (0..count).zip(arguments) {
                if (table.set)(this, index, expr) == 0 {
                    return Err(refused(&format!("argument {index}")));
                }
            }
        }
        Ok(())
    }
}

impl Instance {
    /// Gives the host the launch of the kernel for these tensors, and for the tactic that was set.
    pub(super) fn launch(
        &self,
        inputs: &[Vec<Extent>],
        tensors: &[DynamicDesc],
        params: LaunchParams,
        exprs: Exprs,
    ) -> Result<()> {
        let described = self.described(&tensors[..self.shared.counts().0])?;
        let launches = self.launches(&described, tensors.iter().map(|tensor| &tensor.desc))?;
        let symbols = dimensions(&described.network, inputs)?;
        let single = single(&launches, self.shared.counts()).map_err(|error| self.in_tactic(error))?;
        check_largest(&launches.launches, &described.network, tensors).map_err(|error| self.in_tactic(error))?;
        let built = single.iter().map(|expr| Ok(SymExpr::new(exprs.build(expr, &symbols)?)));
        let built: Box<[SymExpr]> = built.collect::<Result<_>>()?;
        let places = self.lent.lock().unwrap_or_else(PoisonError::into_inner).launch(built);
        params.set(&places)
    }

    /// The launches for tensors of these types and layouts.
    pub(super) fn launches<'d>(
        &self,
        described: &Described,
        tensors: impl Iterator<Item = &'d TensorDesc>,
    ) -> Result<DescribedLaunches> {
        let combination = self.combination(described, tensors)?;
        let Implementation::Aot(entry) = described.implementation else {
            return Err(Error::invalid("it isn't asked for as AOT kernels"));
        };
        let layer = described.layer()?;
        let (inputs, outputs) = described.network.laid_out_descs(layer, combination);
        let launches = layer.bound.launches(entry, (&inputs, &outputs), self.tactic());
        launches.map_err(|error| self.in_tactic(error))
    }

    /// Says of an error that it is of this node with its tactic.
    pub(super) fn in_tactic(&self, error: Error) -> Error {
        let name = self.tactic_name();
        error.in_layer(LayerContext::new(&self.shared.name, &self.shared.plugin().label()).tactic(name))
    }
}

/// The dimensions and arguments of the one launch that the host can make by itself: of a kernel whose parameters are the
/// inputs' addresses, 32-bit integers, the outputs' addresses.
///
/// # Errors
/// For other launches: what it is, and how it can be run.
pub(super) fn single(described: &DescribedLaunches, (inputs, outputs): (usize, usize)) -> Result<Vec<&ShapeExpr>> {
    let CheckedLaunches { launches, exprs } = &described.launches;
    let [launch] = &launches[..] else {
        let count = launches.len();
        return Err(refused(described, format_args!("its AOT kernels are {count} launches, and it makes one")));
    };
    if described.workspace.is_some() {
        return Err(refused(described, "its AOT kernel asks for scratch memory, and gets none"));
    }
    let parameters = &launch.parameters;
    let is_pointer = |parameter: &ProgramParameter| {
        matches!(parameter, ProgramParameter::Input(_) | ProgramParameter::Output(_) | ProgramParameter::Workspace)
    };
    let extras: Vec<&ProgramParameter> = parameters.iter().filter(|parameter| !is_pointer(parameter)).collect();
    let first = (0..inputs).map(ProgramParameter::Input);
    let in_order = first.chain(extras.iter().copied().copied()).chain((0..outputs).map(ProgramParameter::Output));
    if !in_order.eq(parameters.iter().copied()) {
        return Err(refused(
            described,
            format_args!(
                "kernel `{}` takes its parameters in another order than the inputs' addresses, the scalars, the outputs' \
                 addresses, or not all of them",
                launch.kernel
            ),
        ));
    }
    let mut found: Vec<&ShapeExpr> = launch.dimensions(exprs).iter().collect();
    for (position, parameter) in parameters.iter().enumerate() {
        let other = match *parameter {
            ProgramParameter::I32(at) => {
                found.extend(exprs.get(at));
                continue;
            }
            ProgramParameter::I64(_) => "64-bit integer",
            ProgramParameter::F32(_) => "float",
            _ => continue,
        };
        let (kernel, position) = (&launch.kernel, position + 1);
        return Err(refused(
            described,
            format_args!("parameter {position} of kernel `{kernel}` is a {other}, and it gives 32-bit integers"),
        ));
    }
    match found.iter().find(|expr| data_dependent(expr)) {
        None => Ok(found),
        Some(expr) => Err(refused(
            described,
            format_args!(
                "kernel `{}` is launched with {expr}, which it finds itself: take the upper bound",
                launch.kernel
            ),
        )),
    }
}

/// The host launches whatever comes of the expressions: what comes of the largest extents of its profile has to be possible.
fn check_largest(launches: &CheckedLaunches, network: &Network, inputs: &[DynamicDesc]) -> Result<()> {
    let mut largest = Vec::with_capacity(network.symbols.len());
    for def in network.symbols.iter() {
        largest.push(match &def.source {
            SymbolSource::Dim(places) => match of_profile(inputs, places) {
                Ok(range) => range.max,
                // It isn't told.
                Err(_) => return Ok(()),
            },
            // Nothing depends on it.
            SymbolSource::Size { .. } => 0,
        });
    }
    let CheckedLaunches { launches, exprs } = launches;
    let check = |launch: &ProgramLaunch| {
        let values = exprs.iter().map(|expr| expr.evaluate(&largest)).collect::<std::result::Result<Vec<_>, _>>()?;
        launch.config(exprs, &values)?;
        launch.parameters.iter().try_for_each(|&parameter| launch.scalar(parameter, exprs, &values).map(|_| ()))
    };
    let checked = launches.iter().try_for_each(check);
    checked.map_err(|error| error.within("at the largest extents of the profile"))
}

#[cold]
fn refused(described: &DescribedLaunches, what: impl std::fmt::Display) -> Error {
    let way_out = match described.workspace {
        Some(_) => "take the plugin's creator of kind V3ONE",
        None => {
            "prefer JIT (`NetworkDefinitionCreationFlag::kPREFER_JIT_PYTHON_PLUGINS`), so that the plugin runs it, or take the \
             plugin's creator of kind V3ONE"
        }
    };
    Error::invalid(format_args!("TensorRT can't launch it from a plan: {what}; change the #[aot_impl], or {way_out}"))
}
