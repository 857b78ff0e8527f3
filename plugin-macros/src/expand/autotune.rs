//! `#[autotune]`

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::literals;
use super::shared::{
    arrays, attribute_arguments, attribute_bindings, beside, call, desc_arguments, entry, local, location,
    typed_attributes,
};
use crate::model::Part;

pub(crate) fn expand(part: Part) -> TokenStream {
    let arrays = arrays(&part);
    let attributes = attribute_bindings(&part.attributes, typed_attributes(quote!(__Plugin)));
    let mut arguments = desc_arguments(&part.inputs);
    arguments.extend(attribute_arguments(&part.attributes));
    let outputs = local("outputs", Span::mixed_site());
    arguments.push(quote!(#outputs));
    let call = call(&part, &arguments, quote!(::std::vec::Vec<__rt::AutoTuneCombination>));
    let location = location(&part.function.item.sig.ident);
    let entry = entry(
        "AUTOTUNES",
        "AutotuneEntry",
        quote! {
            id: <__Plugin as __rt::PluginSpec>::ID,
            version: <__Plugin as __rt::PluginSpec>::VERSION,
            combinations: __combinations,
            location: #location,
        },
    );
    let literals = literals::checks(&part.function.item.block);
    let body = quote_spanned! {Span::mixed_site()=>
        fn __combinations(
            inputs: &[__rt::TensorDesc],
            outputs: &[__rt::TensorDesc],
            attributes: &__rt::DynAttributes,
        ) -> __rt::Result<::std::vec::Vec<__rt::AutoTuneCombination>> {
            #arrays
            #attributes
            #call
        }
        #literals
        #entry
    };
    beside(part, body)
}
