//! Constants of ONNX models in files of their own.

use std::fs;
use std::path::Path;

use plugin_runtime::device::Device;
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::network::onnx::proto::{GraphProto, Message, ModelProto, TensorProto};
use plugin_runtime::prelude::*;
use tests::onnx::{FLOAT, external, float, model, node, value};

/// Each of the tensors w0, w1, .. times 1.
fn scaled(weights: Vec<TensorProto>) -> ModelProto {
    let names = |prefix: &str| (0..weights.len()).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
    let (w, y) = (names("w"), names("y"));
    let nodes = w.iter().zip(&y).map(|(w, y)| node("test::scale", &[w], &[y], &[float("factor", 1.0)]));
    model(GraphProto {
        node: nodes.collect(),
        output: y.iter().map(|y| value(y, FLOAT, "?")).collect(),
        initializer: weights,
        ..GraphProto::default()
    })
}

fn read(folder: &Path, weights: Vec<TensorProto>) -> Result<Network> {
    let path = folder.join("model.onnx");
    fs::write(&path, scaled(weights).encode_to_vec()).unwrap();
    Network::from_onnx(path)
}

fn refused(folder: &Path, weights: Vec<TensorProto>) -> String {
    read(folder, weights).unwrap_err().to_string()
}

fn folder_with_numbers() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let bytes: Vec<u8> = (0..8).flat_map(|i| (i as f32).to_le_bytes()).collect();
    fs::write(folder.path().join("data/numbers"), bytes).unwrap();
    folder
}

#[test]
fn parts_of_files_are_constants() {
    let folder = folder_with_numbers();
    let weights = vec![
        external("w0", &[3], &[("location", "data/numbers"), ("length", "12")]),
        external("w1", &[2], &[("location", "./data/numbers"), ("offset", "24"), ("length", "8"), ("checksum", "?")]),
        external("w2", &[3], &[("location", "data/numbers"), ("length", "12")]),
        external("w3", &[0], &[("location", "data/numbers"), ("offset", "32"), ("length", "0")]),
    ];
    let network = read(folder.path(), weights.clone()).unwrap();
    let mut context = Builder::new(Device::cpu()).build(&network).unwrap().create_context().unwrap();
    let outputs = context.run(&[]).unwrap();
    for ((_, found), expected) in outputs.iter().zip([&[0.0f32, 1.0, 2.0][..], &[6.0, 7.0], &[0.0, 1.0, 2.0], &[]]) {
        assert_eq!(found.as_slice::<f32>().unwrap(), expected);
    }
    let bytes = scaled(weights).encode_to_vec();
    assert!(Network::from_onnx_bytes(&bytes, Some(folder.path())).is_ok());
    let message = Network::from_onnx_bytes(&bytes, None).unwrap_err().to_string();
    assert!(message.starts_with("initializer \"w0\": its data is in another file"), "{message}");
}

#[test]
fn what_files_dont_hold_is_refused() {
    let folder = folder_with_numbers();
    for (dims, entries, expected) in [
        (
            &[3][..],
            &[("location", "data/numbers"), ("length", "8")][..],
            "takes 12 bytes, but its external data has a length of 8",
        ),
        (
            &[3],
            &[("location", "data/numbers"), ("offset", "24")],
            "12 bytes from offset 24, but the file \"data/numbers\" has 32",
        ),
        (&[3], &[("location", "data/numbers"), ("offset", "18446744073709551615")], "but the file"),
        (&[1 << 58], &[("location", "data/numbers")], "1152921504606846976 bytes from offset 0"),
        (&[1 << 62], &[("location", "data/numbers")], "more than memory can hold"),
        (&[-1], &[("location", "data/numbers")], "its dimension 0 is -1"),
        (&[3], &[("location", "data")], "isn't a file"),
        (&[3], &[("location", "data/letters")], "can't find the external data file \"data/letters\""),
        (&[3], &[], "no entry `location`"),
        (&[3], &[("location", "../numbers")], "a path below the model's folder"),
        (&[3], &[("location", "/etc/hostname")], "a path below the model's folder"),
        (&[3], &[("location", "data/\n")], "\"data/\\n\""),
    ] {
        let message = refused(folder.path(), vec![external("w0", dims, entries)]);
        assert!(message.contains(expected) && message.contains("initializer \"w0\""), "{expected} isn't in {message}");
    }
}

#[test]
fn tensors_that_overlap_cant_take_more_than_the_file_has() {
    let folder = folder_with_numbers();
    let weights = (0..3)
        .map(|i| external(&format!("w{i}"), &[5], &[("location", "data/numbers"), ("offset", &(4 * i).to_string())]));
    let message = refused(folder.path(), weights.collect());
    assert!(message.contains("overlaps that of other tensors: more is asked for than the 32 bytes"), "{message}");
}

#[cfg(unix)]
#[test]
fn links_dont_lead_out_of_the_folder() {
    use std::os::unix::fs::symlink;
    let (folder, elsewhere) = (folder_with_numbers(), folder_with_numbers());
    symlink(elsewhere.path().join("data/numbers"), folder.path().join("file")).unwrap();
    symlink(elsewhere.path().join("data"), folder.path().join("folder")).unwrap();
    symlink(folder.path().join("data/numbers"), folder.path().join("inside")).unwrap();
    symlink("/dev/zero", folder.path().join("zero")).unwrap();
    for location in ["file", "folder/numbers", "zero"] {
        let message = refused(folder.path(), vec![external("w0", &[1], &[("location", location)])]);
        assert!(message.contains("leads out of the model's folder by a link"), "{message}");
    }
    assert!(read(folder.path(), vec![external("w0", &[1], &[("location", "inside")])]).is_ok());
}

/// As the Hugging Face hub's cache keeps them: links in a folder of snapshots into a folder of files named by their hashes.
#[cfg(unix)]
#[test]
fn links_into_the_folder_where_the_model_itself_lies_are_followed() {
    use std::os::unix::fs::symlink;
    let cache = tempfile::tempdir().unwrap();
    let path = |path: &str| cache.path().join(path);
    for folder in ["blobs", "snapshots/rev/onnx", "elsewhere"] {
        fs::create_dir_all(path(folder)).unwrap();
    }
    let weight = |location: &str| external("w0", &[1], &[("location", location)]);
    let write =
        |location: &str| fs::write(path("blobs/model"), scaled(vec![weight(location)]).encode_to_vec()).unwrap();
    fs::write(path("blobs/data"), 7f32.to_le_bytes()).unwrap();
    fs::write(path("elsewhere/data"), 8f32.to_le_bytes()).unwrap();
    for folder in ["snapshots/rev", "snapshots/rev/onnx"] {
        symlink(path("blobs/model"), path(folder).join("model.onnx")).unwrap();
        symlink(path("blobs/data"), path(folder).join("model.onnx_data")).unwrap();
        symlink(path("elsewhere/data"), path(folder).join("elsewhere")).unwrap();
    }
    for model in ["snapshots/rev/model.onnx", "snapshots/rev/onnx/model.onnx"] {
        for location in ["model.onnx_data", "data"] {
            write(location);
            let network = Network::from_onnx(path(model)).unwrap();
            let outputs =
                Builder::new(Device::cpu()).build(&network).unwrap().create_context().unwrap().run(&[]).unwrap();
            assert_eq!(outputs[0].1.as_slice::<f32>().unwrap(), [7.0], "{model} {location}");
        }
        write("elsewhere");
        let message = Network::from_onnx(path(model)).unwrap_err().to_string();
        assert!(message.contains("leads out of the model's folder by a link"), "{message}");
        write("nowhere");
        let message = Network::from_onnx(path(model)).unwrap_err().to_string();
        assert!(message.contains("can't find the external data file \"nowhere\""), "{message}");
        write("../blobs/data");
        let message = Network::from_onnx(path(model)).unwrap_err().to_string();
        assert!(message.contains("a path below the model's folder"), "{message}");
    }
    write("model.onnx_data");
    let message = Network::from_onnx_bytes(&fs::read(path("blobs/model")).unwrap(), Some(&path("snapshots/rev")));
    assert!(message.unwrap_err().to_string().contains("leads out of the model's folder by a link"));
}
