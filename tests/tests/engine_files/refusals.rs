//! What can't be loaded or saved, and what is said of it.

use std::path::Path;

use plugin_runtime::ErrorKind;
use plugin_runtime::device::Device;
use plugin_runtime::engine::{Builder, Engine};
use plugin_runtime::network::Network;
use plugin_runtime::plugin::RegistryError;
use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;
use tests::plugins::scale;

use crate::mutations::crc32;

/// An engine with a constant of so many floats.
fn engine(floats: usize) -> Engine {
    let mut network = Network::new();
    let constant = HostTensor::zeros(DataType::Float32, &[floats as i64]).unwrap();
    let c = network.add_constant("c", constant).unwrap();
    let [y] = network.add_plugin(scale::op(c, 2.0)).unwrap();
    network.mark_output(y, "y").unwrap();
    Builder::new(Device::cpu()).build(&network).unwrap()
}

fn load(path: &Path, content: &[u8]) -> Result<Engine> {
    std::fs::write(path, content).unwrap();
    Engine::load(path)
}

#[test]
fn a_file_that_is_not_whole_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.engine");
    let saved = engine(3).to_bytes().unwrap();
    let said = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut content = saved.clone();
        change(&mut content);
        let error = load(&path, &content).unwrap_err().to_string();
        let place = format!("engine file `{}` can't be loaded: ", path.display());
        error.strip_prefix(&place).unwrap_or_else(|| panic!("{error}")).to_owned()
    };
    let len = saved.len();
    let not_ours = "it isn't an engine file: it begins with ";
    assert_eq!(said(&|f| f.clear()), format!("{not_ours}\"\", not \"\\x89PLAN\\r\\n\\x1a\""));
    assert!(said(&|f| *f = b"\x08\x0a\x12\x04onnx".to_vec()).starts_with(not_ours));
    assert!(said(&|f| f.retain(|byte| *byte != b'\r')).starts_with(not_ours));
    assert_eq!(said(&|f| f.truncate(40)), "it is cut short: it has 40 bytes, but should have 64");
    assert_eq!(
        said(&|f| f.truncate(len - 1)),
        format!("it is cut short: it has {} bytes, but should have {len}", len - 1)
    );
    assert_eq!(
        said(&|f| f.push(0)),
        format!("something was added to it: it has {} bytes, but should have {len}", len + 1)
    );
    assert_eq!(
        said(&|f| f[8] = 1),
        "it has format version 1, but this program reads version 2: save the engine again with the version of this program"
    );
    assert!(said(&|f| f[30] = 1).starts_with("its header is damaged: the checksum is "));
    assert!(said(&|f| f[70] = 1).starts_with("its table of sections is damaged: "));
    assert!(said(&|f| f[130] ^= 1).starts_with("its graph is damaged: "));
    assert!(said(&|f| f[len - 1] ^= 1).starts_with("constant 0: it is damaged: "));
}

#[test]
fn a_missing_plugin_is_the_registrys_own_error() {
    let folder = tempfile::tempdir().unwrap();
    let saved = engine(3).to_bytes().unwrap();
    let at = saved.windows(11).position(|w| w == b"test::scale").unwrap();
    let mut content = saved.clone();
    content[at..at + 11].copy_from_slice(b"test::shale");
    let sum = |bytes: &[u8]| crc32(bytes).to_le_bytes();
    let graph = 128..128 + u64::from_le_bytes(content[80..88].try_into().unwrap()) as usize;
    let sealed = sum(&content[graph]);
    content[68..72].copy_from_slice(&sealed);
    let table = sum(&content[64..128]);
    content[24..28].copy_from_slice(&table);
    let header = sum(&content[..60]);
    content[60..64].copy_from_slice(&header);
    let error = load(&folder.path().join("x.engine"), &content).unwrap_err();
    assert!(error.kind() == ErrorKind::Registry);
    assert!(error.downcast_ref::<RegistryError>().is_some());
    assert!(error.message().starts_with("no plugin `test::shale` v1 is linked; did you mean `test::scale`"), "{error}");
    assert!(error.to_string().contains("x.engine` can't be loaded: no plugin"), "{error}");
}

#[test]
fn damage_of_a_large_constant_shows_when_it_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.engine");
    let mut content = engine(2 << 20).to_bytes().unwrap();
    load(&path, &content).unwrap().verify().unwrap();
    *content.last_mut().unwrap() ^= 1;
    // A new file: the one above may still be mapped.
    std::fs::remove_file(&path).unwrap();
    let damaged = load(&path, &content).unwrap();
    let error = damaged.verify().unwrap_err().to_string();
    assert!(error.starts_with("constant 0: it is damaged: its checksum is "), "{error}");
    let again = Engine::from_bytes(&damaged.to_bytes().unwrap()).unwrap();
    assert!(again.verify().is_err(), "saving again must not hide the damage");
}

#[test]
fn what_is_no_ordinary_file_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let said = |path: &Path| Engine::load(path).unwrap_err().to_string();
    assert!(said(folder.path()).ends_with("can't be loaded: it isn't an ordinary file"));
    assert!(said(&folder.path().join("missing")).contains("missing` can't be loaded: "));
    #[cfg(unix)]
    assert!(said(Path::new("/dev/null")).ends_with("can't be loaded: it isn't an ordinary file"));
}

#[test]
fn a_file_that_cannot_be_written_leaves_things_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken");
    std::fs::create_dir(&taken).unwrap();
    std::fs::write(taken.join("inside"), "stays").unwrap();
    let engine = engine(3);
    for path in [taken.clone(), folder.path().join("missing").join("x.engine"), folder.path().join("..")] {
        let error = engine.save(&path).unwrap_err().to_string();
        assert!(error.starts_with(&format!("engine file `{}` can't be written: ", path.display())), "{error}");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["taken"]);
    assert_eq!(std::fs::read(taken.join("inside")).unwrap(), b"stays");
}

#[test]
#[cfg(unix)]
fn a_link_leads_to_the_file_that_is_replaced() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("x.engine"), folder.path().join("link"));
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    symlink(&path, &link).unwrap();
    engine(3).save(&link).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    Engine::load(&path).unwrap();
}

#[test]
fn a_loaded_engine_survives_its_file_being_saved_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.engine");
    engine(2000).save(&path).unwrap();
    let loaded = Engine::load(&path).unwrap();
    engine(1).save(&path).unwrap();
    let found = loaded.create_context().unwrap().run(&[]).unwrap();
    assert_eq!(found[0].1.shape(), [2000]);
}
