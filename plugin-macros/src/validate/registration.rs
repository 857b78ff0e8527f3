//! Rules of `register` functions.

use proc_macro2::Ident;
use syn::Expr;

use super::onnx;
use super::options::{runtime, version};
use super::outputs::described;
use crate::model::types::{ends_in, is_reference_to, referred, spelled};
use crate::model::{
    ATTRIBUTE_TYPES, AttributeParameter, AttributeType, Function, Options, Parameter, Registration, Role, advice, types,
};
use crate::nearest::nearest;
use crate::report::Report;

/// Names of parameters that impls have for themselves.
const RESERVED: [&str; 4] = ["outputs", "workspace", "stream", "tactic"];

/// Names of attributes that mean something of their own to those who call plugins, and what.
const OF_CALLERS: [(&str, &str); 5] = [
    ("plugin_version", "says which version of the plugin a node of an ONNX model is"),
    ("plugin_namespace", "says which namespace the plugin of an ONNX model's node is in"),
    ("aot", "says in ONNX models and in TensorRT whether ahead-of-time kernels run"),
    ("aot_preferred", "says in ONNX models and in TensorRT whether ahead-of-time kernels run"),
    ("vmap_method", "is an argument that each plugin has in JAX"),
];

/// The model of a `register` function, if it keeps the rules.
pub(crate) fn registration(options: Options, function: Function, report: &mut Report) -> Option<Registration> {
    let runtime = runtime(options.runtime.as_ref(), report);
    let version = version(options.version.as_ref(), report);
    let onnx = onnx::names(&options.onnx, options.id.as_ref(), report);
    let outputs = described(&function, report);
    let mut inputs: Vec<Parameter> = Vec::new();
    let mut attributes: Vec<AttributeParameter> = Vec::new();
    for parameter in &function.parameters {
        let name = parameter.text();
        if RESERVED.contains(&name.as_str()) {
            let message = format!("`{name}` is a parameter that impls have for themselves: take another name");
            report.error(&parameter.name, message);
        }
        if is_input(parameter, report) {
            if let Some(attribute) = attributes.first() {
                let before = attribute.parameter.text();
                report.error(
                    &parameter.name,
                    format_args!("inputs come before attributes: move `{name}: &TensorDesc` before `{before}`"),
                );
            }
            if let Some(default) = &parameter.default {
                report.error(default, "an input has no default: every input of a plugin is connected");
            }
            inputs.push(parameter.clone());
        } else if let Some(ty) = AttributeType::of(&parameter.ty) {
            if let Some((_, meaning)) = OF_CALLERS.iter().find(|(reserved, _)| *reserved == name) {
                report.error(&parameter.name, format_args!("`{name}` {meaning}: take another name"));
            }
            attributes.push(AttributeParameter { parameter: parameter.clone(), ty });
        } else {
            report.error(&parameter.ty, unsupported(&parameter.ty, Role::Register));
        }
    }
    let all_read = function.parameters.len() == function.item.sig.inputs.len();
    if inputs.is_empty() && all_read && !function.parameters.iter().any(|p| AttributeType::of(&p.ty).is_none()) {
        let span = function.item.sig.paren_token.span.join();
        report.error_at(span, "a plugin has at least one input: write `name: &TensorDesc` as the first parameter");
    }
    let sample_inputs = sample_inputs(&options.sample_inputs, &inputs, report);
    let (id, compare, outputs) = (options.id?, options.compare, outputs?);
    Some(Registration { id, version, runtime, function, inputs, attributes, outputs, onnx, compare, sample_inputs })
}

/// The sample of each input, where one is given.
fn sample_inputs(said: &[(Ident, Expr)], inputs: &[Parameter], report: &mut Report) -> Vec<Option<Expr>> {
    let mut samples = vec![None; inputs.len()];
    for (name, sample) in said {
        let names = || inputs.iter().map(Parameter::text);
        match names().position(|input| *name == input) {
            Some(input) if samples[input].is_some() => {
                report.error(name, format_args!("it is said twice what `{name}` looks like"));
            }
            Some(input) => samples[input] = Some(sample.clone()),
            None => {
                let names: Vec<String> = names().collect();
                let advice = match nearest(&name.to_string(), names.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("its inputs are: {}", names.join(", ")),
                };
                report.error(name, format_args!("the plugin has no input `{name}`; {advice}"));
            }
        }
    }
    samples
}

/// Whether it is meant as an input; whatever is wrong with its type is reported.
fn is_input(parameter: &Parameter, report: &mut Report) -> bool {
    let ty = &parameter.ty;
    if is_reference_to(ty, "TensorDesc") {
        return true;
    }
    let is_one =
        |ty| ["TensorDesc", "SizeTensorDesc", "Tensor", "TensorMut"].iter().any(|name| ends_in(referred(ty), name));
    let name = &parameter.name;
    match referred(ty) {
        target if is_one(target) => {
            report.error(ty, format_args!("an input of `register` is a `&TensorDesc`: write `{name}: &TensorDesc`"));
        }
        syn::Type::Slice(list) if is_one(&list.elem) => several(ty, report),
        syn::Type::Array(list) if is_one(&list.elem) => several(ty, report),
        _ if ends_in(ty, "Vec") && spelled(ty).contains("TensorDesc") => several(ty, report),
        _ => return false,
    }
    true
}

fn several(ty: &syn::Type, report: &mut Report) {
    report.error(
        ty,
        "the number of inputs is fixed: write a parameter for each, `first: &TensorDesc, second: &TensorDesc`",
    );
}

/// A message for a type that neither inputs nor attributes have.
pub(super) fn unsupported(ty: &syn::Type, role: Role) -> String {
    let spelled = spelled(ty);
    match (advice(ty, role), types::plain(ty)) {
        (Some(advice), _) => format!("an attribute can't be of type `{spelled}`: {advice}"),
        (None, syn::Type::ImplTrait(_)) => {
            format!("`{spelled}` isn't a type of its own: an attribute is {ATTRIBUTE_TYPES}")
        }
        (None, syn::Type::Path(path)) if path.path.get_ident().is_some_and(is_like_an_enum) => format!(
            "`{spelled}` is neither an input's type (`&TensorDesc`) nor an attribute's: {ATTRIBUTE_TYPES}; for one of several \
             names take a `&str`"
        ),
        (None, _) => {
            format!("`{spelled}` is neither an input's type (`&TensorDesc`) nor an attribute's: {ATTRIBUTE_TYPES}")
        }
    }
}

/// Whether a name may be that of an author's enum.
fn is_like_an_enum(name: &Ident) -> bool {
    name.to_string().starts_with(char::is_uppercase) && !name.to_string().ends_with("Desc")
}
