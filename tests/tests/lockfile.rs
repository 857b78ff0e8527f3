//! Tuning lockfiles: what is taken from them, what is added, and what they don't put up with.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use plugin_runtime::device::Device;
use plugin_runtime::engine::{BuildEvent, Builder, Engine, TrialOutcome};
use plugin_runtime::network::Network;
use plugin_runtime::prelude::*;
use plugin_runtime::shape::Profile;
use tempfile::TempDir;
use tests::Random;

/// How often each tactic ran in each test, by the test's name.
static RUNS: Mutex<BTreeMap<(String, i32), usize>> = Mutex::new(BTreeMap::new());
/// The tactics that `copy` lists in each test; 1 and 2 unless it says otherwise.
static TACTICS: Mutex<BTreeMap<String, Vec<i32>>> = Mutex::new(BTreeMap::new());
/// The tactics that fail in each test.
static FAILING: Mutex<BTreeMap<String, Vec<i32>>> = Mutex::new(BTreeMap::new());

fn runs_of(test: &str) -> BTreeMap<i32, usize> {
    let runs = RUNS.lock().unwrap();
    runs.iter().filter(|((name, _), _)| name == test).map(|((_, tactic), count)| (*tactic, *count)).collect()
}

fn run(x: Tensor<'_>, y: TensorMut<'_>, test: &str, tactic: i32) -> Result<()> {
    *RUNS.lock().unwrap().entry((test.into(), tactic)).or_default() += 1;
    if FAILING.lock().unwrap().get(test).is_some_and(|failing| failing.contains(&tactic)) {
        bail!("no\nluck with \"{tactic}\" of \u{202e}{test}");
    }
    match x.dtype() {
        DataType::Float16 => y.into_slice::<f16>()?.copy_from_slice(x.as_slice()?),
        _ => y.into_slice::<f32>()?.copy_from_slice(x.as_slice()?),
    }
    Ok(())
}

/// Copies, and counts.
#[register("lock::copy")]
fn copy(x: &TensorDesc, test: &str) -> TensorDesc {
    x.like()
}

#[autotune("lock::copy")]
fn copy_autotune(x: &TensorDesc, test: &str, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    let tactics = TACTICS.lock().unwrap().get(test).cloned().unwrap_or_else(|| vec![1, 2]);
    vec![AutoTuneCombination::new("FP32|FP16, FP32|FP16").tactics(tactics)]
}

#[impl_plugin("lock::copy", device = cpu)]
fn copy_cpu(x: Tensor, test: &str, outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let [y] = outputs;
    run(x, y, test, tactic)
}

/// The same, as another plugin; its runs are counted as those of tactic 0.
#[register("lock::other")]
fn other(x: &TensorDesc, test: &str) -> TensorDesc {
    x.like()
}

#[autotune("lock::other")]
fn other_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32")]
}

#[impl_plugin("lock::other", device = cpu)]
fn other_cpu(x: Tensor, test: &str, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    run(x, y, test, 0)
}

/// `copy`, `other`, `copy` of a vector.
fn network(test: &str) -> Network {
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [256]).unwrap();
    let [a] = network.add_plugin(copy::op(x, test)).unwrap();
    let [b] = network.add_plugin(other::op(a, test)).unwrap();
    let [c] = network.add_plugin(copy::op(b, test)).unwrap();
    network.mark_output(c, "y").unwrap();
    network
}

fn builder<'o>() -> Builder<'o> {
    Builder::new(Device::cpu()).allow_types([DataType::Float16])
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tuning.lock");
    (folder, path)
}

fn files(folder: &TempDir) -> Vec<String> {
    fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

/// What each trial came to: layer, combination, tactic, outcome, whether it was chosen.
fn choices(engine: &Engine) -> Vec<(String, String, String, TrialOutcome, bool)> {
    let layers = engine.report().layers.iter();
    let trials = layers.flat_map(|l| l.trials.iter().map(move |t| (l, t)));
    let owned = trials
        .map(|(l, t)| (l.layer.to_string(), t.combination.clone(), t.tactic.clone(), t.outcome.clone(), t.chosen));
    owned.collect()
}

/// Replaces the time of each record; `None` leaves a rejected one.
fn set_times(path: &Path, mut time: impl FnMut(&str) -> Option<u64>) {
    let text = fs::read_to_string(path).unwrap();
    let edited = text.lines().map(|line| match (line.rsplit_once(" nanoseconds="), time(line)) {
        (Some((key, _)), Some(time)) => format!("{key} nanoseconds={time}\n"),
        _ => format!("{line}\n"),
    });
    fs::write(path, edited.collect::<String>()).unwrap();
}

#[test]
fn what_a_lockfile_holds_is_not_timed_again() {
    let (folder, path) = folder();
    let network = network("reuse");
    let first = builder().lockfile(&path).build(&network).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let counted = runs_of("reuse");
    assert_eq!(counted.keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines
            .iter()
            .filter(|l| l.starts_with(r#"trial plugin="lock::copy" version=1 attributes="test=\"reuse\"""#))
            .count(),
        4
    );
    assert_eq!(lines.iter().filter(|l| l.starts_with(r#"trial plugin="lock::other" "#)).count(), 1);
    let reformats = lines.iter().filter(|l| l.starts_with(r#"reformat dims="[256]" "#)).count();
    assert_eq!((reformats, lines.len()), (2, 8));
    assert!(lines[1..].is_sorted());
    assert_eq!(files(&folder), ["tuning.lock"]);

    let mut events = Vec::new();
    let keep = |event: &BuildEvent| {
        if let BuildEvent::Trial { trial, .. } = event {
            events.push(trial.locked);
        }
    };
    let again = builder().lockfile(&path).observe(keep).build(&network).unwrap();
    assert_eq!(events, [true; 9]);
    let locked = [0, 1].map(|_| builder().locked(&path).build(&network).unwrap());
    for engine in [&again, &locked[0], &locked[1]] {
        assert_eq!(choices(engine), choices(&first));
        assert!(engine.report().layers.iter().flat_map(|l| &l.trials).all(|t| t.locked));
        assert_eq!(engine.report().inserted, first.report().inserted);
    }
    assert!(first.report().layers.iter().flat_map(|l| &l.trials).all(|t| !t.locked));
    assert_eq!(runs_of("reuse"), counted, "nothing ran after the first build");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn layers_alike_are_timed_once() {
    let mut counted = Vec::new();
    let mut trials = Vec::new();
    let observer = |event: &BuildEvent| {
        if let BuildEvent::Trial { layer, trial, .. } = event {
            counted.push((layer.to_string(), runs_of("alike")));
            trials.push(trial.clone());
        }
    };
    builder().observe(observer).build(&network("alike")).unwrap();
    let after = |layer: &str| counted.iter().rfind(|(name, _)| name == layer).unwrap().1.clone();
    assert_eq!(after("copy_2"), after("other_1"));
    assert_ne!(after("other_1"), after("copy_0"));
    let outcomes: Vec<&TrialOutcome> = trials.iter().map(|t| &t.outcome).collect();
    assert_eq!(outcomes[..4], outcomes[5..]);
}

#[test]
fn changing_one_plugins_tactics_retimes_that_plugin_only() {
    let (_folder, path) = folder();
    let network = network("change");
    builder().lockfile(&path).build(&network).unwrap();
    let before = fs::read_to_string(&path).unwrap();
    let counted = runs_of("change");
    TACTICS.lock().unwrap().insert("change".into(), vec![1, 3]);
    builder().lockfile(&path).build(&network).unwrap();
    let now = runs_of("change");
    assert_eq!((now[&0], now[&2]), (counted[&0], counted[&2]), "nothing that was known was run");
    assert_eq!(now[&1], counted[&1] + 1, "except, once, what the new tactic's result is compared with");
    assert!(now[&3] > 10);
    let after = fs::read_to_string(&path).unwrap();
    assert!(before.lines().all(|line| after.lines().any(|l| l == line)), "the others' records stay");
    assert_eq!(after.lines().filter(|l| l.contains("tactic=3 ")).count(), 2);
    assert_eq!(after.lines().count(), before.lines().count() + 2);
}

#[test]
fn a_locked_build_names_what_is_missing_and_runs_nothing() {
    let (folder, path) = folder();
    let network = network("miss");
    let error = builder().locked(&path).build(&network).unwrap_err().to_string();
    assert!(error.starts_with(&format!("tuning lockfile `{}`: there is no such file", path.display())), "{error}");
    assert!(files(&folder).is_empty() && runs_of("miss").is_empty());

    builder().lockfile(&path).build(&network).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let counted = runs_of("miss");
    let lacking: String = text.lines().filter(|l| !l.contains("tactic=2 ")).map(|l| format!("{l}\n")).collect();
    fs::write(&path, &lacking).unwrap();
    let error = builder().locked(&path).build(&network).unwrap_err().to_string();
    let key = text
        .lines()
        .find(|l| l.contains("FP32, FP32 (LINEAR)\" tactic=2 "))
        .unwrap()
        .rsplit_once(" nanoseconds=")
        .unwrap()
        .0;
    let expected = format!(
        "layer `copy_0` (lock::copy v1, tactic 2, FP32, FP32 (LINEAR)): tuning lockfile `{}` has no record of this, and \
         a locked build times nothing: build once with Builder::lockfile, which adds what is missing. Its key would be: \
         {key}, and 3 more of this profile's trials are missing; it has 2 records of `lock::copy` that differ in \
         something else",
        path.display()
    );
    assert_eq!(error, expected);

    let no_reformats: String = text.lines().filter(|l| !l.starts_with("reformat")).map(|l| format!("{l}\n")).collect();
    fs::write(&path, &no_reformats).unwrap();
    let error = builder().locked(&path).build(&network).unwrap_err().to_string();
    assert!(error.starts_with("layer `reformat of x` (inserted by the builder): "), "{error}");
    assert!(
        error.contains(r#" Its key would be: reformat dims="[256]" from="FP32 LINEAR" to="FP16 LINEAR" "#),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), no_reformats);
    assert_eq!(runs_of("miss"), counted);
}

#[test]
fn records_of_another_device_driver_or_kernel_are_kept_but_not_used() {
    let network = network("machine");
    for (field, what) in
        [("device", "another device"), ("driver", "another kernel or driver"), ("kernel", "another kernel or driver")]
    {
        let (_folder, path) = folder();
        builder().lockfile(&path).build(&network).unwrap();
        let own = fs::read_to_string(&path).unwrap();
        let others = own.replace(&format!(" {field}=\""), &format!(" {field}=\"not "));
        assert_ne!(own, others);
        fs::write(&path, &others).unwrap();
        let error = builder().locked(&path).build(&network).unwrap_err().to_string();
        assert!(
            error.contains(&format!("; it has it for {what} only: ")) && error.contains(&format!(" {field}=\"not ")),
            "{error}"
        );

        let counted = runs_of("machine");
        builder().lockfile(&path).build(&network).unwrap();
        assert!(runs_of("machine").iter().all(|(tactic, count)| *count > counted[tactic]));
        let both = fs::read_to_string(&path).unwrap();
        assert!(others.lines().all(|line| both.lines().any(|l| l == line)));
        assert_eq!(both.lines().count(), 2 * own.lines().count() - 1);
        builder().locked(&path).build(&network).unwrap();
    }
}

#[test]
fn the_choice_follows_from_the_times() {
    let (_folder, path) = folder();
    let network = network("choice");
    builder().lockfile(&path).build(&network).unwrap();
    let chosen = |half: u64, second: u64, reformat: u64| {
        set_times(&path, |line| {
            let time = if line.contains("combination=\"FP16") { half } else { 1000 };
            Some(match line {
                line if line.starts_with("reformat") => reformat,
                line if line.contains("tactic=2 ") => time + second,
                _ => time + 5,
            })
        });
        let choices = choices(&builder().locked(&path).build(&network).unwrap());
        let chosen = choices.into_iter().filter(|c| c.4 && c.0.starts_with("copy"));
        chosen.map(|(_, combination, tactic, ..)| format!("{} {tactic}", &combination[..4])).collect::<Vec<_>>()
    };
    assert_eq!(chosen(1000, 5, 0), ["FP32 1"; 2], "of equal ones the first listed");
    assert_eq!(chosen(1000, 4, 0), ["FP32 2"; 2]);
    assert_eq!(chosen(500, 5, 200), ["FP16 1"; 2]);
    assert_eq!(chosen(500, 5, 300), ["FP32 1"; 2], "the conversions cost more than they save");
    assert_eq!(chosen(u64::MAX - 5, 5, u64::MAX), ["FP32 1"; 2]);
}

#[test]
fn a_rejected_tactic_is_a_record_with_its_reason() {
    let test = "rejected\n\"trial\" \u{202e}";
    FAILING.lock().unwrap().insert(test.into(), vec![2]);
    let (_folder, path) = folder();
    let network = network(test);
    let first = builder().lockfile(&path).build(&network).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains('\u{202e}'), "{text}");
    let reason = r#" rejected="no\nluck with \"2\" of \u{202e}rejected\n\"trial\" \u{202e}""#;
    assert_eq!(text.lines().filter(|l| l.contains("tactic=2 ") && l.ends_with(reason)).count(), 2, "{text}");
    let locked = builder().locked(&path).build(&network).unwrap();
    assert_eq!(choices(&locked), choices(&first));
    let reason = format!("no\nluck with \"2\" of \u{202e}{test}");
    assert!(choices(&locked).iter().any(|c| c.3 == TrialOutcome::Rejected(reason.clone())));

    let none = text.lines().map(|l| l.split(" nanoseconds=").collect::<Vec<_>>().join(" rejected=\"") + "\n");
    let none = none.map(|l| if l.matches('"').count() % 2 == 1 { format!("{}\"\n", l.trim_end()) } else { l });
    fs::write(&path, none.collect::<String>()).unwrap();
    let error = builder().locked(&path).build(&network).unwrap_err().to_string();
    assert!(error.contains("no combination and tactic of `lock::copy` works on device `cpu`"), "{error}");
    assert!(error.ends_with("(says the tuning lockfile)"), "{error}");
}

#[test]
fn a_reference_that_fails_by_now_is_recorded_as_failing() {
    let (_folder, path) = folder();
    let network = network("stale");
    builder().lockfile(&path).build(&network).unwrap();
    FAILING.lock().unwrap().insert("stale".into(), vec![1]);
    TACTICS.lock().unwrap().insert("stale".into(), vec![1, 2, 3]);
    builder().lockfile(&path).build(&network).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let rejected: Vec<&str> = text.lines().filter(|l| l.contains(" rejected=")).collect();
    assert!(matches!(rejected[..], [one] if one.contains("combination=\"FP32, FP32 (LINEAR)\" tactic=1 ")), "{text}");
}

#[test]
fn each_profile_has_records_of_its_own() {
    let (_folder, path) = folder();
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [-1]).unwrap();
    let [y] = network.add_plugin(copy::op(x, "profiles")).unwrap();
    network.mark_output(y, "y").unwrap();
    let with = |opts: &[i64]| {
        let profile = |opt: &i64| Profile::new().dims("x", [1], [*opt], [1000]);
        opts.iter().map(profile).fold(Builder::new(Device::cpu()), Builder::profile)
    };
    with(&[8, 64]).lockfile(&path).build(&network).unwrap();
    let counted = runs_of("profiles");
    with(&[64, 8, 64]).locked(&path).build(&network).unwrap();
    let error = with(&[8, 65]).locked(&path).build(&network).unwrap_err().to_string();
    assert!(error.contains("tensors=\"FP32 [65] -> FP32 [65]\""), "{error}");
    assert_eq!(runs_of("profiles"), counted);
}

#[test]
fn what_a_failing_build_timed_is_kept() {
    let (_folder, path) = folder();
    FAILING.lock().unwrap().insert("fails".into(), vec![0]);
    let network = network("fails");
    let error = builder().lockfile(&path).build(&network).unwrap_err().to_string();
    assert!(error.starts_with("layer `other_1`"), "{error}");
    let counted = runs_of("fails");
    FAILING.lock().unwrap().remove("fails");
    set_times(&path, |_| None);
    let without_rejected: Vec<String> = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .filter(|l| !l.contains(" rejected="))
        .map(|l| format!("{l}\n"))
        .collect();
    fs::write(&path, without_rejected.concat()).unwrap();
    builder().lockfile(&path).build(&network).unwrap();
    let now = runs_of("fails");
    assert_eq!((now[&1], now[&2]), (counted[&1], counted[&2]));
    assert!(now[&0] > counted[&0]);
}

#[test]
fn a_path_that_cannot_be_written_is_an_error_before_anything_runs() {
    let (folder, path) = folder();
    let network = network("unwritable");
    fs::write(&path, "").unwrap();
    let mut refused = vec![
        (folder.path().join("no/such/tuning.lock"), "its folder `"),
        (path.join("tuning.lock"), ""),
        (folder.path().to_owned(), "it isn't a file"),
        (PathBuf::new(), ""),
        (path.clone(), "line 1: the file is empty"),
    ];
    #[cfg(unix)]
    {
        let dangling = folder.path().join("dangling");
        std::os::unix::fs::symlink("nowhere", &dangling).unwrap();
        refused.push((dangling, "it is a link to a file that isn't there"));
        refused.push(("/dev/null".into(), "it isn't a file"));
    }
    for (path, reason) in refused {
        let error = builder().lockfile(&path).build(&network).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("tuning lockfile `{}`: ", path.display())) && error.contains(reason),
            "{error}"
        );
    }
    let read_only = folder.path().join("read_only");
    builder().lockfile(&read_only).build(&Network::clone(&self::network("read_only"))).unwrap();
    let mut permissions = fs::metadata(&read_only).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&read_only, permissions).unwrap();
    let error = builder().lockfile(&read_only).build(&network).unwrap_err().to_string();
    assert!(error.ends_with("it can't be written: it is read-only"), "{error}");
    builder().locked(&read_only).build(&self::network("read_only")).unwrap();
    assert!(runs_of("unwritable").is_empty());
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_and_permissions_stay() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = folder();
    let network = network("link");
    builder().lockfile(&path).build(&network).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("tuning.lock", &link).unwrap();
    let before = fs::read_to_string(&path).unwrap();
    TACTICS.lock().unwrap().insert("link".into(), vec![1, 2, 3]);
    builder().lockfile(&link).build(&network).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&path).unwrap().len() > before.len());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

/// A network whose records no other test's has.
fn build_into(path: &Path, name: &str) {
    builder().lockfile(path).build(&network(name)).unwrap();
}

/// The lines of trials that each of these names has.
fn trials_of(path: &Path, names: &[String]) -> Vec<usize> {
    let text = fs::read_to_string(path).unwrap();
    let count =
        |name: &String| text.lines().filter(|l| l.contains(&format!("attributes=\"test=\\\"{name}\\\"\""))).count();
    names.iter().map(count).collect()
}

#[test]
fn builds_that_tune_at_once_lose_nothing() {
    let (folder, path) = folder();
    let names: Vec<String> = (0..8).map(|i| format!("thread {i}")).collect();
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| {
                (0..5).for_each(|round| {
                    build_into(&path, &if round == 0 { name.clone() } else { format!("{name} {round}") })
                })
            });
        }
    });
    assert_eq!(trials_of(&path, &names), [5; 8]);
    let all: Vec<String> = names.iter().flat_map(|n| (1..5).map(move |round| format!("{n} {round}"))).collect();
    assert_eq!(trials_of(&path, &all), [5; 32]);
    assert_eq!(files(&folder), ["tuning.lock"]);
    builder().locked(&path).build(&network("thread 3")).unwrap();
}

const LOCKFILE: &str = "TESTS_LOCKFILE";
const NAME: &str = "TESTS_LOCKFILE_NAME";

#[test]
#[ignore = "a part of processes_that_tune_at_once_lose_nothing"]
fn one_of_several_processes() {
    let (Ok(path), Ok(name)) = (std::env::var(LOCKFILE), std::env::var(NAME)) else { return };
    (0..5).for_each(|round| build_into(path.as_ref(), &format!("{name} {round}")));
}

#[test]
fn processes_that_tune_at_once_lose_nothing() {
    let (folder, path) = folder();
    let processes = ["left", "right", "third"].map(|name| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "one_of_several_processes", "--ignored"]).env(LOCKFILE, &path).env(NAME, name);
        command.spawn().unwrap()
    });
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    let names: Vec<String> =
        ["left", "right", "third"].iter().flat_map(|n| (0..5).map(move |round| format!("{n} {round}"))).collect();
    assert_eq!(trials_of(&path, &names), [5; 15]);
    assert_eq!(files(&folder), ["tuning.lock"]);
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

#[test]
fn damaged_lockfiles_end_in_an_engine_or_an_error() {
    let (_folder, path) = folder();
    let network = network("damage");
    builder().lockfile(&path).build(&network).unwrap();
    let whole = fs::read(&path).unwrap();
    let mut random = Random::new(4);
    let (mut built, mut refused) = (0, 0);
    for _ in 0..300 {
        let mut bytes = whole.clone();
        let at = random.below(bytes.len());
        match random.below(4) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes.truncate(at),
            2 => drop(bytes.splice(at..at, b"\n<<<<<<< ours\n".iter().copied())),
            _ => drop(bytes.drain(at..at + random.below(bytes.len() - at))),
        }
        fs::write(&path, &bytes).unwrap();
        match builder().locked(&path).build(&network) {
            Ok(_) => built += 1,
            Err(error) => {
                refused += 1;
                assert!(error.to_string().contains(&format!("tuning lockfile `{}`", path.display())), "{error}");
            }
        }
    }
    assert!(built > 0 && refused > built, "{built} built, {refused} refused");
    fs::write(&path, b"\n".repeat(64 << 20).as_slice()).unwrap();
    assert!(builder().locked(&path).build(&network).is_err());
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let error = builder().locked(&path).build(&network).unwrap_err().to_string();
    assert!(error.ends_with("it has more than 67108864 bytes, so this is no tuning lockfile"), "{error}");
}
