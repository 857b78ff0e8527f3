//! The types an attribute can have.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Type;

use super::types::{last_segment, plain, referent, spelled};

/// Types of single numbers and flags.
const SCALARS: [&str; 5] = ["i32", "i64", "f32", "f64", "bool"];
/// Types that a slice may hold.
const ELEMENTS: [&str; 10] = ["u8", "i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64", "bool"];

/// All of them, for messages.
pub(crate) const NAMES: &str = "i32, i64, f32, f64, bool, &str, &[u8] (bytes), or a slice of i8, i16, i32, i64, f16, \
                                bf16, f32, f64 or bool";

/// The type of an attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AttributeType {
    Scalar(&'static str),
    Str,
    Slice(&'static str),
}

impl AttributeType {
    /// `None` for any other type.
    pub(crate) fn of(ty: &Type) -> Option<AttributeType> {
        match plain(ty) {
            Type::Path(_) => known(ty, &SCALARS).map(AttributeType::Scalar),
            _ => match plain(referent(ty)?) {
                Type::Slice(slice) => known(&slice.elem, &ELEMENTS).map(AttributeType::Slice),
                target => known(target, &["str"]).map(|_| AttributeType::Str),
            },
        }
    }

    /// What the attribute struct holds.
    pub(crate) fn owned(self) -> TokenStream {
        match self {
            AttributeType::Scalar(name) => ident(name).into_token_stream(),
            AttributeType::Str => quote!(::std::string::String),
            AttributeType::Slice(name) => {
                let element = element(name);
                quote!(::std::vec::Vec<#element>)
            }
        }
    }

    /// What functions take.
    pub(crate) fn borrowed(self) -> TokenStream {
        match self {
            AttributeType::Scalar(name) => ident(name).into_token_stream(),
            AttributeType::Str => quote!(&str),
            AttributeType::Slice(name) => {
                let element = element(name);
                quote!(&[#element])
            }
        }
    }

    /// Whether it is passed by value.
    pub(crate) fn is_copied(self) -> bool {
        matches!(self, AttributeType::Scalar(_))
    }
}

/// As it is written in a `register` function.
impl std::fmt::Display for AttributeType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AttributeType::Scalar(name) => f.write_str(name),
            AttributeType::Str => f.write_str("&str"),
            AttributeType::Slice(name) => write!(f, "&[{name}]"),
        }
    }
}

/// What to write in place of a type that isn't supported, where that can be told.
pub(crate) fn advice(ty: &Type) -> Option<String> {
    let referent = match plain(ty) {
        Type::Reference(reference) => plain(&reference.elem),
        Type::Array(array) => return slice_of(&array.elem),
        other => return replacement(other, false),
    };
    match referent {
        Type::Array(array) => slice_of(&array.elem),
        Type::Slice(slice) => slice_of(&slice.elem),
        other => replacement(other, true),
    }
}

fn replacement(ty: &Type, referenced: bool) -> Option<String> {
    let segment = last_segment(ty)?;
    let argument = || match &segment.arguments {
        syn::PathArguments::AngleBracketed(list) => list.args.iter().find_map(|argument| match argument {
            syn::GenericArgument::Type(ty) => Some(ty),
            _ => None,
        }),
        _ => None,
    };
    let name = segment.ident.to_string();
    Some(match name.as_str() {
        "str" | "String" => "write `&str`".to_owned(),
        "Vec" => return slice_of(argument()?),
        "Option" => {
            let inner = argument()?;
            let inner = AttributeType::of(inner).map_or_else(|| spelled(inner), |ty| ty.to_string());
            format!("for one that may be left out, write `#[default(..)]` before it, and `{inner}`")
        }
        "f16" | "bf16" => "write `f32`".to_owned(),
        "i8" | "i16" | "u8" | "u16" => "write `i32`".to_owned(),
        "u32" | "u64" | "usize" | "isize" | "i128" | "u128" => "write `i64`".to_owned(),
        "char" => "write `&str`".to_owned(),
        scalar if referenced && SCALARS.contains(&scalar) => format!("write `{scalar}`, without `&`"),
        _ => return None,
    })
}

fn slice_of(element: &Type) -> Option<String> {
    if let Some(name) = known(element, &ELEMENTS) {
        return Some(format!("write `&[{name}]`"));
    }
    match last_segment(element)?.ident.to_string().as_str() {
        "u16" => Some("write `&[i32]`".to_owned()),
        "u32" | "u64" | "usize" | "isize" => Some("write `&[i64]`".to_owned()),
        _ => None,
    }
}

fn known(ty: &Type, names: &[&'static str]) -> Option<&'static str> {
    let segment = last_segment(ty)?;
    if !segment.arguments.is_empty() {
        return None;
    }
    names.iter().copied().find(|name| segment.ident == name)
}

fn ident(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The runtime's own path to an element type, as the author's scope needn't have it.
fn element(name: &str) -> TokenStream {
    let name = ident(name);
    if name == "f16" || name == "bf16" { quote!(__rt::#name) } else { quote!(#name) }
}
