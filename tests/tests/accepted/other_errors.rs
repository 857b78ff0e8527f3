//! A plugin's functions return whatever converts to an error of the runtime.

use std::error::Error as StdError;
use std::io;

use plugin_runtime::prelude::*;

#[register("ops::table")]
fn table(x: &TensorDesc, path: &str) -> std::result::Result<TensorDesc, String> {
    if path.is_empty() {
        return Err("the table has no path".into());
    }
    Ok(x.like())
}

#[autotune("ops::table")]
fn table_autotune(
    x: &TensorDesc,
    outputs: &[TensorDesc; 1],
) -> std::result::Result<Vec<AutoTuneCombination>, Box<dyn StdError + Send + Sync>> {
    if x.rank() > 3 {
        bail!("{} dimensions are too many", x.rank());
    }
    let tactics = "1".parse::<i32>()?;
    Ok(vec![AutoTuneCombination::new("FP32, FP32").tactics([tactics])])
}

#[impl_plugin("ops::table", device = cpu)]
fn table_cpu(x: Tensor, path: &str, outputs: [TensorMut; 1], tactic: i32) -> io::Result<()> {
    std::fs::read(path)?;
    Ok(())
}

#[impl_plugin("ops::table", device = cuda)]
fn table_cuda(x: Tensor, path: &str, outputs: [TensorMut; 1]) -> Result<()> {
    let text = String::from_utf8(std::fs::read(path)?)?;
    let _rows: usize = text.trim().parse()?;
    Ok(())
}
