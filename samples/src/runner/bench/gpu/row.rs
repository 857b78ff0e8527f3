//! Figures of a GPU, with what they may be at most.

use std::path::Path;

use serde_json::{Value, json};

use crate::runner::bench::peers::{self, Peer};
use crate::runner::bench::row::{figure, write_rows};
use crate::runner::failure::Result;
use crate::runner::table::Table;

/// The time one piece of work takes.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Row {
    pub(super) work: String,
    pub(super) dtype: &'static str,
    pub(super) shape: Vec<i64>,
    pub(super) median_us: f64,
    /// With a cold cache; `None` for the host's time.
    pub(super) cold_us: Option<f64>,
    /// The least that it can take.
    pub(super) floor_us: f64,
}

/// What a time may be at most.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Gate {
    TimesFloor(f64),
    Microseconds(f64),
}

/// Work, type, shape, and what it may take at most on an H200.
const GATES: [(&str, &str, &[i64], Gate); 8] = [
    ("non_zero", "f32", &[128, 128], Gate::Microseconds(12.0)),
    ("non_zero", "f32", &[4096, 4096], Gate::TimesFloor(1.7)),
    ("non_zero", "f32", &[16384, 16384], Gate::TimesFloor(1.3)),
    ("circ_pad", "f32", &[64, 64, 256, 256], Gate::TimesFloor(1.1)),
    ("circ_pad", "f16", &[64, 64, 256, 256], Gate::TimesFloor(1.2)),
    ("add", "f32", &[1 << 28], Gate::TimesFloor(1.05)),
    ("enqueue of 1 plugin", "f32", &[10, 3, 32, 32], Gate::TimesFloor(1.1)),
    ("replay of 20 plugins", "f32", &[10, 3, 32, 32], Gate::TimesFloor(1.2)),
];

impl Row {
    fn gate(&self) -> Option<Gate> {
        let this = |&&(work, dtype, shape, _): &&(&str, &str, &[i64], Gate)| {
            work == self.work && dtype == self.dtype && shape == self.shape
        };
        GATES.iter().find(this).map(|&(.., gate)| gate)
    }

    fn meets(&self, gate: Gate) -> bool {
        match gate {
            Gate::TimesFloor(most) => self.median_us <= most * self.floor_us,
            Gate::Microseconds(most) => self.median_us <= most,
        }
    }

    fn own_cells(&self) -> [String; 9] {
        let shape: Vec<String> = self.shape.iter().map(i64::to_string).collect();
        let gate = self.gate();
        let yes_or_no = |gate| if self.meets(gate) { "yes" } else { "no" };
        [
            self.work.clone(),
            self.dtype.to_owned(),
            shape.join("x"),
            figure(self.median_us),
            self.cold_us.map_or_else(none, figure),
            figure(self.floor_us),
            figure(self.median_us / self.floor_us),
            gate.map_or_else(none, |gate| gate.to_string()),
            gate.map_or_else(none, |gate| yes_or_no(gate).to_owned()),
        ]
    }
}

/// `1.3 × floor` or `12 µs`
impl std::fmt::Display for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Gate::TimesFloor(most) => write!(f, "{most} × floor"),
            Gate::Microseconds(most) => write!(f, "{most} µs"),
        }
    }
}

fn none() -> String {
    "-".to_owned()
}

/// Writes the rows as a JSON array, whole or not at all.
///
/// # Errors
/// When the file can't be written.
pub(super) fn write_json(path: &Path, rows: &[Row]) -> Result<()> {
    write_rows(path, rows.iter().map(row_json).collect())
}

fn row_json(row: &Row) -> Value {
    let gate = row.gate();
    json!({
        "work": row.work,
        "dtype": row.dtype,
        "shape": row.shape,
        "median_us": row.median_us,
        "cold_us": row.cold_us,
        "floor_us": row.floor_us,
        "at_most": gate.map(|gate| gate.to_string()),
        "met": gate.map(|gate| row.meets(gate)),
    })
}

/// The rows beside their floors and, where given, their peers.
pub(super) fn table(rows: &[Row], peers: Option<&[Peer]>) -> Table {
    let Some(peers) = peers else {
        let mut table =
            Table::new(["work", "dtype", "shape", "µs", "cold µs", "floor µs", "× floor", "at most", "met"]);
        rows.iter().for_each(|row| table.row(row.own_cells()));
        return table;
    };
    let mut table = Table::new([
        "work",
        "dtype",
        "shape",
        "µs",
        "cold µs",
        "floor µs",
        "× floor",
        "at most",
        "met",
        "PyTorch",
        "Triton",
        "CuPy",
        "CUB",
        "torch.compile",
        "JAX",
        "× the best",
    ]);
    for row in rows {
        let peer = peers::find(peers, &row.work, row.dtype, &row.shape);
        let times = SOFTWARE.map(|software| peer.and_then(|peer| peer.time(software)));
        let best = times.iter().flatten().copied().min_by(f64::total_cmp);
        let of_peers = times.into_iter().chain([best.map(|best| best / row.median_us)]);
        let cells = of_peers.map(|time| time.map_or_else(none, figure));
        table.row_of(row.own_cells().into_iter().chain(cells));
    }
    table
}

/// As their times are called in the file of peers.
const SOFTWARE: [&str; 6] = ["pytorch", "triton", "cupy", "cub", "torch_compile", "jax"];

#[cfg(test)]
mod tests {
    use super::*;

    fn row(work: &str, shape: &[i64], median_us: f64) -> Row {
        let cold_us = Some(30.0);
        Row { work: work.into(), dtype: "f32", shape: shape.into(), median_us, cold_us, floor_us: 10.0 }
    }

    fn line(row: Row, peers: Option<&[Peer]>) -> String {
        let line = table(&[row], peers).plain().lines().nth(1).unwrap().to_owned();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn times_are_held_against_what_they_may_be() {
        let large: &[i64] = &[16384, 16384];
        assert_eq!(
            line(row("non_zero", large, 13.0), None),
            "non_zero f32 16384x16384 13.00 30.00 10.00 1.30 1.3 × floor yes"
        );
        assert!(line(row("non_zero", large, 13.1), None).ends_with("1.3 × floor no"));
        assert!(line(row("non_zero", large, f64::NAN), None).ends_with("no"));
        assert!(line(row("non_zero", &[128, 128], 11.0), None).ends_with("12 µs yes"));
        assert!(line(row("non_zero", &[3, 3], 11.0), None).ends_with("1.10 - -"));
        for (work, dtype, shape, _) in GATES {
            assert!(Row { dtype, ..row(work, shape, 1.0) }.gate().is_some());
        }
    }

    #[test]
    fn peers_stand_beside_the_row_of_the_same_work() {
        let text = r#"[{"work": "add", "dtype": "f32", "shape": [2], "pytorch_us": 25.0, "cupy_us": 50.0}]"#;
        let peers = peers::parse(text).unwrap();
        assert!(line(row("add", &[2], 5.0), Some(&peers)).ends_with("- - 25.00 - 50.00 - - - 5.00"));
        assert!(line(row("add", &[3], 5.0), Some(&peers)).ends_with("- - - - - - - - -"));
    }

    #[test]
    fn rows_are_written_with_every_key() {
        let written = row_json(&row("non_zero", &[128, 128], 13.0));
        assert_eq!((&written["met"], &written["at_most"]), (&json!(false), &json!("12 µs")));
        assert_eq!(row_json(&row("non_zero", &[1], 13.0))["met"], Value::Null);
        for key in ["work", "dtype", "shape", "median_us", "cold_us", "floor_us"] {
            assert!(!written[key].is_null(), "{key}");
        }
    }
}
