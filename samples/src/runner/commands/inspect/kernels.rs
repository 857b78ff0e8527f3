//! The kernels that lie in an engine.

use plugin_runtime::device::cuda::{AotArg, AotParameter};
use plugin_runtime::engine::{ImageSummary, KernelsSummary, LaunchSummary, PlanSummary, RuntimeKernelsSummary};
use plugin_runtime::shape::{ShapeExpr, display_shape};
use serde_json::{Value, json};

use super::json::extent;
use crate::runner::table::Table;

/// What a plan launches out of the engine itself, if anything.
pub(super) fn table(plan: &PlanSummary) -> Option<Table> {
    let mut table = Table::new(["step", "kernel", "grid", "block", "shared bytes", "parameters", "images"]);
    let mut is_empty = true;
    for step in &plan.steps {
        let Some(kernels) = step.plugin.as_ref().and_then(|plugin| plugin.kernels.as_ref()) else { continue };
        for LaunchSummary { kernel, launch, parameters, .. } in &kernels.launches {
            is_empty = false;
            table.row([
                step.name.clone(),
                kernel.clone(),
                display_shape(&launch.grid).to_string(),
                display_shape(&launch.block).to_string(),
                launch.shared_mem.to_string(),
                parameters.iter().map(parameter).collect::<Vec<_>>().join(", "),
                images(&kernels.images),
            ]);
        }
    }
    (!is_empty).then_some(table)
}

/// The runtime's own kernels in the engine, if any.
pub(super) fn runtime_table(kernels: &[RuntimeKernelsSummary]) -> Option<Table> {
    let mut table = Table::new(["source", "images"]);
    kernels.iter().for_each(|kernels| table.row([kernels.source.clone(), images(&kernels.images)]));
    (!kernels.is_empty()).then_some(table)
}

fn images(images: &[ImageSummary]) -> String {
    images.iter().map(ImageSummary::to_string).collect::<Vec<_>>().join(", ")
}

fn parameter(parameter: &AotParameter) -> String {
    match parameter {
        AotParameter::Input(index) => format!("input {index}"),
        AotParameter::Output(index) => format!("output {index}"),
        AotParameter::Workspace => "workspace".into(),
        AotParameter::Extra(AotArg::I32(value)) => format!("i32 {value}"),
        AotParameter::Extra(AotArg::I64(value)) => format!("i64 {value}"),
        AotParameter::Extra(AotArg::F32(value)) => format!("f32 {value}"),
        other => format!("{other:?}"),
    }
}

pub(super) fn json(kernels: &KernelsSummary) -> Value {
    let extents = |extents: &[ShapeExpr]| extents.iter().map(extent).collect::<Vec<_>>();
    let launch = |LaunchSummary { kernel, launch, parameters, .. }: &LaunchSummary| {
        json!({
            "kernel": kernel,
            "grid": extents(&launch.grid),
            "block": extents(&launch.block),
            "shared_bytes": extent(&launch.shared_mem),
            "parameters": parameters.iter().map(parameter).collect::<Vec<_>>(),
        })
    };
    json!({
        "images": kernels.images.iter().map(image_json).collect::<Vec<_>>(),
        "launches": kernels.launches.iter().map(launch).collect::<Vec<_>>(),
    })
}

pub(super) fn runtime_json(kernels: &RuntimeKernelsSummary) -> Value {
    json!({ "source": kernels.source, "images": kernels.images.iter().map(image_json).collect::<Vec<_>>() })
}

fn image_json(image: &ImageSummary) -> Value {
    json!({
        "kind": format!("{:?}", image.kind).to_lowercase(),
        "architecture": image.architecture.map(|architecture| architecture.to_string()),
        "bytes": image.bytes,
    })
}
