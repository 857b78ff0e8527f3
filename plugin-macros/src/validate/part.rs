//! Rules of the functions that belong to a registered plugin.

use quote::ToTokens;
use syn::{Expr, Type};

use super::options::runtime;
use super::outputs::returned;
use super::registration::unsupported;
use crate::model::types::{array_length, ends_in, is_reference_to, plain, referent, referred, spelled};
use crate::model::{
    AttributeParameter, AttributeType, Function, Options, Parameter, Part, Role, TacticParameter, advice,
};
use crate::report::Report;

/// The model of an `autotune`, `impl_plugin` or `aot_impl` function, if it keeps the rules.
pub(crate) fn part(options: &Options, function: Function, role: Role, report: &mut Report) -> Option<Part> {
    let runtime = runtime(options.runtime.as_ref(), report);
    returned(&function, role, report);
    let mut sorted = Sorted::default();
    for parameter in &function.parameters {
        sorted.add(parameter, role, report);
    }
    let all_read = function.parameters.len() == function.item.sig.inputs.len();
    if sorted.inputs.is_empty() && !sorted.failed && all_read {
        no_input(&function, &sorted, role, report);
    }
    if sorted.tail.contains(&"outputs") {
        for parameter in &sorted.single_outputs {
            let name = &parameter.name;
            let message =
                format!("an input of {role} is a `Tensor`: write `{name}: Tensor`; the outputs are one array");
            report.error(&parameter.ty, message);
        }
    } else if let Some(first) = sorted.single_outputs.first() {
        let names: Vec<String> = sorted.single_outputs.iter().map(Parameter::text).collect();
        let (count, names) = (names.len(), names.join(", "));
        let message =
            format!("the outputs are one array after inputs and attributes: write `[{names}]: [TensorMut; {count}]`");
        report.error(&first.ty, message);
    } else if !sorted.tail.contains(&"outputs") {
        let message =
            format!("the outputs are missing: write `outputs: {}` after inputs and attributes", role.outputs_type());
        report.error_at(function.item.sig.paren_token.span.join(), message);
    }
    let id = options.id.clone()?;
    let plugin = match &options.plugin {
        Some(path) => path.to_token_stream(),
        None => id.name.to_token_stream(),
    };
    Some(Part {
        device_shape: options.device_shape.as_ref().is_some_and(|value| value.value),
        takes_workspace: sorted.tail.contains(&"workspace"),
        takes_stream: sorted.tail.contains(&"stream"),
        id,
        runtime,
        plugin,
        function,
        inputs: sorted.inputs,
        attributes: sorted.attributes,
        outputs: sorted.outputs?,
        tactic: sorted.tactic,
    })
}

/// Says that there is no input, of the first parameter where that is meant as one.
fn no_input(function: &Function, sorted: &Sorted, role: Role, report: &mut Report) {
    let first = sorted.attributes.first().filter(|_| role == Role::Impl).map(|attribute| &attribute.parameter);
    match first.map(|first| (first, plain(referred(&first.ty)))) {
        Some((first, Type::Slice(slice))) => {
            let (name, element) = (&first.name, spelled(&slice.elem));
            let message = format!(
                "an input of {role} is a `Tensor`: write `{name}: Tensor`, and in the body `{name}.as_slice::<{element}>()?`"
            );
            report.error(&first.ty, message);
        }
        _ if !sorted.single_outputs.is_empty() && sorted.tail.contains(&"outputs") => {}
        _ => {
            let message = format!("a plugin has at least one input: write `name: {}` first", role.input_type());
            report.error_at(function.item.sig.paren_token.span.join(), message);
        }
    }
}

/// The parameters by kind.
#[derive(Default)]
struct Sorted {
    inputs: Vec<Parameter>,
    attributes: Vec<AttributeParameter>,
    outputs: Option<Expr>,
    tactic: Option<TacticParameter>,
    /// Parameters that were written as an output each.
    single_outputs: Vec<Parameter>,
    /// The parameters of fixed name, so far.
    tail: Vec<&'static str>,
    /// Whether one couldn't be sorted.
    failed: bool,
    /// Whether their order is said to be wrong: once is enough.
    is_order_wrong: bool,
}

impl Sorted {
    fn add(&mut self, parameter: &Parameter, role: Role, report: &mut Report) {
        let name = parameter.text();
        match Role::Impl.tail().iter().find(|tail| **tail == name) {
            Some(tail) => return self.add_tail(tail, parameter, role, report),
            None if role == Role::Impl && is_single_output(&parameter.ty) => {
                return self.single_outputs.push(parameter.clone());
            }
            None => {}
        }
        if let Some(fixed) = self.renamed(&parameter.ty, role) {
            self.failed = true;
            self.tail.push(fixed);
            let right = if fixed == "outputs" { role.outputs_type().to_owned() } else { spelled(&parameter.ty) };
            let message = format!("the parameter of this type is called `{fixed}`: write `{fixed}: {right}`");
            return report.error(&parameter.ty, message);
        }
        self.must_be_first(&name, parameter, role, report);
        if is_input(parameter, role, report) {
            if let Some(first) = self.attributes.first() {
                let before = first.parameter.text();
                let message = format!("inputs come before attributes: move `{name}` before `{before}`");
                report.error(&parameter.name, message);
            }
            self.inputs.push(parameter.clone());
        } else if let Some(ty) = AttributeType::of(&parameter.ty) {
            self.attributes.push(AttributeParameter { parameter: parameter.clone(), ty });
        } else {
            self.failed = true;
            report.error(&parameter.ty, unsupported(&parameter.ty, role));
        }
    }

    /// The fixed name that a parameter of this type should have.
    fn renamed(&self, ty: &Type, role: Role) -> Option<&'static str> {
        let target = referent(ty).unwrap_or(ty);
        let element = match plain(target) {
            Type::Array(array) => Some(&array.elem),
            Type::Slice(slice) => Some(&slice.elem),
            _ => None,
        };
        if element.is_some_and(|element| ends_in(element, "TensorMut") || ends_in(element, "TensorDesc")) {
            return Some("outputs");
        }
        let fixed = [("Workspace", "workspace"), ("Stream", "stream")];
        let fixed = fixed.into_iter().find(|(ty, _)| ends_in(target, ty)).map(|(_, name)| name);
        let is_input = ["Tensor", "TensorDesc", "TensorMut"].iter().any(|name| ends_in(target, name));
        // After the outputs, what neither inputs nor attributes are is an enum of tactics.
        let is_enum = matches!(plain(ty), Type::Path(_)) && AttributeType::of(ty).is_none() && !is_input;
        let is_tactic = is_enum && advice(ty, role).is_none() && self.tail.contains(&"outputs");
        let name = fixed.or(is_tactic.then_some("tactic"))?;
        (role.tail().contains(&name) && !self.tail.contains(&name)).then_some(name)
    }

    fn must_be_first(&mut self, name: &str, parameter: &Parameter, role: Role, report: &mut Report) {
        if let Some(last) = self.tail.first() {
            let message = format!("inputs and attributes come first: move `{name}` before `{last}`");
            self.order(parameter, message, role, report);
        }
    }

    fn order(&mut self, parameter: &Parameter, message: String, role: Role, report: &mut Report) {
        if !self.is_order_wrong {
            let order = role.tail().join("`, `");
            report.error(&parameter.name, format_args!("{message}; the order is inputs, attributes, `{order}`"));
        }
        self.is_order_wrong = true;
    }

    fn add_tail(&mut self, name: &'static str, parameter: &Parameter, role: Role, report: &mut Report) {
        let Some(place) = role.tail().iter().position(|tail| *tail == name) else {
            self.failed = true;
            return report.error(&parameter.name, format_args!("{role} takes no `{name}`: remove it"));
        };
        let later = self.tail.iter().find(|seen| role.tail().iter().position(|tail| tail == *seen) > Some(place));
        if let Some(later) = later {
            let message = format!("`{name}` comes before `{later}`");
            self.order(parameter, message, role, report);
        }
        self.tail.push(name);
        let ty = &parameter.ty;
        match name {
            "outputs" => self.outputs = outputs(parameter, role, report),
            "workspace" if !ends_in(ty, "Workspace") => report.error(ty, "write `workspace: Workspace`"),
            "stream" if !is_reference_to(ty, "Stream") => report.error(ty, "write `stream: &Stream`"),
            "tactic" => self.tactic = tactic(ty, report),
            _ => {}
        }
    }
}

/// Whether it is one of the outputs by itself.
fn is_single_output(ty: &Type) -> bool {
    let is_written = matches!(plain(ty), Type::Reference(reference)
        if reference.mutability.is_some() && matches!(plain(&reference.elem), Type::Slice(slice) if AttributeType::is_element(&slice.elem)));
    is_written || ends_in(referred(ty), "TensorMut")
}

fn is_input(parameter: &Parameter, role: Role, report: &mut Report) -> bool {
    let ty = &parameter.ty;
    let is_right = match role {
        Role::Impl => ends_in(ty, "Tensor"),
        _ => is_reference_to(ty, "TensorDesc"),
    };
    if is_right {
        return true;
    }
    let target = referred(ty);
    let is_meant = ["Tensor", "TensorDesc", "TensorMut"].iter().any(|name| ends_in(target, name));
    if is_meant {
        let (name, right) = (&parameter.name, role.input_type());
        report.error(ty, format_args!("an input of {role} is a `{right}`: write `{name}: {right}`"));
    }
    is_meant
}

fn outputs(parameter: &Parameter, role: Role, report: &mut Report) -> Option<Expr> {
    let ty = &parameter.ty;
    let length = match role {
        Role::Impl => array_length(ty, "TensorMut"),
        _ => referent(ty).and_then(|array| array_length(array, "TensorDesc")),
    };
    if length.is_none() {
        let right = role.outputs_type();
        let message = match array_length(ty, "Tensor") {
            Some(count) if parameter.is_taken_apart => {
                format!("outputs are written to: write `[TensorMut; {}]`", spelled(count))
            }
            None if parameter.is_taken_apart => {
                format!(
                    "the outputs are one array, by their names: write `[y, ..]: {right}`, with their number for `N`"
                )
            }
            _ => format!("write `outputs: {right}`, with the plugin's number of outputs for `N`"),
        };
        report.error(ty, message);
    }
    length.cloned()
}

fn tactic(ty: &Type, report: &mut Report) -> Option<TacticParameter> {
    if ends_in(ty, "i32") {
        return Some(TacticParameter::Number);
    }
    let is_primitive = |name: &str| name.starts_with(|c: char| c.is_lowercase());
    match plain(ty) {
        Type::Path(path) if !path.path.get_ident().is_some_and(|name| is_primitive(&name.to_string())) => {
            Some(TacticParameter::Enum(Box::new(ty.clone())))
        }
        _ => {
            let written = spelled(ty);
            let advice = match referred(ty) {
                target @ Type::Path(path)
                    if path.path.get_ident().is_none_or(|name| !is_primitive(&name.to_string())) =>
                {
                    format!("write `tactic: {}`, by value", spelled(target))
                }
                _ => "write `tactic: i32`, or an enum that derives `Tactic`".to_owned(),
            };
            report.error(ty, format_args!("`{written}` isn't a tactic: {advice}"));
            None
        }
    }
}
