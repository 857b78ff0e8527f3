//! Files of CUDA C++ as they are written.

use quote::quote;

use super::cuda::{CudaFile, CudaType, HEADER_TYPES, read};
use super::kernels;

fn names(file: &CudaFile) -> Vec<&str> {
    file.kernels.iter().map(|kernel| kernel.name.as_str()).collect()
}

fn parameters(text: &str) -> Vec<(bool, bool, CudaType)> {
    let file = read(text, &[]);
    file.kernels[0].parameters.iter().map(|p| (p.is_pointer, p.is_const, p.ty.clone())).collect()
}

#[test]
fn kernels_are_found_among_other_code() {
    let file = read(
        "#include <cuda_fp16.h>\n\
         // __global__ void commented(float* x) {}\n\
         /* extern \"C\" __global__ void too(); */\n\
         static __device__ float helper(float x) { return x; }\n\
         const char* text = \"__global__ void quoted(\";\n\
         extern \"C\" __global__ void __launch_bounds__(256, 2) first(const float* x) { helper(*x); }\n\
         __global__ __launch_bounds__(128) void plain() {}\n\
         template <typename T, int N = 4>\n__global__ void many(T* x) {}\n\
         extern \"C\" void __global__ turned(int n) {}\n",
        &[],
    );
    assert_eq!(names(&file), ["first", "plain", "many", "turned"]);
    assert_eq!(file.kernels.iter().map(|k| k.is_extern_c).collect::<Vec<_>>(), [true, false, false, true]);
    assert_eq!(file.kernels[2].template, ["T", "N"]);
    assert!(!file.has_more && !file.uses_runtime_header);
    assert!(read("extern \"C\" {\n__global__ void a() {}\n}", &[]).kernels[0].is_extern_c);
}

#[test]
fn what_the_preprocessor_makes_is_left_to_it() {
    assert!(read("#define K(N) \\\n extern \"C\" __global__ void N()\nK(a) {}", &[]).has_more);
    assert!(read("#include \"other.cuh\"\n", &[]).has_more);
    assert!(!read("#include \"other.cuh\"\n", &["other.cuh".to_owned()]).has_more);
    let own = read("#include <plugin_runtime.cuh>\n", &[]);
    assert!(own.uses_runtime_header && !own.has_more);
}

#[test]
fn types_of_parameters_are_read() {
    let all = parameters(
        "typedef unsigned long long u64;\nusing index = int;\n\
         extern \"C\" __global__ void k(const float* __restrict__ x, float* y, u64 n, index i, const __half *h, unsigned u,\n\
         const int c, float const* z, Affine a, void* p, unsigned char, float v[4], const float** pp, vec<float, 4> w)",
    );
    let integer = CudaType::Integer;
    let expected = [
        (true, true, CudaType::Float(4)),
        (true, false, CudaType::Float(4)),
        (false, false, integer(8, false)),
        (false, false, integer(4, true)),
        (true, true, CudaType::Half),
        (false, false, integer(4, false)),
        (false, false, integer(4, true)),
        (true, true, CudaType::Float(4)),
        (false, false, CudaType::Other),
        (true, false, CudaType::Void),
        (false, false, integer(1, false)),
        (true, false, CudaType::Float(4)),
        (true, true, CudaType::Other),
        (false, false, CudaType::Other),
    ];
    assert_eq!(all, expected);
    assert_eq!(parameters("extern \"C\" __global__ void k(void) {}"), []);
    let generic = "template <class T> __global__ void k(const T* x, T* y)";
    assert_eq!(parameters(generic)[1], (true, false, CudaType::Template("T".to_owned())));
}

#[test]
fn the_runtime_headers_types_are_known() {
    let header = include_str!("../../../plugin-runtime/src/device/cuda/plugin_runtime.cuh");
    let types: String = header.split_inclusive('\n').filter(|line| line.starts_with("typedef")).collect();
    assert_eq!(types, HEADER_TYPES);
    let kernel = "extern \"C\" __global__ void k(const i64* x, u32 n, i8 c)";
    let integer = CudaType::Integer;
    let expected =
        [(true, true, integer(8, true)), (false, false, integer(4, false)), (false, false, integer(1, true))];
    assert_eq!(parameters(&format!("#include <plugin_runtime.cuh>\n{kernel}")), expected);
    assert!(parameters(kernel).iter().all(|(_, _, ty)| *ty == CudaType::Other), "without the header");
}

#[test]
fn names_that_may_stand_for_more_are_left_open() {
    for types in [
        "typedef float* n;",
        "typedef float n[4];",
        "typedef float (*n)(int);",
        "using n = vec<float, 4>;",
        "void f() { using n = int; } typedef float n;",
        "#ifdef WIDE\ntypedef double n;\n#else\ntypedef float n;\n#endif",
        "using namespace std;",
        "typedef",
    ] {
        let kernel = format!("{types}\nextern \"C\" __global__ void k(n x)");
        assert_eq!(parameters(&kernel), [(false, false, CudaType::Other)], "{types}");
    }
}

#[test]
fn names_of_parameters_are_read() {
    let file = read(
        "extern \"C\" __global__ void k(const float* __restrict__ x, int n, const int c = 3, unsigned, float v[4], float*, \
         Affine a, vec<float, 4> w)",
        &[],
    );
    let names: Vec<&str> = file.kernels[0].parameters.iter().map(|p| p.name.as_deref().unwrap_or("")).collect();
    assert_eq!(names, ["x", "n", "c", "", "v", "", "a", "w"]);
}

#[test]
fn torn_files_are_read_as_far_as_they_go() {
    let whole = "extern \"C\" template <typename T> __global__ void __launch_bounds__(4) k(const T* x, \"a\" /* b */ int n = (3)) {";
    for end in 0..=whole.len() {
        let _ = read(&whole[..end], &[]);
        let _ = read(&whole[end..], &[]);
    }
    for odd in
        ["__global__", "__global__ (", "__global__ void k(", "template __global__ void k()", "template <", "\"\\", "#"]
    {
        let _ = read(odd, &[]);
    }
}

#[test]
fn odd_declarations_are_reported() {
    let odd = [
        quote!([crate]),
        quote!([crate] source),
        quote!([crate] source A),
        quote!([crate] source A = 3;),
        quote!([crate] source A = "a.cu"),
        quote!([crate] source A = "a.cu", headers;),
        quote!([crate] source A = "a.cu", headers [1];),
        quote!([crate] source A = "a.cu"; fn),
        quote!([crate] source A = "a.cu"; fn f),
        quote!([crate] source A = "a.cu"; fn f(x);),
        quote!([crate] source A = "a.cu"; fn f<T>(x: DeviceSlice<T>);),
        quote!([crate] source A = "a.cu"; fn f<T in []>(x: DeviceSlice<T>);),
        quote!([crate] source A = "a.cu"; fn f(&self);),
        quote!([crate] source A = "a.cu"; fn f(n: i32 = x.len());),
        quote!([crate] fn f();),
        quote!(),
    ];
    for tokens in odd {
        let expansion = kernels(tokens.clone()).to_string();
        assert!(expansion.contains("compile_error"), "{tokens}: {expansion}");
    }
    let good = kernels(quote!([$crate] source A = "a.cu"; fn f(x: DeviceSlice<f32>, n: i64 = x.len());)).to_string();
    assert!(!good.contains("compile_error"), "{good}");
}
