//! What authors write.

use super::*;

#[test]
fn a_kernel_alone_is_one_launch() {
    let n = ShapeExpr::constant(1000);
    let kernel = AotKernel::new("add", "// PTX").grid([n.ceil_div(256)]).block([256, 2]).shared_mem(64).extra_args([n]);
    let [launch] = &*kernel.launches else { panic!("{kernel:?}") };
    assert_eq!(launch.name, "add");
    assert_eq!(launch.launch.grid, [4, 1, 1].map(ShapeExpr::constant));
    assert_eq!(launch.launch.block, [256, 2, 1].map(ShapeExpr::constant));
    assert_eq!(launch.launch.shared_mem, ShapeExpr::constant(64));
    assert_eq!(launch.extra_args, [AotArg::I32(1000.into())]);
    assert_eq!((&kernel.image, launch.parameters.is_none()), (&AotImage::Ptx(b"// PTX".to_vec()), true));
}

#[test]
fn what_is_said_is_of_the_last_launch() {
    let second = AotLaunch::new("b");
    let kernel = AotKernel::new("a", []).block([32]).then(second).block([64]).workspace(16).parameters([
        AotParameter::Workspace,
        AotArg::from(0.5).into(),
        AotArg::from(7i64).into(),
        AotArg::from(7i32).into(),
    ]);
    let threads: Vec<_> = kernel.launches.iter().map(|l| l.launch.block[0].constant_value()).collect();
    assert_eq!((threads, kernel.workspace), (vec![Some(32), Some(64)], Some(16.into())));
    let extra = |argument| AotParameter::Extra(argument);
    assert_eq!(
        kernel.launches[1].parameters.as_deref(),
        Some(
            &[
                AotParameter::Workspace,
                extra(AotArg::F32(0.5)),
                extra(AotArg::I64(7.into())),
                extra(AotArg::I32(7.into()))
            ][..]
        )
    );
}

#[test]
fn four_dimensions_are_a_mistake_that_is_kept() {
    let kernel = AotKernel::new("a", []).grid([1, 2, 3, 4]);
    assert_eq!(kernel.launches[0].launch.grid[0].error(), Some("a grid has at most 3 dimensions"));
    assert!(AotKernel::sequence("", []).grid([1]).launches.is_empty());
}

#[test]
fn machine_code_is_told_from_ptx_by_how_it_begins() {
    assert_eq!(AotImage::from(b"\x7fELF\x02".as_slice()), AotImage::Cubins(vec![b"\x7fELF\x02".to_vec()]));
    assert_eq!(AotImage::from([0_u8; 0]), AotImage::Ptx(vec![]));
    assert_eq!(AotKernel::new("a", [0]).image, AotImage::Ptx(vec![0]));
    assert_eq!(AotImage::from(b".version 8.0"), AotImage::from(".version 8.0".to_owned()));
}
