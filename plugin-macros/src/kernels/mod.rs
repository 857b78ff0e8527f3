//! `kernels!`: kernels as their CUDA file has them, and functions that launch them.

mod compare;
mod cuda;
mod expand;
mod file;
mod model;
mod parse;
#[cfg(test)]
mod tests;

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use crate::report::Report;

/// Expands `[path of the runtime] declaration`. What could be read is expanded, so that it isn't missed elsewhere.
pub(crate) fn kernels(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter();
    let runtime = match tokens.next() {
        Some(TokenTree::Group(group)) => group.stream(),
        _ => quote!(::plugin_runtime),
    };
    let mut expansion = TokenStream::new();
    let checked = Report::collect(|report| {
        let mut declaration = parse::declaration(tokens.collect(), report)?;
        let file = file::read(&declaration, report);
        if let Some(text) = &file.text {
            compare::compare(&declaration, text, report);
            compare::find_templates(&mut declaration, text);
        }
        expansion = expand::expand(&runtime, &declaration, &file);
        Some(())
    });
    let errors = checked.err().map(|errors| errors.to_compile_error());
    quote!(#errors #expansion)
}
