//! Kernels that were described ahead of time, checked and ready: what a plan holds of them.

use std::sync::Arc;

use super::{AotArg, AotLaunch, AotModule, AotParameter};
use crate::device::cuda::LaunchConfig;
use crate::error::{Error, Result};
use crate::shape::{ShapeExpr, ShapeProgram, SymbolKind};

/// Names of a launch's dimensions, in the order of their expressions.
pub(crate) const DIMENSIONS: [&str; 7] = ["grid.x", "grid.y", "grid.z", "block.x", "block.y", "block.z", "shared_mem"];
/// CUDA's limit of each dimension on every device. Shared memory differs by device.
const LIMITS: [i64; 7] = [i32::MAX as i64, 65_535, 65_535, 1024, 1024, 64, i32::MAX as i64];
/// CUDA's limit of threads per block.
const MOST_THREADS: i64 = 1024;
/// CUDA's limit of all parameters of a kernel, in bytes.
const MOST_PARAMETERS: usize = 32_764;

/// Numbers of inputs and outputs, and whether there is a workspace, for a step's kernels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct AotSlots {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) workspace: bool,
    /// Whether they cope with extents that only the device knows: then no scalar can depend on those.
    pub(crate) device_shape: bool,
}

/// Launches, one after another, with the expressions that they depend on.
#[derive(Debug)]
pub(crate) struct AotProgram {
    pub(crate) module: Arc<AotModule>,
    pub(crate) launches: Vec<ProgramLaunch>,
    /// For each launch its dimensions, as [`DIMENSIONS`], then its scalars.
    pub(crate) exprs: Vec<ShapeExpr>,
    /// Evaluates `exprs`.
    pub(crate) program: ShapeProgram,
}

/// One launch.
#[derive(Clone, Debug)]
pub(crate) struct ProgramLaunch {
    pub(crate) kernel: Arc<str>,
    /// Index of its first dimension among the expressions.
    first: usize,
    pub(crate) parameters: Vec<ProgramParameter>,
}

/// One parameter; scalars by their position among the expressions.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum ProgramParameter {
    Input(usize),
    Output(usize),
    Workspace,
    I32(usize),
    I64(usize),
    F32(f32),
}

/// Launches that were checked as far as that needs no image.
#[derive(Debug)]
pub(crate) struct CheckedLaunches {
    pub(crate) launches: Vec<ProgramLaunch>,
    /// As of [`AotProgram`].
    pub(crate) exprs: Vec<ShapeExpr>,
}

impl CheckedLaunches {
    /// Checks names, expressions, parameters and limits.
    ///
    /// # Errors
    /// The mistake, and the kernel that it is in.
    pub(crate) fn new(launches: &[AotLaunch], slots: AotSlots) -> Result<Self> {
        if launches.is_empty() {
            return Err(Error::invalid("it launches no kernel: give at least one AotLaunch"));
        }
        let mut exprs = Vec::new();
        let mut checked = Vec::with_capacity(launches.len());
        for launch in launches {
            let planned = ProgramLaunch::new(launch, slots, &mut exprs)
                .and_then(|planned| planned.check_constants(&exprs).map(|()| planned));
            checked.push(planned.map_err(|e| in_kernel(&launch.name, e))?);
        }
        Ok(CheckedLaunches { launches: checked, exprs })
    }
}

impl AotProgram {
    /// Checks the launches, and compares them with the images.
    ///
    /// # Errors
    /// The mistake, and the kernel that it is in.
    pub(crate) fn new(module: Arc<AotModule>, launches: &[AotLaunch], slots: AotSlots) -> Result<Self> {
        AotProgram::of_checked(module, CheckedLaunches::new(launches, slots)?)
    }

    /// The same of launches that were checked before.
    ///
    /// # Errors
    /// When an image lacks a kernel, or gives it other parameters.
    pub(crate) fn of_checked(module: Arc<AotModule>, checked: CheckedLaunches) -> Result<Self> {
        let CheckedLaunches { mut launches, exprs } = checked;
        for launch in &mut launches {
            let sizes: Vec<usize> = launch.parameters.iter().map(|parameter| parameter.bytes()).collect();
            let symbol = module.symbol(&launch.kernel);
            module.check_kernel(symbol, &sizes).map_err(|e| in_kernel(&launch.kernel, e))?;
            launch.kernel = symbol.into();
        }
        Ok(AotProgram { module, launches, program: ShapeProgram::compile(&exprs)?, exprs })
    }
}

/// Adds the kernel's name to an error.
fn in_kernel(kernel: &str, error: Error) -> Error {
    error.within(format_args!("kernel `{}`", kernel.escape_debug()))
}

impl ProgramLaunch {
    fn new(launch: &AotLaunch, slots: AotSlots, exprs: &mut Vec<ShapeExpr>) -> Result<Self> {
        if launch.name.is_empty() || launch.name.contains('\0') {
            return Err(Error::invalid("this can't be a kernel's name"));
        }
        let params = &launch.launch;
        let first = exprs.len();
        for (expr, what) in params.grid.iter().chain(&params.block).chain([&params.shared_mem]).zip(DIMENSIONS) {
            push(exprs, expr, &|| what.into())?;
        }
        let given = match &launch.parameters {
            Some(_) if !launch.extra_args.is_empty() => {
                return Err(Error::invalid(
                    "it has a list of all parameters and extra arguments besides: put AotParameter::Extra into the list",
                ));
            }
            Some(all) => all.clone(),
            None => by_default(launch, slots),
        };
        let mut parameters = Vec::with_capacity(given.len());
        for (position, parameter) in given.iter().enumerate() {
            let parameter = parameter_of(parameter, slots, exprs, position);
            parameters.push(parameter.map_err(|e| e.within(format_args!("parameter {}", position + 1)))?);
        }
        if parameters.len() > MOST_PARAMETERS / 4 {
            let count = parameters.len();
            return Err(Error::invalid(format_args!("{count} parameters are more than a kernel can have")));
        }
        Ok(ProgramLaunch { kernel: launch.name.as_str().into(), first, parameters })
    }

    /// The dimensions' expressions, in the order of [`DIMENSIONS`].
    pub(crate) fn dimensions<'e>(&self, exprs: &'e [ShapeExpr]) -> &'e [ShapeExpr] {
        exprs.get(self.first..self.first + DIMENSIONS.len()).unwrap_or_default()
    }

    /// Refuses constant dimensions and scalars that are out of range.
    fn check_constants(&self, exprs: &[ShapeExpr]) -> Result<()> {
        for (position, expr) in self.dimensions(exprs).iter().enumerate() {
            if let Some(value) = expr.constant_value() {
                check_dimension(position, value, expr)?;
            }
        }
        if let [Some(x), Some(y), Some(z)] = [3, 4, 5].map(|at| self.dimensions(exprs).get(at)?.constant_value()) {
            check_block([x, y, z])?;
        }
        for parameter in &self.parameters {
            if let ProgramParameter::I32(at) = *parameter
                && let Some(value) = exprs[at].constant_value()
            {
                i32_of(value, &exprs[at])?;
            }
        }
        Ok(())
    }

    /// The dimensions at the expressions' present values. Where an extent of the grid is 0 nothing is launched.
    ///
    /// # Errors
    /// When a value is out of range: names kernel, expression and value.
    pub(crate) fn config(&self, exprs: &[ShapeExpr], values: &[i64]) -> Result<LaunchConfig> {
        let values = values.get(self.first..self.first + DIMENSIONS.len()).unwrap_or_default();
        let Some(&[gx, gy, gz, bx, by, bz, shared]) = values.first_chunk::<7>() else {
            return Err(Error::invalid("its launch dimensions weren't computed"));
        };
        for (position, (value, expr)) in [gx, gy, gz].into_iter().zip(self.dimensions(exprs)).enumerate() {
            check_dimension(position, value, expr).map_err(|e| in_kernel(&self.kernel, e))?;
        }
        let narrow = |values: [i64; 3]| values.map(|value| value as u32);
        if [gx, gy, gz].contains(&0) {
            return Ok(LaunchConfig { grid: narrow([gx, gy, gz]), ..LaunchConfig::default() });
        }
        let rest = [bx, by, bz, shared].into_iter().zip(self.dimensions(exprs).iter().skip(3));
        for (position, (value, expr)) in rest.enumerate() {
            check_dimension(position + 3, value, expr).map_err(|e| in_kernel(&self.kernel, e))?;
        }
        check_block([bx, by, bz]).map_err(|e| in_kernel(&self.kernel, e))?;
        Ok(LaunchConfig {
            grid: narrow([gx, gy, gz]),
            block: narrow([bx, by, bz]),
            shared_bytes: shared as u32,
            ..LaunchConfig::default()
        })
    }

    /// A scalar parameter's bytes, the first of them at the lowest address; `None` for pointers.
    ///
    /// # Errors
    /// When an `int` doesn't hold the value: names kernel, expression and value.
    #[inline]
    pub(crate) fn scalar(
        &self,
        parameter: ProgramParameter,
        exprs: &[ShapeExpr],
        values: &[i64],
    ) -> Result<Option<[u8; 8]>> {
        let mut bytes = [0; 8];
        match parameter {
            ProgramParameter::Input(_) | ProgramParameter::Output(_) | ProgramParameter::Workspace => return Ok(None),
            ProgramParameter::I32(at) => {
                let value = i32_of(values[at], &exprs[at]).map_err(|e| in_kernel(&self.kernel, e))?;
                bytes[..4].copy_from_slice(&value.to_ne_bytes());
            }
            ProgramParameter::I64(at) => bytes = values[at].to_ne_bytes(),
            ProgramParameter::F32(value) => bytes[..4].copy_from_slice(&value.to_ne_bytes()),
        }
        Ok(Some(bytes))
    }
}

impl ProgramParameter {
    /// How many bytes the kernel gets.
    pub(crate) fn bytes(self) -> usize {
        match self {
            ProgramParameter::I32(_) | ProgramParameter::F32(_) => 4,
            _ => 8,
        }
    }
}

fn by_default(launch: &AotLaunch, slots: AotSlots) -> Vec<AotParameter> {
    let extra = launch.extra_args.iter().cloned().map(AotParameter::Extra);
    let (inputs, outputs) = ((0..slots.inputs).map(AotParameter::Input), (0..slots.outputs).map(AotParameter::Output));
    inputs.chain(extra).chain(outputs).collect()
}

fn parameter_of(
    parameter: &AotParameter,
    slots: AotSlots,
    exprs: &mut Vec<ShapeExpr>,
    position: usize,
) -> Result<ProgramParameter> {
    let missing = |what: &str, index: usize, count: usize| {
        Err(Error::invalid(format_args!("there is no {what} {index}: there are {count}, counted from 0")))
    };
    let mut scalar = |expr: &ShapeExpr| {
        let size = expr.symbols().into_iter().find(|symbol| symbol.kind == SymbolKind::Size && slots.device_shape);
        if let Some(size) = size {
            return Err(Error::invalid(format_args!(
                "{expr} depends on the size tensor `{}`, whose value the device alone knows: make the size tensor an \
                 input of the plugin, and let the kernel read it; or remove `device_shape = true` from the #[aot_impl], \
                 so that a run waits for the value",
                size.name
            )));
        }
        push(exprs, expr, &|| format!("its value {}", position + 1))
    };
    Ok(match *parameter {
        AotParameter::Input(index) if index < slots.inputs => ProgramParameter::Input(index),
        AotParameter::Input(index) => return missing("input", index, slots.inputs),
        AotParameter::Output(index) if index < slots.outputs => ProgramParameter::Output(index),
        AotParameter::Output(index) => return missing("output", index, slots.outputs),
        AotParameter::Workspace if slots.workspace => ProgramParameter::Workspace,
        AotParameter::Workspace => {
            return Err(Error::invalid("there is no workspace: say how large with AotKernel::workspace(bytes)"));
        }
        AotParameter::Extra(AotArg::I32(ref expr)) => ProgramParameter::I32(scalar(expr)?),
        AotParameter::Extra(AotArg::I64(ref expr)) => ProgramParameter::I64(scalar(expr)?),
        AotParameter::Extra(AotArg::F32(value)) => ProgramParameter::F32(value),
    })
}

/// Adds an expression that carries no mistake, and gives its position.
fn push(exprs: &mut Vec<ShapeExpr>, expr: &ShapeExpr, what: &dyn Fn() -> String) -> Result<usize> {
    if let Some(reason) = expr.error() {
        return Err(Error::plugin(format_args!("{}: {reason}", what())));
    }
    exprs.push(expr.clone());
    Ok(exprs.len() - 1)
}

/// Compares a value with the limits of the dimension at this position.
fn check_dimension(position: usize, value: i64, expr: &ShapeExpr) -> Result<()> {
    let least = i64::from((3..6).contains(&position));
    if (least..=LIMITS[position]).contains(&value) {
        return Ok(());
    }
    let computed = if expr.is_constant() { String::new() } else { format!(", {expr},") };
    Err(Error::invalid(format_args!(
        "{}{computed} would be {value}: {least} to {} are possible",
        DIMENSIONS[position], LIMITS[position]
    )))
}

/// Compares the threads of a block, each extent of which is within its own limit, with what CUDA allows.
fn check_block([x, y, z]: [i64; 3]) -> Result<()> {
    if x * y * z <= MOST_THREADS {
        return Ok(());
    }
    Err(Error::invalid(format_args!("a block of {x} x {y} x {z} threads is too large: {MOST_THREADS} are possible")))
}

fn i32_of(value: i64, expr: &ShapeExpr) -> Result<i32> {
    i32::try_from(value).map_err(|_| {
        let computed = if expr.is_constant() { String::new() } else { format!("{expr} = ") };
        Error::invalid(format_args!(
            "{computed}{value} doesn't fit 32 bits: give AotArg::I64, and take a `long long` in the kernel"
        ))
    })
}

#[cfg(test)]
mod tests;
