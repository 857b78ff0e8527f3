//! Files changed at random: each ends in an engine or an error, and so does running it.

use std::cell::Cell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use plugin_runtime::engine::Engine;
use tests::Random;

use crate::cases::{Case, cases, run};
use crate::wire;

/// How many mutants are made; the variable MUTATIONS says another number.
const MUTANTS: usize = 2000;
/// Mutants that ask for more memory than this are loaded, but not run.
const MOST_BYTES: usize = 64 << 20;

const TABLE: usize = 64;
const ENTRY: usize = 32;

#[derive(Default, Debug)]
struct Tally {
    refused: usize,
    too_large: usize,
    failed: usize,
    ran: usize,
}

#[test]
fn a_mutated_file_ends_in_an_engine_or_an_error() {
    let mutants = std::env::var("MUTATIONS").map_or(MUTANTS, |n| n.parse().unwrap());
    let originals: Vec<(Case, Vec<u8>)> =
        cases().into_iter().map(|c| (c.build().to_bytes().unwrap(), c)).map(|(b, c)| (c, b)).collect();
    for (_, file) in &originals {
        let sections = sections(file);
        assert_eq!(pack(&sections), *file, "the mutations take files to be as they are");
        assert_eq!(wire::write(&wire::read(&sections[0].1).unwrap()), sections[0].1);
    }
    count_faults();
    let mut random = Random::new(11);
    let mut tally = Tally::default();
    let mut broken = None;
    for mutant in 0..mutants {
        let (case, file) = &originals[mutant % originals.len()];
        let mutated = mutate(file, &mut random);
        TRYING.set(true);
        let ended = catch_unwind(AssertUnwindSafe(|| try_out(case, &mutated, &mut tally)));
        TRYING.set(false);
        if ended.is_err() || FAULTS.get() > 0 {
            broken = Some(mutant);
            break;
        }
    }
    assert_eq!(broken, None, "this mutant panics");
    println!("{mutants} mutants: {tally:?}");
    assert!(tally.refused > 0 && tally.failed > 0 && tally.ran > 0, "{tally:?}");
}

thread_local! {
    static TRYING: Cell<bool> = const { Cell::new(false) };
    /// Panics of the runtime itself, which a run would report as a plugin's.
    static FAULTS: Cell<usize> = const { Cell::new(0) };
}

/// Counts panics of the runtime while this thread tries mutants out; those of a plugin may happen.
fn count_faults() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let of_runtime = panic.location().is_some_and(|at| at.file().contains("plugin-runtime"));
        if TRYING.get() {
            FAULTS.set(FAULTS.get() + usize::from(of_runtime));
        }
        if of_runtime || !TRYING.get() {
            usual(panic);
        }
    }));
}

fn try_out(case: &Case, file: &[u8], tally: &mut Tally) {
    let Ok(engine) = Engine::from_bytes(file) else {
        tally.refused += 1;
        return;
    };
    let _ = engine.verify();
    engine.to_bytes().expect("what is loaded can be saved");
    for profile in 0..engine.profiles() {
        let inputs = &case.inputs[profile.min(case.inputs.len() - 1)];
        if engine.report().arena_bytes[profile] > MOST_BYTES || largest_output(&engine, profile, case) > MOST_BYTES {
            tally.too_large += 1;
        } else if run(&engine, profile, inputs).is_ok() {
            tally.ran += 1;
        } else {
            tally.failed += 1;
        }
    }
}

fn largest_output(engine: &Engine, profile: usize, case: &Case) -> usize {
    let Ok(mut context) = engine.create_context_for(profile) else { return 0 };
    for (name, tensor) in &case.inputs[profile.min(case.inputs.len() - 1)] {
        if context.set_input_shape(name, tensor.shape()).is_err() {
            return 0;
        }
    }
    let bytes = |name: &str| {
        let dims = context.output_shape(name).ok()?;
        dims.iter().try_fold(8usize, |n, &extent| n.checked_mul(usize::try_from(extent).ok()?))
    };
    engine.outputs().map(|(name, _)| name).filter_map(bytes).max().unwrap_or(0)
}

/// A change of the file as it is; of its table, checksums corrected; of a section's bytes or of a field of its graph,
/// all around it corrected.
fn mutate(file: &[u8], random: &mut Random) -> Vec<u8> {
    let mut mutated = file.to_vec();
    let mut sections = sections(file);
    match random.below(20) {
        0..10 => change(&mut mutated, random),
        10 => {
            let head = TABLE + ENTRY * sections.len();
            let at = 8 + random.below(head - 8);
            mutated[at] = random.below(256) as u8;
            seal(&mut mutated, sections.len());
        }
        11 | 12 => {
            let section = random.below(sections.len());
            change(&mut sections[section].1, random);
            mutated = pack(&sections);
        }
        _ => {
            let mut graph = wire::read(&sections[0].1).unwrap();
            (0..1 + random.below(2)).for_each(|_| wire::mutate(&mut graph, random, &change));
            sections[0].1 = wire::write(&graph);
            mutated = pack(&sections);
        }
    }
    mutated
}

fn change(bytes: &mut Vec<u8>, random: &mut Random) {
    if bytes.is_empty() {
        return bytes.push(random.below(256) as u8);
    }
    let at = random.below(bytes.len());
    let range = |random: &mut Random, bytes: &[u8]| -> Range<usize> {
        let start = random.below(bytes.len());
        start..(start + 1 + random.below(40)).min(bytes.len())
    };
    match random.below(9) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = random.below(256) as u8,
        2 => bytes[at] = bytes[at].wrapping_add(1),
        3 => bytes[at] = bytes[at].wrapping_sub(1),
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(range(random, bytes))),
        6 => {
            let copy = bytes[range(random, bytes)].to_vec();
            bytes.splice(at..at, copy);
        }
        7 => {
            let copy = bytes[range(random, bytes)].to_vec();
            let end = (at + copy.len()).min(bytes.len());
            bytes.splice(at..end, copy);
        }
        _ => {
            let value = [0, 1, 0x7f, 0x80, 0xff, 1 << 31, u64::from(u32::MAX), 1 << 62, u64::MAX][random.below(9)];
            let len = [1, 2, 4, 8][random.below(4)].min(bytes.len() - at);
            bytes[at..at + len].copy_from_slice(&value.to_le_bytes()[..len]);
        }
    }
}

fn sections(file: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let u32_at = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let usize_at = |at: usize| usize::from_le_bytes(file[at..at + 8].try_into().unwrap());
    let entry = |i: usize| TABLE + ENTRY * i;
    let section = |at: usize| (u32_at(at), file[usize_at(at + 8)..][..usize_at(at + 16)].to_vec());
    (0..u32_at(12) as usize).map(entry).map(section).collect()
}

/// A file of these sections, all its checksums right.
fn pack(sections: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut file = vec![0; TABLE + ENTRY * sections.len()];
    file[..8].copy_from_slice(b"\x89PLAN\r\n\x1a");
    file[8] = 2;
    file[12..16].copy_from_slice(&(sections.len() as u32).to_le_bytes());
    for (i, (kind, bytes)) in sections.iter().enumerate() {
        file.resize(file.len().next_multiple_of(64), 0);
        let offset = file.len() as u64;
        let entry = &mut file[TABLE + ENTRY * i..];
        entry[..4].copy_from_slice(&kind.to_le_bytes());
        entry[4..8].copy_from_slice(&crc32(bytes).to_le_bytes());
        entry[8..16].copy_from_slice(&offset.to_le_bytes());
        entry[16..24].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
        file.extend(bytes);
    }
    let len = file.len() as u64;
    file[16..24].copy_from_slice(&len.to_le_bytes());
    seal(&mut file, sections.len());
    file
}

/// Corrects the checksums of table and header.
fn seal(file: &mut [u8], sections: usize) {
    let table = crc32(&file[TABLE..TABLE + ENTRY * sections]);
    file[24..28].copy_from_slice(&table.to_le_bytes());
    let header = crc32(&file[..60]);
    file[60..64].copy_from_slice(&header.to_le_bytes());
}

pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |mut crc, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
        crc
    })
}
