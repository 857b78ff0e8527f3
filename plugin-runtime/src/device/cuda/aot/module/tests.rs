//! Which image a device gets.

use super::*;

fn ptx(target: &str) -> AotBinary {
    AotBinary::new(format!("// made by hand\n.version 8.0\n  .target {target}\n.address_size 64\n").as_bytes()).unwrap()
}

/// A cubin, as far as it is looked at here.
fn cubin(number: u8) -> AotBinary {
    AotBinary {
        target: Some(Target { architecture: Architecture::from_number(number.into()), exact: false }),
        ..fake()
    }
}

/// Bytes of a cubin without sections.
fn fake() -> AotBinary {
    let mut bytes = [0; 128];
    bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
    bytes[18] = 190;
    (bytes[40], bytes[58], bytes[60]) = (64, 64, 1);
    AotBinary::new(&bytes).unwrap()
}

fn best(binaries: &[AotBinary], number: u32) -> Result<String> {
    let module = AotModule::new(binaries.to_vec())?;
    Ok(module.binary_for(Architecture::from_number(number))?.describe())
}

#[test]
fn machine_code_comes_before_ptx_and_the_nearest_before_others() {
    let all = [ptx("sm_70"), cubin(80), cubin(86), cubin(90), ptx("sm_90a"), ptx("sm_80, debug")];
    for (number, expected) in [
        (75, "PTX for sm_70"),
        (80, "cubin for sm_80"),
        (86, "cubin for sm_86"),
        (89, "cubin for sm_86"),
        (90, "cubin for sm_90"),
        (100, "PTX for sm_80"),
    ] {
        assert_eq!(best(&all, number).unwrap(), expected, "on sm_{number}");
    }
    assert_eq!(best(&all[4..5], 90).unwrap(), "PTX for sm_90 alone");
    let message = best(&all[1..5], 100).unwrap_err().to_string();
    assert_eq!(
        message,
        "no image runs on sm_100: there is cubin for sm_80, cubin for sm_86, cubin for sm_90, PTX for sm_90 alone; build the \
         engine for it, see Builder::architectures"
    );
}

#[test]
fn images_are_made_once_and_have_to_serve_every_architecture() {
    let [ampere, hopper] = [80, 90].map(Architecture::from_number);
    let compiler = AotCompiler::new(&Device::cpu(), &[hopper, ampere, hopper]);
    assert_eq!(compiler.architectures, [ampere, hopper]);
    let text = ".version 8.0\n.target sm_80\n";
    let [first, second] = [0, 1].map(|_| compiler.module(&AotImage::from(text)).unwrap());
    assert!(Arc::ptr_eq(&first, &second));
    let newer = AotImage::from(".version 8.0\n.target sm_90\n");
    let message = compiler.module(&newer).map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("no image runs on sm_80: there is PTX for sm_90"), "{message}");
    let message = compiler.module(&AotImage::Cubins(vec![])).map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("it has no image"), "{message}");
}
