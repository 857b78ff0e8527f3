//! `#[register]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use super::shared::{
    at, attribute_arguments, attribute_bindings, desc_arguments, entry, location, mark_of, named, names, scope,
    typed_attributes,
};
use crate::model::types::spelled;
use crate::model::{AttributeParameter, AttributeType, Registration};

pub(crate) fn expand(mut registration: Registration) -> TokenStream {
    registration.function.use_parameters(|_| true);
    let Registration { id, runtime, function, .. } = &registration;
    let (item, visibility, name) = (&function.item, &function.item.vis, &id.name);
    let conditions = function.conditions();
    let documentation = format!(
        "Plugin `{}`: [`op`]({name}::op) adds it to a network.\n\n{}",
        id.literal.value(),
        function.description()
    );
    let module = module(&registration);
    let beside = scope(item, Some(mark_of(&item.sig.ident)), runtime, beside(&registration));
    quote_spanned! {Span::mixed_site()=>
        #item

        #(#conditions)*
        #beside

        #(#conditions)*
        #[doc = #documentation]
        #[allow(non_snake_case)]
        #visibility mod #name {
            use #runtime as __rt;
            #module
        }
    }
}

/// The items of the plugin's module, which name nothing outside of it but the runtime.
fn module(registration: &Registration) -> TokenStream {
    let Registration { id, version, inputs, attributes, outputs, .. } = registration;
    let id = id.literal.value();
    let input_names = names(inputs);
    let attribute_names = names(attributes.iter().map(|attribute| &attribute.parameter));
    let (count, indices) = (attributes.len(), 0..attributes.len());
    let fields: Vec<&Ident> = attributes.iter().map(|attribute| &attribute.parameter.name).collect();
    let owned = attributes.iter().map(|attribute| attribute.ty.owned());
    let field_docs = attributes.iter().map(describe);
    let op = op(registration);
    let [spec_doc, attributes_doc] = ["", ", with its attributes' values"].map(|rest| format!("Plugin `{id}`{rest}."));
    quote_spanned! {Span::mixed_site()=>
        #[doc = #spec_doc]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        pub struct Plugin;

        impl __rt::PluginSpec for Plugin {
            type Attributes = Attributes;
            const ID: &'static str = #id;
            const VERSION: u32 = #version;
            const INPUTS: &'static [&'static str] = #input_names;
            const ATTRIBUTES: &'static [&'static str] = #attribute_names;
            const OUTPUTS: usize = #outputs;
        }

        #[doc = #attributes_doc]
        #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
        pub struct Attributes {
            #(#[doc = #field_docs] pub #fields: #owned,)*
        }

        impl __rt::AttributeSet for Attributes {
            fn from_values(values: &[__rt::AttributeValue]) -> __rt::Result<Self> {
                let values = __rt::attribute_values::<Plugin, #count>(values)?;
                ::core::result::Result::Ok(Attributes { #(#fields: __rt::attribute::<Plugin, _>(values, #indices)?,)* })
            }

            fn to_values(&self) -> ::std::vec::Vec<__rt::AttributeValue> {
                ::core::convert::From::from([#(__rt::Attribute::to_value(&self.#fields),)*])
            }
        }

        #op
    }
}

/// The constructor that a network is given, and the setters of attributes that have a default.
fn op(registration: &Registration) -> TokenStream {
    let Registration { id, inputs, attributes, outputs, .. } = registration;
    let id = id.literal.value();
    let (input_count, input_names) = (inputs.len(), inputs.iter().map(|input| &input.name));
    let input_names: Vec<&Ident> = input_names.collect();
    let required = attributes.iter().filter(|attribute| attribute.parameter.default.is_none());
    let (names, types): (Vec<_>, Vec<_>) = required.map(|a| (&a.parameter.name, a.ty.borrowed())).unzip();
    let values = attributes.iter().map(|attribute| {
        let name = &attribute.parameter.name;
        match attribute.parameter.default {
            Some(_) => {
                let default = default_function(attribute);
                quote!(#name: Plugin::#default(),)
            }
            None => quote!(#name: ::core::convert::From::from(#name),),
        }
    });
    let setters = attributes.iter().filter(|attribute| attribute.parameter.default.is_some()).map(|attribute| {
        let (name, ty) = (&attribute.parameter.name, attribute.ty.borrowed());
        let documentation = format!("Sets {}", describe(attribute));
        quote_spanned! {Span::mixed_site()=>
            #[doc = #documentation]
            pub fn #name(mut self, #name: #ty) -> Self {
                self.attributes.#name = ::core::convert::From::from(#name);
                self
            }
        }
    });
    let [op_doc, type_doc] = op_documentation(registration);
    quote_spanned! {Span::mixed_site()=>
        #[doc = #op_doc]
        #[allow(clippy::too_many_arguments)]
        pub fn op(#(#input_names: __rt::TensorId,)* #(#names: #types,)*) -> Op {
            Op { inputs: [#(#input_names),*], attributes: Attributes { #(#values)* } }
        }

        #[doc = #type_doc]
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #[must_use]
        pub struct Op {
            inputs: [__rt::TensorId; #input_count],
            attributes: Attributes,
        }

        impl Op { #(#setters)* }

        impl __rt::IntoOp<#outputs> for Op {
            fn into_op(self) -> __rt::Op {
                __rt::Op {
                    id: #id,
                    version: <Plugin as __rt::PluginSpec>::VERSION,
                    inputs: ::core::convert::From::from(self.inputs),
                    attributes: __rt::AttributeSet::to_values(&self.attributes),
                    preference: ::core::default::Default::default(),
                }
            }
        }
    }
}

fn op_documentation(registration: &Registration) -> [String; 2] {
    let Registration { id, function, inputs, attributes, .. } = registration;
    let id = id.literal.value();
    let inputs: Vec<String> = inputs.iter().map(|input| format!("`{}`", input.text())).collect();
    let attributes: Vec<String> =
        attributes.iter().map(|attribute| format!("`{}: {}`", attribute.parameter.text(), attribute.ty)).collect();
    let mut text = format!("Plugin `{id}` for `Network::add_plugin`.\n\nInputs: {}.", inputs.join(", "));
    if !attributes.is_empty() {
        text.push_str(&format!(" Attributes: {}.", attributes.join(", ")));
    }
    let description = function.description();
    let has_links = description.contains('[');
    if !has_links && !description.is_empty() {
        text.push_str("\n\n");
        text.push_str(&description);
    }
    [text, format!("Plugin `{id}` with its inputs and attributes.")]
}

/// `` `block_size`, `i32`; 256 where it isn't given. ``
fn describe(attribute: &AttributeParameter) -> String {
    let AttributeParameter { parameter, ty } = attribute;
    match &parameter.default {
        Some(default) => {
            format!("`{}`, `{ty}`; `{}` where it isn't set.", parameter.text(), spelled(default))
        }
        None => format!("`{}`, `{ty}`.", parameter.text()),
    }
}

/// The items that name the author's scope: the defaults, the function itself, and the entry.
fn beside(registration: &Registration) -> TokenStream {
    let Registration { id, function, inputs, attributes, outputs, onnx, .. } = registration;
    let (plugin, id) = (&id.name, id.literal.value());
    let plugin = quote!(#plugin::Plugin);
    let defaults = defaults(&plugin, attributes);
    let schemas = attributes.iter().map(|attribute| schema(&plugin, attribute));
    let name = &function.item.sig.ident;
    let description = function.description();
    let input_names = names(inputs);
    let location = location(name);
    let [compare, samples] =
        [("__compare", registration.compare.is_some()), ("__sample_inputs", says_samples(registration))].map(
            |(function, is_there)| match is_there {
                true => {
                    let function = Ident::new(function, Span::mixed_site());
                    quote!(::core::option::Option::Some(#function))
                }
                false => quote!(::core::option::Option::None),
            },
        );
    let trials = trials(registration, &plugin);
    let entry = entry(
        "PLUGINS",
        "PluginEntry",
        quote! {
            id: #id,
            version: <#plugin as __rt::PluginSpec>::VERSION,
            description: #description,
            inputs: #input_names,
            attributes: &[#(#schemas),*],
            outputs: #outputs,
            onnx: &[#(#onnx),*],
            infer: __infer,
            compare: #compare,
            sample_inputs: #samples,
            attributes_from_values: __rt::attributes_from_values::<#plugin>,
            location: #location,
        },
    );
    let count = inputs.len();
    let typed = attribute_bindings(attributes, typed_attributes(plugin.clone()));
    let mut arguments = desc_arguments(inputs);
    arguments.extend(attribute_arguments(attributes));
    let call = quote_spanned! {at(function.return_tokens().span())=>
        __rt::IntoOutputs::into_outputs(#name(#(#arguments),*))
    };
    quote_spanned! {Span::mixed_site()=>
        #defaults
        fn __infer(
            inputs: &[__rt::TensorDesc],
            attributes: &__rt::DynAttributes,
        ) -> __rt::Result<::std::vec::Vec<__rt::OutputDesc>> {
            let inputs = __rt::descs::<#count>(inputs)?;
            #typed
            #call
        }
        #trials
        #entry
    }
}

fn says_samples(registration: &Registration) -> bool {
    registration.sample_inputs.iter().any(Option::is_some)
}

/// The functions that say how implementations are tried: what inputs look like, how outputs are compared.
fn trials(registration: &Registration, plugin: &TokenStream) -> TokenStream {
    let Registration { inputs, attributes, outputs, compare, sample_inputs, .. } = registration;
    let (count, named) = (inputs.len(), named(inputs, attributes));
    let typed = attribute_bindings(attributes, typed_attributes(plugin.clone()));
    let function = |name: &str, value: TokenStream, result: TokenStream| {
        let name = Ident::new(name, Span::mixed_site());
        quote_spanned! {Span::mixed_site()=>
            fn #name(
                inputs: &[__rt::TensorDesc],
                attributes: &__rt::DynAttributes,
            ) -> __rt::Result<::std::vec::Vec<#value>> {
                let inputs = __rt::descs::<#count>(inputs)?;
                #typed
                #named
                #result
            }
        }
    };
    let compare = compare.as_ref().map(|compare| {
        let value = quote_spanned!(at(compare.span())=> __rt::IntoComparisons::<#outputs>::into_comparisons(#compare));
        function("__compare", quote!(__rt::Compare), value)
    });
    let samples = says_samples(registration).then(|| {
        let samples = sample_inputs.iter().map(|sample| match sample {
            Some(sample) => quote_spanned!(at(sample.span())=> { let sample: __rt::Sample = #sample; sample }),
            None => quote!(__rt::Sample::new()),
        });
        let value = quote!(::core::result::Result::Ok(::core::convert::From::from([#(#samples),*])));
        function("__sample_inputs", quote!(__rt::Sample), value)
    });
    quote!(#compare #samples)
}

fn defaults(plugin: &TokenStream, attributes: &[AttributeParameter]) -> Option<TokenStream> {
    let functions: Vec<TokenStream> = attributes.iter().filter_map(default).collect();
    let functions = (!functions.is_empty()).then_some(functions)?;
    Some(quote!(impl #plugin { #(#functions)* }))
}

/// The function that gives an attribute's default: a constant, so that it can't fail while a program runs.
fn default(attribute: &AttributeParameter) -> Option<TokenStream> {
    let expression = attribute.parameter.default.as_ref()?;
    let (name, owned, ty) = (default_function(attribute), attribute.ty.owned(), &attribute.parameter.ty);
    let is_array = matches!(expression, Expr::Array(_) | Expr::Repeat(_));
    let borrow = (is_array && matches!(attribute.ty, AttributeType::Slice(_)))
        .then(|| quote_spanned!(at(expression.span())=> &));
    let ty = match ty {
        syn::Type::Reference(reference) => {
            let target = &reference.elem;
            quote_spanned!(at(ty.span())=> &'static #target)
        }
        ty => ty.to_token_stream(),
    };
    Some(quote_spanned! {Span::mixed_site()=>
        fn #name() -> #owned {
            const DEFAULT: #ty = #borrow #expression;
            ::core::convert::From::from(DEFAULT)
        }
    })
}

fn default_function(attribute: &AttributeParameter) -> Ident {
    format_ident!("__default_{}", attribute.parameter.text(), span = Span::mixed_site())
}

fn schema(plugin: &TokenStream, attribute: &AttributeParameter) -> TokenStream {
    let (name, owned) = (attribute.parameter.text(), attribute.ty.owned());
    let default = match &attribute.parameter.default {
        Some(_) => {
            let function = default_function(attribute);
            quote!(::core::option::Option::Some(|| __rt::Attribute::to_value(&#plugin::#function())))
        }
        None => quote!(::core::option::Option::None),
    };
    quote!(__rt::AttributeSchema { name: #name, ty: <#owned as __rt::Attribute>::TYPE, default: #default })
}
