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
