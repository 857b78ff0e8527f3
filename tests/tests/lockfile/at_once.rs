//! Builds that write one lockfile at once.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use plugin_runtime::engine::BuildEvent;
use plugin_runtime::tactic::TrialOutcome;
use tempfile::TempDir;

use crate::counting::{builder, choices, files, folder, network, set_times};

/// What one of several builders that work at once does.
fn build_five_into(path: &Path, name: &str) {
    (0..5).for_each(|round| {
        builder().lockfile(path).build(&network(&format!("{name} {round}"))).unwrap();
    });
}

/// Every builder's records are there, and nothing else is.
fn check_all_five(folder: &TempDir, path: &Path, names: &[&str]) {
    let text = fs::read_to_string(path).unwrap();
    for name in names.iter().flat_map(|n| (0..5).map(move |round| format!("{n} {round}"))) {
        let attributes = format!("attributes=\"test=\\\"{name}\\\"\"");
        assert_eq!(text.lines().filter(|l| l.contains(&attributes)).count(), 5, "{name}");
        builder().locked(path).build(&network(&name)).unwrap();
    }
    assert_eq!(
        text.lines().count(),
        1 + 5 * 5 * names.len() + 2,
        "the title, trials, and the reformats that all share"
    );
    assert_eq!(files(folder), ["tuning.lock"]);
}

#[test]
fn threads_that_tune_at_once_lose_nothing() {
    let (folder, path) = folder();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    std::thread::scope(|scope| {
        for name in names {
            let path = &path;
            scope.spawn(move || build_five_into(path, name));
        }
    });
    check_all_five(&folder, &path, &names);
}

#[test]
fn who_waits_for_another_build_says_so() {
    let (folder, path) = folder();
    let take = || {
        let file = fs::File::create(folder.path().join(".tuning.lock.guard")).unwrap();
        file.lock().unwrap();
        Some(file)
    };
    // The first wait is before anything is timed, the second when all is.
    let mut guard = take();
    let (mut waits, mut trials) = (0, 0);
    let observe = |event: &BuildEvent| match event {
        BuildEvent::Waits { lockfile } => {
            assert_eq!(*lockfile, path);
            assert!(guard.take().is_some(), "it goes on without the lock");
            waits += 1;
        }
        _ => {
            trials += 1;
            if waits == 1 && guard.is_none() {
                guard = take();
            }
        }
    };
    builder().lockfile(&path).observe(observe).build(&network("waits")).unwrap();
    assert_eq!(waits, 2);
    assert!(trials > 0);
    assert_eq!(files(&folder), ["tuning.lock"]);
}

const LOCKFILE: &str = "TESTS_LOCKFILE";
const NAME: &str = "TESTS_LOCKFILE_NAME";

#[test]
#[ignore = "a part of processes_that_tune_at_once_lose_nothing"]
fn one_of_several_processes() {
    let (Ok(path), Ok(name)) = (std::env::var(LOCKFILE), std::env::var(NAME)) else { return };
    build_five_into(path.as_ref(), &name);
}

#[test]
fn processes_that_tune_at_once_lose_nothing() {
    let (folder, path) = folder();
    let names = ["left", "right", "third"];
    let processes = names.map(|name| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "at_once::one_of_several_processes", "--ignored"])
            .env(LOCKFILE, &path)
            .env(NAME, name);
        command.spawn().unwrap()
    });
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    check_all_five(&folder, &path, &names);
}

#[test]
fn of_two_that_time_the_same_the_first_to_write_is_kept() {
    let (folder, path) = folder();
    let network = network("both");
    let meanwhile = folder.path().join("meanwhile");
    builder().lockfile(&meanwhile).build(&network).unwrap();
    set_times(&meanwhile, |_| Some(77));
    let written = fs::read_to_string(&meanwhile).unwrap();
    let mut moved = false;
    let move_there = |_: &BuildEvent| {
        if !std::mem::replace(&mut moved, true) {
            fs::rename(&meanwhile, &path).unwrap();
        }
    };
    let engine = builder().lockfile(&path).observe(move_there).build(&network).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), written);
    assert!(choices(&engine).iter().any(|c| c.3 != TrialOutcome::Time(Duration::from_nanos(77))));
}
