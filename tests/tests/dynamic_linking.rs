//! The runtime beside crates that have `cudarc` link the driver when they are built.

use std::path::Path;
use std::process::Command;

#[test]
fn it_compiles_where_another_crate_links_the_driver() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let checked = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--locked", "--quiet", "--manifest-path"])
        .arg(tests.join("dynamic_linking/Cargo.toml"))
        .env("CARGO_TARGET_DIR", tests.join("../target/dynamic_linking"))
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
