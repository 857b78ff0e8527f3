//! A plugin in other engines.

use super::conformance::{Place, Suite};
use super::report::Findings;
use super::shapes::Assignment;
use crate::device::DeviceKind;
use crate::plugin::Plugin;

/// Checks the plugin on the CPU in the hosts that a program can have within itself, at the shapes that it accepts.
pub(super) fn check(suite: &Suite, place: &Place<'_>, accepted: &[&Assignment], findings: &mut Findings) {
    if place.device.kind() != DeviceKind::Cpu {
        return;
    }
    #[cfg(feature = "onnxruntime")]
    super::onnxruntime::check(suite, place, accepted, findings);
    #[cfg(not(feature = "onnxruntime"))]
    {
        let _ = (suite, accepted);
        findings.leave_out("in ONNX Runtime: turn on the feature `onnxruntime` of plugin-runtime".into());
    }
}

/// Says in which hosts the suite doesn't run.
pub(super) fn leave_out(plugin: &Plugin, findings: &mut Findings) {
    if plugin.impl_for(DeviceKind::Cpu).is_none() {
        findings.leave_out("in ONNX Runtime: it is tried on the CPU there, and the plugin has no impl for that".into());
    }
    const OTHERS: [&str; 3] = ["TensorRT", "PyTorch", "JAX"];
    OTHERS.iter().for_each(|host| {
        findings.leave_out(format!("in {host}, which loads the crate's library: try a model or a call of yours"))
    });
}
