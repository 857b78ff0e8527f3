//! A model's graph as one list of nodes over numbered values, its functions inlined.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::proto::{AttributeProto, FunctionProto, GraphProto, Message, ModelProto, NodeProto};
use super::recognize::{Kind, NamedAttribute, RESERVED, Recognized, Recognizer, node_name};
use super::text::{at, check_name, quoted, suggestion};
use crate::error::{Error, Result};

/// Calls in one another.
const DEEPEST_CALLS: usize = 32;
/// Nodes that calls make, in all, and the bytes that these take.
const MOST_INLINED_NODES: usize = 100_000;
const MOST_INLINED_BYTES: usize = 64 << 20;

/// A model's graph without functions.
#[derive(Default)]
pub(super) struct Flat<'m> {
    pub(super) nodes: Vec<FlatNode<'m>>,
    pub(super) values: Vec<Value<'m>>,
    /// The values that have a name in the graph itself, outside of functions.
    pub(super) names: HashMap<&'m str, usize>,
}

/// A node that isn't a call.
pub(super) struct FlatNode<'m> {
    pub(super) kind: Kind,
    pub(super) op: &'m str,
    /// With the calls it is in; made up where the node has none.
    pub(super) name: String,
    pub(super) is_named: bool,
    pub(super) attributes: Vec<NamedAttribute<'m>>,
    /// `None` where an input is left out.
    pub(super) inputs: Vec<Option<usize>>,
    pub(super) outputs: Vec<Option<usize>>,
}

impl FlatNode<'_> {
    pub(super) fn label(&self) -> String {
        label(&self.name, self.op)
    }
}

fn label(name: &str, op: &str) -> String {
    format!("node {} ({})", quoted(name), quoted(op))
}

/// A value that nodes exchange.
pub(super) struct Value<'m> {
    /// With the calls it is in.
    pub(super) name: Cow<'m, str>,
    pub(super) source: Source,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// Position among the graph's inputs.
    Input(usize),
    /// Position among the initializers.
    Initializer(usize),
    /// Position among the flat nodes.
    Node(usize),
    /// Not known yet.
    Open,
}

/// The names of a graph or of one call of a function.
struct Scope<'m> {
    /// Ends in `/`, unless empty.
    path: String,
    names: HashMap<&'m str, Named>,
    /// In a function, its attributes; those without a value are `None`.
    attributes: Option<HashMap<&'m str, Option<&'m AttributeProto>>>,
    /// In a function, the values that its outputs are for the caller.
    results: HashMap<&'m str, usize>,
}

struct Call<'m> {
    function: &'m FunctionProto,
    scope: Scope<'m>,
}

#[derive(Clone, Copy)]
struct Named {
    /// `None` for a function's input that the call left out.
    value: Option<usize>,
    by: Definer,
}

#[derive(Clone, Copy)]
enum Definer {
    Input,
    Initializer,
    /// Position in the graph or function.
    Node(usize),
}

pub(super) fn flatten<'m>(model: &'m ModelProto, graph: &'m GraphProto) -> Result<Flat<'m>> {
    let recognizer = Recognizer::new(&model.functions)?;
    let mut flattener = Flattener { flat: Flat::default(), recognizer, calls: Vec::new(), nodes: 0, bytes: 0 };
    let mut scope = Scope { path: String::new(), names: HashMap::new(), attributes: None, results: HashMap::new() };
    flattener.sources(graph, &mut scope)?;
    flattener.body(&graph.node, &mut scope)?;
    flattener.recognizer.finish()?;
    let names = scope.names.into_iter();
    flattener.flat.names = names.filter_map(|(name, named)| named.value.map(|value| (name, value))).collect();
    Ok(flattener.flat)
}

struct Flattener<'m> {
    flat: Flat<'m>,
    recognizer: Recognizer<'m>,
    calls: Vec<&'m FunctionProto>,
    nodes: usize,
    bytes: usize,
}

impl<'m> Flattener<'m> {
    fn value(&mut self, name: Cow<'m, str>, source: Source) -> usize {
        self.flat.values.push(Value { name, source });
        self.flat.values.len() - 1
    }

    fn push(&mut self, node: FlatNode<'m>) {
        for &value in node.outputs.iter().flatten() {
            self.flat.values[value].source = Source::Node(self.flat.nodes.len());
        }
        self.flat.nodes.push(node);
    }

    /// Inputs and initializers; what is both is a constant.
    fn sources(&mut self, graph: &'m GraphProto, scope: &mut Scope<'m>) -> Result<()> {
        for (index, input) in graph.input.iter().enumerate() {
            let name = input.name.as_str();
            check_source(format_args!("graph input {index}"), name)?;
            let value = Some(self.value(name.into(), Source::Input(index)));
            if scope.names.insert(name, Named { value, by: Definer::Input }).is_some() {
                return Err(Error::invalid(format_args!("the graph has two inputs named {}", quoted(name))));
            }
        }
        for (index, tensor) in graph.initializer.iter().enumerate() {
            let name = tensor.name.as_str();
            check_source(format_args!("initializer {index}"), name)?;
            let (source, by) = (Source::Initializer(index), Definer::Initializer);
            match scope.names.get_mut(name) {
                None => {
                    let value = Some(self.value(name.into(), source));
                    scope.names.insert(name, Named { value, by });
                }
                Some(Named { value: Some(value), by: by @ Definer::Input }) => {
                    self.flat.values[*value].source = source;
                    *by = Definer::Initializer;
                }
                Some(_) => {
                    return Err(Error::invalid(format_args!("the graph has two initializers named {}", quoted(name))));
                }
            }
        }
        Ok(())
    }

    fn body(&mut self, nodes: &'m [NodeProto], scope: &mut Scope<'m>) -> Result<()> {
        let names = nodes
            .iter()
            .enumerate()
            .map(|(index, node)| node_name(&scope.path, node, index))
            .collect::<Result<Vec<_>>>()?;
        let labels = |index: usize| label(&names[index], &nodes[index].op_type);
        for (index, node) in nodes.iter().enumerate() {
            for (output, name) in node.output.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
                check_name(format_args!("output {output} of {}", labels(index)), name)?;
                if let Some(earlier) = scope.names.get(name.as_str()) {
                    let earlier = match earlier.by {
                        Definer::Node(earlier) => labels(earlier),
                        Definer::Input => "an input".into(),
                        Definer::Initializer => "an initializer".into(),
                    };
                    return Err(Error::invalid(format_args!(
                        "{} makes the value {}, which {earlier} already is or makes: names are given once",
                        labels(index),
                        quoted(name)
                    )));
                }
                let value = match scope.results.get(name.as_str()) {
                    Some(&value) => value,
                    None if scope.path.is_empty() => self.value(name.as_str().into(), Source::Open),
                    None => self.value(format!("{}{name}", scope.path).into(), Source::Open),
                };
                scope.names.insert(name, Named { value: Some(value), by: Definer::Node(index) });
            }
        }
        for ((index, node), name) in nodes.iter().enumerate().zip(&names) {
            let call = self.node(node, name.clone(), scope).map_err(|e| at(labels(index), e))?;
            let Some(Call { function, mut scope }) = call else { continue };
            self.calls.push(function);
            self.body(&function.node, &mut scope)?;
            self.calls.pop();
            check_outputs(function, &scope).map_err(|e| at(labels(index), e))?;
        }
        Ok(())
    }

    /// The call, where it is one: what is in it has places of its own in messages.
    fn node(&mut self, node: &'m NodeProto, name: String, scope: &Scope<'m>) -> Result<Option<Call<'m>>> {
        let attributes = resolved_attributes(node, scope)?;
        let recognized = self.recognizer.recognize(node, &name, &attributes)?;
        if scope.attributes.is_some() {
            let values = node.input.iter().chain(&node.output).map(|value| value.len() + name.len());
            let constant = matches!(recognized, Recognized::Kind(Kind::Constant));
            let copied = attributes.iter().filter(|_| !constant).map(|(_, attribute)| attribute.encoded_len());
            self.charge(1, name.len() + values.chain(copied).sum::<usize>())?;
        }
        let inputs = node.input.iter().enumerate().map(|(index, input)| self.input(index, input, scope));
        let inputs = inputs.collect::<Result<Vec<_>>>()?;
        let output = |name: &String| scope.names.get(name.as_str()).and_then(|named| named.value);
        let outputs: Vec<Option<usize>> = node.output.iter().map(output).collect();
        let (op, is_named) = (node.op_type.as_str(), !node.name.is_empty());
        match recognized {
            Recognized::Refused => Ok(None),
            Recognized::Kind(kind) => {
                self.push(FlatNode { kind, op, name, is_named, attributes, inputs, outputs });
                Ok(None)
            }
            Recognized::Call(function) => {
                let scope = self.call(function, (op, &name), &attributes, (&inputs, &outputs))?;
                Ok(Some(Call { function, scope }))
            }
        }
    }

    fn input(&self, index: usize, name: &str, scope: &Scope<'m>) -> Result<Option<usize>> {
        if name.is_empty() {
            return Ok(None);
        }
        scope.names.get(name).map(|named| named.value).ok_or_else(|| {
            Error::invalid(format_args!(
                "its input {index}, {}, is made by no node and is no input or initializer{}",
                quoted(name),
                suggestion(name, scope.names.keys().copied())
            ))
        })
    }

    /// Keeps small models with many calls in one another from growing without bounds. Constants aren't copied.
    fn charge(&mut self, nodes: usize, bytes: usize) -> Result<()> {
        self.nodes += nodes;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.nodes > MOST_INLINED_NODES || self.bytes > MOST_INLINED_BYTES {
            return Err(Error::invalid(format_args!(
                "the model's functions are called so often that inlined they are more than {MOST_INLINED_NODES} nodes or \
                 {MOST_INLINED_BYTES} bytes"
            )));
        }
        Ok(())
    }

    fn call(
        &mut self,
        function: &'m FunctionProto,
        (op, name): (&'m str, &str),
        attributes: &[NamedAttribute<'m>],
        (inputs, outputs): (&[Option<usize>], &[Option<usize>]),
    ) -> Result<Scope<'m>> {
        if self.calls.iter().any(|&caller| std::ptr::eq(caller, function)) {
            return Err(Error::invalid(format_args!("function {} calls itself", quoted(op))));
        }
        if self.calls.len() >= DEEPEST_CALLS {
            return Err(Error::invalid(format_args!("there are more than {DEEPEST_CALLS} calls in one another")));
        }
        for (what, given, most) in
            [("inputs", inputs.len(), function.input.len()), ("outputs", outputs.len(), function.output.len())]
        {
            if given > most {
                return Err(Error::invalid(format_args!(
                    "{given} {what} are given, but function {} has {most}",
                    quoted(op)
                )));
            }
        }
        let names = function.input.iter().chain(&function.output).chain(&function.attribute);
        self.charge(0, names.map(|name| name.len() + 32).sum::<usize>() + 64 * function.attribute_proto.len())?;
        let mut scope = Scope {
            path: format!("{name}/"),
            names: HashMap::with_capacity(function.input.len()),
            attributes: Some(call_attributes(function, attributes)?),
            results: HashMap::with_capacity(outputs.len()),
        };
        let in_function = |e: Error| at(format_args!("function {}", quoted(op)), e);
        for (index, input) in function.input.iter().enumerate() {
            check_source(format_args!("input {index}"), input).map_err(in_function)?;
            let named = Named { value: inputs.get(index).copied().flatten(), by: Definer::Input };
            if scope.names.insert(input, named).is_some() {
                return Err(in_function(Error::invalid(format_args!("it has two inputs named {}", quoted(input)))));
            }
        }
        let mut listed = HashSet::with_capacity(function.output.len());
        for (index, output) in function.output.iter().enumerate() {
            check_source(format_args!("output {index}"), output).map_err(in_function)?;
            if !listed.insert(output) {
                return Err(in_function(Error::invalid(format_args!("it has two outputs named {}", quoted(output)))));
            }
            let Some(value) = outputs.get(index).copied().flatten() else { continue };
            match scope.names.get(output.as_str()) {
                Some(passed) => self.push(FlatNode {
                    kind: Kind::Identity,
                    op,
                    name: name.to_owned(),
                    is_named: true,
                    attributes: Vec::new(),
                    inputs: vec![passed.value],
                    outputs: vec![Some(value)],
                }),
                None => {
                    scope.results.insert(output, value);
                }
            }
        }
        Ok(scope)
    }
}

fn check_outputs(function: &FunctionProto, scope: &Scope<'_>) -> Result<()> {
    match function.output.iter().find(|output| !scope.names.contains_key(output.as_str())) {
        None => Ok(()),
        Some(output) => Err(Error::invalid(format_args!(
            "function {}: its output {} is made by no node",
            quoted(&function.name),
            quoted(output)
        ))),
    }
}

fn check_source(what: impl std::fmt::Display, name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid(format_args!("{what} has no name")));
    }
    check_name(what, name)
}

/// A node's attributes, with the values that a call of the function around it gives them.
fn resolved_attributes<'m>(node: &'m NodeProto, scope: &Scope<'m>) -> Result<Vec<NamedAttribute<'m>>> {
    let mut names = HashSet::with_capacity(node.attribute.len());
    let mut resolved = Vec::with_capacity(node.attribute.len());
    for attribute in &node.attribute {
        let name = attribute.name.as_str();
        if !names.insert(name) {
            return Err(Error::invalid(format_args!("it has two attributes {}", quoted(name))));
        }
        let reference = attribute.ref_attr_name.as_str();
        if reference.is_empty() {
            resolved.push((name, attribute));
            continue;
        }
        let invalid = |problem: &str| {
            Err(Error::invalid(format_args!("attribute {} refers to {}, {problem}", quoted(name), quoted(reference))))
        };
        let Some(attributes) = &scope.attributes else {
            return invalid("but it isn't in a function");
        };
        match attributes.get(reference) {
            None => return invalid("which the function doesn't have"),
            Some(Some(value)) if attribute.r#type != 0 && attribute.r#type != value.r#type => {
                return invalid("which is given with another type");
            }
            Some(Some(value)) => resolved.push((name, value)),
            Some(None) => {}
        }
    }
    Ok(resolved)
}

/// The attributes of a function in one call: as given there, else their defaults.
fn call_attributes<'m>(
    function: &'m FunctionProto,
    given: &[NamedAttribute<'m>],
) -> Result<HashMap<&'m str, Option<&'m AttributeProto>>> {
    let without_default = function.attribute.iter().map(|name| (name.as_str(), None));
    let with_default = function.attribute_proto.iter().map(|attribute| (attribute.name.as_str(), Some(attribute)));
    let mut attributes: HashMap<_, _> = without_default.chain(with_default).collect();
    for (name, value) in given {
        match attributes.get_mut(name) {
            Some(slot) => *slot = Some(value),
            None if RESERVED.contains(name) => {}
            None => {
                return Err(Error::invalid(format_args!(
                    "function {} has no attribute {}{}",
                    quoted(&function.name),
                    quoted(name),
                    suggestion(name, attributes.keys().copied())
                )));
            }
        }
    }
    Ok(attributes)
}
