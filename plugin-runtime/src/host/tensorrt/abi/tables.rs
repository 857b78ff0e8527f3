//! Tables of virtual functions, slot by slot.

use std::ffi::{c_char, c_void};

use super::{
    DimensionExpr, Dims, DimsExprs, DynamicDesc, ExprBuilder, FieldCollection, Foreign, InterfaceInfo,
    KernelLaunchParams, SymExprs, TensorDesc,
};

/// An object, as its functions are given it.
type This = *mut c_void;

/// Destructors and other slots that nobody here calls.
type Unused = *const c_void;

/// The first slots of every `IVersionedInterface`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Interface {
    pub(in super::super) language: unsafe extern "C" fn(This) -> i32,
    pub(in super::super) info: unsafe extern "C" fn(This) -> InterfaceInfo,
    /// Destroys without freeing.
    pub(in super::super) destroy: unsafe extern "C" fn(This),
    pub(in super::super) delete: unsafe extern "C" fn(This),
}

/// Tables of functions: the text of a declaration in C++, as structs.
macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident: $first:ident $(, $name:ident($($ty:ty),*) $(-> $result:ty)?)*;)*) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug)]
        pub(in super::super) struct $table {
            pub(in super::super) interface: $first,
            $(pub(in super::super) $name: unsafe extern "C" fn(This $(, $ty)*) $(-> $result)?,)*
        }
    )*};
}

tables! {
    /// `IPluginV3`.
    PluginTable: Interface,
        capability(i32) -> *mut c_void,
        clone() -> *mut c_void;

    /// `IPluginV3OneCore`.
    CoreTable: Interface,
        name() -> *const c_char,
        version() -> *const c_char,
        namespace() -> *const c_char;

    /// `IPluginV3OneBuildV2`.
    BuildTable: Interface,
        configure(*const DynamicDesc, i32, *const DynamicDesc, i32) -> i32,
        output_types(*mut i32, i32, *const i32, i32) -> i32,
        output_shapes(*const DimsExprs, i32, *const DimsExprs, i32, *mut DimsExprs, i32, *mut ExprBuilder) -> i32,
        supports(i32, *const DynamicDesc, i32, i32) -> bool,
        outputs() -> i32,
        workspace(*const DynamicDesc, i32, *const DynamicDesc, i32) -> usize,
        tactics(*mut i32, i32) -> i32,
        tactic_count() -> i32,
        timing_cache_id() -> *const c_char,
        combination_limit() -> i32,
        metadata() -> *const c_char,
        aliased_input(i32) -> i32;

    /// `IPluginV3OneRuntime`.
    RuntimeTable: Interface,
        set_tactic(i32) -> i32,
        on_shape_change(*const TensorDesc, i32, *const TensorDesc, i32) -> i32,
        enqueue(*const TensorDesc, *const TensorDesc, *const *const c_void, *const *mut c_void, *mut c_void, *mut c_void) -> i32,
        attach(*mut c_void) -> *mut c_void,
        fields() -> *const FieldCollection;

    /// `IPluginCreatorV3One`.
    CreatorTable: Interface,
        create(*const c_char, *const FieldCollection, i32) -> *mut c_void,
        field_names() -> *const FieldCollection,
        name() -> *const c_char,
        version() -> *const c_char,
        namespace() -> *const c_char;

    /// `IPluginV3QuickBuild`.
    QuickBuildTable: Interface,
        output_types(*mut i32, i32, *const i32, *const i32, i32) -> i32,
        output_shapes(*const DimsExprs, i32, *const DimsExprs, i32, *mut DimsExprs, i32, *mut ExprBuilder) -> i32,
        configure(*const DynamicDesc, i32, *const DynamicDesc, i32) -> i32,
        combination_count(*const DynamicDesc, i32, i32) -> i32,
        combinations(*const DynamicDesc, i32, i32, *mut TensorDesc, i32) -> i32,
        outputs() -> i32,
        aliased_input(i32) -> i32,
        tactics(*mut i32, i32) -> i32,
        tactic_count() -> i32,
        timing_cache_id() -> *const c_char,
        metadata() -> *const c_char;

    /// `IPluginV3QuickAOTBuild`.
    AotBuildTable: QuickBuildTable,
        launch_params(*const DimsExprs, *const DynamicDesc, i32, i32, *mut KernelLaunchParams, *mut SymExprs, *mut ExprBuilder) -> i32,
        kernel(*const TensorDesc, i32, *const TensorDesc, i32, *mut *const c_char, *mut *mut c_char, *mut i32) -> i32,
        set_tactic(i32) -> i32;

    /// `IPluginV3QuickRuntime`.
    QuickRuntimeTable: Interface,
        set_tactic(i32) -> i32,
        enqueue(*const TensorDesc, *const TensorDesc, *const *const c_void, *const *mut c_void, *const Dims, *const Dims, i32, i32, *mut c_void) -> i32,
        fields() -> *const FieldCollection;

    /// `IPluginCreatorV3Quick`, from TensorRT 10.9 on.
    QuickCreatorTable: Interface,
        create(*const c_char, *const c_char, *const FieldCollection, i32, i32) -> *mut c_void,
        field_names() -> *const FieldCollection,
        name() -> *const c_char,
        version() -> *const c_char,
        namespace() -> *const c_char;

    /// `ILoggerFinder` of TensorRT 11, and of TensorRT-RTX from 1.5 on.
    FinderTable: Interface,
        find() -> *mut Foreign<LoggerTable>;

    /// `ILogger`, as above.
    LoggerTable: Interface,
        log(i32, *const c_char);
}

/// `IExprBuilderImpl`: what `mImpl` of an expression builder points to. All are given the implementation, not the builder.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct BuilderTable {
    destructors: [Unused; 2],
    pub(in super::super) constant: unsafe extern "C" fn(This, i64) -> *const DimensionExpr,
    pub(in super::super) operation:
        unsafe extern "C" fn(This, i32, *const DimensionExpr, *const DimensionExpr) -> *const DimensionExpr,
    pub(in super::super) declare_size:
        unsafe extern "C" fn(This, i32, *const DimensionExpr, *const DimensionExpr) -> *const DimensionExpr,
}

/// `IDimensionExprImpl`, as above. A C++ `bool` is a byte.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct ExprTable {
    destructors: [Unused; 2],
    pub(in super::super) is_constant: unsafe extern "C" fn(This) -> u8,
    pub(in super::super) constant: unsafe extern "C" fn(This) -> i64,
    pub(in super::super) is_size: unsafe extern "C" fn(This) -> u8,
}

/// `ISymExpr`: an object of the plugin, without destructors.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct SymExprTable {
    pub(in super::super) ty: unsafe extern "C" fn(This) -> i32,
    pub(in super::super) dtype: unsafe extern "C" fn(This) -> i32,
    pub(in super::super) expr: unsafe extern "C" fn(This) -> *mut c_void,
}

/// `ISymExprsImpl`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct SymExprsTable {
    get: Unused,
    pub(in super::super) set: unsafe extern "C" fn(This, i32, *mut c_void) -> u8,
    count: Unused,
    pub(in super::super) set_count: unsafe extern "C" fn(This, i32) -> u8,
}

/// `IKernelLaunchParamsImpl`: grid, block, shared memory.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct LaunchParamsTable {
    pub(in super::super) dimensions: [Dimension; 7],
}

/// What reads and writes a launch dimension.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Dimension {
    get: Unused,
    pub(in super::super) set: unsafe extern "C" fn(This, *mut c_void) -> u8,
}

/// `ILoggerFinder` of TensorRT 10, and of TensorRT-RTX before 1.5.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct OldFinderTable {
    pub(in super::super) find: unsafe extern "C" fn(This) -> *mut Foreign<OldLoggerTable>,
}

/// `ILogger`, as above.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct OldLoggerTable {
    pub(in super::super) log: unsafe extern "C" fn(This, i32, *const c_char),
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    /// Where the functions stand that the headers put into these slots.
    #[test]
    fn functions_stand_in_their_slots() {
        let slots = [
            (offset_of!(PluginTable, capability), 4),
            (offset_of!(PluginTable, clone), 5),
            (offset_of!(CoreTable, namespace), 6),
            (offset_of!(BuildTable, configure), 4),
            (offset_of!(BuildTable, supports), 7),
            (offset_of!(BuildTable, workspace), 9),
            (offset_of!(BuildTable, tactic_count), 11),
            (offset_of!(BuildTable, combination_limit), 13),
            (offset_of!(BuildTable, aliased_input), 15),
            (offset_of!(RuntimeTable, set_tactic), 4),
            (offset_of!(RuntimeTable, enqueue), 6),
            (offset_of!(RuntimeTable, fields), 8),
            (offset_of!(CreatorTable, create), 4),
            (offset_of!(CreatorTable, namespace), 8),
            (offset_of!(QuickBuildTable, output_types), 4),
            (offset_of!(QuickBuildTable, output_shapes), 5),
            (offset_of!(QuickBuildTable, configure), 6),
            (offset_of!(QuickBuildTable, combination_count), 7),
            (offset_of!(QuickBuildTable, combinations), 8),
            (offset_of!(QuickBuildTable, outputs), 9),
            (offset_of!(QuickBuildTable, aliased_input), 10),
            (offset_of!(QuickBuildTable, tactics), 11),
            (offset_of!(QuickBuildTable, tactic_count), 12),
            (offset_of!(QuickBuildTable, timing_cache_id), 13),
            (offset_of!(QuickBuildTable, metadata), 14),
            (offset_of!(AotBuildTable, launch_params), 15),
            (offset_of!(AotBuildTable, kernel), 16),
            (offset_of!(AotBuildTable, set_tactic), 17),
            (offset_of!(QuickRuntimeTable, set_tactic), 4),
            (offset_of!(QuickRuntimeTable, enqueue), 5),
            (offset_of!(QuickRuntimeTable, fields), 6),
            (offset_of!(QuickCreatorTable, create), 4),
            (offset_of!(QuickCreatorTable, field_names), 5),
            (offset_of!(QuickCreatorTable, namespace), 8),
            (offset_of!(SymExprTable, expr), 2),
            (offset_of!(SymExprsTable, set), 1),
            (offset_of!(SymExprsTable, set_count), 3),
            (offset_of!(LaunchParamsTable, dimensions) + offset_of!(Dimension, set), 1),
            (size_of::<LaunchParamsTable>(), 14),
            (offset_of!(Interface, delete), 3),
            (offset_of!(FinderTable, find), 4),
            (offset_of!(LoggerTable, log), 4),
            (offset_of!(OldFinderTable, find), 0),
            (offset_of!(OldLoggerTable, log), 0),
            (offset_of!(BuilderTable, constant), 2),
            (offset_of!(BuilderTable, declare_size), 4),
            (offset_of!(ExprTable, is_size), 4),
        ];
        for (position, (offset, slot)) in slots.into_iter().enumerate() {
            assert_eq!(offset, slot * size_of::<usize>(), "{position}");
        }
    }
}
