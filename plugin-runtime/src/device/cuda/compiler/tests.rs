//! With NVRTC, where it is there.

use super::*;

const HOPPER: Architecture = Architecture { major: 9, minor: 0 };

const GOOD: Source = Source {
    name: "kernels/add.cu",
    text: "#include \"parts/common.cuh\"\nextern \"C\" __global__ void add(float* x) { x[threadIdx.x] += DELTA; }\n",
    rust_file: "crate/src/add.rs",
    headers: &[("parts/common.cuh", "#define DELTA 1.0f\n")],
    options: &["--use_fast_math"],
};

/// Says loudly that a test is left out.
fn nvrtc_is_there(test: &str) -> bool {
    match Nvrtc::get() {
        Ok(_) => true,
        Err(error) => {
            assert!(std::env::var_os("NVRTC_LIBRARY").is_none(), "{error}");
            eprintln!("SKIPPED {test}: {error}");
            false
        }
    }
}

#[test]
fn machine_code_with_a_header_and_options() {
    if nvrtc_is_there("machine_code_with_a_header_and_options") {
        let image = compile_with_cache(&GOOD, HOPPER, None).unwrap();
        assert!(image.bytes().starts_with(b"\x7fELF"));
    }
}

#[test]
fn a_mistake_is_told_with_the_authors_file_and_line() {
    if !nvrtc_is_there("a_mistake_is_told_with_the_authors_file_and_line") {
        return;
    }
    let bad = Source { text: "\n\n__global__ void add() { y; }\n", ..GOOD };
    let error = compile_with_cache(&bad, HOPPER, None).unwrap_err().to_string();
    assert!(error.starts_with("CUDA source `crate/src/kernels/add.cu` doesn't compile for sm_90 (NVRTC "), "{error}");
    assert!(error.contains("crate/src/kernels/add.cu(3): error: identifier \"y\" is undefined"), "{error}");

    let bad = Source { headers: &[("parts/common.cuh", "\n#define DELTA z\n")], ..GOOD };
    let error = compile_with_cache(&bad, HOPPER, None).unwrap_err().to_string();
    assert!(error.contains("identifier \"z\" is undefined"), "{error}");

    let bad = Source { options: &["--no-such-option"], ..GOOD };
    let error = compile_with_cache(&bad, HOPPER, None).unwrap_err().to_string();
    assert!(error.contains("--no-such-option"), "{error}");

    let bad = Source { text: "a\0b", ..GOOD };
    let error = compile_with_cache(&bad, HOPPER, None).unwrap_err().to_string();
    assert!(error.contains("NUL at byte 1"), "{error}");
}

#[test]
fn an_unknown_architecture_is_told_with_the_known_ones() {
    if nvrtc_is_there("an_unknown_architecture_is_told_with_the_known_ones") {
        let old = Architecture { major: 3, minor: 0 };
        let error = compile_with_cache(&GOOD, old, None).unwrap_err().to_string();
        assert!(error.contains("can't be compiled for sm_30") && error.contains("sm_90"), "{error}");
    }
}

#[test]
fn many_threads_compile_at_once() {
    if nvrtc_is_there("many_threads_compile_at_once") {
        let images = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| compile_with_cache(&GOOD, HOPPER, None))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect::<Vec<_>>()
        });
        assert!(images.windows(2).all(|pair| pair[0].bytes() == pair[1].bytes()));
    }
}

#[test]
fn long_logs_are_cut() {
    let log = "ä".repeat(MAX_LOG_BYTES);
    let cut = cut(&log);
    assert!(cut.len() < MAX_LOG_BYTES + 64 && cut.ends_with(&format!("{MAX_LOG_BYTES} more bytes")), "{cut}");
}
