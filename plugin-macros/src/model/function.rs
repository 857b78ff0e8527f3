//! A function that carries one of the attributes.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{Attribute, Expr, ItemFn, Lit, Meta, Type, parse_quote_spanned};

/// The author's function, without helper attributes, and its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub item: ItemFn,
    pub parameters: Vec<Parameter>,
}

/// One parameter.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub name: Ident,
    pub ty: Type,
    /// The constant in `#[default(..)]`.
    pub default: Option<Expr>,
    /// Whether it is `[a, b]: [TensorMut; 2]`, the outputs under names of their own.
    pub is_taken_apart: bool,
}

impl Parameter {
    /// The name as text, without `r#`.
    pub(crate) fn text(&self) -> String {
        syn::ext::IdentExt::unraw(&self.name).to_string()
    }
}

impl Function {
    /// The conditions under which the function is compiled, for whatever stands beside it.
    pub(crate) fn conditions(&self) -> Vec<&Attribute> {
        self.item.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
    }

    /// Its doc comment.
    pub(crate) fn description(&self) -> String {
        let lines = self.item.attrs.iter().filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                Expr::Lit(literal) => match &literal.lit {
                    Lit::Str(text) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        });
        let lines: Vec<String> =
            lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned()).collect();
        lines.join("\n").trim().to_owned()
    }

    /// Counts the parameters as used: the author has no choice but to name them.
    pub(crate) fn use_parameters(&mut self, is_prescribed: impl Fn(&Parameter) -> bool) {
        let prescribed = self.parameters.iter().filter(|p| !p.is_taken_apart && is_prescribed(p));
        let names = prescribed.map(|parameter| &parameter.name);
        let statement = parse_quote_spanned!(Span::mixed_site()=> let _ = (#(&#names,)*););
        self.item.block.stmts.insert(0, statement);
    }

    /// The place that messages about the return type point at.
    pub(crate) fn return_tokens(&self) -> proc_macro2::TokenStream {
        match &self.item.sig.output {
            syn::ReturnType::Default => self.item.sig.ident.to_token_stream(),
            syn::ReturnType::Type(_, ty) => ty.to_token_stream(),
        }
    }
}
