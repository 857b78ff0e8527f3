//! What a `kernels!` declares.

use proc_macro2::Ident;
use syn::{Attribute, LitStr, Type, Visibility};

/// A file and its kernels.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) attributes: Vec<Attribute>,
    pub(super) visibility: Visibility,
    /// Whether the file was compiled before.
    pub(super) is_image: bool,
    /// The name of the static that holds it.
    pub(super) name: Ident,
    pub(super) file: LitStr,
    pub(super) headers: Vec<LitStr>,
    pub(super) options: Vec<LitStr>,
    pub(super) kernels: Vec<Kernel>,
}

/// One `fn`.
#[derive(Debug)]
pub(super) struct Kernel {
    pub(super) attributes: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) name: Ident,
    pub(super) types: Option<Types>,
    pub(super) parameters: Vec<Parameter>,
    /// Whether the file has it as a template, of which one function a type is made.
    pub(super) is_template: bool,
}

/// `<T in [f32, f16]>`
#[derive(Debug)]
pub(super) struct Types {
    pub(super) parameter: Ident,
    pub(super) list: Vec<Ident>,
}

/// One parameter.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: Ident,
    pub(super) ty: Type,
    pub(super) kind: Kind,
    /// Whether a kernel can get it; else that is reported.
    pub(super) is_possible: bool,
    /// The slice whose length it is: `n: i64 = x.len()`.
    pub(super) length_of: Option<Ident>,
}

/// How a kernel gets a parameter.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// `DeviceSlice<T>`: a pointer to constant elements.
    Input(Box<Type>),
    /// `DeviceSliceMut<T>`: a pointer.
    Output(Box<Type>),
    /// A plain value.
    Value,
}

impl Kernel {
    /// The names of its functions, each with its element type where it has several.
    pub(super) fn instances(&self) -> Vec<(String, Option<&Ident>)> {
        match &self.types {
            None => vec![(self.name.to_string(), None)],
            Some(types) => types.list.iter().map(|ty| (format!("{}_{ty}", self.name), Some(ty))).collect(),
        }
    }

    /// Whether it is of the type that the kernel is declared for several of.
    pub(super) fn is_type_parameter(&self, ty: &Type) -> bool {
        let Type::Path(path) = ty else { return false };
        self.types.as_ref().is_some_and(|types| path.path.is_ident(&types.parameter))
    }
}
