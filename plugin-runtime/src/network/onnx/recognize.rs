//! Recognizes nodes: a plugin, a call of one of the model's functions, or one of the few operators understood here.

use std::collections::HashMap;

use super::attribute::{Given, given, kind_name, scalar, utf8};
use super::proto::{AttributeKind, AttributeProto, FunctionProto, NodeProto};
use super::text::{at, check_name, quoted};
use crate::error::{Error, Result};
use crate::network::Preference;
use crate::plugin::{OWN_DOMAIN, Plugin, Registry, linked};
use crate::suggest::did_you_mean;

/// Attributes that say which plugin a node is, rather than being the plugin's.
pub(super) const RESERVED: [&str; 4] = ["plugin_namespace", "plugin_version", "aot", "aot_preferred"];

/// An attribute of a node by its name there; its value may come from a call of the function that the node is in.
pub(super) type NamedAttribute<'m> = (&'m str, &'m AttributeProto);

/// What is run.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Plugin(&'static Plugin),
    Constant,
    Identity,
    Cast,
}

#[derive(Clone, Copy)]
pub(super) enum Recognized<'m> {
    Kind(Kind),
    Call(&'m FunctionProto),
    /// It can't be run here; `finish` reports it.
    Refused,
}

/// Recognizes the nodes of a model; remembers those that it can't, to report all at once.
pub(super) struct Recognizer<'m> {
    registry: &'static Registry,
    functions: HashMap<(&'m str, &'m str, &'m str), &'m FunctionProto>,
    refused: Refused,
}

/// ONNX's own domain has two names.
fn domain(name: &str) -> &str {
    if name == OWN_DOMAIN { "" } else { name }
}

impl<'m> Recognizer<'m> {
    pub(super) fn new(functions: &'m [FunctionProto]) -> Result<Self> {
        let mut by_name = HashMap::with_capacity(functions.len());
        for function in functions {
            let key = (domain(&function.domain), function.name.as_str(), function.overload.as_str());
            if by_name.insert(key, function).is_some() {
                return Err(Error::invalid(format_args!(
                    "the model has two functions {} in the domain {}",
                    quoted(&function.name),
                    quoted(&function.domain)
                )));
            }
        }
        Ok(Recognizer { registry: Registry::global()?, functions: by_name, refused: Refused::default() })
    }

    pub(super) fn recognize(
        &mut self,
        node: &'m NodeProto,
        name: &str,
        attributes: &[NamedAttribute<'m>],
    ) -> Result<Recognized<'m>> {
        let op = node.op_type.as_str();
        let named_namespace = text(attributes, "plugin_namespace")?.filter(|namespace| !namespace.is_empty());
        let namespace = named_namespace.unwrap_or(domain(&node.domain));
        if let Some(plugin) = self.plugin(namespace, op, attributes)? {
            return Ok(Recognized::Kind(Kind::Plugin(plugin)));
        }
        if let Some(&function) = self.functions.get(&(domain(&node.domain), op, node.overload.as_str())) {
            return Ok(Recognized::Call(function));
        }
        Ok(match (namespace, op) {
            ("", "Constant") => Recognized::Kind(Kind::Constant),
            ("", "Identity") => Recognized::Kind(Kind::Identity),
            ("", "Cast") => Recognized::Kind(Kind::Cast),
            _ => {
                self.refused.add(namespace, op, name);
                Recognized::Refused
            }
        })
    }

    fn plugin(&self, namespace: &str, op: &str, attributes: &[NamedAttribute<'m>]) -> Result<Option<&'static Plugin>> {
        let name = format!("{}::{op}", if namespace.is_empty() { OWN_DOMAIN } else { namespace });
        let mut versions = self.registry.in_onnx(&name);
        let all = versions.clone();
        let Some(first) = versions.next() else { return Ok(None) };
        let given = version(attributes)?;
        // Models that name it otherwise are of other makers, who know nothing of `plugin_version`.
        let is_only = first.entry.id != name && versions.next().is_none();
        let version = given.unwrap_or(if is_only { first.entry.version } else { 1 });
        if let Some(plugin) = all.clone().find(|p| p.entry.version == version) {
            return Ok(Some(plugin));
        }
        let id = first.entry.id;
        let alias = if id == name { String::new() } else { format!(" (here {})", quoted(&name)) };
        let linked: Vec<String> = all.map(|p| p.entry.version.to_string()).collect();
        let default = if given.is_none() { "; without the attribute `plugin_version`, 1 is meant" } else { "" };
        Err(Error::invalid(format_args!(
            "plugin `{id}`{alias} is linked at version {}, not {version}{default}",
            linked.join(", ")
        )))
    }

    /// # Errors
    /// All nodes that can't be run here.
    pub(super) fn finish(self) -> Result<()> {
        self.refused.report(self.registry)
    }
}

fn find<'m>(attributes: &[NamedAttribute<'m>], name: &str) -> Option<&'m AttributeProto> {
    attributes.iter().find(|(n, _)| *n == name).map(|(_, attribute)| *attribute)
}

fn text<'m>(attributes: &[NamedAttribute<'m>], name: &str) -> Result<Option<&'m str>> {
    let Some(attribute) = find(attributes, name) else { return Ok(None) };
    let text = match AttributeKind::try_from(attribute.r#type) {
        Ok(AttributeKind::Text) => scalar(attribute, attribute.s.as_deref()).and_then(utf8),
        _ => Err(Error::invalid(format_args!("it is {}; STRING is expected", kind_name(attribute.r#type)))),
    };
    text.map(Some).map_err(|e| at(format_args!("attribute `{name}`"), e))
}

/// The attribute `plugin_version`: an integer, or its digits.
fn version(attributes: &[NamedAttribute<'_>]) -> Result<Option<u32>> {
    let Some(attribute) = find(attributes, "plugin_version") else { return Ok(None) };
    let version = given(attribute).and_then(|value| {
        let version = match &value {
            Given::Int(version) => u32::try_from(*version).ok(),
            Given::Text(digits) => std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()),
            _ => None,
        };
        version.ok_or_else(|| Error::invalid("a version number is expected, as INT or as the digits of a STRING"))
    });
    version.map(Some).map_err(|e| at("attribute `plugin_version`", e))
}

/// The attributes `aot` and `aot_preferred`: whether a node runs AOT kernels (`aot` = 1) or an impl (0). It insists on
/// it, unless `aot_preferred` = 1 says that the other will do.
pub(super) fn preference(plugin: &Plugin, attributes: &[NamedAttribute<'_>]) -> Result<Preference> {
    let Some(aot) = flag(attributes, "aot")? else {
        return match flag(attributes, "aot_preferred")? {
            None => Ok(Preference::Unspecified),
            Some(_) => Err(Error::invalid("attribute `aot_preferred`: it says nothing without the attribute `aot`")),
        };
    };
    insisted(plugin, aot, flag(attributes, "aot_preferred")?.unwrap_or(false))
}

/// What the attributes `aot` and `aot_preferred` ask for.
///
/// # Errors
/// When they insist on what the plugin doesn't have.
pub(crate) fn insisted(plugin: &Plugin, aot: bool, preferred: bool) -> Result<Preference> {
    let id = plugin.entry.id;
    match (aot, preferred) {
        (true, true) => Ok(Preference::PreferAot),
        (false, true) => Ok(Preference::PreferJit),
        (true, false) if plugin.aot.is_none() => Err(Error::invalid(format_args!(
            "it insists on ahead-of-time kernels (`aot` = 1), but `{id}` has none: leave `aot` out, or add #[aot_impl(\"{id}\")]"
        ))),
        (false, false) if plugin.impls.is_empty() => Err(Error::invalid(format_args!(
            "it insists on an impl (`aot` = 0), but `{id}` has none: leave `aot` out, or add #[impl_plugin(\"{id}\", device = ..)]"
        ))),
        (true, false) => Ok(Preference::RequireAot),
        (false, false) => Ok(Preference::RequireJit),
    }
}

fn flag(attributes: &[NamedAttribute<'_>], name: &str) -> Result<Option<bool>> {
    let Some(attribute) = find(attributes, name) else { return Ok(None) };
    match given(attribute).map_err(|e| at(format_args!("attribute `{name}`"), e))? {
        Given::Int(1) => Ok(Some(true)),
        Given::Int(0) => Ok(Some(false)),
        _ => Err(Error::invalid(format_args!("attribute `{name}`: 0 or 1 is expected, as INT"))),
    }
}

/// Nodes that can't be run here, by what they are.
#[derive(Default)]
struct Refused {
    groups: Vec<Group>,
    index: HashMap<(String, String), usize>,
}

struct Group {
    namespace: String,
    op: String,
    nodes: Vec<String>,
}

impl Refused {
    fn add(&mut self, namespace: &str, op: &str, node: &str) {
        let key = (namespace.to_owned(), op.to_owned());
        let group = *self.index.entry(key).or_insert_with(|| {
            self.groups.push(Group { namespace: namespace.to_owned(), op: op.to_owned(), nodes: Vec::new() });
            self.groups.len() - 1
        });
        self.groups[group].nodes.push(quoted(node).to_string());
    }

    fn report(self, registry: &Registry) -> Result<()> {
        /// More would take long for what they are worth.
        const MOST_SUGGESTIONS: usize = 16;
        if self.groups.is_empty() {
            return Ok(());
        }
        let count: usize = self.groups.iter().map(|g| g.nodes.len()).sum();
        let mut message = match count {
            1 => "one node can't be run here:".to_owned(),
            _ => format!("{count} nodes can't be run here:"),
        };
        let (mut unlinked, mut elsewhere) = (0, 0);
        for (position, Group { namespace, op, nodes }) in self.groups.iter().enumerate() {
            let nodes = nodes.join(", ");
            let is_own = namespace.is_empty();
            let is_named = position < MOST_SUGGESTIONS;
            let near = is_named.then(|| near(registry, namespace, op)).flatten();
            elsewhere += usize::from(is_own && near.is_none());
            unlinked += usize::from(!is_own);
            let near = near.map(|near| format!("; {near}")).unwrap_or_default();
            message += &match is_own {
                true => format!("\n  operator {}{near}: {nodes}", quoted(op)),
                false => format!("\n  {}, which isn't linked{near}: {nodes}", quoted(&format!("{namespace}::{op}"))),
            };
        }
        if unlinked > 0 {
            message += &format!("\n{}", linked(registry.plugins().len()));
        }
        if elsewhere > 0 {
            message += "\nOnly plugins, Identity, Cast, Constant and the model's own functions run here. A full model runs in a host \
                        engine (TensorRT, ONNX Runtime) that these plugins are loaded into.";
        }
        Err(Error::invalid(message))
    }
}

/// Which linked plugin a node may mean, and what to write for it to be that one.
fn near(registry: &Registry, namespace: &str, op: &str) -> Option<String> {
    let plugins = registry.plugins();
    let name = format!("{namespace}::{op}");
    let nearest =
        did_you_mean(&name, plugins.iter().flat_map(|p| [p.entry.id].into_iter().chain(p.entry.onnx.iter().copied())));
    if let (false, Some(nearest)) = (namespace.is_empty(), nearest.strip_prefix("; ")) {
        return Some(nearest.to_owned());
    }
    let named = |p: &&Plugin| p.entry.id.split_once("::").is_some_and(|(_, name)| name.eq_ignore_ascii_case(op));
    let id = plugins.iter().find(named)?.entry.id;
    let (right_namespace, right_op) = id.split_once("::")?;
    let operator = if right_op == op { String::new() } else { format!(" and the operator \"{right_op}\"") };
    let domain = if namespace.is_empty() { OWN_DOMAIN } else { namespace };
    let alias = format!("{domain}::{op}");
    Some(format!(
        "the plugin `{id}` is linked: give the node the domain \"{right_namespace}\", or the attribute `plugin_namespace` = \
         \"{right_namespace}\"{operator}, or write #[register(\"{id}\", onnx = {})]",
        quoted(&alias)
    ))
}

/// A node's name, or one made of its operator and position.
pub(super) fn node_name(path: &str, node: &NodeProto, index: usize) -> Result<String> {
    let name = if node.name.is_empty() { format!("{}_{index}", node.op_type) } else { node.name.clone() };
    check_name(format_args!("node {index} (operator {})", quoted(&node.op_type)), &name)?;
    Ok(format!("{path}{name}"))
}
