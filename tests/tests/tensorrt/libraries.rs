//! The plugins inside NVIDIA's own libraries, which need no GPU to build: TensorRT-RTX from the folder of packages that
//! TENSORRT_RTX_PACKAGES names, and the lean runtimes of TensorRT from those that TENSORRT_LEAN_PACKAGES lists.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use plugin_runtime::network::Network;
use plugin_runtime::network::onnx::proto::{AttributeProto, GraphProto, Message, NodeProto};
use plugin_runtime::prelude::*;
use plugin_runtime::shape::{Profile, ShapeExpr};
use tests::command::{library, python_with, run, skipped, workspace};
use tests::onnx::{FLOAT, INT32, INT64, int, ints, model, node, value};
use tests::suite::{Case, On, cases};
use tests::tensorrt::{Creator, creators_for};

/// A model, and what is to be found.
struct Model {
    name: String,
    bytes: Vec<u8>,
    profile: Profile,
    aliases: bool,
    expected: Vec<String>,
}

/// What the builder found of a model, a line each.
fn of<'o>(output: &'o str, name: &str) -> Vec<&'o str> {
    output.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

fn script(name: &str) -> PathBuf {
    workspace().join("tests/tests/tensorrt").join(name)
}

/// TensorRT-RTX's packages; says of a test by name that there are none.
fn rtx(test: &str) -> Option<(std::ffi::OsString, PathBuf)> {
    let packages = std::env::var_os("TENSORRT_RTX_PACKAGES").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    match (python_with(&["sys"]), packages) {
        (Some(python), Some(packages)) => Some((python, packages)),
        (python, _) => {
            let missing = if python.is_none() { "python3 isn't there" } else { "TENSORRT_RTX_PACKAGES isn't set" };
            skipped(test, missing);
            None
        }
    }
}

/// What `build.py` prints of models. Nothing where there is no TensorRT-RTX.
fn built(test: &str, package: &str, models: &[Model]) -> Option<String> {
    let (python, packages) = rtx(test)?;
    let folder = tempfile::tempdir().unwrap();
    // The importer opens the builder by a name that the packages don't have.
    for name in ["libtensorrt_rtx.so", "libtensorrt_onnxparser_rtx.so"] {
        let library = packages.join("tensorrt_rtx_libs").join(format!("{name}.1"));
        std::os::unix::fs::symlink(library, folder.path().join(name)).unwrap();
    }
    let mut list = String::new();
    for model in models {
        let path = folder.path().join(format!("{}.onnx", model.name));
        std::fs::write(&path, &model.bytes).unwrap();
        write!(list, "{} {}", model.name, path.display()).unwrap();
        for (input, dims) in model.profile.iter() {
            let shapes = [&dims.min, &dims.opt, &dims.max].map(|dims| joined(dims, "x"));
            write!(list, " {input}={}", shapes.join(":")).unwrap();
        }
        list.push_str(if model.aliases { " aliases\n" } else { "\n" });
    }
    let path = folder.path().join("models");
    std::fs::write(&path, list).unwrap();
    let mut command = Command::new(python);
    command.arg(script("build.py")).arg(library(package)).arg(path);
    let found = std::env::join_paths([folder.path(), &packages.join("tensorrt_rtx_libs")]).unwrap();
    command.env("LD_LIBRARY_PATH", found).env("PYTHONPATH", &packages);
    let ended = run(&mut command);
    assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    Some(ended.stdout)
}

fn joined(extents: &[i64], by: &str) -> String {
    extents.iter().map(i64::to_string).collect::<Vec<_>>().join(by)
}

/// A type as the builder names it.
fn type_name(dtype: DataType) -> &'static str {
    match dtype {
        DataType::Float32 => "FLOAT",
        DataType::Float16 => "HALF",
        DataType::BFloat16 => "BF16",
        DataType::Int64 => "INT64",
        DataType::Int32 => "INT32",
        other => panic!("no case has {other}"),
    }
}

/// What is to be found of a network's outputs, where a model has the same.
fn outputs(network: &Network) -> Vec<String> {
    let extent = |extent: &ShapeExpr| extent.constant_value().unwrap_or(-1);
    let output = |output: &plugin_runtime::network::OutputSummary| {
        let extents: Vec<i64> = output.output.shape.iter().map(extent).collect();
        format!("output {} {} [{}]", output.output.name, type_name(output.output.dtype), joined(&extents, ", "))
    };
    network.inspect().outputs.iter().map(output).collect()
}

/// A plugin between operators of ONNX, and the same in a network of our own.
fn between(name: &str, plugin: (&str, &[AttributeProto]), dims: &[i64], aliases: bool) -> Model {
    let (id, attributes) = plugin;
    let of_size = id.ends_with("non_zero_plugin");
    let made: &[&str] = if of_size { &["p", "n"] } else { &["p"] };
    let behind = if of_size { "Identity" } else { "Relu" };
    let text: Vec<String> = dims.iter().map(|&d| if d == -1 { "?".into() } else { d.to_string() }).collect();
    let mut output = vec![value("y", if of_size { INT32 } else { FLOAT }, "")];
    output[0].r#type.as_mut().unwrap().tensor_type.as_mut().unwrap().shape = None;
    output.extend(of_size.then(|| value("n", INT64, "")));
    let graph = GraphProto {
        node: vec![
            node("Relu", &["x"], &["r"], &[]),
            NodeProto { name: "layer".into(), ..node(id, &["r"], made, attributes) },
            node(behind, &["p"], &["y"], &[]),
        ],
        input: vec![value("x", FLOAT, &text.join(","))],
        output,
        ..GraphProto::default()
    };
    let own = own_network(id, attributes, dims);
    let at = |dynamic: i64| dims.iter().map(|&d| if d == -1 { dynamic } else { d }).collect::<Vec<_>>();
    let profile = match dims.contains(&-1) {
        true => Profile::new().dims("x", at(1), at(4), at(9)),
        false => Profile::new(),
    };
    Model { name: name.into(), bytes: recent(graph), profile, aliases, expected: outputs(&own) }
}

fn own_network(id: &str, attributes: &[AttributeProto], dims: &[i64]) -> Network {
    let graph = GraphProto {
        node: vec![node(id, &["x"], if id.ends_with("non_zero_plugin") { &["y", "n"] } else { &["y"] }, attributes)],
        input: vec![value(
            "x",
            FLOAT,
            &dims.iter().map(|&d| if d == -1 { "?".into() } else { d.to_string() }).collect::<Vec<_>>().join(","),
        )],
        output: if id.ends_with("non_zero_plugin") {
            vec![value("y", INT32, "?,2"), value("n", INT64, "")]
        } else {
            Vec::new()
        },
        ..GraphProto::default()
    };
    let graph = match graph.output.is_empty() {
        true => GraphProto { output: vec![untyped("y")], ..graph },
        false => graph,
    };
    Network::from_onnx_bytes(&model(graph).encode_to_vec(), None).unwrap()
}

/// A model of a recent set of operators.
fn recent(graph: GraphProto) -> Vec<u8> {
    let mut model = model(graph);
    model
        .opset_import
        .iter_mut()
        .filter(|opset| opset.domain.as_deref() == Some(""))
        .for_each(|opset| opset.version = Some(17));
    model.encode_to_vec()
}

fn untyped(name: &str) -> plugin_runtime::network::onnx::proto::ValueInfoProto {
    plugin_runtime::network::onnx::proto::ValueInfoProto { name: name.into(), r#type: None }
}

#[test]
fn samples_are_built_between_operators_of_onnx() {
    let pad = [ints("pads", &[1, 2, 3, 4])];
    let (add, update) = ([int("block_size", 256)], [int("delta", 2)]);
    let mut models = Vec::new();
    for (kind, extent) in [("dynamic", -1), ("fixed", 5)] {
        let named = |name: &str| format!("{name}_{kind}");
        models.push(between(&named("pad"), ("sample::circ_pad_plugin", &pad), &[extent, 3, extent, 8], false));
        models.push(between(&named("add"), ("sample::elemwise_add_plugin", &add), &[extent, 7], false));
        models.push(between(&named("non_zero"), ("sample::non_zero_plugin", &[]), &[extent, 6], false));
        models.push(between(&named("update"), ("sample::inplace_add_plugin", &update), &[extent, 6], true));
        models.push(between(&named("not_updated"), ("sample::inplace_add_plugin", &update), &[extent, 6], false));
    }
    let Some(output) = built("samples_are_built_between_operators_of_onnx", "samples", &models) else { return };
    for model in &models {
        let found = of(&output, &model.name);
        let outputs: Vec<&str> = found.iter().copied().filter(|line| line.starts_with("output")).collect();
        assert_eq!(outputs, model.expected, "{}: {found:?}", model.name);
        let is_built = found.contains(&"built");
        match model.name.starts_with("not_updated") {
            // Only a plugin of which the builder knows that it shares memory is refused so.
            true => assert!(
                !is_built && found.iter().any(|line| line.contains("Aliased I/O used by plugin layer")),
                "{found:?}"
            ),
            false => {
                assert!(is_built && !found.iter().any(|line| line.starts_with("error")), "{}: {found:?}", model.name)
            }
        }
    }
    let kept = |name: &str| {
        let found = of(&output, name).into_iter();
        found.filter_map(|line| line.strip_prefix("kept ")).collect::<Vec<_>>()
    };
    assert_eq!(kept("pad_fixed"), ["plugin_runtime.outline", "pads"]);
    assert_eq!(kept("update_dynamic"), ["plugin_runtime.outline", "delta"]);
    assert_eq!(kept("non_zero_dynamic"), ["plugin_runtime.outline"]);
    let pad = of(&output, "pad_dynamic");
    let runs_as = "layer `layer` (sample::circ_pad_plugin v1) runs as FP32, FP32 (LINEAR), tactics Element, Rows";
    assert!(pad.iter().any(|line| line.contains(runs_as)), "{pad:?}");
}

/// Why the builder can't build a case.
fn left_out(case: &Case) -> Option<&'static str> {
    match case.name {
        _ if !case.on.contains(&On::Cuda) && !case.on.contains(&On::AheadOfTime) => Some("it has nothing for cuda"),
        "layouts" => Some("its plugin takes no LINEAR tensors"),
        "sizes_as_outputs" => Some("TensorRT-RTX 1.7.1 fails an assertion where only a size tensor is used"),
        "attributes_of_text_and_bytes" => Some("the importer loses a TENSOR of UINT8"),
        _ => None,
    }
}

#[test]
fn the_suites_networks_are_built() {
    let mut models = Vec::new();
    for case in cases::all() {
        if let Some(reason) = left_out(&case) {
            skipped(&format!("the_suites_networks_are_built: {}", case.name), reason);
            continue;
        }
        let expected = outputs(&case.network);
        let profile = case.profile.clone().unwrap_or_default();
        models.push(Model {
            name: case.name.into(),
            bytes: case.network.to_onnx().unwrap(),
            profile,
            aliases: true,
            expected,
        });
    }
    let Some(output) = built("the_suites_networks_are_built", "tests", &models) else { return };
    for model in &models {
        let found = of(&output, &model.name);
        let outputs: Vec<&str> = found.iter().copied().filter(|line| line.starts_with("output")).collect();
        assert_eq!(outputs, model.expected, "{}: {found:?}", model.name);
        assert!(found.contains(&"built"), "{}: {found:?}", model.name);
    }
}

#[test]
fn mistakes_of_a_model_are_in_the_builders_log() {
    let with = |name: &str, attributes: &[AttributeProto]| {
        let good = between(name, ("sample::circ_pad_plugin", &[ints("pads", &[1, 1])]), &[-1, 3], false);
        let graph = GraphProto {
            node: vec![NodeProto {
                name: "layer".into(),
                ..node("sample::circ_pad_plugin", &["x"], &["y"], attributes)
            }],
            input: vec![value("x", FLOAT, "?,3")],
            output: vec![untyped("y")],
            ..GraphProto::default()
        };
        Model { bytes: recent(graph), ..good }
    };
    let cases = [
        (
            with("missing", &[]),
            "layer `layer` (sample::circ_pad_plugin v1): plugin `sample::circ_pad_plugin v1` needs the attribute `pads`",
        ),
        (
            with("odd", &[ints("pads", &[1, 1, 1])]),
            "layer `layer` (sample::circ_pad_plugin v1, inp0: FP32 [inp0.d0, 3]): `pads` holds 3 numbers",
        ),
        (
            with("float", &[tests::onnx::float("pads", 1.0)]),
            "layer `layer` (sample::circ_pad_plugin v1): attribute `pads`: it is a list of 1 float; `&[i32]` takes INTS",
        ),
    ];
    let (models, expected): (Vec<Model>, Vec<&str>) = cases.into_iter().unzip();
    let Some(output) = built("mistakes_of_a_model_are_in_the_builders_log", "samples", &models) else { return };
    for (model, expected) in models.iter().zip(expected) {
        let found = of(&output, &model.name);
        assert!(!found.contains(&"built"), "{found:?}");
        let told = |line: &&str| line.starts_with("error") && line.contains(expected);
        assert!(found.iter().any(told), "{}: {found:?}", model.name);
    }
}

#[test]
fn lean_runtimes_list_all_creators() {
    const TEST: &str = "lean_runtimes_list_all_creators";
    let listed = std::env::var_os("TENSORRT_LEAN_PACKAGES").unwrap_or_default();
    let folders: Vec<PathBuf> =
        std::env::split_paths(&listed).filter(|folder| !folder.as_os_str().is_empty()).collect();
    let (Some(python), false) = (python_with(&["sys"]), folders.is_empty()) else {
        return skipped(TEST, "python3 isn't there, or TENSORRT_LEAN_PACKAGES isn't set");
    };
    let of_kind = |quick: bool| -> Vec<String> {
        let all = creators_for(101_601).into_iter().filter(|creator| creator.is_quick() == quick);
        all.map(Creator::label).filter(|label| !label.contains("tensorrt_test")).collect()
    };
    let (ones, quick) = (of_kind(false), of_kind(true));
    assert!(quick.contains(&"gpu::ahead_negated 1".to_owned()), "{quick:?}");
    let library = library("tests");
    for folder in folders {
        let runtimes = std::fs::read_dir(folder.join("tensorrt_lean_libs")).unwrap();
        let is_lean = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libnvinfer_lean.so."))
        };
        let runtime = runtimes.map(|entry| entry.unwrap().path()).find(is_lean).expect("a lean runtime");
        let ended = run(Command::new(&python).arg(script("lean.py")).args([&runtime as &Path, &library]));
        assert_eq!(ended.status, Some(0), "{}: {}{}", runtime.display(), ended.stdout, ended.stderr);
        let lines: Vec<&str> = ended.stdout.lines().collect();
        for told in ["loaded", "loaded again"] {
            assert!(lines.contains(&told), "{told}: {}", ended.stdout);
        }
        let has = |line: String| assert!(lines.contains(&line.as_str()), "{line} isn't in {}", ended.stdout);
        for label in &ones {
            has(format!("creator {label}"));
            let kind = if quick.contains(label) { "quick" } else { "creator" };
            has(format!("found {kind} {label}"));
            assert!(!lines.contains(&format!("left {label}").as_str()), "{label} is left in {}", runtime.display());
        }
        quick.iter().for_each(|label| has(format!("quick {label}")));
        let listed = lines.iter().filter(|line| line.starts_with("quick ")).count();
        assert_eq!(listed, quick.len(), "{}", ended.stdout);
    }
}

/// Its importer takes creators of kind V3ONE alone.
#[test]
fn rtx_is_given_no_quick_creators() {
    let Some(output) = built("rtx_is_given_no_quick_creators", "tests", &[]) else { return };
    let listed: Vec<&str> = output.lines().filter_map(|line| line.strip_prefix("creator ")).collect();
    assert!(listed.contains(&"PLUGIN CREATOR_V3ONE: gpu::ahead_negated 1"), "{output}");
    assert!(listed.iter().all(|line| !line.contains("QUICK")), "{output}");
    let mut ids: Vec<&str> = listed.iter().filter_map(|line| line.split_once(": ").map(|(_, id)| id)).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "no plugin is listed twice: {output}");
}
