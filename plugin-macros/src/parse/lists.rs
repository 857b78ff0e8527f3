//! Arrays of expressions and integers, which the compiler finds to be of unlike types without saying what to write.

use quote::quote;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{BinOp, Block, Error, Expr, ExprCall, ExprMethodCall, Lit, Local, Pat, Token, UnOp};

use crate::model::types::spelled;

/// Methods of descs, size tensors and expressions that give an expression.
const GIVE_EXPRESSIONS: [&str; 6] = ["shape_expr", "expr", "numel", "ceil_div", "floor_div", "must_equal"];
/// Methods of kernels whose argument is a list of expressions.
const TAKE_LISTS: [&str; 3] = ["grid", "block", "extra_args"];

/// Puts a mistake in place of each array that mixes them.
pub(super) fn refuse_mixed(block: &mut Block) {
    Lists::default().visit_block_mut(block);
}

#[derive(Default)]
struct Lists {
    /// Variables that hold an expression.
    variables: Vec<String>,
}

impl VisitMut for Lists {
    fn visit_local_mut(&mut self, local: &mut Local) {
        visit_mut::visit_local_mut(self, local);
        let Some(init) = &local.init else { return };
        if let (Pat::Ident(variable), true) = (&local.pat, self.is_expression(&init.expr)) {
            self.variables.push(variable.ident.to_string());
        }
    }

    /// `TensorDesc::from_shape_expr([..], ..)`
    fn visit_expr_call_mut(&mut self, call: &mut ExprCall) {
        visit_mut::visit_expr_call_mut(self, call);
        let is_desc = matches!(&*call.func, Expr::Path(path)
            if path.path.segments.last().is_some_and(|segment| segment.ident == "from_shape_expr"));
        if let (true, Some(list)) = (is_desc, call.args.first_mut()) {
            self.refuse(list);
        }
    }

    /// `kernel.grid([..])`
    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        visit_mut::visit_expr_method_call_mut(self, call);
        let is_kernels = TAKE_LISTS.iter().any(|method| call.method == method);
        if let (true, Some(list)) = (is_kernels, call.args.first_mut()) {
            self.refuse(list);
        }
    }
}

impl Lists {
    fn refuse(&self, list: &mut Expr) {
        let Some(members) = members(list) else { return };
        if !members.iter().any(is_integer) || !members.iter().any(|member| self.is_expression(member)) {
            return;
        }
        let written: Vec<String> = members.iter().map(spelled).collect();
        let written = written.join(", ");
        let message = format!("an array holds values of one type: write `({written})`, a tuple, or `dims![{written}]`");
        let mistake = Error::new_spanned(&list, message).to_compile_error();
        *list = Expr::Verbatim(quote!(((#members), #mistake).1));
    }

    fn is_expression(&self, value: &Expr) -> bool {
        match value {
            Expr::MethodCall(call) => GIVE_EXPRESSIONS.iter().any(|method| call.method == method),
            Expr::Path(path) => path.path.get_ident().is_some_and(|name| self.variables.contains(&name.to_string())),
            Expr::Binary(binary) if is_arithmetic(&binary.op) => {
                self.is_expression(&binary.left) || self.is_expression(&binary.right)
            }
            Expr::Paren(inner) => self.is_expression(&inner.expr),
            Expr::Reference(inner) => self.is_expression(&inner.expr),
            Expr::Try(inner) => self.is_expression(&inner.expr),
            _ => false,
        }
    }
}

/// The members of an array or of `vec![..]`.
fn members(list: &Expr) -> Option<Punctuated<Expr, Token![,]>> {
    match list {
        Expr::Array(array) => Some(array.elems.clone()),
        Expr::Reference(inner) => members(&inner.expr),
        Expr::Macro(call) if call.mac.path.is_ident("vec") => {
            Punctuated::parse_terminated.parse2(call.mac.tokens.clone()).ok()
        }
        _ => None,
    }
}

fn is_integer(value: &Expr) -> bool {
    match value {
        Expr::Lit(literal) => matches!(literal.lit, Lit::Int(_)),
        Expr::Unary(unary) => matches!(unary.op, UnOp::Neg(_)) && is_integer(&unary.expr),
        Expr::Binary(binary) => is_arithmetic(&binary.op) && is_integer(&binary.left) && is_integer(&binary.right),
        Expr::Paren(inner) => is_integer(&inner.expr),
        _ => false,
    }
}

fn is_arithmetic(operator: &BinOp) -> bool {
    matches!(operator, BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_) | BinOp::Div(_))
}
