//! Combinations that are written as string literals, found in the body of an `autotune` function.

use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprCall, ExprMethodCall, Lit, LitStr, Macro, Token};

use super::shared::check;

/// A check of each literal that stands for the types or layouts of all inputs and outputs.
pub(crate) fn checks(body: &Block) -> TokenStream {
    let mut found = Literals::default();
    found.visit_block(body);
    let types = found.types.iter().map(|text| check(text.span(), quote!(types::<__Plugin>(#text))));
    let layouts = found.layouts.iter().map(|text| check(text.span(), quote!(layouts::<__Plugin>(#text))));
    types.chain(layouts).collect()
}

#[derive(Default)]
struct Literals {
    types: Vec<LitStr>,
    layouts: Vec<LitStr>,
}

impl<'ast> Visit<'ast> for Literals {
    /// `AutoTuneCombination::new("..")`
    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if is_constructor(&call.func) {
            self.types.extend(only_literal(&call.args));
        }
        visit::visit_expr_call(self, call);
    }

    /// `combination.layouts("..")`
    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if call.method == "layouts" && starts_with_combination(&call.receiver) {
            self.layouts.extend(only_literal(&call.args));
        }
        visit::visit_expr_method_call(self, call);
    }

    /// `vec![..]` and other macros whose arguments are expressions.
    fn visit_macro(&mut self, invocation: &'ast Macro) {
        if let Ok(arguments) = invocation.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            for argument in &arguments {
                let mut inner = Literals::default();
                inner.visit_expr(argument);
                self.types.append(&mut inner.types);
                self.layouts.append(&mut inner.layouts);
            }
        }
    }
}

fn is_constructor(function: &Expr) -> bool {
    let Expr::Path(function) = function else { return false };
    let mut segments = function.path.segments.iter().rev();
    segments.next().is_some_and(|last| last.ident == "new")
        && segments.next().is_some_and(|ty| ty.ident == "AutoTuneCombination")
}

/// Whether a chain of calls starts with `AutoTuneCombination::..(..)`.
fn starts_with_combination(receiver: &Expr) -> bool {
    match receiver {
        Expr::MethodCall(call) => starts_with_combination(&call.receiver),
        Expr::Paren(paren) => starts_with_combination(&paren.expr),
        Expr::Call(call) => match &*call.func {
            Expr::Path(function) => {
                function.path.segments.iter().rev().nth(1).is_some_and(|ty| ty.ident == "AutoTuneCombination")
            }
            _ => false,
        },
        _ => false,
    }
}

fn only_literal(arguments: &Punctuated<Expr, Token![,]>) -> Option<LitStr> {
    match (arguments.first(), arguments.len()) {
        (Some(Expr::Lit(literal)), 1) => match &literal.lit {
            Lit::Str(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}
