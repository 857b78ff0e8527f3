//! Every plugin of the crate, by the suite.

use authors::bias_add::bias_add;
use authors::mul_rows::mul_rows;
use authors::rms_norm::rms_norm;
use authors::roll::roll;
use authors::softmax_rows::softmax_rows;
use authors::tile_rows::tile_rows;
use authors::topk_mask::topk_mask;
use authors::unique_sorted::unique_sorted;
use plugin_runtime::device::cuda::Architecture;
use plugin_runtime::prelude::*;
use plugin_runtime::testing::{check_kernels, conformance};

const F32: DataType = DataType::Float32;

#[test]
fn bias_add_conforms() -> Result<()> {
    conformance::<bias_add::Plugin>().input(F32, ["rows", "columns"]).input(F32, ["columns"]).check().map(drop)
}

#[test]
fn mul_rows_conforms() -> Result<()> {
    conformance::<mul_rows::Plugin>().input(F32, ["rows", "columns"]).input(F32, ["rows"]).check().map(drop)
}

#[test]
fn rms_norm_conforms() -> Result<()> {
    let suite = conformance::<rms_norm::Plugin>().attributes(rms_norm::Attributes { epsilon: 1e-5 });
    suite.input(F32, ["rows", "columns"]).input(F32, ["columns"]).check().map(drop)
}

#[test]
fn roll_conforms() -> Result<()> {
    for (shift, axis) in [(2, 0), (-3, 1), (1000, 2)] {
        let suite = conformance::<roll::Plugin>().attributes(roll::Attributes { shift, axis });
        suite.input(F32, ["a", "b", "c"]).extent("a", 0..=20).extent("b", 0..=70).check()?;
    }
    Ok(())
}

#[test]
fn softmax_rows_conforms() -> Result<()> {
    conformance::<softmax_rows::Plugin>().input(F32, ["rows", "columns"]).check().map(drop)
}

#[test]
fn tile_rows_conforms() -> Result<()> {
    let suite = conformance::<tile_rows::Plugin>().attributes(tile_rows::Attributes { times: 3 });
    suite.input(F32, ["rows", "columns"]).check().map(drop)
}

#[test]
fn topk_mask_conforms() -> Result<()> {
    let suite = conformance::<topk_mask::Plugin>().attributes(topk_mask::Attributes { k: 4 });
    suite.input(F32, ["rows", "columns"]).check().map(drop)
}

#[test]
fn unique_sorted_conforms() -> Result<()> {
    conformance::<unique_sorted::Plugin>().input(F32, [-1]).check()?;
    conformance::<unique_sorted::Plugin>().input(DataType::Int32, [-1]).check().map(drop)
}

#[test]
fn kernels_compile_as_declared() -> Result<()> {
    check_kernels([75, 80, 90, 100].map(Architecture::from_number)).map(drop)
}

/// Lines of Rust and CUDA that aren't blank, for both devices, and how many each took before there were `dispatch!`, kernels
/// for several types and what launches take.
#[test]
fn plugins_are_short() {
    const BEFORE: [(&str, usize); 8] = [
        ("roll", 141),
        ("rms_norm", 97),
        ("topk_mask", 72),
        ("unique_sorted", 88),
        ("mul_rows", 64),
        ("bias_add", 53),
        ("tile_rows", 39),
        ("softmax_rows", 98),
    ];
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    if !sources.exists() {
        eprintln!("SKIPPED plugins_are_short: the sources aren't here");
        return;
    }
    for (name, before) in BEFORE {
        let text = |extension: &str| std::fs::read_to_string(sources.join(format!("{name}.{extension}"))).unwrap();
        let texts = [text("rs"), text("cu")];
        let lines: Vec<&str> = texts.iter().flat_map(|text| text.lines()).filter(|l| !l.trim().is_empty()).collect();
        let long = lines.iter().find(|line| line.chars().count() > 120);
        assert!(long.is_none(), "{name}: {long:?}");
        assert!(lines.len() * 10 <= before * 6, "{name} has {} lines, before {before}", lines.len());
    }
}
