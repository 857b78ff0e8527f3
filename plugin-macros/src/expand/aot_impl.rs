//! `#[aot_impl]`

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::shared::{
    arrays, attribute_arguments, attribute_bindings, beside, call, desc_arguments, entry, local, location,
    tactic_argument, tactic_fields, typed_attributes,
};
use crate::model::Part;

pub(crate) fn expand(part: Part) -> TokenStream {
    let arrays = arrays(&part);
    let attributes = attribute_bindings(&part.attributes, typed_attributes(quote!(__Plugin)));
    let mut arguments = desc_arguments(&part.inputs);
    arguments.extend(attribute_arguments(&part.attributes));
    let (outputs, tactic) = (local("outputs", Span::mixed_site()), local("tactic", Span::mixed_site()));
    arguments.push(quote!(#outputs));
    arguments.extend(part.tactic.as_ref().map(|parameter| tactic_argument(parameter, quote!(#tactic))));
    let call = call(&part, &arguments, quote!(__rt::AotKernel));
    let device_shape = part.device_shape;
    let tactic_fields = tactic_fields(part.tactic.as_ref());
    let location = location(&part.function.item.sig.ident);
    let entry = entry(
        "AOT_IMPLS",
        "AotEntry",
        quote! {
            id: <__Plugin as __rt::PluginSpec>::ID,
            version: <__Plugin as __rt::PluginSpec>::VERSION,
            #tactic_fields
            device_shape: #device_shape,
            kernel: __kernel,
            location: #location,
        },
    );
    let body = quote_spanned! {Span::mixed_site()=>
        fn __kernel(
            inputs: &[__rt::TensorDesc],
            outputs: &[__rt::TensorDesc],
            attributes: &__rt::DynAttributes,
            tactic: i32,
        ) -> __rt::Result<__rt::AotKernel> {
            #arrays
            #attributes
            #call
        }
        #entry
    };
    beside(part, body)
}
