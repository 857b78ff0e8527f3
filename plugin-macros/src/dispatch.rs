//! `dispatch!`: an expression once for each of several element types.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::token::Bracket;
use syn::{Error, Expr, Lit, Result, Token, Type, bracketed};

use crate::elements::{ELEMENTS, no_element, of_data_type};
use crate::model::types::{ends_in, plain, spelled};
use crate::report::Report;

const FORM: &str = "write `dispatch!(x.dtype(), T in [f32, f16] => ..)`";

/// Types of Rust that are none.
const NO_ELEMENTS: [&str; 12] =
    ["f64", "i16", "i128", "isize", "u16", "u32", "u64", "u128", "usize", "bool", "char", "str"];

/// What stands in the parentheses.
struct Dispatch {
    dtype: Expr,
    parameter: Ident,
    types: Vec<Type>,
    body: TokenStream,
}

/// Expands `[path of the runtime] dtype, T in [types] => body`. The types that are right are expanded along with the mistakes:
/// what the body uses isn't unused then, and what is wrong in it shows at once.
pub(crate) fn dispatch(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter();
    let runtime = match tokens.next() {
        Some(TokenTree::Group(group)) => group.stream(),
        _ => quote!(::plugin_runtime),
    };
    let dispatch = match parse.parse2(tokens.collect()) {
        Ok(dispatch) => dispatch,
        Err(error) => return error.to_compile_error(),
    };
    let is_right = |ty: &&Type| advice(ty).is_none();
    let expanded = expand(&runtime, &dispatch, &dispatch.types.iter().filter(is_right).collect::<Vec<_>>());
    let checked = Report::collect(|report| {
        for ty in &dispatch.types {
            if let Some(advice) = advice(ty) {
                report.error(ty, advice);
            }
        }
        Some(())
    });
    match checked {
        Ok(()) => expanded,
        Err(errors) => {
            let errors = errors.into_iter().map(|error| error.to_compile_error());
            quote!({ #(#errors;)* #expanded })
        }
    }
}

fn parse(input: ParseStream<'_>) -> Result<Dispatch> {
    let dtype = input.parse().map_err(|error| Error::new(error.span(), FORM))?;
    let form =
        |error: Error| Error::new(error.span(), format_args!("after the type of a tensor comes the list: {FORM}"));
    input.parse::<Token![,]>().map_err(form)?;
    let parameter = input.call(Ident::parse_any).map_err(form)?;
    input.parse::<Token![in]>().map_err(form)?;
    if !input.peek(Bracket) {
        return Err(form(input.error("")));
    }
    let inside;
    let brackets = bracketed!(inside in input);
    let types = types(&inside)?;
    if types.is_empty() {
        return Err(Error::new(brackets.span.join(), format_args!("the list is empty: {FORM}")));
    }
    let what_to_do = |error: Error| Error::new(error.span(), format_args!("after the list comes what to do: {FORM}"));
    input.parse::<Token![=>]>().map_err(what_to_do)?;
    if input.is_empty() {
        return Err(what_to_do(input.error("")));
    }
    Ok(Dispatch { dtype, parameter, types: types.into_iter().collect(), body: input.parse()? })
}

/// The list, with commas between its types.
fn types(input: ParseStream<'_>) -> Result<Punctuated<Type, Token![,]>> {
    let mut types = Punctuated::new();
    while !input.is_empty() {
        types.push_value(element(input)?);
        if !input.is_empty() {
            let comma = |error: Error| Error::new(error.span(), format_args!("types stand with `,` between: {FORM}"));
            types.push_punct(input.parse().map_err(comma)?);
        }
    }
    Ok(types)
}

/// A type of the list. A text can't be one, but it says which is meant.
fn element(input: ParseStream<'_>) -> Result<Type> {
    if !input.peek(Lit) {
        return input.parse();
    }
    let literal: Lit = input.parse()?;
    let name = match &literal {
        Lit::Str(text) => text.value(),
        other => other.to_token_stream().to_string(),
    };
    let advice = of_data_type(&name).map_or_else(|| no_element(&name), rust_type);
    Err(Error::new(literal.span(), advice))
}

/// What is wrong with a type of the list. Whatever isn't known here, an alias say, the compiler checks.
fn advice(ty: &Type) -> Option<String> {
    let Type::Path(path) = plain(ty) else { return Some(no_element(&spelled(ty))) };
    let last = path.path.segments.last()?.ident.unraw().to_string();
    let is_alone = path.qself.is_none() && path.path.segments.len() == 1;
    let is_data_type = path.path.segments.iter().rev().nth(1).is_some_and(|segment| segment.ident == "DataType");
    if is_named_as_an_element(ty) {
        return None;
    }
    match of_data_type(&last) {
        Some(rust) if is_data_type || is_alone => Some(rust_type(rust)),
        _ if is_alone && NO_ELEMENTS.contains(&last.as_str()) => Some(no_element(&last)),
        _ => None,
    }
}

fn is_named_as_an_element(ty: &Type) -> bool {
    ELEMENTS.iter().any(|element| ends_in(ty, element))
}

fn rust_type(rust: &str) -> String {
    format!("types of Rust are listed here: write `{rust}`")
}

fn expand(runtime: &TokenStream, dispatch: &Dispatch, types: &[&Type]) -> TokenStream {
    let Dispatch { dtype, parameter, body, .. } = dispatch;
    let here = Span::mixed_site();
    let stand_in: Type = syn::parse_quote!(#runtime::__private::elements::f32);
    let types = if types.is_empty() { &[&stand_in][..] } else { types };
    let names: Vec<Ident> = types.iter().enumerate().map(|(at, ty)| listed(at, ty)).collect();
    let chosen = names.iter().zip(types).map(|(name, ty)| match is_named_as_an_element(ty) {
        true => name.to_token_stream(),
        false => chosen(runtime, name),
    });
    let chosen: Vec<TokenStream> = chosen.collect();
    let arms = chosen.iter().map(|ty| {
        // What one of the types doesn't need another does.
        quote_spanned! {here=>
            #[allow(clippy::unnecessary_cast, clippy::cast_lossless, clippy::useless_conversion)]
            dtype if <#ty as #runtime::tensor::Element>::views(dtype) => {
                type #parameter = #ty;
                #body
            }
        }
    });
    quote_spanned! {here=>
        {
            #(type #names = #types;)*
            let dtype: #runtime::tensor::DataType = #dtype;
            match dtype {
                #(#arms)*
                dtype => ::core::result::Result::Err(#runtime::__private::no_such_element(
                    dtype,
                    &[#(<#chosen as #runtime::tensor::Element>::NAME),*],
                )),
            }
        }
    }
}

/// A name for a type of the list, shown where the type was written. The type itself is written out once, so that a mistake in
/// it shows once.
fn listed(at: usize, ty: &Type) -> Ident {
    Ident::new(&format!("__Listed{at}"), ty.span())
}

/// A type of another name, once the length of an array has been found that is known only where it is an element. Else the
/// compiler says so there, and what depends on such a length is of no type at all to it: it says nothing of what the body does.
fn chosen(runtime: &TokenStream, name: &Ident) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        <[(); #runtime::__private::is_element::<#name>()] as #runtime::__private::Chosen<#name>>::Element
    }
}
