//! Images of every kind, whole and damaged.

use super::super::{Parameter, Source};
use super::*;

const SOURCE: Source = Source {
    name: "k.cu",
    text: "",
    rust_file: "crate/src/lib.rs",
    headers: &[],
    options: &[],
    image: None,
    instances: &[],
};

const PTX: &str = "//
// Generated
/* .entry no( */
.version 8.0
.target sm_90
.file 1 \"a .entry quoted(.cu\"
.visible .entry add(
    .param .u64 .ptr .global .align 16 add_param_0, // x, .u32
    .param .align 4 .b8 add_param_1[2][8],
    .param .u8 add_param_2
)
.maxntid 256, 1, 1
{ .reg .b64 %rd<4>; ld.param.u64 %rd1, [add_param_0]; }
.visible .entry none() { ret; }
.entry bare { ret; }
.visible .entry odd(.param .texref t, .param .u32 n) { ret; }
.func helper(.param .u32 n) { ret; }
";

const PARAMETERS: &[Parameter] = &[
    Parameter { name: "x", ty: "DeviceSlice<f32>", bytes: 8 },
    Parameter { name: "n", ty: "u32", bytes: 4 },
    Parameter { name: "delta", ty: "f32", bytes: 4 },
];

fn declared(name: &'static str, parameters: &'static [Parameter]) -> KernelEntry {
    KernelEntry { source: &SOURCE, name, parameters }
}

/// As compilers write them, with one kernel; each parameter's record has what the two versions have.
fn cubin(abi: u8, flags: u32, records: &[u8]) -> Vec<u8> {
    let names = b"\0.strtab\0.symtab\0.nv.info.add\0add\0helper\0";
    let mut symbols = vec![0u8; 24];
    for (name, other) in [(30u32, 0x10u8), (34, 0)] {
        symbols.extend(name.to_le_bytes());
        symbols.extend([0x12, other]);
        symbols.extend([0; 18]);
    }
    let sections: [(u32, u32, &[u8]); 4] = [(0, 0, &[]), (1, 3, names), (9, 2, &symbols), (17, 0x7000_0000, records)];
    let mut file = vec![0u8; 64];
    let mut headers = Vec::new();
    for (name, kind, content) in sections {
        let mut header = [0u8; 64];
        header[..4].copy_from_slice(&name.to_le_bytes());
        header[4..8].copy_from_slice(&kind.to_le_bytes());
        header[24..32].copy_from_slice(&(file.len() as u64).to_le_bytes());
        header[32..40].copy_from_slice(&(content.len() as u64).to_le_bytes());
        header[40..44].copy_from_slice(&1u32.to_le_bytes());
        headers.extend(header);
        file.extend(content);
    }
    file[..9].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0x41, abi]);
    file[18..20].copy_from_slice(&190u16.to_le_bytes());
    let at = file.len() as u64;
    file[40..48].copy_from_slice(&at.to_le_bytes());
    file[48..52].copy_from_slice(&flags.to_le_bytes());
    file[58..64].copy_from_slice(&[64, 0, 4, 0, 1, 0]);
    file.extend(headers);
    file
}

fn record(attribute: u8, ordinal: u16, offset: u16, word: u32) -> Vec<u8> {
    let mut record = vec![4, attribute, 12, 0, 0, 0, 0, 0];
    record.extend(ordinal.to_le_bytes());
    record.extend(offset.to_le_bytes());
    record.extend(word.to_le_bytes());
    record
}

/// `add(float*, unsigned, float)`.
fn add_records() -> Vec<u8> {
    let parameters =
        [record(0x17, 2, 12, 0x0011_F000), record(0x17, 1, 8, 0x0011_F000), record(0x17, 0, 0, 0x0021_F500)];
    [vec![1, 0x35, 0, 0], parameters.concat(), vec![3, 0x19, 16, 0]].concat()
}

fn hopper_cubin() -> Vec<u8> {
    cubin(8, 0x0900_5A04, &add_records())
}

#[test]
fn a_cubin_tells_its_architecture_kernels_and_parameters() {
    let image = Image::from_bytes(&hopper_cubin()).unwrap();
    assert_eq!((image.kind(), image.bytes()), (ImageKind::Cubin, &*hopper_cubin()));
    assert_eq!(image.architecture(), Some(Architecture { major: 9, minor: 0 }));
    assert_eq!(image.kernel_names(), Some(vec!["add"]));
    assert_eq!(image.parameters("add"), Some(vec![8, 4, 4]));
    assert_eq!(image.parameters("helper"), None);

    let old = Image::from_bytes(&cubin(7, 0x0050_0550, &[])).unwrap();
    assert_eq!(old.architecture(), Some(Architecture { major: 8, minor: 0 }));
    assert_eq!(old.parameters("add"), Some(vec![]));
    let new = Image::from_bytes(&cubin(8, 0x0900_7802, &[])).unwrap();
    assert_eq!(new.architecture(), Some(Architecture { major: 12, minor: 0 }));
}

#[test]
fn many_bytes_of_parameters_are_told_otherwise() {
    let records = [record(0x45, 1, 8, 20_000), record(0x45, 0, 0, 0x0500_0008), vec![3, 0x19, 0x28, 0x4E]].concat();
    let image = Image::from_bytes(&cubin(8, 0x0900_6402, &records)).unwrap();
    assert_eq!(image.parameters("add"), Some(vec![8, 20_000]));
}

#[test]
fn parameters_that_are_told_in_part_are_not_told() {
    let total = vec![3, 0x19, 16, 0];
    for records in [
        total.clone(),
        [record(0x17, 1, 0, 0x0021_F000), total.clone()].concat(),
        [record(0x17, 0, 0, 0x0021_F000), record(0x17, 0, 0, 0x0021_F000), total.clone()].concat(),
        record(0x17, 0, 0, 0x0021_F000),
        [vec![4, 0x17, 4, 0, 0, 0, 0, 0], total].concat(),
        vec![4, 0x17, 12],
    ] {
        assert_eq!(Image::from_bytes(&cubin(8, 0x0900_5A04, &records)).unwrap().parameters("add"), None, "{records:?}");
    }
}

#[test]
fn ptx_tells_its_kernels_and_parameters() {
    let image = Image::from_bytes(PTX.as_bytes()).unwrap();
    assert_eq!((image.kind(), image.architecture()), (ImageKind::Ptx, None));
    assert_eq!(image.bytes(), [PTX.as_bytes(), &[0]].concat());
    assert_eq!(Image::from_bytes(image.bytes()).unwrap().bytes(), image.bytes(), "one NUL is enough");
    assert_eq!(image.kernel_names(), Some(vec!["add", "none", "bare", "odd"]));
    assert_eq!(image.parameters("add"), Some(vec![8, 16, 1]));
    assert_eq!(image.parameters("none"), Some(vec![]));
    assert_eq!(image.parameters("bare"), Some(vec![]));
    assert_eq!(image.parameters("odd"), None, "an unknown type");
    assert_eq!(image.parameters("helper"), None);
}

#[test]
fn a_fatbin_is_taken_as_it_is() {
    let mut bytes = [&FATBIN_MAGIC[..], &[1, 0, 16, 0], &3u64.to_le_bytes(), b"abc"].concat();
    let image = Image::from_bytes(&bytes).unwrap();
    assert_eq!((image.kind(), image.kernel_names(), image.parameters("add")), (ImageKind::Fatbin, None, None));
    image.check(&declared("add", PARAMETERS)).unwrap();
    for end in 4..bytes.len() {
        assert!(Image::from_bytes(&bytes[..end]).is_err(), "cut to {end} bytes");
    }
    bytes[8..16].fill(0xFF);
    assert!(Image::from_bytes(&bytes).is_err());
}

#[test]
fn a_cubin_that_points_beyond_its_end_is_refused() {
    let whole = hopper_cubin();
    for end in 0..whole.len() {
        assert!(Image::from_bytes(&whole[..end]).is_err(), "cut to {end} bytes");
    }
    let sections_at = whole.len() - 4 * 64;
    let mut size = whole.clone();
    size[sections_at + 3 * 64 + 34] = 1;
    assert!(Image::from_bytes(&size).is_err(), "a section of 64 KiB");
    size[sections_at + 3 * 64 + 4..][..4].copy_from_slice(&8u32.to_le_bytes());
    Image::from_bytes(&size).expect("one that isn't in the file may be of any size");

    let mut segment = whole.clone();
    segment[32..40].copy_from_slice(&64u64.to_le_bytes());
    segment[54..58].copy_from_slice(&[56, 0, 1, 0]);
    assert!(Image::from_bytes(&segment).is_err(), "names and symbols, taken for a segment");
}

#[test]
fn other_bytes_are_refused() {
    let mut host_library = hopper_cubin();
    host_library[18] = 62;
    for bytes in [&b""[..], b"\0", b"\x7fELF", &host_library, b"__global__ void f() {}", b".version\0 8.0", b"\xff\xfe"]
    {
        assert!(Image::from_bytes(bytes).is_err(), "{}", bytes.escape_ascii());
    }
    let error = Image::from_bytes(b"\x89PNG").unwrap_err().to_string();
    assert!(error.starts_with("4 bytes that are no CUDA image") && error.ends_with("`\\x89PNG`"), "{error}");
}

#[test]
fn a_declaration_is_compared() {
    let image = Image::from_bytes(&hopper_cubin()).unwrap();
    image.check(&declared("add", PARAMETERS)).unwrap();

    const WIDE: &[Parameter] = &[PARAMETERS[0], Parameter { name: "n", ty: "u64", bytes: 8 }, PARAMETERS[2]];
    let error = image.check(&declared("add", WIDE)).unwrap_err().to_string();
    assert!(error.starts_with("kernel `add` of `crate/src/k.cu` takes 3 parameters of 8, 4, 4 bytes, but "), "{error}");
    assert!(error.contains("`n`, has 8 bytes"), "{error}");
    let error = image.check(&declared("add", &PARAMETERS[..2])).unwrap_err().to_string();
    assert!(error.contains("isn't declared"), "{error}");
    let error = image.check(&declared("ad", PARAMETERS)).unwrap_err().to_string();
    assert!(error.starts_with("CUDA source `crate/src/k.cu` has no kernel `ad`, that is, `extern "), "{error}");
    assert!(error.ends_with("it has `add`; did you mean `add`?"), "{error}");
}

/// How many mutants of each image are tried; the variable MUTATIONS says another number.
const MUTANTS: u32 = 20_000;

#[test]
fn damaged_images_give_an_answer_or_nothing() {
    let mutants = std::env::var("MUTATIONS").map_or(MUTANTS, |number| number.parse().unwrap());
    let large = cubin(7, 0x005A_055A, &[record(0x45, 0, 0, 8), vec![3, 0x19, 8, 0]].concat());
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % below.max(1)
    };
    let mut read = 0;
    for original in [hopper_cubin(), large, PTX.as_bytes().to_vec()] {
        for _ in 0..mutants {
            let mut mutant = original.clone();
            for _ in 0..=random(3) {
                let at = random(mutant.len());
                match random(6) {
                    0 => mutant.truncate(at),
                    1 => mutant.extend_from_within(..at),
                    2 => drop(mutant.drain(at..mutant.len().min(at + random(16)))),
                    3 => mutant[at..].iter_mut().take(8).for_each(|byte| *byte = 0xFF),
                    4 => mutant[at..].iter_mut().take(1).for_each(|byte| *byte ^= 1 << random(8)),
                    _ => mutant[at..].iter_mut().take(1).for_each(|byte| *byte = random(256) as u8),
                }
            }
            if let Ok(image) = Image::from_bytes(&mutant) {
                let _ = (image.architecture(), image.kernel_names(), image.check(&declared("add", PARAMETERS)));
                read += usize::from(image.parameters("add").is_some());
            }
        }
    }
    assert!(read > 0);
}
