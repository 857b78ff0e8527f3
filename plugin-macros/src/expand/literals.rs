//! Combinations that are written as string literals, found in the body of an `autotune` function.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprCall, ExprLit, ExprMethodCall, Lit, Macro, Token};

use super::shared::check;

/// A check of each literal that stands for types or layouts.
pub(crate) fn checks(body: &Block) -> TokenStream {
    let mut literals = Literals::default();
    literals.visit_block(body);
    literals.checks.into_iter().collect()
}

#[derive(Default)]
struct Literals {
    checks: Vec<TokenStream>,
}

impl Literals {
    /// Adds a check of the argument of this index, if it is a literal.
    fn add(&mut self, arguments: &Punctuated<Expr, Token![,]>, index: usize, name: &str) {
        let Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) = arguments.get(index) else { return };
        let name = Ident::new(name, Span::mixed_site());
        self.checks.push(check(text.span(), quote!(#name::<__Plugin>(#text))));
    }
}

impl<'ast> Visit<'ast> for Literals {
    /// `AutoTuneCombination::new("..")`
    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if constructor(&call.func).is_some_and(|name| name == "new") {
            self.add(&call.args, 0, "types");
        }
        visit::visit_expr_call(self, call);
    }

    /// `combination.layouts("..")`, `combination.pos(0, "..")`, `combination.pos_with_layouts(0, "..", "..")`
    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if starts_with_combination(&call.receiver) {
            match call.method.to_string().as_str() {
                "layouts" => self.add(&call.args, 0, "layouts"),
                "pos" => self.add(&call.args, 1, "types_of_one"),
                "pos_with_layouts" => {
                    self.add(&call.args, 1, "types_of_one");
                    self.add(&call.args, 2, "layouts_of_one");
                }
                _ => {}
            }
        }
        visit::visit_expr_method_call(self, call);
    }

    /// `vec![..]` and other macros whose arguments are expressions.
    fn visit_macro(&mut self, invocation: &'ast Macro) {
        if let Ok(arguments) = invocation.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            for argument in &arguments {
                let mut inner = Literals::default();
                inner.visit_expr(argument);
                self.checks.append(&mut inner.checks);
            }
        }
    }
}

/// `name` of `AutoTuneCombination::name`.
fn constructor(function: &Expr) -> Option<&Ident> {
    let Expr::Path(function) = function else { return None };
    let mut segments = function.path.segments.iter().rev().map(|segment| &segment.ident);
    let name = segments.next()?;
    segments.next().filter(|ty| *ty == "AutoTuneCombination").map(|_| name)
}

/// Whether a chain of calls starts with `AutoTuneCombination::..(..)`.
fn starts_with_combination(receiver: &Expr) -> bool {
    match receiver {
        Expr::MethodCall(call) => starts_with_combination(&call.receiver),
        Expr::Paren(paren) => starts_with_combination(&paren.expr),
        Expr::Call(call) => constructor(&call.func).is_some(),
        _ => false,
    }
}
