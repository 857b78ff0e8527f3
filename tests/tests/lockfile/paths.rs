//! Files that can't be written, aren't lockfiles, or were damaged.

use std::fs;
use std::path::PathBuf;

use tests::Random;

use crate::counting::{TACTICS, builder, folder, network, runs_of};

#[test]
fn a_path_that_cannot_be_written_is_an_error_before_anything_runs() {
    let (folder, path) = folder();
    let network = network("unwritable");
    fs::write(&path, "").unwrap();
    let mut refused = vec![
        (folder.path().join("no/such/tuning.lock"), "its folder `"),
        (path.join("tuning.lock"), ""),
        (folder.path().to_owned(), "it isn't a file"),
        (PathBuf::new(), ""),
        (path.clone(), "line 1: the file is empty"),
    ];
    #[cfg(unix)]
    {
        let dangling = folder.path().join("dangling");
        std::os::unix::fs::symlink("nowhere", &dangling).unwrap();
        refused.push((dangling, "it is a link to a file that isn't there"));
        refused.push(("/dev/null".into(), "it isn't a file"));
    }
    for (path, reason) in refused {
        let error = builder().lockfile(&path).build(&network).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("tuning lockfile `{}`: ", path.display())) && error.contains(reason),
            "{error}"
        );
    }
    let read_only = folder.path().join("read_only");
    builder().lockfile(&read_only).build(&crate::counting::network("read_only")).unwrap();
    let mut permissions = fs::metadata(&read_only).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&read_only, permissions).unwrap();
    let error = builder().lockfile(&read_only).build(&network).unwrap_err().to_string();
    assert!(error.ends_with("it can't be written: it is read-only"), "{error}");
    builder().locked(&read_only).build(&crate::counting::network("read_only")).unwrap();
    assert!(runs_of("unwritable").is_empty());
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_and_permissions_stay() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = folder();
    let network = network("link");
    builder().lockfile(&path).build(&network).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("tuning.lock", &link).unwrap();
    let before = fs::read_to_string(&path).unwrap();
    TACTICS.lock().unwrap().insert("link".into(), vec![1, 2, 3]);
    builder().lockfile(&link).build(&network).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&path).unwrap().len() > before.len());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn damaged_lockfiles_end_in_an_engine_or_an_error() {
    let (_folder, path) = folder();
    let network = network("damage");
    builder().lockfile(&path).build(&network).unwrap();
    let whole = fs::read(&path).unwrap();
    let mut random = Random::new(4);
    let (mut built, mut refused) = (0, 0);
    for _ in 0..300 {
        let mut bytes = whole.clone();
        let at = random.below(bytes.len());
        match random.below(5) {
            0 if bytes[at].is_ascii_digit() => bytes[at] = b'1' + random.below(9) as u8,
            0 => {}
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes.truncate(at),
            3 => drop(bytes.splice(at..at, b"\n<<<<<<< ours\n".iter().copied())),
            _ => drop(bytes.drain(at..at + random.below(bytes.len() - at))),
        }
        fs::write(&path, &bytes).unwrap();
        match builder().locked(&path).build(&network) {
            Ok(_) => built += 1,
            Err(error) => {
                refused += 1;
                assert!(error.to_string().contains(&format!("tuning lockfile `{}`", path.display())), "{error}");
            }
        }
    }
    assert!(built > 0 && refused > built, "{built} built, {refused} refused");
    fs::write(&path, b"\n".repeat(64 << 20).as_slice()).unwrap();
    assert!(builder().locked(&path).build(&network).is_err());
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let error = builder().locked(&path).build(&network).unwrap_err().to_string();
    assert!(error.ends_with("it has more than 67108864 bytes, so this is no tuning lockfile"), "{error}");
}
