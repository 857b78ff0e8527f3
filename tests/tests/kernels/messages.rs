//! What authors are told of mistakes in kernels.

use plugin_runtime::device::cuda::{Architecture, KernelEntry, Parameter, Source, compile_report};

use crate::{HALVES, nvrtc_is_there};

const HOPPER: Architecture = Architecture::from_number(90);

const BROKEN: Source = Source {
    name: "broken.cu",
    text: "#include \"common.cuh\"\n\nextern \"C\" __global__ void f(float* x) {\n    x[0] = nothing;\n}\n",
    ..HALVES
};

fn refusal(source: &Source, architecture: Architecture) -> String {
    compile_report(source, architecture).unwrap_err().to_string()
}

#[test]
fn a_mistake_names_the_authors_file_and_line() {
    if !nvrtc_is_there("a_mistake_names_the_authors_file_and_line") {
        return;
    }
    let error = refusal(&BROKEN, HOPPER);
    let start = "CUDA source `tests/tests/kernels/broken.cu` doesn't compile for sm_90 (NVRTC ";
    assert!(error.starts_with(start), "{error}");
    let place = "tests/tests/kernels/broken.cu(4): error: identifier \"nothing\" is undefined";
    assert!(error.contains(place), "{error}");

    let error = refusal(&Source { headers: &[], ..HALVES }, HOPPER);
    assert!(error.contains("halves.cu(1)") && error.contains("\"common.cuh\""), "{error}");
}

#[test]
fn an_architecture_that_the_compiler_doesnt_know() {
    if nvrtc_is_there("an_architecture_that_the_compiler_doesnt_know") {
        let error = refusal(&HALVES, Architecture::from_number(20));
        assert!(error.contains("can't be compiled for sm_20") && error.contains("sm_80, "), "{error}");
    }
}

#[test]
fn a_declaration_that_differs() {
    if !nvrtc_is_there("a_declaration_that_differs") {
        return;
    }
    const SHORT: &[Parameter] = &[
        Parameter { name: "x", ty: "DeviceSlice<f16>", bytes: 8 },
        Parameter { name: "out", ty: "DeviceSliceMut<f16>", bytes: 8 },
        Parameter { name: "n", ty: "u32", bytes: 4 },
        Parameter { name: "factor", ty: "f32", bytes: 4 },
    ];
    let report = compile_report(&HALVES, HOPPER).unwrap();
    let told = |name, parameters| {
        let declared = KernelEntry { source: &HALVES, name, parameters };
        report.check(&declared).unwrap_err().to_string()
    };
    let error = told("scale_halves", SHORT);
    assert!(error.starts_with("kernel `scale_halves` of `tests/tests/kernels/halves.cu` takes "), "{error}");
    assert!(error.contains("4 parameters of 8, 8, 8, 4 bytes") && error.contains("`n`"), "{error}");
    let error = told("scale_halves", &SHORT[..2]);
    assert!(error.contains("4 parameters of 8, 8, 8, 4 bytes"), "{error}");
    let error = told("scale_halfs", SHORT);
    assert!(error.contains("no kernel `scale_halfs`") && error.contains("did you mean `scale_halves`?"), "{error}");
}
