//! `samples bench`, and what judges its figures.

use std::fs;
use std::path::Path;
use std::process::Command;

use tests::command::{Run, python_with, run, skipped, workspace};

use crate::{right, wrong};

#[test]
fn bench_writes_rows() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("rows.json");
    let printed = right(&format!("bench --quick --device cpu --json {}", json.display()));
    let text = fs::read_to_string(&json).unwrap();
    for key in ["work", "dtype", "shape", "median_us", "floor_us"] {
        assert_eq!(text.matches(&format!("\"{key}\":")).count(), 11, "{text}");
    }
    for work in ["non_zero", "circ_pad", "add", "chain of 100 plugins", "registry join", "spread over idle threads"] {
        assert!(printed.contains(work) && text.contains(work), "{work} isn't in\n{printed}");
    }
    let by_itself = right("bench --quick --device cpu --only add --alone --fastest");
    assert_eq!(by_itself.lines().filter(|line| line.starts_with("add ")).count(), 2, "{by_itself}");
    assert!(wrong("bench --quick --only nothing_of_the_sort", 1).contains("nothing_of_the_sort"));
}

#[test]
fn builds_are_timed_and_told_by_phase() {
    let printed = right("bench --builds --quick --device cpu -v");
    for work in ["build of non_zero", "build of circ_pad", "build of add"] {
        assert!(printed.contains(work), "{work} isn't in\n{printed}");
    }
    let told = printed.lines().filter(|line| line.contains("tried in ") && line.contains("checks "));
    assert_eq!(told.count(), 3, "{printed}");
}

#[test]
fn conversions_are_timed() {
    let printed = right("bench --conversions --quick --device cpu --only INT4");
    for work in ["FP32 LINEAR to INT4 LINEAR", "INT4 LINEAR to FP16 HWC8", "INT8 CHW32 to INT4 LINEAR"] {
        assert!(printed.contains(work), "{work} isn't in\n{printed}");
    }
}

#[test]
fn what_has_a_goal_is_told_without_a_gpu() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("goals.json");
    let printed = right(&format!("bench --goals --json {}", json.display()));
    for (work, goal) in [
        ("non_zero f32 128x128", "6.5 µs, CUB's / 1.5"),
        ("non_zero f16 1024x1024", "11 µs, CUB's / 1.5"),
        ("non_zero of 1 % f16 4096x4096", "1.25 × floor, CUB's / 1.5"),
        ("non_zero of 99 % f32 16384x16384", "1.15 × floor, CUB's / 1.5"),
        ("circ_pad f32 64x64x256x256", "1.1 × floor"),
        ("circ_pad f16 64x64x256x256", "1.15 × floor"),
        ("circ_pad f32 1x1x4097x4099", "1.15 × floor"),
        ("circ_pad f16 8x512x33x33", "1.3 × floor"),
        ("add f16 536870912", "1.05 × floor"),
        ("enqueue of 1 plugin f32 10x3x32x32", "1.05 × floor"),
        ("replay of 20 plugins f32 10x3x32x32", "1.2 × floor"),
    ] {
        let expected = format!("{work} {goal}");
        let is_it = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ") == expected;
        assert!(printed.lines().any(is_it), "{expected} isn't in\n{printed}");
    }
    assert!(!printed.contains("10x3x32x32  1.15"), "small work has no goal by its floor:\n{printed}");
    let text = fs::read_to_string(&json).unwrap();
    assert_eq!(text.matches("\"goal\":").count() + 2, printed.lines().count(), "{text}");
    let conversions = right("bench --goals --conversions");
    assert!(conversions.lines().any(|l| l.starts_with("FP32 LINEAR to FP16 HWC8") || l.starts_with("FP16 HWC8 to")));
    assert!(conversions.lines().skip(1).all(|line| line.trim_end().ends_with("1.25 × floor")), "{conversions}");
}

#[test]
fn times_are_judged_and_those_that_are_missing_fail() {
    let Some(python) = python_with(&["json"]) else {
        return skipped("times_are_judged_and_those_that_are_missing_fail", "python3 isn't there");
    };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, rows: &[String]| {
        fs::write(folder.path().join(name), format!("[{}]", rows.join(","))).unwrap();
    };
    let goal = |n: u32| format!(r#"{{"work": "add", "dtype": "f32", "shape": [{n}, 2], "goal": "1.05 × floor"}}"#);
    let row = |n: u32, goal: &str, met: &str| {
        format!(
            r#"{{"work": "add", "dtype": "f32", "shape": [{n}, 2], "median_us": 10.5, "floor_us": 10.0,
                "goal": {goal}, "met": {met}}}"#
        )
    };
    let same = "\"1.05 × floor\"";
    write("goals.json", &[goal(1), goal(2), goal(3), goal(4)]);
    write("rows.json", &[row(1, same, "true"), row(2, same, "false"), row(4, "null", "null"), row(5, "null", "null")]);
    write("one.json", &[goal(1)]);
    let judge = |files: &[&str]| {
        let script = Path::new(&workspace()).join(".ci/judge_bench");
        run(Command::new(&python).env("PYTHONUTF8", "1").arg(script).args(files).current_dir(folder.path()))
    };
    let Run { status, stdout, stderr } = judge(&["goals.json", "rows.json"]);
    assert_eq!(
        stdout.lines().collect::<Vec<_>>(),
        [
            "PASS add f32 1x2: 10.50 us, 1.05 x floor; goal 1.05 × floor",
            "SLOW add f32 2x2: 10.50 us, 1.05 x floor; goal 1.05 × floor",
            "FAIL add f32 3x2: not timed; goal 1.05 × floor",
            "FAIL add f32 4x2: judged by None; goal 1.05 × floor",
        ]
    );
    assert_eq!((status, stderr.trim()), (Some(1), "2 of 4 times weren't taken"));
    assert_eq!(judge(&["one.json", "rows.json"]).status, Some(0));
    assert_eq!(judge(&["one.json", "missing.json"]).stdout, "FAIL add f32 1x2: not timed; goal 1.05 × floor\n");
    assert_ne!(judge(&["one.json"]).status, Some(0));
}
