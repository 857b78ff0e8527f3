//! What times on a GPU are to reach.

use std::path::Path;

use serde_json::{Value, json};

use super::super::peers::Peer;
use super::super::row::{shape_text, write_rows};
use crate::runner::failure::Result;
use crate::runner::table::Table;

/// A kind of work, for which there are rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    NonZero,
    CircPad,
    Add,
    Conversion,
    /// Of one plugin, the host's time.
    Enqueue,
    /// Of recorded plugins, the host's time.
    Replay,
    Build,
}

/// Work that is timed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Work {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// `f32`, `f16`, or `-` where the name tells the types.
    pub(super) dtype: &'static str,
    pub(super) shape: Vec<i64>,
    /// Bytes of the tensor whose size decides: what a padding gives, what non-zeros are sought in, what is added to, the
    /// larger side of a conversion.
    pub(super) bytes: u64,
}

/// What a time is to be at most.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Goal {
    TimesFloor(f64),
    Microseconds(f64),
    /// So many times as fast as other software, where that was timed.
    Faster(f64, &'static str),
}

const MIB: u64 = 1 << 20;

impl Work {
    /// Its goals on a GPU of a data centre.
    pub(super) fn goals(&self) -> Vec<Goal> {
        use Goal::{Faster, Microseconds, TimesFloor};
        let above = |mib: u64| self.bytes > mib * MIB;
        match (self.kind, &self.shape[..]) {
            (Kind::NonZero, shape) => {
                let goal = match shape {
                    [128, 128] => Some(Microseconds(6.5)),
                    [1024, 1024] => Some(Microseconds(11.0)),
                    [4096, 4096] => Some(TimesFloor(1.25)),
                    _ => above(64).then_some(TimesFloor(1.15)),
                };
                goal.into_iter().flat_map(|goal| [goal, Faster(1.5, "cub")]).collect()
            }
            (Kind::CircPad, [64, 64, 256, 256]) if self.dtype == "f32" => vec![TimesFloor(1.1)],
            (Kind::CircPad, _) if above(64) => vec![TimesFloor(1.15)],
            (Kind::CircPad, _) if above(8) => vec![TimesFloor(1.3)],
            (Kind::Add, _) if above(64) => vec![TimesFloor(1.05)],
            (Kind::Conversion, _) if above(8) => vec![TimesFloor(1.25)],
            (Kind::Enqueue, _) => vec![TimesFloor(1.05)],
            (Kind::Replay, _) => vec![TimesFloor(1.2)],
            (Kind::CircPad | Kind::Add | Kind::Conversion | Kind::Build, _) => Vec::new(),
        }
    }

    /// `1.15 × floor, CUB's / 1.5`; `None` without a goal.
    pub(super) fn goal(&self) -> Option<String> {
        let goals: Vec<String> = self.goals().iter().map(Goal::to_string).collect();
        (!goals.is_empty()).then(|| goals.join(", "))
    }
}

impl Goal {
    pub(super) fn is_met(self, took_us: f64, floor_us: f64, peer: Option<&Peer>) -> bool {
        match self {
            Goal::TimesFloor(most) => took_us <= most * floor_us,
            Goal::Microseconds(most) => took_us <= most,
            Goal::Faster(times, software) => {
                peer.and_then(|peer| peer.time(software)).is_none_or(|theirs| took_us * times <= theirs)
            }
        }
    }
}

impl std::fmt::Display for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Goal::TimesFloor(most) => write!(f, "{most} × floor"),
            Goal::Microseconds(most) => write!(f, "{most} µs"),
            Goal::Faster(times, software) => write!(f, "{}'s / {times}", software.to_uppercase()),
        }
    }
}

/// The work that has a goal, with that.
pub(super) fn table(work: &[Work]) -> Table {
    let mut table = Table::new(["work", "dtype", "shape", "goal"]);
    for (work, goal) in with_goals(work) {
        table.row([work.name.clone(), work.dtype.to_owned(), shape_text(&work.shape), goal]);
    }
    table
}

/// The same as a JSON array.
///
/// # Errors
/// When the file can't be written.
pub(super) fn write_json(path: &Path, work: &[Work]) -> Result<()> {
    let rows = with_goals(work)
        .map(|(work, goal)| json!({ "work": work.name, "dtype": work.dtype, "shape": work.shape, "goal": goal }));
    write_rows(path, rows.collect::<Vec<Value>>())
}

fn with_goals(work: &[Work]) -> impl Iterator<Item = (&Work, String)> {
    work.iter().filter_map(|work| Some((work, work.goal()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::bench::peers;

    fn goal(kind: Kind, dtype: &'static str, shape: &[i64], bytes: u64) -> String {
        let work = Work { kind, name: "work".into(), dtype, shape: shape.into(), bytes };
        work.goal().unwrap_or_else(|| "-".into())
    }

    #[test]
    fn goals_follow_from_what_is_done_and_how_large_it_is() {
        for (kind, dtype, shape, bytes, expected) in [
            (Kind::CircPad, "f16", &[64, 64, 256, 256][..], 260 * MIB, "1.15 × floor"),
            (Kind::CircPad, "f32", &[64, 64, 256, 256], 520 * MIB, "1.1 × floor"),
            (Kind::CircPad, "f32", &[9, 9, 9, 9], 64 * MIB + 1, "1.15 × floor"),
            (Kind::CircPad, "f32", &[9, 9, 9, 9], 64 * MIB, "1.3 × floor"),
            (Kind::CircPad, "f32", &[9, 9, 9, 9], 8 * MIB, "-"),
            (Kind::NonZero, "f16", &[128, 128], 1, "6.5 µs, CUB's / 1.5"),
            (Kind::NonZero, "f32", &[1024, 1024], 4 * MIB, "11 µs, CUB's / 1.5"),
            (Kind::NonZero, "f32", &[4096, 4096], 64 * MIB, "1.25 × floor, CUB's / 1.5"),
            (Kind::NonZero, "f16", &[16384, 16384], 512 * MIB, "1.15 × floor, CUB's / 1.5"),
            (Kind::NonZero, "f16", &[5, 5], 50, "-"),
            (Kind::Add, "f16", &[1 << 29], 1024 * MIB, "1.05 × floor"),
            (Kind::Conversion, "-", &[9, 9], 8 * MIB + 1, "1.25 × floor"),
            (Kind::Conversion, "-", &[9, 9], 8 * MIB, "-"),
            (Kind::Enqueue, "f32", &[1], 1, "1.05 × floor"),
            (Kind::Replay, "f32", &[1], 1, "1.2 × floor"),
            (Kind::Build, "f32", &[1], 1024 * MIB, "-"),
        ] {
            assert_eq!(goal(kind, dtype, shape, bytes), expected, "{kind:?} {dtype} {shape:?} {bytes}");
        }
    }

    #[test]
    fn what_other_software_takes_is_a_goal_where_it_was_timed() {
        let text = r#"[{"work": "non_zero", "dtype": "f32", "shape": [2, 3], "cub_us": 15.0, "cupy_us": 1.0}]"#;
        let peers = peers::parse(text).unwrap();
        let faster = Goal::Faster(1.5, "cub");
        assert!(faster.is_met(10.0, f64::NAN, peers.first()));
        assert!(!faster.is_met(10.1, f64::NAN, peers.first()));
        assert!(faster.is_met(10.1, f64::NAN, None));
        assert!(!Goal::TimesFloor(2.0).is_met(f64::NAN, 1.0, None), "what isn't known isn't met");
    }
}
