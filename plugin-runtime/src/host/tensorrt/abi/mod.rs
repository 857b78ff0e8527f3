//! TensorRT's interfaces as its C++ compiler lays them out on 64-bit Linux: structs, enums, and tables of virtual functions.

mod tables;

use std::ffi::{c_char, c_int, c_void};
use std::marker::PhantomData;

pub(super) use tables::{
    AotBuildTable, BuildTable, BuilderTable, CoreTable, CreatorTable, ExprTable, FinderTable, Interface,
    LaunchParamsTable, OldFinderTable, PluginTable, QuickBuildTable, QuickCreatorTable, QuickRuntimeTable,
    RuntimeTable, SymExprTable, SymExprsTable,
};

/// The most dimensions of a tensor.
pub(super) const MAX_DIMS: usize = 8;

/// What interface an object has: returned in two registers.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct InterfaceInfo {
    pub(super) kind: *const c_char,
    pub(super) major: i32,
    pub(super) minor: i32,
}

/// `Dims64`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Dims {
    pub(super) count: i32,
    pub(super) extents: [i64; MAX_DIMS],
}

/// `DimsExprs`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct DimsExprs {
    pub(super) count: i32,
    pub(super) extents: [*const DimensionExpr; MAX_DIMS],
}

/// `PluginTensorDesc`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct TensorDesc {
    pub(super) dims: Dims,
    pub(super) dtype: i32,
    pub(super) format: i32,
    pub(super) scale: f32,
}

/// `DynamicPluginTensorDesc`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct DynamicDesc {
    pub(super) desc: TensorDesc,
    pub(super) min: Dims,
    pub(super) max: Dims,
    pub(super) opt: Dims,
}

/// `PluginField`: an attribute. `count` counts elements.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) name: *const c_char,
    pub(super) data: *const c_void,
    pub(super) ty: i32,
    pub(super) count: i32,
}

/// `PluginFieldCollection`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldCollection {
    pub(super) count: i32,
    pub(super) fields: *const Field,
}

/// A table of virtual functions. An object's first word is the address of `slots`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Table<S> {
    pub(super) offset_to_top: isize,
    pub(super) type_info: *const c_void,
    pub(super) slots: S,
}

/// An object of the host whose functions stand in its own table.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Foreign<S> {
    pub(super) table: *const S,
}

/// An object of the host whose functions are another object's: `mImpl`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Outer<S> {
    table: *const c_void,
    pub(super) inner: *const Foreign<S>,
    of: PhantomData<S>,
}

/// `IExprBuilder`.
pub(super) type ExprBuilder = Outer<BuilderTable>;
/// `IDimensionExpr`.
pub(super) type DimensionExpr = Outer<ExprTable>;

/// `IKernelLaunchParams`.
pub(super) type KernelLaunchParams = Outer<LaunchParamsTable>;
/// `ISymExprs`.
pub(super) type SymExprs = Outer<SymExprsTable>;

/// `PluginArgType::kINT`.
pub(super) const INT_ARGUMENT: i32 = 0;
/// `PluginArgDataType::kINT32`.
pub(super) const INT32_ARGUMENT: i32 = 2;

/// `PluginFieldType`.
pub(super) mod field_type {
    pub(in super::super) const FLOAT16: i32 = 0;
    pub(in super::super) const FLOAT32: i32 = 1;
    pub(in super::super) const FLOAT64: i32 = 2;
    pub(in super::super) const INT8: i32 = 3;
    pub(in super::super) const INT16: i32 = 4;
    pub(in super::super) const INT32: i32 = 5;
    pub(in super::super) const CHAR: i32 = 6;
    pub(in super::super) const BF16: i32 = 9;
    pub(in super::super) const INT64: i32 = 10;
}

/// `PluginCapabilityType`.
pub(super) mod capability {
    pub(in super::super) const CORE: i32 = 0;
    pub(in super::super) const BUILD: i32 = 1;
    pub(in super::super) const RUNTIME: i32 = 2;
}

/// `TensorRTPhase`.
pub(super) mod phase {
    pub(in super::super) const BUILD: i32 = 0;
    pub(in super::super) const RUNTIME: i32 = 1;
}

/// `DimensionOperation`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operation {
    Sum = 0,
    Prod = 1,
    Max = 2,
    Min = 3,
    Equal = 5,
    Less = 6,
    FloorDiv = 7,
    CeilDiv = 8,
}

/// `ILogger::Severity`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Severity {
    Error = 1,
    Verbose = 4,
}

/// `APILanguage::kCPP`.
pub(super) const CPP: c_int = 0;

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    #[test]
    fn structs_are_as_the_headers_lay_them_out() {
        assert_eq!((size_of::<Dims>(), offset_of!(Dims, extents)), (72, 8));
        assert_eq!((size_of::<DimsExprs>(), offset_of!(DimsExprs, extents)), (72, 8));
        let desc = [offset_of!(TensorDesc, dtype), offset_of!(TensorDesc, format), offset_of!(TensorDesc, scale)];
        assert_eq!((size_of::<TensorDesc>(), desc), (88, [72, 76, 80]));
        let desc = [offset_of!(DynamicDesc, min), offset_of!(DynamicDesc, max), offset_of!(DynamicDesc, opt)];
        assert_eq!((size_of::<DynamicDesc>(), desc), (304, [88, 160, 232]));
        let field = [offset_of!(Field, data), offset_of!(Field, ty), offset_of!(Field, count)];
        assert_eq!((size_of::<Field>(), field), (24, [8, 16, 20]));
        assert_eq!((size_of::<FieldCollection>(), offset_of!(FieldCollection, fields)), (16, 8));
        let info = [offset_of!(InterfaceInfo, major), offset_of!(InterfaceInfo, minor)];
        assert_eq!((size_of::<InterfaceInfo>(), info), (16, [8, 12]));
        assert_eq!((size_of::<ExprBuilder>(), offset_of!(ExprBuilder, inner)), (16, 8));
    }

    #[test]
    fn a_table_begins_behind_two_words() {
        assert_eq!(offset_of!(Table<PluginTable>, slots), 16);
    }
}
