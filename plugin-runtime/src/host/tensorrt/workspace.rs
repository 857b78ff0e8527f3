//! Scratch memory of a plugin, as large as the host's profile needs it.

use super::abi::DynamicDesc;
use super::arguments::impossible;
use super::instance::Instance;
use crate::error::{Error, Result};
use crate::network::{SymbolSource, range};
use crate::plugin::Implementation;
use crate::shape::Interval;

impl Instance {
    /// Bytes of scratch memory at the largest extents of the profile.
    pub(super) fn workspace_bytes(&self, inputs: &[DynamicDesc], outputs: &[DynamicDesc]) -> Result<usize> {
        let described = self.described(inputs)?;
        let combination = self.combination(&described, inputs.iter().chain(outputs).map(|tensor| &tensor.desc))?;
        let (network, layer) = (&described.network, described.layer()?);
        let (in_descs, out_descs) = network.laid_out_descs(layer, combination);
        let exprs = match described.implementation {
            Implementation::Impl(entry) => vec![layer.bound.workspace(entry, &in_descs, &out_descs)?],
            Implementation::Aot(entry) => {
                let of = |&tactic: &i32| {
                    let launches = layer.bound.launches(entry, (&in_descs, &out_descs), tactic)?;
                    Ok(launches.workspace)
                };
                combination.tactics.iter().map(of).collect::<Result<_>>()?
            }
        };
        let mut ranges: Vec<Interval> = Vec::new();
        for def in network.symbols.iter() {
            ranges.push(match &def.source {
                SymbolSource::Dim(places) => of_profile(inputs, places)?,
                SymbolSource::Size { upper_bound, .. } => Interval { min: 0, max: range(upper_bound, &ranges)?.max },
            });
        }
        let mut most = 0;
        for expr in exprs.iter().flatten() {
            let bytes = range(expr, &ranges)?.max.max(0);
            most = most.max(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        match most > MOST_WORKSPACE {
            true => Err(Error::invalid(format_args!("its workspace, {most} bytes, is more than any device has"))),
            false => Ok(most),
        }
    }
}

/// 64 TiB.
const MOST_WORKSPACE: usize = 1 << 46;

/// The range that an optimization profile gives an extent of inputs.
pub(super) fn of_profile(inputs: &[DynamicDesc], places: &[(usize, usize)]) -> Result<Interval> {
    let mut found = Interval { min: 0, max: i64::MAX };
    for &(input, axis) in places {
        let Some(desc) = inputs.get(input) else { continue };
        let at = |extents: &[i64]| extents.get(axis).copied().unwrap_or(-1);
        let fixed = at(desc.desc.dims.extents()?);
        let (min, max) = match fixed {
            -1 => (at(desc.min.extents()?), at(desc.max.extents()?)),
            _ => (fixed, fixed),
        };
        if min < 0 || max < min {
            return Err(impossible(format_args!("an extent of {min} to {max}")));
        }
        found = Interval { min: found.min.max(min), max: found.max.min(max) };
    }
    Ok(Interval { min: found.min.min(found.max), ..found })
}
