//! `#[derive(Tactic)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Data, DeriveInput, Fields, Path, Variant};

use super::shared::check;
use crate::model::types::spelled;
use crate::report::Report;
use crate::validate;

pub(crate) fn tactic(item: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut runtime = TokenStream::new();
    let expanded = Report::collect(|report| {
        runtime = self::runtime(&input, report);
        let variants = variants(&input, report)?;
        Some(expand(&input.ident, &runtime, &variants))
    });
    expanded.unwrap_or_else(|errors| {
        let mut errors = errors.into_iter().map(|error| error.to_compile_error());
        let has_stand_in = input.generics.params.is_empty();
        let stand_in = errors.next().map(|error| match has_stand_in {
            true => stand_in(&input.ident, &runtime, error),
            false => error,
        });
        quote!(#stand_in #(#errors)*)
    })
}

/// `#[tactic(crate = path)]`
fn runtime(input: &DeriveInput, report: &mut Report) -> TokenStream {
    let mut path: Option<Path> = None;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("tactic")) {
        let parsed = attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("the one option is `crate = ::name_of_plugin_runtime`"));
            }
            path = Some(meta.value()?.call(Path::parse_mod_style)?);
            Ok(())
        });
        report.absorb(parsed);
    }
    validate::runtime(path.as_ref(), report)
}

fn variants<'a>(input: &'a DeriveInput, report: &mut Report) -> Option<Vec<&'a Ident>> {
    if !input.generics.params.is_empty() {
        report.error(&input.generics, "a tactic has no generic parameters: remove them");
    }
    let Data::Enum(data) = &input.data else {
        report.error(&input.ident, "tactics are the variants of an enum: `enum Name { First = 1, Second = 2 }`");
        return None;
    };
    if data.variants.is_empty() {
        report.error(&input.ident, "an enum of tactics has at least one variant: `First = 1`");
    }
    let needs_repr = data.variants.iter().any(|variant| variant.discriminant.is_some())
        && !input.attrs.iter().any(|attribute| attribute.path().is_ident("repr"));
    // What the compiler says of fields beside numbers can't be kept from it, as a derive leaves the enum as it is.
    let no_repr = if needs_repr { ", and no `#[repr(..)]` is needed" } else { "" };
    for (variant, place) in data.variants.iter().zip(1..) {
        if !matches!(variant.fields, Fields::Unit) {
            let (name, number) = (&variant.ident, number(variant, place));
            let message = format!("a tactic is a number and holds nothing: write `{name} = {number}`{no_repr}");
            report.error(&variant.fields, message);
        }
        for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("tactic")) {
            report.error(attribute, "`#[tactic(..)]` goes on the enum: move it there");
        }
    }
    Some(data.variants.iter().map(|variant| &variant.ident).collect())
}

/// The number that a variant has, if a tactic may have it; else one that it may have.
fn number(variant: &Variant, place: usize) -> String {
    match &variant.discriminant {
        Some((_, number)) if spelled(number).parse::<u32>() != Ok(0) => spelled(number),
        _ => place.to_string(),
    }
}

/// Keeps the compiler from missing the trait elsewhere. With the mistake in its bound, it doesn't miss `Copy` either: what has
/// fields may not be able to be that, and a tactic is once it has none.
fn stand_in(name: &Ident, runtime: &TokenStream, error: TokenStream) -> TokenStream {
    quote! {
        impl #runtime::KnownTactics for #name {
            const NAMES: &'static [(i32, &'static str)] = &[];

            fn find(_: i32) -> ::core::option::Option<Self> {
                ::core::option::Option::None
            }
        }

        impl #runtime::Tactic for #name
        where
            <[(); #error] as ::core::ops::Deref>::Target: ::core::marker::Copy,
        {
            fn id(self) -> i32 {
                0
            }

            fn from_id(_: i32) -> ::core::option::Option<Self> {
                ::core::option::Option::None
            }

            fn name(_: i32) -> ::core::option::Option<&'static str> {
                ::core::option::Option::None
            }
        }
    }
}

fn expand(name: &Ident, runtime: &TokenStream, variants: &[&Ident]) -> TokenStream {
    let checks = variants.iter().map(|variant| {
        let text = syn::ext::IdentExt::unraw(*variant).to_string();
        check(variant.span(), quote!(tactic(#text, #name::#variant as i128)))
    });
    let names: Vec<String> = variants.iter().map(|variant| syn::ext::IdentExt::unraw(*variant).to_string()).collect();
    quote_spanned! {Span::mixed_site()=>
        const _: () = {
            use #runtime as __rt;
            #(#checks)*

            impl __rt::KnownTactics for #name {
                const NAMES: &'static [(i32, &'static str)] = &[#((#name::#variants as i32, #names)),*];

                fn find(id: i32) -> ::core::option::Option<Self> {
                    #(if id == #name::#variants as i32 { return ::core::option::Option::Some(#name::#variants); })*
                    ::core::option::Option::None
                }
            }

            impl __rt::Tactic for #name {
                fn id(self) -> i32 {
                    self as i32
                }

                fn from_id(id: i32) -> ::core::option::Option<Self> {
                    <Self as __rt::KnownTactics>::find(id)
                }

                fn name(id: i32) -> ::core::option::Option<&'static str> {
                    (__rt::tactics::<Self>().name)(id)
                }
            }
        };
    }
}
