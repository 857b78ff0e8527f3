//! Models that Python's `onnx` made and that it checks.

use std::fs;
use std::path::Path;
use std::process::Command;

use plugin_runtime::device::Device;
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use plugin_runtime::tensor::HostTensor;
use samples as _;
use tests::command::{python_is_asked_for, python_with, run, skipped, workspace};

/// The tensors in the files `kind.name.extents.type` of a folder, by name.
fn tensors(folder: &Path, kind: &str) -> Vec<(String, HostTensor)> {
    let mut tensors = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let parts: Vec<&str> = name.split('.').collect();
        let &[this_kind, name, extents, dtype] = parts.as_slice() else { continue };
        if this_kind == kind {
            let dtype = match dtype {
                "float32" => DataType::Float32,
                "int32" => DataType::Int32,
                "int64" => DataType::Int64,
                _ => panic!("{dtype}"),
            };
            let dims: Vec<i64> = extents.split('x').filter(|e| !e.is_empty()).map(|e| e.parse().unwrap()).collect();
            tensors.push((name.to_owned(), HostTensor::from_bytes(dtype, &fs::read(&path).unwrap(), &dims).unwrap()));
        }
    }
    tensors
}

fn check(network: &Network, folder: &Path) {
    let (given, expected) = (tensors(folder, "given"), tensors(folder, "expected"));
    let profile = given.iter().fold(Profile::new(), |profile, (name, tensor)| {
        let largest: Vec<i64> = tensor.shape().iter().map(|d| d * 2).collect();
        // Only the first extent is dynamic.
        let with_first = |first: i64| [&[first], &tensor.shape()[1..]].concat();
        profile.dims(name, with_first(1), with_first(tensor.shape()[0]), with_first(largest[0]))
    });
    let engine = Builder::new(Device::cpu()).profile(profile).build(network).unwrap();
    let given: Vec<(&str, &HostTensor)> = given.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let found = engine.create_context().unwrap().run(&given).unwrap();
    assert!(!expected.is_empty() && found.len() == expected.len(), "{folder:?}");
    for (name, found) in &found {
        let (_, expected) = expected.iter().find(|(n, _)| n == name).unwrap();
        assert_eq!((found.dtype(), found.shape()), (expected.dtype(), expected.shape()), "{folder:?} {name}");
        assert_eq!(found.bytes(), expected.bytes(), "{folder:?} {name}");
    }
}

#[test]
fn python_agrees() {
    let Some(python) = python_with(&["onnx", "numpy", "ml_dtypes"]) else {
        assert!(!python_is_asked_for(), "the Python that PYTHON names can't import onnx, numpy and ml_dtypes");
        return skipped("python_agrees", "python3 with onnx isn't there; set PYTHON to one that has it");
    };
    let folder = tempfile::tempdir().unwrap();
    let script = workspace().join("tests/tests/onnx_python/models.py");
    let ended = run(Command::new(&python).arg(&script).arg("make").arg(folder.path()));
    assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    let mut written = Vec::new();
    for name in ["chain", "external", "call", "constants"] {
        let model = folder.path().join(name);
        let network = Network::from_onnx(model.join("model.onnx")).unwrap();
        check(&network, &model);
        let path = model.join("written.onnx");
        fs::write(&path, network.to_onnx().unwrap()).unwrap();
        check(&Network::from_onnx(&path).unwrap(), &model);
        written.push(path);
    }
    let everything = folder.path().join("everything.onnx");
    fs::write(&everything, network_of_everything().to_onnx().unwrap()).unwrap();
    written.push(everything);
    let ended = run(Command::new(&python).arg(&script).arg("check").args(written));
    assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
}

fn network_of_everything() -> Network {
    use plugin_runtime::network::onnx::proto::Message;
    Network::from_onnx_bytes(&tests::onnx::everything().encode_to_vec(), None).unwrap()
}
