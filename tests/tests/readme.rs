//! Every command and every piece of code in README.md.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use plugin_runtime::device::cuda::{Architecture, DeviceTensor, Source, compile_report};
use plugin_runtime::device::{Binding, Device};
use plugin_runtime::engine::{Builder, Engine};
use plugin_runtime::network::Network;
use plugin_runtime::shape::Dims;
use plugin_runtime::tensor::{DataType, HostTensor};
use samples::non_zero::non_zero_plugin;
use tests::command::{Run, cargo_outside, library, python_with, run, skipped, workspace};

/// A fenced block: the words after the fence, and what stands in it.
struct Block {
    info: String,
    text: String,
}

fn readme() -> String {
    fs::read_to_string(workspace().join("README.md")).unwrap()
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in readme().lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => blocks.push(block),
            (Some(info), None) => open = Some(Block { info: info.into(), text: String::new() }),
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block isn't closed");
    blocks
}

/// The only block of this kind.
fn block(info: &str) -> String {
    let mut found: Vec<Block> = blocks().into_iter().filter(|b| b.info == info).collect();
    assert_eq!(found.len(), 1, "blocks of ```{info}");
    found.remove(0).text
}

const KINDS: [&str; 14] = [
    "sh",
    "python",
    "python,arrays",
    "python,torch",
    "python,jax",
    "toml",
    "text",
    "cuda",
    "rust,non_zero",
    "rust,network",
    "rust,five-minutes",
    "rust,five-minutes-cuda",
    "rust,capture",
    "rust,checks",
];

#[test]
fn every_block_is_of_a_kind_that_is_tested() {
    let kinds: Vec<String> = blocks().into_iter().map(|b| b.info).collect();
    for kind in &kinds {
        assert!(KINDS.contains(&kind.as_str()), "no test knows ```{kind}");
    }
}

#[test]
fn the_plugin_shown_is_the_samples_own() {
    let shown = block("rust,non_zero");
    let source = fs::read_to_string(workspace().join("samples/src/non_zero.rs")).unwrap();
    let mut from = 0;
    for item in shown.trim().split("\n\n") {
        let at = source[from..]
            .find(item)
            .unwrap_or_else(|| panic!("samples/src/non_zero.rs doesn't hold, in this order:\n{item}"));
        from += at + item.len();
    }
    for attribute in ["#[register(", "#[autotune(", "#[impl_plugin("] {
        assert!(shown.contains(attribute), "the plugin isn't shown whole: {attribute} is missing");
    }
}

/// The network that README shows, as it stands there.
fn shown_network(matrix: HostTensor) -> plugin_runtime::Result<Vec<(String, HostTensor)>> {
    let mut network = Network::new();
    let x = network.add_input("X", DataType::Float32, [128, 128])?;
    let [indices, _count] = network.add_plugin(non_zero_plugin::op(x))?;
    network.mark_output(indices, "Y")?;
    let engine = Builder::new(Device::best()?).build(&network)?;
    let outputs = engine.create_context()?.run(&[("X", &matrix)])?;
    Ok(outputs)
}

/// Sees to it that this file holds a block of README's.
fn stands_here(kind: &str) {
    let unindented = include_str!("readme.rs").lines().map(str::trim_start).collect::<Vec<_>>().join("\n");
    let shown = block(kind);
    let shown = shown.trim().lines().map(str::trim_start).collect::<Vec<_>>().join("\n");
    assert!(unindented.contains(&shown), "this test's own lines differ from README's:\n{shown}");
}

/// A matrix with one element that isn't zero, at (3, 5).
fn sparse_matrix() -> HostTensor {
    let mut matrix = HostTensor::zeros(DataType::Float32, &[128, 128]).unwrap();
    matrix.as_mut_slice::<f32>().unwrap()[3 * 128 + 5] = 1.0;
    matrix
}

#[test]
fn the_network_shown_runs() {
    stands_here("rust,network");
    let outputs = shown_network(sparse_matrix()).unwrap();
    let [(name, indices)] = outputs.as_slice() else { panic!("{outputs:?}") };
    assert_eq!((name.as_str(), indices.as_slice::<i32>().unwrap()), ("Y", [3, 5].as_slice()));
}

/// The plugins that README shows to say how they are checked, as they stand there.
mod checks {
    use plugin_runtime::prelude::*;

    /// Rows of a table.
    #[register("mine::lookup", sample_inputs(index = Sample::below(table.shape_expr(0))))]
    fn lookup(table: &TensorDesc, index: &TensorDesc) -> TensorDesc {
        TensorDesc::from_shape_expr([index.shape_expr(0), table.shape_expr(1)], table.dtype())
    }

    /// Where elements are positive, in no particular order.
    #[register("mine::positive", compare = Compare::new().unordered())]
    fn positive(x: &TensorDesc) -> (TensorDesc, SizeTensorDesc) {
        let count = size_tensor(x.numel() / 2, x.numel());
        (TensorDesc::from_shape_expr([count.expr()], DataType::Int32), count)
    }

    /// Noise.
    #[register("mine::noise", compare = Compare::skip("draws numbers anew in each run"))]
    fn noise(x: &TensorDesc) -> TensorDesc {
        x.like()
    }
}

#[test]
fn the_plugins_that_say_how_they_are_checked_are_registered() {
    stands_here("rust,checks");
    let registry = plugin_runtime::plugin::Registry::global().unwrap();
    for (id, compared, sampled) in
        [("mine::lookup", false, true), ("mine::positive", true, false), ("mine::noise", true, false)]
    {
        let entry = &registry.get(id, 1).unwrap().entry;
        assert_eq!((entry.compare.is_some(), entry.sample_inputs.is_some()), (compared, sampled), "{id}");
    }
}

/// The recorded run that README shows, as it stands there.
fn shown_capture(device: &Device, engine: &Engine, matrix: HostTensor) -> plugin_runtime::Result<(Dims, HostTensor)> {
    let stream = device.create_stream()?;
    let x = DeviceTensor::from_host(&stream, &matrix)?;
    let mut y = DeviceTensor::uninit(&stream, DataType::Int32, &[128 * 128, 2])?;
    let mut bindings = [Binding::device_input(&x), Binding::device_output(&mut y)];
    let mut context = engine.create_context()?;
    context.enqueue(&mut bindings, &stream)?;
    context.capture(&mut bindings, &stream)?;
    context.enqueue(&mut bindings, &stream)?;
    let found = context.output_shape("Y")?;
    let indices = y.to_host(&stream)?;
    Ok((found, indices))
}

#[test]
fn the_recorded_run_shown_replays() {
    stands_here("rust,capture");
    let device = match Device::cuda(0) {
        Ok(device) => device,
        Err(error) => return skipped("readme: the_recorded_run_shown_replays", &error.to_string()),
    };
    let mut network = Network::new();
    let x = network.add_input("X", DataType::Float32, [128, 128]).unwrap();
    let [indices, _count] = network.add_plugin(non_zero_plugin::op(x)).unwrap();
    network.mark_output(indices, "Y").unwrap();
    let engine = Builder::new(device.clone()).build(&network).unwrap();
    let (found, indices) = shown_capture(&device, &engine, sparse_matrix()).unwrap();
    assert_eq!((&*found, &indices.as_slice::<i32>().unwrap()[..2]), ([1, 2].as_slice(), [3, 5].as_slice()));
}

#[test]
fn the_kernel_shown_compiles() {
    let text: &'static str = block("cuda").leak();
    let source = Source {
        name: "scale.cu",
        text,
        rust_file: "src/main.rs",
        headers: &[],
        options: &[],
        image: None,
        instances: &[],
    };
    match compile_report(&source, Architecture::from_number(90)) {
        Ok(report) => assert!(report.kernel("scale_f32").is_some(), "{:?}", report.kernels()),
        Err(error) if error.to_string().contains("can't be loaded") => {
            let asked_for = std::env::var_os("NVRTC_LIBRARY").is_some_and(|path| !path.is_empty());
            assert!(!asked_for, "{error}");
            skipped("readme: the_kernel_shown_compiles", &error.to_string());
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_plugin_of_ones_own_works_as_told() {
    let beside = tempfile::tempdir().unwrap();
    let own = beside.path().join("five-minutes");
    fs::create_dir_all(own.join("src")).unwrap();
    fs::write(own.join("Cargo.toml"), block("toml")).unwrap();
    fs::write(own.join("src/main.rs"), block("rust,five-minutes")).unwrap();
    // The versions that the workspace uses are the ones that are there without a network.
    fs::copy(workspace().join("Cargo.lock"), own.join("Cargo.lock")).unwrap();
    link(workspace(), &beside.path().join("plugins"));
    let cargo = |arguments: &[&str]| cargo_outside(&own, arguments);

    let as_told = |Run { status, stdout, stderr }| {
        assert_eq!((status, stdout), (Some(0), block("text")), "{stderr}");
        assert!(!stderr.contains("warning: "), "{stderr}");
    };
    as_told(cargo(&["run", "--offline"]));
    let parts = blocks().into_iter().filter(|b| b.info == "rust,five-minutes-cuda").map(|b| b.text);
    let for_both_devices: Vec<String> = std::iter::once(block("rust,five-minutes")).chain(parts).collect();
    fs::write(own.join("src/main.rs"), for_both_devices.join("\n")).unwrap();
    fs::write(own.join("src/scale.cu"), block("cuda")).unwrap();
    let with_cuda = cargo(&["run", "--offline"]);
    // What was built from this folder isn't of use to the next run, whose folder has another name.
    cargo(&["clean", "--offline", "-p", "five-minutes", "-p", "plugin-runtime", "-p", "plugin-macros"]);
    as_told(with_cuda);
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) {
    std::os::unix::fs::symlink(to, at).unwrap();
}

#[cfg(windows)]
fn link(to: &Path, at: &Path) {
    std::os::windows::fs::symlink_dir(to, at).unwrap();
}

#[test]
fn the_session_shown_runs() {
    let Some(python) = python_with(&["numpy", "onnxruntime", "onnx"]) else {
        return skipped("the_session_shown_runs", "python3 with numpy, onnxruntime and onnx isn't there");
    };
    prints_what_it_tells(&mut Command::new(python), &block("python"));
}

/// Runs a script of README's, whose comments tell what each of its two lines that print prints.
fn prints_what_it_tells(python: &mut Command, script: &str) {
    let (shown, built) = ("target/release/libsamples.so", library("samples"));
    assert!(script.contains(shown));
    let ended = run(python.args(["-c", &script.replace(shown, built.to_str().unwrap())]));
    assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    let told: Vec<&str> = script.lines().filter_map(|line| Some(line.split_once("  # ")?.1)).collect();
    assert_eq!((told.len(), ended.stdout.lines().collect::<Vec<_>>()), (2, told), "{script}");
}

/// A Python that has these modules, and finds the package in the sources.
fn python_with_package(modules: &[&str]) -> Option<Command> {
    let mut python = Command::new(python_with(modules)?);
    let others = std::env::var_os("PYTHONPATH").unwrap_or_default();
    let own = [workspace().join("plugin-runtime/python/src")];
    let paths = std::env::join_paths(own.into_iter().chain(std::env::split_paths(&others))).unwrap();
    python.env("PYTHONPATH", paths).env("PYTHONDONTWRITEBYTECODE", "1");
    Some(python)
}

#[test]
fn the_calls_from_python_shown_run() {
    let Some(mut python) = python_with_package(&["tvm_ffi", "numpy"]) else {
        return skipped("the_calls_from_python_shown_run", "python3 with numpy and tvm_ffi isn't there");
    };
    prints_what_it_tells(&mut python, &block("python,arrays"));
}

/// Runs what README shows of a framework; where that isn't there, sees at least that it could be run.
fn framework_shown_runs(framework: &str, test: &str) {
    let script = block(&format!("python,{framework}"));
    assert!(script.lines().count() <= 15, "{script}");
    if let Some(mut python) = python_with_package(&[framework]) {
        return prints_what_it_tells(&mut python, &script);
    }
    if let Some(python) = python_with(&["ast"]) {
        let parsed = run(Command::new(python).args(["-c", "import ast, sys; ast.parse(sys.argv[1])", &script]));
        assert_eq!(parsed.status, Some(0), "{}", parsed.stderr);
    }
    skipped(test, &format!("python3 with {framework} isn't there"));
}

#[test]
fn the_operators_of_torch_shown_run() {
    framework_shown_runs("torch", "the_operators_of_torch_shown_run");
}

#[test]
fn the_functions_of_jax_shown_run() {
    framework_shown_runs("jax", "the_functions_of_jax_shown_run");
}

#[test]
fn every_command_runs() {
    let folder = tempfile::tempdir().unwrap();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}\n";
    let start = [b"\x93NUMPY\x01\x00".as_slice(), &[u8::try_from(header.len()).unwrap(), 0]].concat();
    fs::write(folder.path().join("x.npy"), [&start, header.as_bytes(), &[0; 8]].concat()).unwrap();

    let commands: Vec<String> =
        blocks().iter().filter(|b| b.info == "sh").flat_map(|b| b.text.lines()).map(str::to_owned).collect();
    assert!(commands.iter().any(|c| c == "cargo run -p samples non_zero"), "the first command to try is missing");
    assert!(commands.iter().any(|c| c == "cargo test"), "the tests' command is missing");
    for command in commands {
        match command.split_whitespace().collect::<Vec<_>>().as_slice() {
            // This runs within it; that the checks run it too is seen below.
            ["cargo", "test"] => {}
            ["cargo", "run", arguments @ ..] => run_sample(&command, arguments, folder.path()),
            ["samples/peers/bench.sh"] => peers(&command, folder.path()),
            ["python3", "samples/peers/gpu_peers.py", arguments @ ..] => gpu_peers(arguments, folder.path()),
            ["pip", "install", arguments @ ..] => pip_install(arguments, folder.path()),
            ["python", "-m", "plugin_runtime", "wheel", library] => make_wheel(library, folder.path()),
            [script] if *script == ".ci/gpu" => gpu_checks_tell_their_usage(),
            [script] if *script == ".ci/run" => checks_run_what_readme_says(),
            _ => panic!("no test knows README's command: {command}"),
        }
    }
    for written in ["y.npy", "bench.json", "circ_pad.onnx", "circ_pad.engine", "my.engine", "tuning.lock", "out/Y.npy"]
    {
        assert!(folder.path().join(written).exists(), "{written} wasn't written");
    }
}

/// Installs the package from its sources; what comes from an index, .ci/run installs.
fn pip_install(arguments: &[&str], folder: &Path) {
    let ["plugin-runtime/python", packages @ ..] = arguments else { panic!("{arguments:?}") };
    let checks = fs::read_to_string(workspace().join(".ci/run")).unwrap();
    for package in packages {
        assert!(checks.contains(package), ".ci/run doesn't install {package}");
    }
    let Some(python) = python_with(&["pip"]) else {
        return skipped("readme: pip install", "python3 with pip isn't there");
    };
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]).arg(folder.join("installed"));
    let ended = run(pip.arg(workspace().join("plugin-runtime/python")));
    assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(folder.join("installed/plugin_runtime/__init__.py").exists());
}

fn make_wheel(shown: &str, folder: &Path) {
    assert_eq!(shown, "target/release/libsamples.so");
    let Some(mut python) = python_with_package(&["tvm_ffi", "numpy"]) else {
        return skipped("readme: python -m plugin_runtime wheel", "python3 with numpy and tvm_ffi isn't there");
    };
    let command = python.args(["-m", "plugin_runtime", "wheel"]).arg(library("samples")).current_dir(folder);
    let ended = run(command);
    assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(folder.join(ended.stdout.trim()).exists(), "{}", ended.stdout);
}

/// Runs it in a folder of its own, so that what it writes goes there. The benchmark is run as a trial only, without the
/// optimiser.
fn run_sample(command: &str, arguments: &[&str], folder: &Path) {
    if arguments.iter().any(|a| a.starts_with("cuda"))
        && let Err(error) = Device::cuda(0)
    {
        return skipped(&format!("readme: {command}"), &error.to_string());
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "--offline", "--manifest-path"]).arg(workspace().join("Cargo.toml"));
    cargo.args(arguments.iter().filter(|a| **a != "--release"));
    if arguments.contains(&"bench") {
        cargo.arg("--quick");
    }
    let Run { status, stdout, stderr } = run(cargo.current_dir(folder));
    assert_eq!((status, stderr.as_str()), (Some(0), ""), "{command}\n{stdout}");
    assert!(!stdout.is_empty(), "{command} prints nothing");
}

/// The script that compares with peers builds with the optimiser, which takes too long here; its two halves are run.
fn peers(command: &str, folder: &Path) {
    assert!(is_executable(&workspace().join(command)));
    let Some(python) = python_with(&["numpy", "onnxruntime", "onnx"]) else {
        return skipped("readme: samples/peers/bench.sh", "python3 with numpy, onnxruntime and onnx isn't there");
    };
    let figures = folder.join("peers.json");
    let script = workspace().join("samples/peers/cpu_peers.py");
    let ended = run(Command::new(python).arg(script).args(["--quick", "--json"]).arg(&figures));
    assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    let compare = format!("-p samples -- bench --peers {}", figures.display());
    run_sample(command, &compare.split_whitespace().collect::<Vec<_>>(), folder);
}

fn gpu_peers(arguments: &[&str], folder: &Path) {
    let test = "readme: samples/peers/gpu_peers.py";
    let Some(python) = python_with(&["torch", "triton", "cupy"]) else {
        return skipped(test, "python3 with torch, triton and cupy isn't there");
    };
    if let Err(error) = Device::cuda(0) {
        return skipped(test, &error.to_string());
    }
    let script = workspace().join("samples/peers/gpu_peers.py");
    let ended = run(Command::new(python).arg(script).arg("--quick").args(arguments).current_dir(folder));
    assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
}

/// What it runs takes long, and a GPU.
fn gpu_checks_tell_their_usage() {
    for (script, arguments) in [(".ci/gpu", ["--only", "nothing"].as_slice()), (".ci/gpu-binaries", &[])] {
        let path = workspace().join(script);
        assert!(is_executable(&path) && readme().contains(script));
        let Run { status, stderr, .. } = run(Command::new(path).args(arguments));
        assert_eq!(status, Some(2), "{script}: {stderr}");
        assert!(stderr.contains("usage: "), "{script}: {stderr}");
    }
}

fn checks_run_what_readme_says() {
    let script: PathBuf = workspace().join(".ci/run");
    assert!(is_executable(&script));
    let text = fs::read_to_string(script).unwrap();
    assert!(text.lines().any(|line| line.trim() == "step cargo test"), ".ci/run doesn't run `cargo test`");
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.exists()
}
