//! Figures of the CPU.

use std::path::Path;

use serde_json::{Value, json};

use super::peers::{self, Peer};
use crate::runner::failure::{Failure, Result};
use crate::runner::npy::write_whole;
use crate::runner::table::Table;

/// The time one piece of work takes.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Row {
    pub(super) work: String,
    /// `f32`, `f16`, or `-` where there are no elements.
    pub(super) dtype: &'static str,
    pub(super) shape: Vec<i64>,
    pub(super) median_us: f64,
    /// The time of a copy that reads and writes as many bytes.
    pub(super) floor_us: f64,
}

/// Writes the rows as a JSON array, whole or not at all.
///
/// # Errors
/// When the file can't be written.
pub(super) fn write_json(path: &Path, rows: &[Row]) -> Result<()> {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "work": row.work,
                "dtype": row.dtype,
                "shape": row.shape,
                "median_us": row.median_us,
                "floor_us": row.floor_us,
            })
        })
        .collect();
    write_rows(path, rows)
}

pub(super) fn write_rows(path: &Path, rows: Vec<Value>) -> Result<()> {
    let text = format!("{:#}\n", Value::Array(rows));
    write_whole(path, |out| out.write_all(text.as_bytes()))
        .map_err(|e| Failure::work(format_args!("can't write {}: {e}", path.display())))
}

/// The rows beside their floors and, where given, their peers.
pub(super) fn table(rows: &[Row], peers: Option<&[Peer]>) -> Table {
    let Some(peers) = peers else {
        let mut table = Table::new(["work", "dtype", "shape", "median µs", "floor µs", "× floor"]);
        rows.iter().for_each(|row| table.row(own_cells(row)));
        return table;
    };
    let mut table = Table::new([
        "work",
        "dtype",
        "shape",
        "median µs",
        "floor µs",
        "× floor",
        "numpy",
        "× faster",
        "ONNX Runtime",
        "× faster",
    ]);
    for row in rows {
        let peer = peers::find(peers, &row.work, row.dtype, &row.shape);
        let figures = |time: Option<f64>| match time {
            Some(time) => [figure(time), figure(time / row.median_us)],
            None => ["-".to_owned(), "-".to_owned()],
        };
        let [work, dtype, shape, median, floor, ratio] = own_cells(row);
        let [numpy, numpy_ratio] = figures(peer.and_then(|p| p.time("numpy")));
        let [ort, ort_ratio] = figures(peer.and_then(|p| p.time("onnxruntime")));
        table.row([work, dtype, shape, median, floor, ratio, numpy, numpy_ratio, ort, ort_ratio]);
    }
    table
}

fn own_cells(row: &Row) -> [String; 6] {
    [
        row.work.clone(),
        row.dtype.to_owned(),
        shape_text(&row.shape),
        figure(row.median_us),
        figure(row.floor_us),
        figure(row.median_us / row.floor_us),
    ]
}

/// `64x64x256x256`
pub(super) fn shape_text(shape: &[i64]) -> String {
    shape.iter().map(i64::to_string).collect::<Vec<_>>().join("x")
}

pub(super) fn figure(value: f64) -> String {
    if value < 1.0 { format!("{value:.4}") } else { format!("{value:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row { work: "add".into(), dtype: "f32", shape: vec![2, 3], median_us: 2.0, floor_us: 1.0 }
    }

    #[test]
    fn rows_are_written_with_every_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.json");
        write_json(&path, &[row(), row()]).unwrap();
        let read: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let expected = json!({"work": "add", "dtype": "f32", "shape": [2, 3], "median_us": 2.0, "floor_us": 1.0});
        assert_eq!(read, json!([expected, expected]));
        assert!(write_json(&folder.path().join("no/rows.json"), &[]).unwrap_err().to_string().contains("no/rows.json"));
    }

    #[test]
    fn peers_stand_beside_the_row_of_the_same_work() {
        let text = r#"[{"work": "add", "dtype": "f32", "shape": [2, 3], "numpy_us": 8.0, "onnxruntime_us": null},
                       {"work": "add", "dtype": "f16", "shape": [2, 3], "numpy_us": 9.0}]"#;
        let peers = peers::parse(text).unwrap();
        let line = table(&[row()], Some(&peers)).plain().lines().nth(1).unwrap().to_owned();
        assert_eq!(
            line.split_whitespace().collect::<Vec<_>>(),
            "add f32 2x3 2.00 1.00 2.00 8.00 4.00 - -".split(' ').collect::<Vec<_>>()
        );
    }
}
