//! Models, engines and lockfiles as files.

use std::fs;
use std::path::{Path, PathBuf};

use plugin_runtime::network::Network;
use plugin_runtime::tensor::{DataType, HostTensor};
use samples::circ_pad::circ_pad_plugin;
use samples::inplace_add::inplace_add_plugin;
use samples::non_zero::non_zero_plugin;
use tempfile::TempDir;

use crate::{npy, right, wrong};

/// A folder with a model: a constant and a matrix with a dynamic number of rows, padded, 1 subtracted in place, and the
/// indices of what isn't zero.
pub(crate) struct Files {
    folder: TempDir,
}

impl Files {
    pub(crate) fn new() -> Self {
        let files = Files { folder: tempfile::tempdir().unwrap() };
        fs::write(files.path("model.onnx"), model().unwrap()).unwrap();
        files.matrix("x.npy", 2);
        files
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A line of arguments in which `@` stands for the folder.
    pub(crate) fn line(&self, line: &str) -> String {
        line.replace('@', &format!("{}/", self.folder.path().display()))
    }

    fn right(&self, line: &str) -> String {
        right(&self.line(line))
    }

    fn wrong(&self, line: &str, status: i32) -> String {
        wrong(&self.line(line), status)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Rows of 0, 1, 2.
    fn matrix(&self, name: &str, rows: usize) {
        let data: Vec<u8> = (0..rows * 3).flat_map(|i| ((i % 3) as f32).to_le_bytes()).collect();
        fs::write(self.path(name), npy("'<f4'", "False", &format!("({rows}, 3)"), &data)).unwrap();
    }
}

fn model() -> plugin_runtime::Result<Vec<u8>> {
    let mut network = Network::new();
    let x = network.add_input("X", DataType::Float32, ["batch".into(), plugin_runtime::network::Dim::Fixed(3)])?;
    let offset = network.add_constant("offset", HostTensor::from_slice(&[4.0f32, 5.0], &[1, 2])?)?;
    let [padded] = network.add_named_plugin("pad", circ_pad_plugin::op(x, &[1, 0]))?;
    let [moved] = network.add_plugin(inplace_add_plugin::op(padded, -1))?;
    let [at, count] = network.add_plugin(non_zero_plugin::op(moved))?;
    let [table] = network.add_plugin(circ_pad_plugin::op(offset, &[1, 0]))?;
    for (tensor, name) in [(at, "at"), (count, "../count"), (moved, "moved"), (table, "table")] {
        network.mark_output(tensor, name)?;
    }
    network.to_onnx()
}

/// What stands behind the header of an array of FP32.
fn floats(file: &[u8]) -> Vec<f32> {
    file[128..].as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn circ_pad_goes_through_files() {
    let files = Files::new();
    for (mode, dtype) in [("onnx", "f32"), ("inetdef", "f16")] {
        let line = format!("circ_pad --mode {mode} --multi_tactic --save_engine --artifacts_dir @ --dtype {dtype}");
        let saved = files.right(&format!("{line} --pads 1,2,3,4 --shape 5,7"));
        assert!(saved.contains("[12, 10]: right") && saved.contains("circ_pad.engine"), "{saved}");
        // The other options count for nothing.
        let loaded = files.right("circ_pad --load_engine --artifacts_dir @ --shape 9 --pads 3 --dtype f32 --aot");
        assert!(loaded.contains("[5, 7] -> Y") && loaded.trim_end().ends_with("[12, 10]: right"), "{loaded}");
    }
    assert!(files.path("circ_pad.onnx").exists());

    // Another plugin's engine isn't this sample's.
    files.right("build @model.onnx --save @circ_pad.engine --profile X=1x3");
    assert!(files.wrong("circ_pad --load_engine --artifacts_dir @", 1).contains("isn't an engine of this sample"));
}

#[test]
fn a_model_runs_from_files_to_files_and_so_does_its_engine() {
    let files = Files::new();
    let printed = files.right("run @model.onnx --input X=@x.npy --output @out --save @x.engine");
    assert!(printed.contains("moved") && printed.contains("[2, 4]"), "{printed}");
    assert_eq!(names(&files.path("out")), ["%2E.%2Fcount.npy", "at.npy", "moved.npy", "table.npy"]);
    assert_eq!(floats(&files.read("out/moved.npy")), [1.0, -1.0, 0.0, 1.0, 1.0, -1.0, 0.0, 1.0]);
    assert_eq!(floats(&files.read("out/table.npy")), [5.0, 4.0, 5.0]);
    assert!(files.read("out/%2E.%2Fcount.npy").ends_with(&6i64.to_le_bytes()));
    files.right("run @x.engine --input X=@x.npy --output @again");
    for name in names(&files.path("out")) {
        assert_eq!(files.read(&format!("out/{name}")), files.read(&format!("again/{name}")), "{name}");
    }
}

#[test]
fn profiles_say_what_an_engine_takes() {
    let files = Files::new();
    for (name, rows) in [("three.npy", 3), ("nine.npy", 9), ("fifty.npy", 50)] {
        files.matrix(name, rows);
    }
    assert!(files.wrong("build @model.onnx --save @x.engine", 2).contains("--profile 'X=1x3:4x3:16x3'"));
    files.right("build @model.onnx --save @x.engine --profile X=1x3:2x3:3x3 --profile X=9x3:10x3:20x3");
    for (input, rows) in [("x", 2), ("three", 3), ("nine", 9)] {
        let printed = files.right(&format!("run @x.engine --input X=@{input}.npy"));
        assert!(printed.contains(&format!("[{rows}, 4]")), "{printed}");
    }
    let none = files.wrong("run @x.engine --input X=@fifty.npy", 1);
    assert!(none.contains("[50, 3]") && none.contains("[9, 3] to [20, 3]"), "{none}");
    // Without a profile, a run's engine takes the shapes of the files.
    files.right("run @model.onnx --input X=@x.npy --save @x.engine");
    assert!(
        files.wrong("run @x.engine --input X=@three.npy", 1).contains("outside its optimization profile of 2 to 2")
    );
    for (options, expected) in [
        ("--profile X=1x3:2x3", "2 shapes were given"),
        ("--profile X=3x3:2x3:1x3", "min 3, opt 2, max 1"),
        ("--profile X=1x4", "extent 4"),
        ("--profile X=1", "1 dimension"),
    ] {
        let line = format!("build @model.onnx --save @x.engine {options}");
        let complaint = wrong(&files.line(&line), if expected.contains("shapes") { 2 } else { 1 });
        assert!(complaint.contains(expected), "{complaint}");
    }
}

#[test]
fn inputs_that_do_not_fit_are_told() {
    let files = Files::new();
    fs::write(files.path("ints.npy"), npy("'<i4'", "False", "(2, 3)", &[0; 24])).unwrap();
    fs::write(files.path("wide.npy"), npy("'<f4'", "False", "(2, 4)", &[0; 32])).unwrap();
    for (options, status, expected) in [
        ("", 1, "no file was given for X FP32 [batch, 3]"),
        ("--input Y=@x.npy", 1, "no input `Y`; its inputs are X FP32 [batch, 3]"),
        ("--input @x.npy", 2, "expected NAME=.."),
        ("--input X=@x.npy --input X=@x.npy", 2, "was given before"),
        ("--input X=@nowhere.npy", 1, "can't read"),
        ("--input X=@ints.npy", 1, "needs FP32 elements, but"),
        ("--input X=@wide.npy", 1, "extent 4 in dimension 1"),
        ("--input X=@x.npy --output @x.npy", 1, "can't make the folder"),
        ("--input X=@x.npy --save @nowhere/x.engine", 1, "nowhere/x.engine"),
    ] {
        let complaint = files.wrong(&format!("run @model.onnx {options}"), status);
        assert!(complaint.contains(expected), "{options}: {expected} isn't in\n{complaint}");
    }
    files.right("build @model.onnx --save @x.engine --profile X=2x3");
    for option in ["--profile X=2x3", "--save @y.engine", "--lockfile @t.lock", "--device cuda"] {
        let complaint = files.wrong(&format!("run @x.engine --input X=@x.npy {option}"), 2);
        assert!(complaint.contains("build"), "{complaint}");
    }
    assert!(files.wrong("build @x.engine --save @y.engine", 1).contains("is an engine; expected an ONNX model"));
}

#[test]
fn every_type_that_numpy_has_goes_in_and_out() {
    let files = Files::new();
    let types = [
        (DataType::Float32, "<f4"),
        (DataType::Float16, "<f2"),
        (DataType::Int64, "<i8"),
        (DataType::Int32, "<i4"),
        (DataType::Int8, "|i1"),
        (DataType::UInt8, "|u1"),
        (DataType::Bool, "|b1"),
    ];
    let (mut there, mut back) = (Network::new(), Network::new());
    let x = there.add_input("x", DataType::Float32, [3]).unwrap();
    let [x] = there.add_plugin(inplace_add_plugin::op(x, 1)).unwrap();
    for (dtype, _) in types {
        let cast = there.cast(x, dtype).unwrap();
        there.mark_output(cast, dtype.name()).unwrap();
        let given = back.add_input(dtype.name(), dtype, [3]).unwrap();
        let given = back.cast(given, DataType::Float32).unwrap();
        let [moved] = back.add_plugin(inplace_add_plugin::op(given, 10)).unwrap();
        back.mark_output(moved, &format!("{dtype} back")).unwrap();
    }
    fs::write(files.path("there.onnx"), there.to_onnx().unwrap()).unwrap();
    fs::write(files.path("back.onnx"), back.to_onnx().unwrap()).unwrap();
    let data = [-1.0f32, 0.0, 4.0].map(f32::to_le_bytes).concat();
    fs::write(files.path("v.npy"), npy("'<f4'", "False", "(3,)", &data)).unwrap();
    files.right("run @there.onnx --input x=@v.npy --output @out");
    let mut inputs = String::new();
    for (dtype, descr) in types {
        let file = files.read(&format!("out/{dtype}.npy"));
        assert!(String::from_utf8_lossy(&file[..128]).contains(&format!("'descr': '{descr}'")), "{dtype}");
        inputs += &format!(" --input {dtype}=@out/{dtype}.npy");
    }
    files.right(&format!("run @back.onnx --output @out {inputs}"));
    for (dtype, _) in types {
        let expected = if dtype == DataType::Bool { [10.0, 11.0, 11.0] } else { [10.0, 11.0, 15.0] };
        assert_eq!(floats(&files.read(&format!("out/{dtype}%20back.npy"))), expected, "{dtype}");
    }

    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [3]).unwrap();
    let [x] = network.add_plugin(inplace_add_plugin::op(x, 1)).unwrap();
    let bf16 = network.cast(x, DataType::BFloat16).unwrap();
    network.mark_output(bf16, "y").unwrap();
    fs::write(files.path("bf16.onnx"), network.to_onnx().unwrap()).unwrap();
    files.right("run @bf16.onnx --input x=@v.npy");
    assert!(
        files.wrong("run @bf16.onnx --input x=@v.npy --output @out", 1).contains("output y BF16 [3] can't be written")
    );
}

#[test]
fn a_locked_build_times_nothing_and_gives_the_same_bytes() {
    let files = Files::new();
    let build = "build @model.onnx --profile X=1x3:4x3:8x3 --lockfile @t.lock -v --save";
    assert!(files.wrong(&format!("{build} @a.engine --locked"), 1).contains("t.lock"));
    let timed = files.right(&format!("{build} @a.engine"));
    assert!(timed.contains("µs") && !timed.contains("from the lockfile"), "{timed}");
    let records = files.read("t.lock");
    for name in ["b.engine", "c.engine"] {
        let locked = files.right(&format!("{build} @{name} --locked"));
        assert_eq!(locked.matches(" µs").count(), locked.matches("µs (from the lockfile)").count(), "{locked}");
        assert_eq!(files.read(name), files.read("a.engine"));
    }
    assert_eq!(files.read("t.lock"), records);

    let other = "build @model.onnx --profile X=1x3:5x3:8x3 --lockfile @t.lock --locked --save @d.engine";
    let missing = files.wrong(other, 1);
    assert!(
        missing.contains("layer `pad`") && missing.contains("[1..5..8, 4]") && missing.contains("--locked"),
        "{missing}"
    );
    assert!(!files.path("d.engine").exists());

    fs::write(files.path("cut.lock"), &records[..records.len() - 9]).unwrap();
    let cut =
        files.wrong("build @model.onnx --profile X=1x3:4x3:8x3 --lockfile @cut.lock --locked --save @d.engine", 1);
    assert!(cut.contains("the file was cut off") && !cut.contains("without --locked"), "{cut}");

    files.right("non_zero --lockfile @samples.lock");
    files.right("non_zero --lockfile @samples.lock --locked");
    assert!(files.wrong("non_zero --shape 3,3 --lockfile @samples.lock --locked", 1).contains("non_zero_plugin"));
}

#[test]
fn an_engine_is_not_saved_over_its_model() {
    let files = Files::new();
    let model = files.read("model.onnx");
    for line in [
        "build @model.onnx --profile X=1x3:4x3:8x3 --save @./model.onnx",
        "run @model.onnx --input X=@x.npy --save @model.onnx",
    ] {
        assert!(files.wrong(line, 2).contains("would overwrite the model"));
    }
    assert_eq!(files.read("model.onnx"), model);
}

#[test]
fn inspect_shows_what_files_hold() {
    let files = Files::new();
    files.right("build @model.onnx --profile X=1x3:4x3:8x3 --lockfile @t.lock --save @x.engine");
    let shows = |line: &str, expected: &[&str]| {
        let printed = files.right(line);
        for text in expected {
            assert!(printed.contains(text), "{line}: {text} isn't in\n{printed}");
        }
        printed
    };
    let model = ["[batch, 3]", "pads = [1, 0]", "[batch, 4]", "offset", "in place of", "1 constant"];
    shows("inspect @model.onnx", &model);
    shows("inspect @model.onnx --json", &["\"kind\": \"network\"", "\"batch\""]);
    let engine =
        ["FP32 [batch, 4]", "[1, 3]", "arena", "constant 0", "output moved", "steps of profile 0", "delta = -1"];
    let printed = shows("inspect @x.engine", &engine);
    assert!(!printed.contains("µs"), "an engine has no times\n{printed}");
    shows("inspect @x.engine --lockfile @t.lock", &["4 of 4 steps were timed", "µs"]);
    let timed = shows("inspect @x.engine --lockfile @t.lock --json", &["\"kind\": \"engine\"", "\"arena_bytes\""]);
    assert_eq!(timed.matches("\"time_us\"").count(), 4, "{timed}");
    shows(
        "inspect @t.lock",
        &["sample::circ_pad_plugin v1", "FP32 [1..4..8, 3] -> FP32 [1..4..8, 4]", "Rows (1)", "yes"],
    );
    shows("inspect @t.lock --json", &["\"kind\": \"lockfile\"", "\"this_machine\": true"]);
    assert!(files.wrong("inspect @model.onnx --lockfile @t.lock", 2).contains("isn't an engine"));
}

#[test]
fn inspect_shows_what_was_inserted() {
    let files = Files::new();
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float16, [2, 3]).unwrap();
    let wide = network.cast(x, DataType::Float32).unwrap();
    let [y] = network.add_plugin(circ_pad_plugin::op(wide, &[1, 1])).unwrap();
    network.mark_output(y, "y").unwrap();
    fs::write(files.path("cast.onnx"), network.to_onnx().unwrap()).unwrap();
    files.right("build @cast.onnx --save @cast.engine");
    assert!(files.right("inspect @cast.onnx").contains("cast"));
    let printed = files.right("inspect @cast.engine");
    assert!(printed.contains("inserted") && printed.contains("FP16") && printed.contains("arena, from 0"), "{printed}");
}
