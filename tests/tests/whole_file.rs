//! Files that are written whole or not at all, also when writers are killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use plugin_runtime::device::Device;
use plugin_runtime::engine::Builder;
use plugin_runtime::network::Network;
use plugin_runtime::tensor::DataType;
use plugin_runtime::whole_file::write;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_killed_writers_left_is_removed_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let left = [".engine.1-0.part", ".engine.4294967295-17.part"];
    let others = [
        ".1-0.part",
        ".engine.1-0.partial",
        ".engine.1.part",
        ".engine.1-.part",
        ".engine.1-0-0.part",
        ".engine.b.1-0.part",
        ".other.1-0.part",
        "engine.1-0.part",
    ];
    left.iter().chain(&others).for_each(|name| fs::write(at(name), "half").unwrap());
    let mut permissions = fs::metadata(at(left[0])).unwrap().permissions();
    permissions.set_readonly(cfg!(unix));
    fs::set_permissions(at(left[0]), permissions).unwrap();
    write(&at("engine"), |out| out.write_all(b"whole")).unwrap();
    let mut expected: Vec<&str> = others.to_vec();
    expected.push("engine");
    expected.sort_unstable();
    assert_eq!(names(folder.path()), expected);
    assert_eq!(fs::read(at("engine")).unwrap(), b"whole");
}

#[test]
fn the_files_of_writers_at_work_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine");
    write(&path, |outer| {
        outer.write_all(b"first")?;
        write(&path, |inner| {
            inner.write_all(b"second")?;
            assert_eq!(names(folder.path()).len(), 2);
            Ok(())
        })?;
        assert_eq!(fs::read(&path)?, b"second");
        assert_eq!(names(folder.path()).len(), 2);
        Ok(())
    })
    .unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"first");
    assert_eq!(names(folder.path()), ["engine"]);
}

#[test]
fn writers_at_once_leave_one_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine");
    std::thread::scope(|scope| {
        for writer in 0..8u8 {
            let path = &path;
            scope.spawn(move || {
                for _ in 0..20 {
                    write(path, |out| out.write_all(&[writer; 5000])).unwrap();
                }
            });
        }
    });
    let content = fs::read(&path).unwrap();
    assert!(content.len() == 5000 && content.iter().all(|byte| *byte == content[0]));
    assert_eq!(names(folder.path()), ["engine"]);
}

#[test]
fn a_long_name_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let name = "n".repeat(255);
    write(&folder.path().join(&name), |out| out.write_all(b"x")).unwrap();
    assert_eq!(names(folder.path()), [name]);
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_if_it_leads_somewhere() {
    let folder = tempfile::tempdir().unwrap();
    let (link, file) = (folder.path().join("link"), folder.path().join("file"));
    std::os::unix::fs::symlink("file", &link).unwrap();
    let error = write(&link, |out| out.write_all(b"x")).unwrap_err();
    assert_eq!(error.to_string(), "it is a link to a file that isn't there");
    assert_eq!(names(folder.path()), ["link"]);
    fs::write(&file, "").unwrap();
    write(&link, |out| out.write_all(b"x")).unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"x");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[cfg(unix)]
#[test]
fn an_engine_is_not_saved_onto_a_link_to_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    let mut network = Network::new();
    let x = network.add_input("x", DataType::Float32, [1]).unwrap();
    let y = network.cast(x, DataType::Int32).unwrap();
    network.mark_output(y, "y").unwrap();
    let engine = Builder::new(Device::cpu()).build(&network).unwrap();
    let error = engine.save(&link).unwrap_err().to_string();
    let expected = "can't be written: it is a link to a file that isn't there";
    assert!(error.ends_with(expected), "{error}");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(names(folder.path()), ["link"]);
}

const TARGET: &str = "TESTS_WHOLE_FILE";

#[test]
#[ignore = "a part of a_killed_writers_file_is_removed_by_the_next"]
fn one_that_is_killed() {
    let Some(path) = std::env::var_os(TARGET).map(PathBuf::from) else { return };
    write(&path, |out| {
        out.write_all(b"half")?;
        println!("writing");
        loop {
            std::thread::park();
        }
    })
    .unwrap();
}

#[test]
fn a_killed_writers_file_is_removed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine");
    for _ in 0..3 {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "one_that_is_killed", "--ignored", "--nocapture"]).env(TARGET, &path);
        let mut writer = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(writer.stdout.take().unwrap()));
        assert!(lines.any(|line| line.unwrap().contains("writing")));
        // While it lives, its file stays.
        write(&path, |out| out.write_all(b"another's")).unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        writer.kill().unwrap();
        writer.wait().unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        write(&path, |out| out.write_all(b"whole")).unwrap();
        assert_eq!(names(folder.path()), ["engine"]);
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }
}
