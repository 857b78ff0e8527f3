//! Every plugin of the crate, by the suite.

use authors::bias_add::bias_add;
use authors::masked_softmax::{LAUNCH, masked_softmax};
use authors::mul_rows::mul_rows;
use authors::rms_norm::rms_norm;
use authors::roll::roll;
use authors::softmax_rows::softmax_rows;
use authors::tile_rows::tile_rows;
use authors::topk_mask::topk_mask;
use authors::unique_sorted::unique_sorted;
use plugin_runtime::device::cuda::Architecture;
use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;
use plugin_runtime::testing::{check_kernels, conformance};

const F32: DataType = DataType::Float32;

fn values(tensor: &HostTensor) -> Vec<f32> {
    tensor.as_slice::<f32>().unwrap().to_vec()
}

/// The values of a matrix' elements by row and column.
fn matrix(shape: &[i64], value: impl Fn(usize, usize) -> f32) -> Result<Vec<HostTensor>> {
    let (rows, columns) = (shape[0] as usize, shape[1] as usize);
    let values: Vec<f32> = (0..rows * columns).map(|i| value(i / columns, i % columns)).collect();
    Ok(vec![HostTensor::from_slice(&values, shape)?])
}

#[test]
fn bias_add_conforms() -> Result<()> {
    let suite = conformance::<bias_add::Plugin>().input(F32, ["rows", "columns"]).input(F32, ["columns"]);
    let right = |inputs: &[HostTensor]| {
        let (x, bias, columns) = (values(&inputs[0]), values(&inputs[1]), inputs[0].shape()[1] as usize);
        matrix(inputs[0].shape(), |row, column| x[row * columns + column] + bias[column])
    };
    suite.reference(right).check().map(drop)
}

#[test]
fn masked_softmax_conforms() -> Result<()> {
    // Around the 512 elements that the kernel takes at a time, too.
    for columns in [0..=300, 511..=511, 512..=512, 1025..=1025] {
        let suite = conformance::<masked_softmax::Plugin>().extent("columns", columns);
        let right = |inputs: &[HostTensor]| {
            let (x, columns) = (values(&inputs[0]), inputs[0].shape()[1] as usize);
            let lengths = inputs[1].as_slice::<i32>()?.to_vec();
            matrix(inputs[0].shape(), |row, column| {
                let row = &x[row * columns..][..lengths[row] as usize];
                let sum: f64 = row.iter().map(|x| f64::from(*x).exp()).sum();
                row.get(column).map_or(0.0, |x| (f64::from(*x).exp() / sum) as f32)
            })
        };
        suite.input(F32, ["rows", "columns"]).input(DataType::Int32, ["rows"]).reference(right).check()?;
    }
    Ok(())
}

/// What the script wrote into the first line, and the compiler into the kernel.
#[test]
fn the_kernel_of_triton_is_launched_as_it_was_compiled() {
    let ptx = include_str!("../src/masked_softmax.ptx");
    let (warps, shared) = LAUNCH;
    let first = ptx.lines().next().unwrap();
    assert!(first.ends_with(&format!("num_warps = {warps}, shared = {shared}")), "{first}");
    assert!(ptx.contains(&format!("\n.reqntid {}\n", warps * 32)), "{warps} warps");
}

#[test]
fn mul_rows_conforms() -> Result<()> {
    let suite = conformance::<mul_rows::Plugin>().input(F32, ["rows", "columns"]).input(F32, ["rows"]);
    let right = |inputs: &[HostTensor]| {
        let (x, s, columns) = (values(&inputs[0]), values(&inputs[1]), inputs[0].shape()[1] as usize);
        matrix(inputs[0].shape(), |row, column| x[row * columns + column] * s[row])
    };
    suite.reference(right).check().map(drop)
}

#[test]
fn rms_norm_conforms() -> Result<()> {
    let suite = conformance::<rms_norm::Plugin>().attributes(rms_norm::Attributes { epsilon: 1e-5 });
    let right = |inputs: &[HostTensor]| {
        let (x, weight, columns) = (values(&inputs[0]), values(&inputs[1]), inputs[0].shape()[1] as usize);
        matrix(inputs[0].shape(), |row, column| {
            let row = &x[row * columns..][..columns];
            let mean = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / columns as f64;
            (f64::from(row[column]) / (mean + 1e-5).sqrt() * f64::from(weight[column])) as f32
        })
    };
    suite.input(F32, ["rows", "columns"]).input(F32, ["columns"]).reference(right).check().map(drop)
}

#[test]
fn roll_conforms() -> Result<()> {
    for (shift, axis) in [(2, 0), (-3, 1), (1000, 2)] {
        let suite = conformance::<roll::Plugin>().attributes(roll::Attributes { shift, axis });
        // y[(i + shift) mod n] = x[i] along the axis, by index arithmetic alone.
        let right = move |inputs: &[HostTensor]| {
            let (x, shape) = (values(&inputs[0]), inputs[0].shape().to_vec());
            let mut y = x.clone();
            for (at, value) in x.into_iter().enumerate() {
                let mut index = [0i64; 3];
                let mut rest = at as i64;
                for dim in (0..3).rev() {
                    (index[dim], rest) = (rest % shape[dim], rest / shape[dim]);
                }
                index[axis as usize] = (index[axis as usize] + shift).rem_euclid(shape[axis as usize]);
                y[((index[0] * shape[1] + index[1]) * shape[2] + index[2]) as usize] = value;
            }
            Ok(vec![HostTensor::from_slice(&y, &shape)?])
        };
        suite.input(F32, ["a", "b", "c"]).extent("a", 0..=20).extent("b", 0..=70).reference(right).check()?;
    }
    Ok(())
}

#[test]
fn softmax_rows_conforms() -> Result<()> {
    let right = |inputs: &[HostTensor]| {
        let (x, columns) = (values(&inputs[0]), inputs[0].shape()[1] as usize);
        matrix(inputs[0].shape(), |row, column| {
            let row = &x[row * columns..][..columns];
            let sum: f64 = row.iter().map(|x| f64::from(*x).exp()).sum();
            (f64::from(row[column]).exp() / sum) as f32
        })
    };
    conformance::<softmax_rows::Plugin>().input(F32, ["rows", "columns"]).reference(right).check().map(drop)
}

#[test]
fn tile_rows_conforms() -> Result<()> {
    let suite = conformance::<tile_rows::Plugin>().attributes(tile_rows::Attributes { times: 3 });
    let right = |inputs: &[HostTensor]| {
        let (x, shape) = (values(&inputs[0]), inputs[0].shape());
        Ok(vec![HostTensor::from_slice(&[x.clone(), x.clone(), x].concat(), &[shape[0] * 3, shape[1]])?])
    };
    suite.input(F32, ["rows", "columns"]).reference(right).check().map(drop)
}

#[test]
fn topk_mask_conforms() -> Result<()> {
    let suite = conformance::<topk_mask::Plugin>().attributes(topk_mask::Attributes { k: 4 });
    // Fewer than 4 elements of the row come before it.
    let right = |inputs: &[HostTensor]| {
        let (x, columns) = (values(&inputs[0]), inputs[0].shape()[1] as usize);
        let before = |row: &[f32], at: usize| {
            (0..row.len()).filter(|&i| row[i] > row[at] || (row[i] == row[at] && i < at)).count()
        };
        let marks: Vec<u8> =
            (0..x.len()).map(|i| u8::from(before(&x[i / columns * columns..][..columns], i % columns) < 4)).collect();
        Ok(vec![HostTensor::from_bytes(DataType::Bool, &marks, inputs[0].shape())?])
    };
    suite.input(F32, ["rows", "columns"]).reference(right).check().map(drop)
}

#[test]
fn unique_sorted_conforms() -> Result<()> {
    let right = |inputs: &[HostTensor]| {
        let x = values(&inputs[0]);
        let mut found: Vec<f32> = Vec::new();
        x.iter().for_each(|x| {
            if found.last() != Some(x) {
                found.push(*x)
            }
        });
        let count = found.len() as i32;
        Ok(vec![HostTensor::from_slice(&found, &[count.into()])?, HostTensor::from_slice(&[count], &[])?])
    };
    conformance::<unique_sorted::Plugin>().input(F32, [-1]).reference(right).check()?;
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
