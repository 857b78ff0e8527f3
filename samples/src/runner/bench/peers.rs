//! What other software takes for the same work, read from a file.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::runner::failure::{Failure, Result};

/// The times of other software for one piece of work.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Peer {
    work: String,
    dtype: String,
    shape: Vec<i64>,
    /// Microseconds, by the software's name.
    times: BTreeMap<String, f64>,
}

impl Peer {
    /// Microseconds, where they were measured.
    pub(super) fn time(&self, software: &str) -> Option<f64> {
        self.times.get(software).copied()
    }
}

/// The one of some work.
pub(super) fn find<'p>(peers: &'p [Peer], work: &str, dtype: &str, shape: &[i64]) -> Option<&'p Peer> {
    peers.iter().find(|peer| peer.work == work && peer.dtype == dtype && peer.shape == shape)
}

/// Reads what a script in `samples/peers` wrote: a JSON array of rows. A time's key is the software's name and `_us`.
///
/// # Errors
/// When it can't be read or holds something else.
pub(super) fn read(path: &Path) -> Result<Vec<Peer>> {
    let failed = |why: String| Failure::work(format_args!("can't read {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
    parse(&text).map_err(failed)
}

pub(super) fn parse(text: &str) -> std::result::Result<Vec<Peer>, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| format!("it isn't JSON: {e}"))?;
    let rows = value.as_array().ok_or("expected a JSON array of rows")?;
    rows.iter().map(row).collect()
}

fn row(row: &Value) -> std::result::Result<Peer, String> {
    let text =
        |key: &str| row[key].as_str().map(str::to_owned).ok_or_else(|| format!("a row has no text \"{key}\": {row}"));
    let shape = row["shape"].as_array().and_then(|dims| dims.iter().map(Value::as_i64).collect());
    let times = row.as_object().into_iter().flatten();
    let times = times.filter_map(|(key, time)| Some((key.strip_suffix("_us")?.to_owned(), time.as_f64()?)));
    Ok(Peer {
        work: text("work")?,
        dtype: text("dtype")?,
        shape: shape.ok_or_else(|| format!("a row has no \"shape\" of whole numbers: {row}"))?,
        times: times.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_read_by_its_name() {
        let text = r#"[{"work": "add", "dtype": "f32", "shape": [2, 3], "numpy_us": 8.0, "onnxruntime_us": null},
                       {"work": "add", "dtype": "f16", "shape": [], "triton_us": 9}]"#;
        let peers = parse(text).unwrap();
        let time = |dtype: &str, shape: &[i64], software: &str| find(&peers, "add", dtype, shape)?.time(software);
        assert_eq!(time("f32", &[2, 3], "numpy"), Some(8.0));
        assert_eq!(time("f32", &[2, 3], "onnxruntime"), None);
        assert_eq!(time("f16", &[], "triton"), Some(9.0));
        assert_eq!(time("f16", &[1], "triton"), None);
        for text in ["", "{}", "[1]", r#"[{"work": "add", "dtype": "f32"}]"#] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
