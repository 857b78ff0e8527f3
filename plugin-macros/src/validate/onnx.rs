//! Rules of the names under which plugins are found in ONNX models.

use syn::LitStr;

use crate::model::PluginId;
use crate::report::Report;

/// ONNX's own domain.
const OWN_DOMAIN: &str = "ai.onnx";
/// Operators of that domain which the runtime understands itself.
const UNDERSTOOD: [&str; 3] = ["Cast", "Constant", "Identity"];

/// The names, each `domain::Operator`.
pub(super) fn names(literals: &[LitStr], id: Option<&PluginId>, report: &mut Report) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(literals.len());
    for literal in literals {
        let name = literal.value();
        let is_id = id.is_some_and(|id| id.literal.value() == name);
        let mistake = if is_id {
            Some(format!("ONNX nodes of `{name}` are found by the plugin's id: remove this"))
        } else if names.contains(&name) {
            Some(format!("`{name}` is named twice: remove this"))
        } else {
            check(&name).err()
        };
        if let Some(mistake) = mistake {
            report.error(literal, mistake);
        }
        names.push(name);
    }
    names
}

/// The mistake in a name, if there is one.
fn check(name: &str) -> Result<(), String> {
    let Some((domain, operator)) = name.split_once("::") else {
        return Err(match name {
            "" => "the name is empty: write `\"domain::Operator\"`".to_owned(),
            _ => format!(
                "`{name}` has no domain: write `\"domain::{name}\"`, or `\"{OWN_DOMAIN}::{name}\"` for one of ONNX's own operators"
            ),
        });
    };
    if domain.is_empty() {
        return Err(format!(
            "the domain is empty: write `\"{OWN_DOMAIN}::{operator}\"` for one of ONNX's own operators"
        ));
    }
    if operator.is_empty() {
        return Err(format!("the operator is missing: write `\"{domain}::Operator\"`"));
    }
    if operator.contains("::") {
        return Err("a domain and an operator have one `::` between them: write `\"domain::Operator\"`".to_owned());
    }
    for (what, part) in [("domain", domain), ("operator", operator)] {
        if let Some(odd) = part.chars().find(|c| c.is_whitespace() || c.is_control() || *c == ':') {
            return Err(format!("the {what} holds {odd:?}: write letters, digits, `.`, `-` and `_`"));
        }
    }
    if domain == OWN_DOMAIN && UNDERSTOOD.contains(&operator) {
        return Err(format!("ONNX's own {operator} is understood without a plugin: take another operator"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn domains_may_hold_dots() {
        for name in ["com.example::Scale", "ai.onnx::NonZero", "my-ops.v2::scale_2", "a::Cast"] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn other_names_are_refused_with_a_reason() {
        for (name, reason) in [
            ("", "empty"),
            ("Scale", "\"ai.onnx::Scale\""),
            ("::Scale", "\"ai.onnx::Scale\""),
            ("com.example::", "\"com.example::Operator\""),
            ("com.example::a::b", "one `::`"),
            ("com example::Scale", "the domain holds ' '"),
            ("com.example::Sc\nale", "the operator holds '\\n'"),
            ("a:::b", "the operator holds ':'"),
            ("ai.onnx::Cast", "understood without a plugin"),
        ] {
            let message = check(name).expect_err(name);
            assert!(message.contains(reason), "{name}: {message}");
        }
    }
}
