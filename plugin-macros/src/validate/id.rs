//! Rules of plugins' ids.

use proc_macro2::Ident;
use syn::LitStr;

use crate::model::PluginId;
use crate::report::Report;

/// Namespaces that belong to host engines.
const RESERVED: [&str; 3] = ["trt", "tensorrt", "std"];

/// The id, if it is one.
pub(crate) fn id(literal: LitStr, report: &mut Report) -> Option<PluginId> {
    let text = literal.value();
    match check(&text) {
        Ok(name) => Some(PluginId::new(literal, name)),
        Err(message) => {
            report.error(literal, message);
            None
        }
    }
}

/// The name part, or what is wrong with the id.
fn check(text: &str) -> Result<&str, String> {
    let (namespace, name) = match text.split("::").collect::<Vec<_>>()[..] {
        [namespace, name] => (namespace, name),
        [name] if !name.is_empty() => {
            return Err(format!("the id has no namespace: write `\"my_namespace::{name}\"`, with one `::`"));
        }
        ref parts => {
            return Err(format!("the id has {} `::`: write `\"namespace::name\"`, with exactly one", parts.len() - 1));
        }
    };
    if text.contains('.') {
        return Err(format!("an id can't hold a `.`: write `\"{}\"`", text.replace('.', "_")));
    }
    if namespace.is_empty() {
        return Err(format!("the namespace is empty: write `\"my_namespace::{name}\"`"));
    }
    if RESERVED.contains(&namespace) {
        return Err(format!(
            "namespace `{namespace}` is reserved: take one of your own, e.g. `\"my_{namespace}::{name}\"`"
        ));
    }
    if let Some(odd) = namespace.chars().find(|c| c.is_whitespace() || c.is_control() || *c == ':') {
        return Err(format!("the namespace holds {odd:?}: write letters, digits and `_`"));
    }
    if syn::parse_str::<Ident>(name).is_err() {
        return Err(format!(
            "`{name}` is the name of the plugin's module, so it has to be an identifier of Rust: letters, digits and \
             `_`, no keyword, not a digit first"
        ));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn names_are_taken_from_ids() {
        assert_eq!(check("sample::add_plugin"), Ok("add_plugin"));
        assert_eq!(check("my-ops::f2"), Ok("f2"));
    }

    #[test]
    fn other_ids_are_refused_with_a_reason() {
        for (id, reason) in [
            ("", "0 `::`"),
            ("add", "my_namespace::add"),
            ("::add", "empty"),
            ("a::b::c", "2 `::`"),
            ("a.b::c", "a_b::c"),
            ("a::b.c", "a::b_c"),
            ("trt::add", "reserved"),
            ("tensorrt::add", "reserved"),
            ("std::add", "reserved"),
            ("a b::c", "' '"),
            ("a:::b", "letters"),
            ("a::", "identifier"),
            ("a::b-c", "identifier"),
            ("a::match", "keyword"),
            ("a::2d", "digit"),
            ("a::b c", "identifier"),
        ] {
            let message = check(id).expect_err(id);
            assert!(message.contains(reason), "{id}: {message}");
        }
    }
}
