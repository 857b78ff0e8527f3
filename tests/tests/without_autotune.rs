//! An engine that the command `samples` saved, in a program that has the plugin's `register` and `impl_plugin` functions
//! and no `autotune`.

use std::process::Command;

use plugin_runtime::engine::Engine;
use plugin_runtime::plugin::Registry;
use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;

// Not the library of the tests: the samples, and so another plugin of this name, are linked with that.
#[expect(dead_code, unreachable_pub, reason = "it is the library of other tests")]
#[path = "../src/command.rs"]
mod command;

use command::{run, samples_binary};

#[register("sample::circ_pad_plugin")]
fn circ_pad_plugin(inp0: &TensorDesc, pads: &[i32]) -> Result<TensorDesc> {
    bail!("shapes are in the engine: nothing asks for those of {} with {pads:?}", inp0.rank())
}

/// Pads a matrix.
#[impl_plugin("sample::circ_pad_plugin", device = cpu)]
fn circ_pad_cpu(inp0: Tensor, pads: &[i32], outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let [out] = outputs;
    let (&[rows, columns], &[left, _, top, _]) = (inp0.shape(), pads) else {
        bail!("tactic {tactic} of a matrix only")
    };
    let width = out.shape()[1];
    let x = inp0.as_slice::<f32>()?;
    for (at, y) in out.into_slice::<f32>()?.iter_mut().enumerate() {
        let (row, column) = (at as i64 / width - i64::from(top), at as i64 % width - i64::from(left));
        *y = x[(row.rem_euclid(rows) * columns + column.rem_euclid(columns)) as usize];
    }
    Ok(())
}

#[test]
fn an_engine_runs_where_its_plugin_has_no_autotune() {
    assert!(Registry::global().unwrap().get("sample::circ_pad_plugin", 1).unwrap().autotune.is_none());
    let folder = tempfile::tempdir().unwrap();
    let mut save = Command::new(samples_binary());
    save.args(["circ_pad", "--mode", "onnx", "--multi_tactic", "--save_engine", "--shape", "2,3", "--pads", "1,0,0,1"]);
    let saved = run(save.arg("--artifacts_dir").arg(folder.path()));
    assert_eq!(saved.status, Some(0), "{}", saved.stderr);

    let engine = Engine::load(folder.path().join("circ_pad.engine")).unwrap();
    let x = HostTensor::from_slice(&[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3]).unwrap();
    let outputs = engine.create_context().unwrap().run(&[("X", &x)]).unwrap();
    let expected = [3.0, 1.0, 2.0, 3.0, 6.0, 4.0, 5.0, 6.0, 3.0, 1.0, 2.0, 3.0];
    assert_eq!(outputs[0].1.as_slice::<f32>().unwrap(), expected);
}
