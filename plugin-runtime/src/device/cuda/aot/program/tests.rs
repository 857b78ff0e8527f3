//! Launch dimensions and scalars at run time.

use super::*;
use crate::device::cuda::{AotBinary, AotKernel};
use crate::shape::{Symbol, SymbolKind};

const PTX: &str =
    ".version 7.0\n.target sm_70\n.visible .entry k(.param .u32 a, .param .u64 b, .param .f32 c) { ret; }";

fn n() -> ShapeExpr {
    ShapeExpr::symbol(Symbol { kind: SymbolKind::Dim, index: 0, name: "n".into() })
}

/// With kernels that cope with extents that only the device knows.
fn program(kernel: AotKernel) -> Result<AotProgram> {
    program_that(true, kernel)
}

fn program_that(device_shape: bool, kernel: AotKernel) -> Result<AotProgram> {
    let module = AotModule::new(vec![AotBinary::new(PTX.as_bytes())?])?;
    let slots = AotSlots { inputs: 0, outputs: 0, workspace: false, device_shape };
    AotProgram::new(Arc::new(module), &kernel.launches, slots)
}

fn kernel() -> AotKernel {
    AotKernel::new("k", "").extra_args([AotArg::I32(n()), AotArg::I64(n() * 2), AotArg::F32(-0.5)])
}

/// The program's launch where `n` has this value.
fn config(program: &AotProgram, n: i64) -> Result<LaunchConfig> {
    let values: Vec<i64> = program.exprs.iter().map(|e| e.evaluate(&[n])).collect::<Result<_, _>>()?;
    program.launches[0].config(&program.exprs, &values)
}

#[test]
fn dimensions_are_checked_where_they_are_known() {
    let given =
        program(kernel().grid([n(), n() + 1, 1.into()]).block([n() * 16, 2.into()]).shared_mem(n() * 4)).unwrap();
    let found = config(&given, 7).unwrap();
    assert_eq!((found.grid, found.block, found.shared_bytes), ([7, 8, 1], [112, 2, 1], 28));
    assert_eq!(config(&given, 0).unwrap().grid, [0, 1, 1], "nothing is launched, whatever a block would be");
    let wrong = [
        (-1, "kernel `k`: grid.x, n, would be -1: 0 to 2147483647 are possible"),
        (65_535, "kernel `k`: grid.y, n + 1, would be 65536: 0 to 65535 are possible"),
        (65, "kernel `k`: block.x, 16*n, would be 1040: 1 to 1024 are possible"),
        (64, "kernel `k`: a block of 1024 x 2 x 1 threads is too large: 1024 are possible"),
    ];
    for (n, expected) in wrong {
        assert_eq!(config(&given, n).unwrap_err().to_string(), expected);
    }
    let shared = program(kernel().shared_mem(n() - 8)).unwrap();
    assert!(config(&shared, 7).unwrap_err().to_string().contains("shared_mem, n - 8, would be -1"));
}

#[test]
fn constants_are_checked_at_once() {
    for (kernel, expected) in [
        (kernel().grid([-1]), "kernel `k`: grid.x would be -1: 0 to 2147483647 are possible"),
        (kernel().block([0]), "kernel `k`: block.x would be 0: 1 to 1024 are possible"),
        (kernel().block([1, 1, 65]), "kernel `k`: block.z would be 65: 1 to 64 are possible"),
        (kernel().block([32, 33]), "kernel `k`: a block of 32 x 33 x 1 threads is too large: 1024 are possible"),
        (
            kernel().extra_args([AotArg::I32((1i64 << 31).into())]),
            "kernel `k`: 2147483648 doesn't fit 32 bits: give AotArg::I64, and take a `long long` in the kernel",
        ),
    ] {
        assert_eq!(program(kernel).map(|_| ()).unwrap_err().to_string(), expected);
    }
}

#[test]
fn scalars_are_given_in_their_own_sizes() {
    let given = program(kernel()).unwrap();
    let scalars = |n: i64| {
        let values: Vec<i64> = given.exprs.iter().map(|e| e.evaluate(&[n]).unwrap()).collect();
        let launch = &given.launches[0];
        let scalar = |parameter: &ProgramParameter| launch.scalar(*parameter, &given.exprs, &values);
        launch.parameters.iter().map(scalar).collect::<Result<Vec<_>>>()
    };
    let bytes = scalars(-3).unwrap().into_iter().map(Option::unwrap).collect::<Vec<_>>();
    assert_eq!(bytes[0][..4], (-3i32).to_ne_bytes());
    assert_eq!(bytes[1], (-6i64).to_ne_bytes());
    assert_eq!(bytes[2][..4], (-0.5f32).to_ne_bytes());
    let message = scalars(1 << 31).unwrap_err().to_string();
    assert!(message.starts_with("kernel `k`: n = 2147483648 doesn't fit 32 bits: give AotArg::I64"), "{message}");
}

#[test]
fn a_scalar_that_the_device_alone_knows_is_refused() {
    let size = ShapeExpr::symbol(Symbol { kind: SymbolKind::Size, index: 0, name: "rows".into() });
    assert!(program(kernel().grid([&size])).is_ok(), "a launch may reach as far as is possible");
    let scalar = || kernel().extra_args([AotArg::I32(&size + 1), AotArg::I64(0.into()), AotArg::F32(0.0)]);
    let message = program(scalar()).map(|_| ()).unwrap_err().to_string();
    assert!(
        message.contains("rows + 1 depends on the size tensor `rows`, whose value the device alone knows")
            && message
                .ends_with("or remove `device_shape = true` from the #[aot_impl], so that a run waits for the value"),
        "{message}"
    );
    let waits = program_that(false, scalar()).unwrap();
    let values: Vec<i64> = waits.exprs.iter().map(|e| e.evaluate(&[41]).unwrap()).collect();
    let launch = &waits.launches[0];
    let given = launch.scalar(launch.parameters[0], &waits.exprs, &values).unwrap().unwrap();
    assert_eq!(given[..4], 42i32.to_ne_bytes());
}
