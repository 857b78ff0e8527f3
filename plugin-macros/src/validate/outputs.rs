//! Rules of return types.

use syn::{GenericArgument, PathArguments, ReturnType, Type};

use crate::model::types::{ends_in, last_segment, plain, spelled};
use crate::model::{Function, Role};
use crate::report::Report;

/// The most outputs a plugin can have.
const MOST: usize = 8;

/// The number of outputs that a `register` function describes.
pub(crate) fn described(function: &Function, report: &mut Report) -> Option<usize> {
    let ty = match &function.item.sig.output {
        ReturnType::Type(_, ty) => result_of(ty).unwrap_or(ty),
        ReturnType::Default => {
            let name = &function.item.sig.ident;
            report.error(
                name,
                "the return type is missing: write `-> TensorDesc`, or a tuple with one `TensorDesc` or \
                 `SizeTensorDesc` an output",
            );
            return None;
        }
    };
    let Type::Tuple(tuple) = plain(ty) else {
        return is_output(ty, report).then_some(1);
    };
    let count = tuple.elems.len();
    if count == 0 {
        report.error(ty, "a plugin has at least one output: return a `TensorDesc` for each");
    } else if count > MOST {
        report.error(ty, format_args!("a plugin has at most {MOST} outputs; this tuple has {count}"));
    }
    let mut all = true;
    for element in &tuple.elems {
        all &= is_output(element, report);
    }
    (all && (1..=MOST).contains(&count)).then_some(count)
}

fn is_output(ty: &Type, report: &mut Report) -> bool {
    let known = ends_in(ty, "TensorDesc") || ends_in(ty, "SizeTensorDesc");
    if !known {
        let advice = match plain(ty) {
            Type::Array(_) | Type::Slice(_) => "write a tuple, with one `TensorDesc` or `SizeTensorDesc` an output",
            Type::Reference(_) => "return a desc by value: `input.like()`, or `input.aliased()` to work in place",
            Type::ImplTrait(_) => "name the type: the number of outputs is read from it",
            _ if ends_in(ty, "Option") => {
                "each output is always there: return `Result<TensorDesc>`, with an error by `bail!`"
            }
            _ if ends_in(ty, "Vec") => {
                "the number of outputs is fixed: write a tuple, with one `TensorDesc` or `SizeTensorDesc` an output"
            }
            _ => {
                "write `TensorDesc` or `SizeTensorDesc` by this name: the number of outputs is read from the return type"
            }
        };
        report.error(ty, format_args!("`{}` isn't an output: {advice}", spelled(ty)));
    }
    known
}

/// The type of a `Result`'s value.
fn result_of(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Whether a function of the role may return what this one does.
pub(crate) fn returns_right(function: &Function, role: Role) -> bool {
    let check = |report: &mut Report| match role {
        Role::Register => described(function, report).map(drop),
        _ => {
            returned(function, role, report);
            Some(())
        }
    };
    Report::collect(check).is_ok()
}

/// Checks what one of the other functions returns.
pub(crate) fn returned(function: &Function, role: Role, report: &mut Report) {
    let (name, spelling) = role.returns();
    let is_right = match &function.item.sig.output {
        ReturnType::Default => role == Role::Impl,
        ReturnType::Type(_, ty) => {
            let ty = result_of(ty).unwrap_or(ty);
            match plain(ty) {
                Type::Tuple(tuple) => role == Role::Impl && tuple.elems.is_empty(),
                ty => ends_in(ty, name),
            }
        }
    };
    if is_right {
        return;
    }
    let message = match (&function.item.sig.output, role) {
        (ReturnType::Default, _) => {
            format!("the return type is missing: write `-> {spelling}` or `-> Result<{spelling}>`")
        }
        (_, Role::Impl) => "an impl returns nothing, it writes to `outputs`: write `-> Result<()>`".to_owned(),
        (_, _) => format!("{role} returns `{spelling}` or `Result<{spelling}>`"),
    };
    report.error(function.return_tokens(), message);
}
