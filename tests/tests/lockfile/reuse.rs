//! What is timed, what isn't, and what follows from the times.

use std::fs;

use plugin_runtime::device::Device;
use plugin_runtime::engine::{BuildEvent, Builder};
use plugin_runtime::network::Network;
use plugin_runtime::shape::Profile;
use plugin_runtime::tactic::TrialOutcome;
use plugin_runtime::tensor::DataType;

use crate::counting::{FAILING, TACTICS, builder, choices, copy, files, folder, network, runs_of, set_times};

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
    assert_eq!(now[&1], counted[&1] + 2, "except, for one check, what the new tactic's result is compared with");
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
    assert!(error.contains("tensors=\"FP32 [1..65..1000] -> FP32 [1..65..1000]\""), "{error}");
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
