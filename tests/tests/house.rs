//! How the runtime's sources lie to each other: what `ARCHITECTURE.md` says of it.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, each importing only from those before it.
const ROOMS: [&str; 15] = [
    "wording",
    "suggest",
    "table",
    "guard",
    "whole_file",
    "shape",
    "tensor",
    "device",
    "plugin",
    "network",
    "tactic",
    "engine",
    "host",
    "testing",
    "lib",
];

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin-runtime/src")
}

/// Each Rust file of the runtime: its path below `src`, and its lines that aren't comments, without its tests.
fn files() -> Vec<(String, String)> {
    fn visit(folder: &Path, root: &Path, files: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, root, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut files = Vec::new();
    visit(&sources(), &sources(), &mut files);
    assert!(files.len() > 150, "only {} files were found", files.len());
    files
}

fn is_test(name: &str) -> bool {
    name.split('/').any(|part| part == "tests" || part == "tests.rs")
}

/// The code of a file without its inline tests and comments.
fn code(text: &str) -> String {
    let end = text
        .find("\n#[cfg(test)]\n#[expect")
        .or_else(|| text.find("\n#[cfg(test)]\nmod tests {"))
        .unwrap_or(text.len());
    let lines = text[..end].lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn room_of(name: &str) -> &str {
    name.split('/').next().unwrap().trim_end_matches(".rs")
}

#[test]
fn rooms_import_only_from_rooms_before_them() {
    let mut upward = Vec::new();
    for (name, text) in files().iter().filter(|(name, _)| !is_test(name)) {
        let room = room_of(name);
        if room == "lib" {
            continue;
        }
        let code = code(text);
        let imported = code
            .split("crate::")
            .skip(1)
            .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default());
        for other in imported.filter(|other| ROOMS.contains(other) || *other == "error") {
            let place = |wanted: &str| ROOMS.iter().position(|room| *room == wanted);
            let allowed = match (room, other) {
                ("error", "error") | (_, "error") => true,
                ("error", _) => false,
                _ => place(other) <= place(room),
            };
            if !allowed {
                upward.push(format!("{name} imports crate::{other}"));
            }
        }
    }
    assert!(upward.is_empty(), "{}", upward.join("\n"));
}

#[test]
fn only_bound_and_work_call_an_authors_functions() {
    // The fields of the entries that hold an author's functions.
    let calls = [
        ".infer)(",
        ".combinations)(",
        ".kernel)(",
        ".run)(&mut",
        "workspace(inputs, outputs",
        "compare(inputs",
        "describe(inputs",
    ];
    let mut found = Vec::new();
    for (name, text) in files().iter().filter(|(name, _)| !is_test(name)) {
        let code = code(text);
        found.extend(calls.iter().filter(|call| code.contains(**call)).map(|call| (name.clone(), *call)));
    }
    assert_eq!(found.len(), calls.len(), "{found:?}");
    for (name, call) in found {
        assert!(["plugin/bound.rs", "plugin/work.rs"].contains(&name.as_str()), "`{call}` is in {name}");
    }
}

#[test]
fn unsafe_code_stands_in_the_rooms_for_devices_and_hosts_alone() {
    let allowed = |name: &str| is_test(name) || ["device", "host"].contains(&room_of(name));
    for (name, text) in files().iter().filter(|(name, _)| !allowed(name)) {
        let is_unsafe =
            |line: &&str| line.contains("unsafe {") || line.contains("unsafe fn") || line.contains("unsafe impl");
        let found = code(text).lines().find(is_unsafe).map(str::to_owned);
        assert_eq!(found, None, "{name}");
    }
}

#[test]
fn files_are_short() {
    let too_long: Vec<String> = files()
        .iter()
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > 500)
        .map(|(name, lines)| format!("{name}: {lines}"))
        .collect();
    assert!(too_long.is_empty(), "{}", too_long.join("\n"));
}
