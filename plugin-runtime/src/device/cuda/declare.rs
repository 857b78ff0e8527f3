//! `kernels!`

/// Declares kernels that are written in a CUDA C++ file beside this Rust file.
///
/// ```
/// use plugin_runtime::prelude::*;
/// # mod docs { use plugin_runtime::prelude::*;
/// kernels! {
///     source SCALE = "docs/scale.cu";
///     /// out[i] = x[i] * factor
///     fn scale_f32(x: DeviceSlice<f32>, out: DeviceSliceMut<f32>, n: u64 = x.len(), factor: f32);
/// }
///
/// fn enqueue(stream: &Stream, x: Tensor, out: TensorMut) -> Result<()> {
///     scale_f32(stream, LaunchConfig::for_elements(x.numel(), 256)?, x, out, 2.0)
/// }
/// # }
/// ```
///
/// `SCALE` is a [`Source`](crate::device::cuda::Source); `, headers ["common.cuh"]` and `, options ["--use_fast_math"]`
/// may follow the file's name. In it, the kernel is `extern "C" __global__ void scale_f32(const float* x, float* out,
/// unsigned long long n, float factor)`. `image SCALE = "scale.ptx";` takes PTX or a cubin in its place, and then NVRTC
/// isn't needed.
///
/// Each `fn` becomes a function with a stream and a [`LaunchConfig`](crate::device::cuda::LaunchConfig) before its
/// parameters. It launches the kernel and returns a `Result`; where the kernel is used for the first time, it is compiled
/// and loaded, and its parameters are compared with the compiled ones.
///
/// | declared | in CUDA C++ | what a launch is given |
/// |---|---|---|
/// | `x: DeviceSlice<f32>` | `const float* x` | a `Tensor` or `DeviceSlice`, checked; to read what a kernel wrote, `&y` |
/// | `y: DeviceSliceMut<f32>` | `float* y` | a `TensorMut`, `Workspace` or `DeviceSliceMut`, or `&mut` of one, checked |
/// | `n: i64 = x.len()` | `long long n` | nothing: it is the length of `x`, checked |
/// | `factor: f32` | `float factor` | the value; any `bytemuck::Pod` type |
///
/// `fn scale<T in [f32, f16, bf16]>(x: DeviceSlice<T>, ..)` declares a kernel for several element types, which is one
/// `template <typename T> __global__ void scale(const T* x, ..)`, or one `extern "C"` function a type, `scale_f32` and so
/// on. The type of the tensors given says which is launched. With `#include <plugin_runtime.cuh>`, which comes with the
/// runtime, `f16` and `bf16` are C++ types that convert to and from `float` by themselves; without it, they are
/// `__half` and `__nv_bfloat16` of CUDA's own headers.
///
/// The file is read while your crate is compiled: a kernel that isn't there, or whose parameters differ in number, in
/// being pointers, in `const` or in type, is a compile error at its declaration. What only the compiler of CUDA can tell,
/// `testing::check_kernels` tells in a test, without a GPU.
#[macro_export]
macro_rules! kernels {
    ($($declaration:tt)*) => {
        $crate::__private::kernels! { [$crate] $($declaration)* }
    };
}
