//! With NVRTC, where it is there.

use std::io::Write;

use super::super::{KernelEntry, Parameter};
use super::*;

const HOPPER: Architecture = Architecture { major: 9, minor: 0 };

const GOOD: Source = Source {
    name: "kernels/add.cu",
    text: "#include \"parts/common.cuh\"\nextern \"C\" __global__ void add(float* x) { x[threadIdx.x] += DELTA; }\n",
    rust_file: "crate/src/add.rs",
    headers: &[("parts/common.cuh", "#define DELTA 1.0f\n")],
    options: &["--use_fast_math"],
    image: None,
    instances: &[],
};

/// Says on the terminal, whatever the test harness captures, that a test is left out.
fn nvrtc_is_there(test: &str) -> bool {
    let Err(error) = Nvrtc::get() else { return true };
    let asked_for = std::env::var_os("NVRTC_LIBRARY").is_some_and(|path| !path.is_empty());
    assert!(!asked_for, "{error}");
    writeln!(std::io::stderr(), "\nSKIPPED {test}: {error}\n").unwrap();
    false
}

#[test]
fn machine_code_with_a_header_and_options() {
    if nvrtc_is_there("machine_code_with_a_header_and_options") {
        let image = compile_with_cache(&GOOD, HOPPER, None).unwrap();
        assert!(image.bytes().starts_with(b"\x7fELF"));
    }
}

#[test]
fn a_second_compilation_comes_from_the_cache() {
    if !nvrtc_is_there("a_second_compilation_comes_from_the_cache") {
        return;
    }
    let folder = std::env::temp_dir().join(format!("plugin-runtime-compiler-{}", std::process::id()));
    let variable = |name: &str| (name == "PLUGIN_RUNTIME_CACHE").then(|| folder.clone().into_os_string());
    let cache = Cache::from_environment(&variable).unwrap();
    let compile = || compile_with_cache(&GOOD, HOPPER, Some(&cache)).unwrap();
    let made = compile();
    assert_eq!(made.architecture(), Some(HOPPER));
    let cubins = || {
        let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|kind| kind == "cubin")).collect::<Vec<_>>()
    };
    let file = cubins().remove(0);

    // A cubin for another architecture in the file's place shows where the second one comes from.
    let other = compile_with_cache(&GOOD, Architecture { major: 8, minor: 0 }, None).unwrap();
    let nvrtc = Nvrtc::get().unwrap();
    let (name, options) = (program_name(&GOOD), options(nvrtc.include_folders(), &GOOD, HOPPER, &[]));
    let request = Request { text: GOOD.text, name: &name, headers: GOOD.headers, options: &options };
    cache.store(&Key::new(&request, nvrtc.version()), other.bytes());
    assert_eq!(compile().bytes(), other.bytes());

    std::fs::write(&file, "damaged").unwrap();
    assert_eq!(compile().architecture(), Some(HOPPER));
    assert_eq!(cubins().len(), 1);
    std::fs::remove_dir_all(&folder).unwrap();
}

const CACHE_OF_TWO_PROCESSES: &str = "PLUGIN_RUNTIME_TEST_TWO_PROCESSES";

/// It is looked up among what the process has mapped, which Linux tells.
#[cfg(target_os = "linux")]
#[test]
fn a_second_process_with_a_warm_cache_leaves_the_compiler_alone() {
    const NAME: &str = "a_second_process_with_a_warm_cache_leaves_the_compiler_alone";
    if let Some(folder) = std::env::var_os(CACHE_OF_TWO_PROCESSES) {
        let cache = Cache::from_environment(&|name| (name == "PLUGIN_RUNTIME_CACHE").then(|| folder.clone())).unwrap();
        let is_loaded = || std::fs::read_to_string("/proc/self/maps").unwrap().contains("libnvrtc");
        let is_kept = std::path::Path::new(&folder).exists();
        let other = Source { options: if is_kept { &["-DSECOND"] } else { &["-DFIRST"] }, ..GOOD };
        assert!(!is_loaded());
        assert_eq!(compile_with_cache(&GOOD, HOPPER, Some(&cache)).unwrap().architecture(), Some(HOPPER));
        assert_ne!(is_loaded(), is_kept, "the first process compiles, the second finds it");
        assert_eq!(compile_with_cache(&other, HOPPER, Some(&cache)).unwrap().architecture(), Some(HOPPER));
        assert!(is_loaded());
        return;
    }
    if !nvrtc_is_there(NAME) {
        return;
    }
    let folder = std::env::temp_dir().join(format!("plugin-runtime-two-processes-{}", std::process::id()));
    for _ in 0..2 {
        let mut process = std::process::Command::new(std::env::current_exe().unwrap());
        process.args(["--exact", &format!("device::cuda::compiler::tests::{NAME}"), "--nocapture"]);
        let output = process.env(CACHE_OF_TWO_PROCESSES, &folder).output().unwrap();
        let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert!(output.status.success() && printed[0].contains("1 passed"), "{printed:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

const CACHE_OF_PROCESS_WITHOUT_COMPILER: &str = "PLUGIN_RUNTIME_TEST_COMPILED";

#[test]
fn a_warm_cache_needs_no_compiler() {
    let folder = std::env::temp_dir().join(format!("plugin-runtime-warm-{}", std::process::id()));
    if let Some(folder) = std::env::var_os(CACHE_OF_PROCESS_WITHOUT_COMPILER) {
        let cache = Cache::from_environment(&|name| (name == "PLUGIN_RUNTIME_CACHE").then(|| folder.clone())).unwrap();
        let missing = || compile_with_cache(&GOOD, HOPPER, Some(&cache)).map(|_| ()).unwrap_err().to_string();
        assert!(missing().starts_with("NVRTC_LIBRARY names `/nonexistent/libnvrtc.so.13`"), "{}", missing());
        let kept = b".version 7.0\n.target sm_80\n.visible .entry add(.param .u64 x) { ret; }\n\0";
        let (name, options) = (program_name(&GOOD), options(&["/cuda/include".into()], &GOOD, HOPPER, &[]));
        let request = Request { text: GOOD.text, name: &name, headers: GOOD.headers, options: &options };
        cache.store(&Key::new(&request, (12, 4)), kept);
        assert_eq!(compile_with_cache(&GOOD, HOPPER, Some(&cache)).unwrap().kernel_names(), Some(vec!["add"]));
        for other in [Source { text: "", ..GOOD }, Source { options: &[], ..GOOD }, Source { headers: &[], ..GOOD }] {
            assert!(compile_with_cache(&other, HOPPER, Some(&cache)).is_err());
        }
        assert!(compile_with_cache(&GOOD, Architecture::from_number(80), Some(&cache)).is_err());
        assert!(compile_with_cache(&GOOD, HOPPER, None).is_err());
        return;
    }
    let mut process = std::process::Command::new(std::env::current_exe().unwrap());
    process.args(["--exact", "device::cuda::compiler::tests::a_warm_cache_needs_no_compiler", "--nocapture"]);
    process.env("NVRTC_LIBRARY", "/nonexistent/libnvrtc.so.13").env(CACHE_OF_PROCESS_WITHOUT_COMPILER, &folder);
    let output = process.output().unwrap();
    let _ = std::fs::remove_dir_all(&folder);
    let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success() && printed[0].contains("1 passed"), "{printed:?}");
}

#[test]
fn a_report_tells_registers_spills_and_parameters() {
    if !nvrtc_is_there("a_report_tells_registers_spills_and_parameters") {
        return;
    }
    const SPILLS: Source = Source {
        text: r#"
            struct Large { char bytes[5000]; };
            extern "C" __global__ void plain(const float* x, Large y, double z) {
                __shared__ float s[64];
                s[threadIdx.x] = x[threadIdx.x];
            }
            extern "C" __global__ void __launch_bounds__(1024, 2) spilling(float* x, short n) {
                float v[200];
                #pragma unroll
                for (int i = 0; i < 200; i++) v[i] = x[i * threadIdx.x];
                __syncthreads();
                #pragma unroll
                for (int i = 0; i < 200; i++) x[i * threadIdx.x] = v[199 - i] * v[i] + n;
            }
        "#,
        headers: &[],
        options: &[],
        ..GOOD
    };
    const LARGE: &[Parameter] = &[
        Parameter { name: "x", ty: "DeviceSlice<f32>", bytes: 8 },
        Parameter { name: "y", ty: "Large", bytes: 5000 },
        Parameter { name: "z", ty: "f64", bytes: 8 },
    ];
    // NVRTC has a cache of its own where there is a driver: the second time it has nothing to tell by itself.
    for architecture in [80, 90, 100, 90, 90].map(Architecture::from_number) {
        let report = compile_report(&SPILLS, architecture).unwrap();
        assert_eq!(report.architecture(), architecture);
        let [plain, spilling] = report.kernels() else { panic!("{report:?}") };
        assert!(plain.registers > 0 && plain.spill_store_bytes == 0, "{plain:?}");
        assert!(spilling.registers == 32 && spilling.spill_load_bytes > 0 && spilling.stack_bytes > 0, "{spilling:?}");
        report.check(&KernelEntry { source: &SPILLS, name: "plain", parameters: LARGE }).unwrap();
        let entry = KernelEntry { source: &SPILLS, name: "spilling", parameters: LARGE };
        let error = report.check(&entry).unwrap_err().to_string();
        assert!(error.contains("takes 2 parameters of 8, 2 bytes"), "{error}");
    }
}

#[test]
fn every_kind_of_memory_makes_a_whole_image() {
    if !nvrtc_is_there("every_kind_of_memory_makes_a_whole_image") {
        return;
    }
    const MEMORIES: Source = Source {
        text: r#"
            __device__ int counters[1000];
            __device__ int table[4] = {1, 2, 3, 4};
            __constant__ float factors[16];
            extern __shared__ float dynamic[];
            __device__ __noinline__ float called(float* x, int n) { float a[64]; for (int i = 0; i < n; i++) a[i] = x[i]; return a[n / 2]; }
            extern "C" __global__ void all(float* x, int n) {
                __shared__ float own[256];
                own[threadIdx.x] = dynamic[n] + called(x, n);
                __syncthreads();
                x[n] = own[n] * factors[n] + atomicAdd(&counters[n], table[n & 3]);
                printf("%d", n);
            }
        "#,
        ..GOOD
    };
    const PARAMETERS: &[Parameter] =
        &[Parameter { name: "x", ty: "f32", bytes: 8 }, Parameter { name: "n", ty: "i32", bytes: 4 }];
    for architecture in [80, 90, 100, 120].map(Architecture::from_number) {
        for options in [&["--generate-line-info"][..], &["--device-debug"], &["--relocatable-device-code=true"]] {
            let image = compile_with_cache(&Source { options, ..MEMORIES }, architecture, None).unwrap();
            assert_eq!(image.architecture(), Some(architecture));
            image.check(&KernelEntry { source: &MEMORIES, name: "all", parameters: PARAMETERS }).unwrap();
        }
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

#[test]
fn an_image_is_taken_as_it_is() {
    let ptx = ".version 7.0\n.target sm_80\n.visible .entry add(.param .u64 x) { ret; }\n";
    let image = Source { text: "", image: Some(ptx.as_bytes()), ..GOOD };
    let compiled = compile(&image, Architecture::from_number(90)).unwrap();
    assert_eq!((compiled.kind(), compiled.kernel_names()), (crate::device::cuda::ImageKind::Ptx, Some(vec!["add"])));
    let error = compile(&Source { image: Some(b""), ..image }, Architecture::from_number(90)).unwrap_err().to_string();
    assert!(error.starts_with("kernel image `crate/src/kernels/add.cu`: "), "{error}");
}
