//! Cases as files, for runtimes that are programs of their own.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use plugin_runtime::network::onnx::proto::{AttributeProto, GraphProto, Message, ModelProto, NodeProto, TensorProto};
use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;

use super::{Case, Run};

/// What a program made of a case, as it wrote it into the case's folder: files `found.RUN.INDEX.EXTENTS`.
///
/// # Errors
/// What went wrong, which it wrote into the file `error`.
pub fn read(folder: &Path, case: &Case) -> Result<Vec<Vec<HostTensor>>> {
    if let Ok(error) = fs::read_to_string(folder.join("error")) {
        bail!("{error}");
    }
    let outputs = |(number, run): (usize, &Run)| {
        let output = |(index, expected): (usize, &HostTensor)| found(folder, number, index, expected.dtype());
        run.expected.iter().enumerate().map(output).collect()
    };
    case.runs.iter().enumerate().map(outputs).collect()
}

/// What is in the file `found.run.index.extents`.
fn found(folder: &Path, run: usize, index: usize, dtype: DataType) -> Result<HostTensor> {
    let prefix = format!("found.{run}.{index}.");
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(extents) = path.file_name().and_then(|name| name.to_str()?.strip_prefix(&prefix)) else { continue };
        let parsed = extents.split('x').filter(|extent| !extent.is_empty()).map(|extent| Ok(extent.parse()?));
        return HostTensor::from_bytes(dtype, &fs::read(&path)?, &parsed.collect::<Result<Vec<i64>>>()?);
    }
    bail!("run {run} gave no output {index}")
}

/// Writes a case into a new folder: `graph.json`, the constants as `constant.INDEX`, the inputs as `given.RUN.NAME.EXTENTS`.
///
/// # Panics
/// When it can't be written.
pub fn write(folder: &Path, case: &Case) {
    fs::create_dir(folder).unwrap();
    let model = ModelProto::decode(case.network.to_onnx().unwrap().as_slice()).unwrap();
    let graph = model.graph.unwrap();
    for (index, constant) in graph.initializer.iter().enumerate() {
        fs::write(folder.join(format!("constant.{index}")), constant.raw_data.as_deref().unwrap()).unwrap();
    }
    fs::write(folder.join("graph.json"), json(&graph)).unwrap();
    for (number, run) in case.runs.iter().enumerate() {
        for (name, tensor) in run.inputs() {
            let extents = tensor.shape().iter().map(i64::to_string).collect::<Vec<_>>().join("x");
            fs::write(folder.join(format!("given.{number}.{name}.{extents}")), tensor.bytes()).unwrap();
        }
    }
}

fn json(graph: &GraphProto) -> String {
    let typed = |value: &plugin_runtime::network::onnx::proto::ValueInfoProto| {
        let ty = value.r#type.as_ref().and_then(|ty| ty.tensor_type.as_ref()).and_then(|ty| ty.elem_type);
        format!("[{:?}, {}]", value.name, ty.unwrap_or(0))
    };
    let constant =
        |tensor: &TensorProto| format!("[{:?}, {}, {:?}]", tensor.name, tensor.data_type.unwrap_or(0), tensor.dims);
    format!(
        "{{\"inputs\": [{}], \"constants\": [{}], \"nodes\": [{}], \"outputs\": [{}]}}",
        joined(graph.input.iter().map(typed)),
        joined(graph.initializer.iter().map(constant)),
        joined(graph.node.iter().map(node)),
        joined(graph.output.iter().map(typed)),
    )
}

fn node(node: &NodeProto) -> String {
    let attributes = node.attribute.iter().map(|attribute| format!("{:?}: {}", attribute.name, value(attribute)));
    format!(
        "{{\"domain\": {:?}, \"op\": {:?}, \"inputs\": {:?}, \"outputs\": {:?}, \"attributes\": {{{}}}}}",
        node.domain,
        node.op_type,
        node.input,
        node.output,
        joined(attributes)
    )
}

/// An attribute as a number, a list of numbers, or `{"bytes": hex}`.
fn value(attribute: &AttributeProto) -> String {
    const UINT8: i32 = 2;
    const DOUBLE: i32 = 11;
    let float = |value: f64| match value {
        value if value.is_nan() => "NaN".to_owned(),
        value if value.is_infinite() => if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        value => format!("{value:?}"),
    };
    let hex = |bytes: &[u8]| {
        let mut text = String::new();
        bytes.iter().for_each(|byte| write!(text, "{byte:02x}").unwrap());
        format!("{{\"bytes\": {text:?}}}")
    };
    match attribute.r#type {
        1 => float(attribute.f.unwrap_or(0.0).into()),
        2 => attribute.i.unwrap_or(0).to_string(),
        3 => hex(attribute.s.as_deref().unwrap_or_default()),
        6 => format!("[{}]", joined(attribute.floats.iter().map(|&value| float(value.into())))),
        7 => format!("{:?}", attribute.ints),
        4 => {
            let tensor = attribute.t.as_ref().unwrap();
            let bytes = tensor.raw_data.as_deref().unwrap();
            match (tensor.data_type, tensor.dims.len()) {
                (Some(UINT8), _) => hex(bytes),
                (Some(DOUBLE), rank) => {
                    let values = bytes.chunks(8).map(|bytes| float(f64::from_le_bytes(bytes.try_into().unwrap())));
                    if rank == 0 { joined(values) } else { format!("[{}]", joined(values)) }
                }
                other => panic!("an attribute of {other:?}"),
            }
        }
        other => panic!("an attribute of kind {other}"),
    }
}

fn joined(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(", ")
}
