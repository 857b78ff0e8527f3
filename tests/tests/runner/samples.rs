//! The sample plugins' own commands.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tests::command::samples_binary;

use crate::{npy, right, wrong};

#[test]
fn every_sample_is_right_in_both_types() {
    for dtype in ["f32", "f16"] {
        for line in ["add", "add --autotune", "inplace_add", "non_zero", "circ_pad --mode inetdef --multi_tactic"] {
            for shape in ["", "--shape 1x1", "--shape 0,3", "--shape 3x0", "--shape 17,129"] {
                let no_wrap_of_nothing = line.starts_with("circ_pad") && shape.contains('0');
                if no_wrap_of_nothing {
                    continue;
                }
                let printed = right(&format!("{line} {shape} --dtype {dtype} --device cpu --seed 3"));
                assert!(printed.trim_end().ends_with(": right"), "{printed}");
            }
        }
        let printed = right(&format!("all --dtype {dtype} --seed 5"));
        assert_eq!(printed.lines().filter(|l| l.ends_with(": right")).count(), 9, "{printed}");
    }
    assert!(right("add --shape 2x3x4x5x2x1x2x1").contains("[2, 3, 4, 5, 2, 1, 2, 1]"));
    assert!(right("circ_pad --mode inetdef --pads 1,2,3,4 --shape 5,7").contains("[12, 10]"));
}

#[test]
fn the_seed_decides_the_data() {
    let indices = |seed: u32| right(&format!("non_zero --seed {seed}"));
    assert_eq!(indices(1), indices(1));
    assert_ne!(indices(1), indices(2));
}

#[test]
fn verbose_shows_every_trial_and_a_winner() {
    let trials = |line: &str| {
        let printed = right(line);
        let rows = |what: &str| printed.lines().filter(|l| l.contains("circ_pad_plugin") && l.contains(what)).count();
        assert_eq!(rows("chosen"), 1, "{printed}");
        (rows("µs"), rows("left out: "), rows(" more need "))
    };
    let (timed, left_out, folded) = trials("circ_pad --mode inetdef --multi_tactic -v");
    assert!(timed >= 2, "{timed}");
    assert_eq!((left_out, folded), (0, 1));
    assert_eq!(trials("circ_pad --mode inetdef -v"), (1, timed - 1, 1));
}

#[test]
fn lists_every_plugin() {
    let printed = right("list");
    for expected in [
        "sample::elemwise_add_plugin",
        "block_size: i32",
        "sample::inplace_add_plugin",
        "sample::non_zero_plugin",
        "sample::circ_pad_plugin",
        "on cpu",
    ] {
        assert!(printed.contains(expected), "{expected} isn't in\n{printed}");
    }
}

#[test]
fn options_that_make_no_sense_or_come_later_are_refused() {
    for (line, status, expected) in [
        ("circ_pad", 2, "--mode"),
        ("circ_pad --mode onnx", 2, "--artifacts_dir"),
        ("circ_pad --mode inetdef --save_engine --load_engine", 2, "--load_engine"),
        ("circ_pad --mode onnx --artifacts_dir /nowhere/at/all", 2, "/nowhere/at/all"),
        ("circ_pad --mode inetdef --save_engine", 2, "--artifacts_dir"),
        ("circ_pad --load_engine", 2, "--artifacts_dir"),
        ("circ_pad --load_engine --artifacts_dir .", 1, "--save_engine"),
        ("add --locked", 2, "--lockfile"),
        ("circ_pad --mode inetdef --aot", 1, "--aot"),
        ("add --aot", 1, "--aot"),
        ("add --device cuda:99", 1, "device `cuda"),
        ("add --device cuda:first", 2, "such as cuda:0"),
        ("add --device tpu", 2, "cpu, cuda"),
        ("add --dtype f64", 2, "f32, f16"),
        ("add --shape 3x-4", 2, "'-4' isn't an extent"),
        ("add --shape 1x1x1x1x1x1x1x1x1", 2, "at most 8"),
        ("add --shape 1000000x1000000x1000000", 1, "--input"),
        ("add --shape 3 --input x.npy", 2, "--input"),
        ("subtract", 2, "subtract"),
    ] {
        let complaint = wrong(line, status);
        assert!(complaint.contains(expected), "samples {line}: {expected} isn't in\n{complaint}");
    }
}

#[test]
fn what_a_plugin_refuses_is_told() {
    for (line, expected) in [
        ("non_zero --shape 3", "sample::non_zero_plugin"),
        ("circ_pad --mode inetdef --pads 1,2,3", "sample::circ_pad_plugin"),
        ("circ_pad --mode inetdef --pads -1,2", "-1"),
        ("circ_pad --mode inetdef --pads 1,1,1,1 --shape 4", "sample::circ_pad_plugin"),
        ("circ_pad --mode inetdef --pads 1,1 --shape 0", "sample::circ_pad_plugin"),
        ("circ_pad --mode inetdef --pads 2147483647,2147483647,2147483647,2147483647", ""),
    ] {
        let complaint = wrong(line, 1);
        assert!(complaint.contains(expected), "samples {line}: {expected} isn't in\n{complaint}");
    }
}

#[test]
fn bad_files_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    for (content, options, expected) in [
        (npy("'<f4'", "False", "(2, 2)", &[0; 15]), "", "truncated"),
        (npy("'<f4'", "False", "(2, 2)", &[0; 17]), "", "goes on"),
        (npy("'<f4'", "True", "(2, 2)", &[0; 16]), "", "Fortran"),
        (npy("'>f4'", "False", "(2, 2)", &[0; 16]), "", "big-endian"),
        (npy("'<f8'", "False", "(2, 2)", &[0; 32]), "", "'<f8'"),
        (npy("[('a', '<f4')]", "False", "(2, 2)", &[0; 16]), "", "structured"),
        (npy("'<i4'", "False", "(2, 2)", &[0; 16]), "", "expected FP32 or FP16"),
        (npy("'<f4'", "False", "(2, 2)", &[0; 16]), "--dtype f16", "expected FP16"),
        (npy("'<f4'", "False", "(4000000000, 400000000)", &[0; 16]), "", "truncated"),
        (b"not numpy's".to_vec(), "", "isn't an .npy file"),
        (Vec::new(), "", "truncated"),
    ] {
        fs::write(&path, content).unwrap();
        let complaint = wrong(&format!("non_zero --input {} {options}", path.display()), 1);
        assert!(complaint.contains(expected) && complaint.contains("x.npy"), "{expected} isn't in\n{complaint}");
    }
    assert!(wrong("add --input nowhere.npy", 1).contains("can't read nowhere.npy"));
    assert!(wrong(&format!("add --input {}", folder.path().display()), 1).contains("directory"));
}

#[test]
fn results_are_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let (given, taken) = (folder.path().join("x.npy"), folder.path().join("y.npy"));
    fs::write(&given, npy("'<f4'", "False", "(1, 2)", &[0, 0, 0, 0, 0, 0, 128, 63])).unwrap();
    right(&format!("non_zero --input {} --output {}", given.display(), taken.display()));
    let written = fs::read(&taken).unwrap();
    assert!(written.ends_with(&[0, 0, 0, 0, 1, 0, 0, 0]) && written.len() == 128 + 8, "{written:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);

    for output in ["nowhere/y.npy", "/dev/full"] {
        if output != "/dev/full" || Path::new(output).exists() {
            assert!(wrong(&format!("add --output {output}"), 1).contains(&format!("can't write {output}")));
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child =
        Command::new(samples_binary()).arg("list").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn a_number_of_threads_that_cannot_be_is_refused() {
    let with = |threads: &str| {
        let ended = Command::new(samples_binary()).arg("add").env("PLUGIN_RUNTIME_THREADS", threads).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    for right in ["1", "2", ""] {
        assert_eq!(with(right), (Some(0), String::new()));
    }
    for wrong in ["abc", "-1", "0", "12345678901234567890"] {
        let complaint = format!("error: PLUGIN_RUNTIME_THREADS is a number of threads from 1 to 1024, not `{wrong}`\n");
        assert_eq!(with(wrong), (Some(1), complaint));
    }
}
