//! A plugin's id.

use proc_macro2::{Ident, Span};
use syn::LitStr;

/// `namespace::name`, checked.
#[derive(Clone, Debug)]
pub(crate) struct PluginId {
    /// As it was written.
    pub literal: LitStr,
    /// The part after `::`, which names the plugin's module.
    pub name: Ident,
}

impl PluginId {
    /// The name as an identifier that stands where the id was written and resolves where the attribute stands.
    pub(crate) fn new(literal: LitStr, name: &str) -> Self {
        let span = literal.span().resolved_at(Span::call_site());
        PluginId { name: Ident::new(name, span), literal }
    }
}
