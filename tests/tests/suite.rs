//! The suite on the CPU.

use std::fs;
use std::path::Path;

use tests::suite::cases;

macro_rules! on_cpu {
    ($($case:ident)*) => {
        mod cpu {
            use tests::suite::{Cpu, cases, check};

            $(
                #[test]
                fn $case() {
                    check(&mut Cpu { saved_and_loaded: false }, cases::$case());
                }
            )*
        }

        mod cpu_saved_and_loaded {
            use tests::suite::{Cpu, cases, check};

            $(
                #[test]
                fn $case() {
                    check(&mut Cpu { saved_and_loaded: true }, cases::$case());
                }
            )*
        }
    };
}

tests::for_each_case!(on_cpu);

#[test]
fn every_case_is_listed_under_its_name() {
    let listed = cases::all();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/suite/cases");
    let files: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    let lines = files.iter().flat_map(|file| file.lines());
    let written: Vec<&str> =
        lines.filter_map(|line| line.strip_prefix("pub fn ")?.strip_suffix("() -> Case {")).collect();
    let mut names: Vec<&str> = listed.iter().map(|case| case.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), listed.len());
    for name in &written {
        assert!(names.contains(name), "`{name}` isn't in for_each_case!, or has another name");
    }
    assert_eq!(written.len(), names.len());
    assert!(listed.iter().all(|case| !case.runs.is_empty()), "a case without a run can't fail");
}
