//! What a plugin lends the host: expressions of launches, kernels.

use std::ffi::{CString, c_char, c_void};
use std::sync::OnceLock;

use super::super::abi::{INT_ARGUMENT, INT32_ARGUMENT, SymExprTable, Table};
use super::super::creator::Static;
use super::super::shapes::Extent;
use crate::error::{Error, Result};

/// What the host was lent: it may read it as long as the plugin lives.
#[derive(Debug, Default)]
pub(in super::super) struct Lent {
    launches: Vec<Box<[SymExpr]>>,
    kernels: Vec<LentKernel>,
}

/// `ISymExpr`: an expression of the host that is an `int`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct SymExpr {
    table: *const SymExprTable,
    expr: *const c_void,
}

/// A kernel's name and image.
#[derive(Debug)]
struct LentKernel {
    name: CString,
    image: Box<[u8]>,
}

/// Where a lent kernel lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct KernelPlace {
    pub(super) name: *const c_char,
    pub(super) image: *const u8,
    pub(super) bytes: i32,
}

// SAFETY: its pointers are followed by the host alone, which gave them.
#[expect(unsafe_code, reason = "pointers that are not followed may change threads")]
unsafe impl Send for SymExpr {}

impl SymExpr {
    pub(super) fn new(expr: Extent) -> SymExpr {
        SymExpr { table: &raw const table().slots, expr: expr.raw().cast() }
    }
}

impl Lent {
    /// Keeps expressions, and tells where they lie.
    pub(super) fn launch(&mut self, exprs: Box<[SymExpr]>) -> Vec<*mut c_void> {
        let places = exprs.iter().map(|expr| std::ptr::from_ref(expr).cast_mut().cast()).collect();
        self.launches.push(exprs);
        places
    }

    /// Keeps a kernel, where it isn't kept yet, and tells where it lies.
    ///
    /// # Errors
    /// When the image is larger than the host can be told.
    pub(super) fn kernel(&mut self, name: CString, image: &[u8]) -> Result<KernelPlace> {
        let bytes = i32::try_from(image.len())
            .map_err(|_| Error::invalid(format_args!("its image has {} bytes, which are too many", image.len())))?;
        let known = self.kernels.iter().position(|kernel| kernel.name == name && *kernel.image == *image);
        let position = known.unwrap_or_else(|| {
            self.kernels.push(LentKernel { name, image: image.into() });
            self.kernels.len() - 1
        });
        let kernel = &self.kernels[position];
        Ok(KernelPlace { name: kernel.name.as_ptr(), image: kernel.image.as_ptr(), bytes })
    }
}

fn table() -> &'static Table<SymExprTable> {
    static TABLE: OnceLock<Static<SymExprTable>> = OnceLock::new();
    let slots = SymExprTable { ty, dtype, expr };
    &TABLE.get_or_init(|| Static(Table { offset_to_top: 0, type_info: super::super::object::type_info(), slots })).0
}

/// # Safety
/// Called by the host.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn ty(_: *mut c_void) -> i32 {
    INT_ARGUMENT
}

/// # Safety
/// Called by the host.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn dtype(_: *mut c_void) -> i32 {
    INT32_ARGUMENT
}

/// # Safety
/// Called by the host, with an expression that it was lent.
#[expect(unsafe_code, reason = "called by the host")]
unsafe extern "C" fn expr(this: *mut c_void) -> *mut c_void {
    // SAFETY: the host hands back what it was lent, by a plugin that still lives.
    unsafe { this.cast_const().cast::<SymExpr>().as_ref() }.map_or(std::ptr::null_mut(), |expr| expr.expr.cast_mut())
}
