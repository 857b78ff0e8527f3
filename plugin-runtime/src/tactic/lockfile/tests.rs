use super::*;
use crate::tactic::record::abridged;
use crate::tactic::record::text::LONGEST;

/// A repeatable source of numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n.max(1)
    }

    fn text(&mut self) -> String {
        const PARTS: [&str; 16] = [
            "",
            " ",
            "\"",
            "\\",
            "\n",
            "\r",
            "\t",
            "\0",
            "=",
            "é",
            "漢",
            "…",
            "\u{202e}",
            "FP32 [1, 2]",
            "a::b",
            "\\n",
        ];
        (0..self.below(6)).map(|_| PARTS[self.below(PARTS.len())]).collect()
    }

    fn record(&mut self) -> (Key, Outcome) {
        let mut text = || -> std::sync::Arc<str> { self.text().into() };
        let machine = Machine { kernel: text(), device: text(), driver: text() };
        let [a, b, c, d, e, check] = std::array::from_fn(|_| text());
        let number = [0, 1, 9, 10, i32::MAX][self.below(5)];
        let subject = match self.below(3) {
            0 => Subject::Reformat { dims: a, from: b, to: c },
            _ => Subject::Trial {
                plugin: a,
                version: number as u32,
                attributes: b,
                tensors: c,
                combination: d,
                tactic: number,
                name: e,
                check,
            },
        };
        let outcome = match self.below(5) {
            4 => Outcome::Checked,
            0 => Outcome::Rejected(self.text()),
            2 => Outcome::Times {
                warm: Duration::from_nanos(self.below(1 << 30) as u64),
                cold: Duration::from_nanos(u64::MAX),
            },
            1 => Outcome::Time(Duration::from_nanos(u64::MAX)),
            _ => Outcome::Time(Duration::from_nanos(self.below(1 << 30) as u64)),
        };
        (Key { subject, machine }, outcome)
    }

    fn records(&mut self, count: usize) -> Records {
        (0..count).map(|_| self.record()).collect()
    }
}

fn rendered(records: &Records) -> String {
    render(records).expect("a few records are less than the most")
}

fn held(records: Records) -> Held {
    Held { records, outdated: 0 }
}

fn flaw(content: impl AsRef<[u8]>) -> String {
    parse(content.as_ref()).expect_err("it is flawed").to_string()
}

const REFORMAT: &str = r#"reformat dims="[4]" from="FP32 LINEAR" to="FP16 LINEAR" kernel="-" device="cpu, Some CPU, 8 threads" driver="-" nanoseconds=310"#;

const EXAMPLE: [&str; 2] = [
    r#"trial plugin="sample::add" version=1 attributes="block_size=256, mode=\"fast\"" tensors="FP32 [4] -> FP32 [4]" combination="FP32, FP32 (LINEAR)" tactic=1 name="Rows" check="tactics agree" kernel="-" device="cpu, Some CPU, 8 threads" driver="-" nanoseconds=1250"#,
    r#"trial plugin="sample::add" version=1 attributes="block_size=256, mode=\"fast\"" tensors="FP32 [4] -> FP32 [4]" combination="FP32, FP32 (LINEAR)" tactic=2 name="Columns" check="tactics agree" kernel="-" device="cpu, Some CPU, 8 threads" driver="-" rejected="the plugin panicked: no\nluck""#,
];

fn example() -> String {
    format!("{}\n{REFORMAT}\n{}\n", header(FORMAT), EXAMPLE.join("\n"))
}

#[test]
fn what_is_written_is_read_and_sorted() {
    let mut random = Random(1);
    for count in [0, 1, 2, 40] {
        let records = random.records(count);
        let text = rendered(&records);
        assert_eq!(parse(text.as_bytes()), Ok(held(records.clone())));
        assert_eq!(text.lines().count(), records.len() + 1);
        let mut lines: Vec<&str> = text.lines().skip(1).collect();
        lines.reverse();
        let shuffled =
            format!("{}\r\n{}", header(FORMAT), lines.iter().map(|l| format!("{l}\r\n")).collect::<String>());
        assert_eq!(parse(shuffled.as_bytes()), Ok(held(records)), "order and line ends don't matter to the reader");
    }
}

#[test]
fn trials_of_the_format_before_checks_are_passed_over() {
    let old = example().replacen("format 2", "format 1", 1).replace(" check=\"tactics agree\"", "");
    let Held { records, outdated } = parse(old.as_bytes()).unwrap();
    assert_eq!((records.len(), outdated), (1, 2));
    assert_eq!(rendered(&records), format!("{}\n{REFORMAT}\n", header(FORMAT)));
}

#[test]
fn the_example_is_as_it_would_be_written() {
    assert_eq!(rendered(&parse(example().as_bytes()).unwrap().records), example());
}

#[test]
fn the_longest_record_is_read_back() {
    let longest = || abridged("\u{7f}".repeat(LONGEST));
    let machine = Machine { kernel: longest(), device: longest(), driver: longest() };
    let subject = Subject::Trial {
        plugin: longest(),
        version: u32::MAX,
        attributes: longest(),
        tensors: longest(),
        combination: longest(),
        tactic: i32::MAX,
        name: longest(),
        check: longest(),
    };
    let records = Records::from([(Key { subject, machine }, Outcome::Rejected(longest().as_ref().into()))]);
    assert_eq!(parse(rendered(&records).as_bytes()), Ok(held(records)));
}

#[test]
fn mistakes_are_named_with_their_lines() {
    let with = |line: &str| format!("{}\n{}\n{line}\n", header(FORMAT), EXAMPLE[0]);
    let cases = [
        (flaw(""), "line 1: the file is empty; delete it to begin a new one".into()),
        (
            flaw("[package]\n"),
            format!("line 1: a tuning lockfile begins with `{}`, this file with \"[package]\"", header(FORMAT)),
        ),
        (
            flaw(example().replacen("format 2", "format 12", 1)),
            "line 1: the file is of format 12, and this version reads format 2; build with another lockfile".into(),
        ),
        (flaw(with(EXAMPLE[0])), "line 3: it records the same as line 2; delete one of the two".into()),
        (flaw(with("")), "line 3, column 1: expected `trial` or `reformat`, found nothing".into()),
        (
            flaw(with("<<<<<<< HEAD")),
            "line 3: merge conflict markers: keep the lines of both sides, one of each that only differ in \
             their outcome, and delete the markers"
                .into(),
        ),
        (
            flaw(example().trim_end()),
            "line 4: the line has no end, so the file was cut off; delete the line to go on".into(),
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
    let mut not_text = with("trial plugin=\"").into_bytes();
    let end = not_text.len() - 1;
    not_text.insert(end, 0xff);
    assert_eq!(flaw(&not_text), "line 3: byte 15 of the line isn't UTF-8 text");
    let long = format!("{}\ntrial plugin=\"{}", header(FORMAT), "x".repeat(10 * LONGEST_LINE));
    assert_eq!(flaw(&long), "line 2: the line has more than 65536 bytes, so this is no tuning lockfile");
}

#[test]
fn mistakes_within_a_line_are_named_with_their_columns() {
    let with = |line: &str| format!("{}\n{}\n{line}\n", header(FORMAT), EXAMPLE[0]);
    let replaced = |from: &str, to: &str| {
        let line = EXAMPLE[1].replacen(from, to, 1);
        assert_ne!(line, EXAMPLE[1]);
        flaw(with(&line))
    };
    let column = |before: &str| EXAMPLE[1].find(before).unwrap() + 1;
    let cases = [
        (
            replaced(" version=1", ""),
            format!(
                "line 3, column {}: expected ` version=`, found \" attributes=\\\"block_size=256, mode=\\\\\\\"fast\"...",
                column(" version")
            ),
        ),
        (
            replaced("version=1", "version=4294967296"),
            format!(
                "line 3, column {}: expected a smaller number for version, found \"4294967296 attributes=\\\"block_size=256, m\"...",
                column("1 attributes")
            ),
        ),
        (
            replaced("tactic=2 name", "tactic=-2 name"),
            format!(
                "line 3, column {}: expected a whole number up to 18446744073709551615, found \"-2 name=\\\"Columns\\\" check=\\\"tactics agree\\\" \"...",
                column("2 name")
            ),
        ),
        (
            replaced("no\\nluck", "no\\xluck"),
            format!(
                "line 3, column {}: expected one of \\\" \\\\ \\n \\r \\t \\u{{..}}, found \"\\\\xluck\\\"\"",
                column("\\nluck")
            ),
        ),
        (
            replaced("no\\nluck", "no\u{202e}luck"),
            format!("line 3, column {}: this character has to be written as \"\\u{{202e}}\"", column("\\nluck")),
        ),
        (replaced("luck\"", "luck"), format!("line 3, column {}: the line ends within quotes", EXAMPLE[1].len())),
        (
            flaw(with(&format!("{} ", EXAMPLE[1]))),
            format!("line 3, column {}: expected the end of the line, found \" \"", EXAMPLE[1].len() + 1),
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}

#[test]
fn every_truncation_ends_in_fewer_records_or_an_error() {
    let whole = example();
    let all = parse(whole.as_bytes()).unwrap().records;
    for end in 0..whole.len() {
        if let Ok(Held { records, .. }) = parse(&whole.as_bytes()[..end]) {
            assert!(whole[..end].ends_with('\n'), "cut at {end}");
            assert!(records.iter().all(|(key, outcome)| all.get(key) == Some(outcome)), "cut at {end}");
        }
    }
}

/// Each mutant is an error that names a line, or is read, and then written and read back alike.
fn mutate(count: usize) {
    let mut random = Random(9);
    let mut read = 0;
    for round in 0..count {
        let mut bytes = match round % 2 {
            0 => example().into_bytes(),
            _ => {
                let few = 1 + random.below(4);
                rendered(&random.records(few)).into_bytes()
            }
        };
        for _ in 0..1 + random.below(3) {
            let at = random.below(bytes.len());
            match random.below(8) {
                _ if bytes.is_empty() => {}
                0 | 1 => bytes[at] ^= 1 << random.below(8),
                2 => bytes[at] = b"\"\\\n\r =09{}<>\xff\0"[random.below(14)],
                3 => bytes.truncate(at),
                4 => bytes.insert(at, b"\"\\\n 0u{"[random.below(7)]),
                5 => drop(bytes.drain(at..at + random.below(bytes.len() - at))),
                6 => {
                    let piece = bytes[at..at + random.below(bytes.len() - at)].to_vec();
                    let to = random.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
                _ => drop(bytes.splice(at..at, b"\n=======\n".iter().copied())),
            }
        }
        match parse(&bytes) {
            Ok(Held { records, .. }) => {
                read += 1;
                assert_eq!(parse(rendered(&records).as_bytes()), Ok(held(records)));
            }
            Err(flaw) => {
                assert!(flaw.line >= 1 && flaw.line <= 1 + bytes.iter().filter(|b| **b == b'\n').count(), "{flaw}");
                assert!(flaw.reason.len() < 600, "{flaw}");
            }
        }
    }
    assert!(read > count / 100 && read < count, "{read} of {count} were read");
}

/// As many as the variable MUTATIONS says, else 2,000.
#[test]
fn mutants_end_in_records_or_an_error() {
    mutate(std::env::var("MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000));
}
