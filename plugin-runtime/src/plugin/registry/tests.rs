use super::super::Location;
use super::*;

const fn at(line: u32) -> Location {
    Location { file: "ops.rs", line, column: 1 }
}

fn plugin(id: &'static str, version: u32, line: u32) -> PluginEntry {
    PluginEntry {
        id,
        version,
        description: "",
        inputs: &["x"],
        attributes: &[],
        outputs: 1,
        onnx: &[],
        infer: |_, _| Ok(Vec::new()),
        attributes_from_values: |_| Ok(Box::new(())),
        compare: None,
        sample_inputs: None,
        location: at(line),
    }
}

fn cpu_impl(id: &'static str, line: u32) -> ImplEntry {
    ImplEntry {
        id,
        version: 1,
        device: DeviceKind::Cpu,
        attributes: &[],
        tactic_names: None,
        takes_tactic: false,
        workspace: None,
        device_shape: false,
        run: |_| Ok(()),
        location: at(line),
    }
}

fn autotune(id: &'static str, line: u32) -> AutotuneEntry {
    AutotuneEntry { id, version: 1, combinations: |_, _, _| Ok(Vec::new()), location: at(line) }
}

#[test]
fn joins_in_order_whatever_order_the_linker_gives() {
    let plugins = [plugin("b::y", 2, 1), plugin("b::y", 1, 2), plugin("a::x", 1, 3)];
    let impls = [cpu_impl("b::y", 9), cpu_impl("a::x", 8)];
    let registry = Registry::join(&plugins, &[autotune("a::x", 7)], &impls, &[]).unwrap();
    let labels: Vec<String> = registry.plugins().iter().map(Plugin::label).collect();
    assert_eq!(labels, ["a::x v1", "b::y v1", "b::y v2"]);
    assert!(registry.get("a::x", 1).unwrap().autotune.is_some());
    assert_eq!(registry.get("b::y", 1).unwrap().impl_for(DeviceKind::Cpu).unwrap().location.line, 9);
    assert!(registry.get("b::y", 2).unwrap().impls.is_empty());
}

#[test]
fn every_conflict_is_reported_with_both_places() {
    let plugins = [plugin("a::x", 1, 20), plugin("a::x", 1, 10), plugin("a::z", 1, 30)];
    let impls = [cpu_impl("a::x", 41), cpu_impl("a::x", 40), cpu_impl("a::xx", 50)];
    let error = Registry::join(&plugins, &[autotune("b::q", 60)], &impls, &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "the linked plugins contradict each other\n  \
         `a::x v1` has two #[register]: at ops.rs:10:1 and at ops.rs:20:1\n  \
         #[autotune] at ops.rs:60:1 is for `b::q v1`, which nobody registered\n  \
         `a::x v1` has two #[impl_plugin] for device `cpu`: at ops.rs:40:1 and at ops.rs:41:1\n  \
         #[impl_plugin] at ops.rs:50:1 is for `a::xx v1`, which nobody registered; did you mean `a::x` or `a::z`?"
    );
}

#[test]
fn a_miss_lists_what_is_near_and_how_to_link_a_crate() {
    let registry = Registry::join(&[plugin("sample::non_zero_plugin", 1, 1)], &[], &[], &[]).unwrap();
    let unknown = registry.get("sample::nonzero_plugin", 1).unwrap_err().to_string();
    assert_eq!(
        unknown,
        "no plugin `sample::nonzero_plugin` v1 is linked; did you mean `sample::non_zero_plugin`?; 1 plugin is linked. \
         A crate of plugins that is never named links none of them: add `use the_crate as _;`"
    );
    let version = registry.get("sample::non_zero_plugin", 3).unwrap_err().to_string();
    assert_eq!(version, "plugin `sample::non_zero_plugin` is linked at version 1, not 3");
}

fn named(id: &'static str, version: u32, line: u32, onnx: &'static [&'static str]) -> PluginEntry {
    PluginEntry { onnx, ..plugin(id, version, line) }
}

#[test]
#[cfg(feature = "onnx")]
fn plugins_are_found_by_their_names_in_onnx_too() {
    let plugins = [
        named("b::y", 2, 1, &["com.example::Y"]),
        named("b::y", 1, 2, &["com.example::Y", "ai.onnx::Y"]),
        named("a::x", 1, 3, &["com.example::X"]),
    ];
    let registry = Registry::join(&plugins, &[], &[], &[]).unwrap();
    let found = |name: &str| registry.in_onnx(name).map(Plugin::label).collect::<Vec<_>>();
    assert_eq!(found("com.example::Y"), ["b::y v1", "b::y v2"]);
    assert_eq!(found("ai.onnx::Y"), ["b::y v1"]);
    assert_eq!(found("b::y"), ["b::y v1", "b::y v2"]);
    assert_eq!(found("com.example::X"), ["a::x v1"]);
    assert!(found("com.example::Z").is_empty() && found("").is_empty());
}

#[test]
fn two_plugins_of_one_name_in_onnx_are_refused_whatever_order_the_linker_gives() {
    let plugins = [
        named("a::x", 1, 3, &["com.example::X", "b::y"]),
        named("b::y", 1, 1, &[]),
        named("c::z", 1, 2, &["com.example::X"]),
        named("c::z", 2, 4, &["com.example::X"]),
    ];
    for rotation in 0..plugins.len() {
        let mut plugins = plugins;
        plugins.rotate_left(rotation);
        assert_eq!(
            Registry::join(&plugins, &[], &[], &[]).unwrap_err().to_string(),
            "the linked plugins contradict each other\n  \
             `b::y v1` at ops.rs:1:1 and `a::x v1` at ops.rs:3:1 are both found as `b::y` in ONNX models: take it out of \
             `onnx = ..` of one of them\n  \
             `a::x v1` at ops.rs:3:1 and `c::z v1` at ops.rs:2:1 are both found as `com.example::X` in ONNX models: take it \
             out of `onnx = ..` of one of them"
        );
    }
}

#[test]
fn the_number_of_linked_plugins_reads_well() {
    for (linked, expected) in
        [(0, "no plugin is linked. A"), (1, "1 plugin is linked. A"), (2, "2 plugins are linked. A")]
    {
        assert!(crate::plugin::conflict::linked(linked).starts_with(expected), "{linked}");
    }
}
