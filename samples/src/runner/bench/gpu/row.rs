//! Figures of a GPU, with their goals.

use std::path::Path;

use serde_json::{Value, json};

use super::goals::Work;
use crate::runner::bench::peers::{self, Peer};
use crate::runner::bench::row::{figure, shape_text, write_rows};
use crate::runner::failure::Result;
use crate::runner::table::Table;

/// The time one piece of work takes.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Row {
    pub(super) work: Work,
    pub(super) median_us: f64,
    /// With a cold cache; `None` for the host's time.
    pub(super) cold_us: Option<f64>,
    /// The least that it can take.
    pub(super) floor_us: f64,
    /// What a device copy takes that reads and writes as many bytes in all, timed in the same way.
    pub(super) copy_us: Option<f64>,
}

impl Row {
    fn peer<'p>(&self, peers: Option<&'p [Peer]>) -> Option<&'p Peer> {
        peers::find(peers?, &self.work.name, self.work.dtype, &self.work.shape)
    }

    /// Whether it reaches all of its goals; `None` without one.
    pub(super) fn meets(&self, peers: Option<&[Peer]>) -> Option<bool> {
        let goals = self.work.goals();
        let all = || goals.iter().all(|goal| goal.is_met(self.median_us, self.floor_us, self.peer(peers)));
        (!goals.is_empty()).then(all)
    }

    fn own_cells(&self, peers: Option<&[Peer]>) -> [String; 10] {
        let yes_or_no = |met| if met { "yes" } else { "NO" };
        [
            self.work.name.clone(),
            self.work.dtype.to_owned(),
            shape_text(&self.work.shape),
            figure(self.median_us),
            self.cold_us.map_or_else(none, figure),
            figure(self.floor_us),
            figure(self.median_us / self.floor_us),
            self.copy_us.map_or_else(none, |copy| figure(copy / self.floor_us)),
            self.work.goal().unwrap_or_else(none),
            self.meets(peers).map_or_else(none, |met| yes_or_no(met).to_owned()),
        ]
    }
}

/// `36 of 48 times have a goal; 2 of them take longer: add f32 3x4, add f16 3x4`
pub(super) fn verdict(rows: &[Row], peers: Option<&[Peer]>) -> String {
    let judged: Vec<(&Row, bool)> = rows.iter().filter_map(|row| Some((row, row.meets(peers)?))).collect();
    let name = |row: &Row| format!("{} {} {}", row.work.name, row.work.dtype, shape_text(&row.work.shape));
    let missed: Vec<String> = judged.iter().filter(|(_, met)| !met).map(|(row, _)| name(row)).collect();
    let has = format!("{} of {} times have a goal", judged.len(), rows.len());
    match missed.len() {
        0 => format!("{has}; all reach it"),
        count => format!("{has}; {count} of them take longer: {}", missed.join(", ")),
    }
}

fn none() -> String {
    "-".to_owned()
}

/// Writes the rows as a JSON array, whole or not at all.
///
/// # Errors
/// When the file can't be written.
pub(super) fn write_json(path: &Path, rows: &[Row], peers: Option<&[Peer]>) -> Result<()> {
    write_rows(path, rows.iter().map(|row| row_json(row, peers)).collect())
}

fn row_json(row: &Row, peers: Option<&[Peer]>) -> Value {
    json!({
        "work": row.work.name,
        "dtype": row.work.dtype,
        "shape": row.work.shape,
        "median_us": row.median_us,
        "cold_us": row.cold_us,
        "floor_us": row.floor_us,
        "copy_us": row.copy_us,
        "goal": row.work.goal(),
        "met": row.meets(peers),
    })
}

/// The rows beside their floors and, where given, their peers.
pub(super) fn table(rows: &[Row], peers: Option<&[Peer]>) -> Table {
    let Some(peers) = peers else {
        let mut table =
            Table::new(["work", "dtype", "shape", "µs", "cold µs", "floor µs", "× floor", "a copy's", "goal", "met"]);
        rows.iter().for_each(|row| table.row(row.own_cells(None)));
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
        "a copy's",
        "goal",
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
        let peer = row.peer(Some(peers));
        let times = SOFTWARE.map(|software| peer.and_then(|peer| peer.time(software)));
        let ratio = |time: f64| figure(time / row.median_us);
        let best = times.iter().flatten().copied().min_by(f64::total_cmp).map_or_else(none, ratio);
        let of_peers = times.map(|time| time.map_or_else(none, |time| format!("{} ({} ×)", figure(time), ratio(time))));
        let cells = of_peers.into_iter().chain([best]);
        table.row_of(row.own_cells(Some(peers)).into_iter().chain(cells));
    }
    table
}

/// As their times are called in the file of peers.
const SOFTWARE: [&str; 6] = ["pytorch", "triton", "cupy", "cub", "torch_compile", "jax"];

#[cfg(test)]
mod tests {
    use super::super::goals::Kind;
    use super::*;

    fn row(name: &str, shape: &[i64], median_us: f64) -> Row {
        let (kind, bytes) = (if name == "add" { Kind::Add } else { Kind::NonZero }, 1 << 30);
        let work = Work { kind, name: name.into(), dtype: "f32", shape: shape.into(), bytes };
        Row { work, median_us, cold_us: Some(30.0), floor_us: 10.0, copy_us: Some(12.0) }
    }

    fn line(row: Row, peers: Option<&[Peer]>) -> String {
        let line = table(&[row], peers).plain().lines().nth(1).unwrap().to_owned();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn times_are_held_against_what_they_may_be() {
        assert_eq!(line(row("add", &[16, 3], 10.5), None), "add f32 16x3 10.50 30.00 10.00 1.05 1.20 1.05 × floor yes");
        assert!(line(row("add", &[3], 10.6), None).ends_with("1.05 × floor NO"));
        assert!(line(row("add", &[3], f64::NAN), None).ends_with("NO"));
        let small = Row { work: Work { bytes: 1, ..row("add", &[3], 11.0).work }, ..row("add", &[3], 11.0) };
        assert!(line(small.clone(), None).ends_with("1.10 1.20 - -"));
        let rows = [row("add", &[3], 10.0), small, row("add", &[4, 5], 11.0)];
        assert_eq!(verdict(&rows, None), "2 of 3 times have a goal; 1 of them take longer: add f32 4x5");
        assert_eq!(verdict(&rows[..2], None), "1 of 2 times have a goal; all reach it");
    }

    #[test]
    fn peers_stand_beside_the_row_of_the_same_work() {
        let text = r#"[{"work": "add", "dtype": "f32", "shape": [2], "pytorch_us": 25.0, "cupy_us": 50.0},
                       {"work": "non_zero", "dtype": "f32", "shape": [2], "cub_us": 12.0, "torch_compile_us": 30.0,
                        "jax_us": 40.0}]"#;
        let peers = peers::parse(text).unwrap();
        assert!(line(row("add", &[2], 5.0), Some(&peers)).ends_with("yes 25.00 (5.00 ×) - 50.00 (10.00 ×) - - - 5.00"));
        assert!(line(row("add", &[3], 5.0), Some(&peers)).ends_with("yes - - - - - - -"));
        let expected = "CUB's / 1.5 NO - - - 12.00 (1.20 ×) 30.00 (3.00 ×) 40.00 (4.00 ×) 1.20";
        let slower_than_cub = line(row("non_zero", &[2], 10.0), Some(&peers));
        assert!(slower_than_cub.ends_with(expected), "{slower_than_cub}");
    }

    #[test]
    fn rows_are_written_with_every_key() {
        let written = row_json(&row("add", &[128], 13.0), None);
        assert_eq!((&written["met"], &written["goal"]), (&json!(false), &json!("1.05 × floor")));
        assert_eq!(written["work"], "add");
        for key in ["work", "dtype", "shape", "median_us", "cold_us", "floor_us"] {
            assert!(!written[key].is_null(), "{key}");
        }
    }
}
