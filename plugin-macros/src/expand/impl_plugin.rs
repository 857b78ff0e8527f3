//! `#[impl_plugin]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;

use super::shared::{
    arrays, at, attribute_arguments, attribute_bindings, beside, call, entry, local, location, named, names,
    tactic_argument, tactic_fields, typed_attributes,
};
use crate::model::{Options, Parameter, Part};
use crate::report::Report;
use crate::validate;

pub(crate) fn expand(options: &Options, part: Part, report: &mut Report) -> Option<TokenStream> {
    let device = validate::device(options, report)?;
    validate::device_shape(options, &device, report);
    let workspace = validate::workspace(options, &part, report)?;
    let run = run(&part);
    let size = workspace.map(|size| workspace_size(&part, size));
    let workspace = match workspace {
        Some(_) => quote!(::core::option::Option::Some(__workspace)),
        None => quote!(::core::option::Option::None),
    };
    let attributes = names(part.attributes.iter().map(|attribute| &attribute.parameter));
    let device_shape = part.device_shape;
    let tactic_fields = tactic_fields(part.tactic.as_ref());
    let location = location(&part.function.item.sig.ident);
    let entry = entry(
        "IMPLS",
        "ImplEntry",
        quote! {
            id: <__Plugin as __rt::PluginSpec>::ID,
            version: <__Plugin as __rt::PluginSpec>::VERSION,
            device: __rt::DeviceKind::#device,
            attributes: #attributes,
            #tactic_fields
            workspace: #workspace,
            device_shape: #device_shape,
            run: __run,
            location: #location,
        },
    );
    Some(beside(part, quote!(#run #size #entry)))
}

/// The function that takes an invocation apart.
fn run(part: &Part) -> TokenStream {
    let invocation = local("invocation", Span::mixed_site());
    let typed = quote!(#invocation.attributes::<<__Plugin as __rt::PluginSpec>::Attributes>()?);
    let attributes = attribute_bindings(&part.attributes, typed);
    let mut arguments: Vec<TokenStream> = Vec::new();
    for (index, input) in part.inputs.iter().enumerate() {
        let invocation = local("invocation", input.name.span());
        arguments.push(quote_spanned!(at(input.name.span())=> #invocation.input(#index)?));
    }
    arguments.extend(attribute_arguments(&part.attributes));
    arguments.push(quote!(#invocation.outputs()?));
    if part.takes_workspace {
        arguments.push(quote!(#invocation.workspace()?));
    }
    if part.takes_stream {
        arguments.push(quote!(#invocation.stream()));
    }
    arguments.extend(part.tactic.as_ref().map(|tactic| tactic_argument(tactic, quote!(#invocation.tactic()))));
    let call = call(part, &arguments, quote!(()));
    quote_spanned! {Span::mixed_site()=>
        fn __run(invocation: &mut __rt::Invocation<'_>) -> __rt::Result<()> {
            #attributes
            #call
        }
    }
}

/// The function that says how many bytes of scratch memory are needed.
fn workspace_size(part: &Part, size: &Expr) -> TokenStream {
    let inputs: Vec<&Parameter> = part.inputs.iter().collect();
    let attributes: Vec<&Parameter> = part.attributes.iter().map(|attribute| &attribute.parameter).collect();
    let size = if is_function(size, &inputs, &attributes) {
        let names = inputs.iter().chain(&attributes).map(|parameter| &parameter.name);
        quote!(#size(#(#names),*))
    } else {
        size.to_token_stream()
    };
    let span = syn::spanned::Spanned::span(&size);
    let arrays = arrays(part);
    let typed = attribute_bindings(&part.attributes, typed_attributes(quote!(__Plugin)));
    let named = named(&part.inputs, &part.attributes);
    let (count, outputs) = (&part.outputs, local("outputs", Span::mixed_site()));
    let visible_outputs = Ident::new("outputs", Span::call_site());
    let into = quote_spanned!(at(span)=> __rt::IntoExpr::into_expr(#size));
    quote_spanned! {Span::mixed_site()=>
        fn __workspace(
            inputs: &[__rt::TensorDesc],
            outputs: &[__rt::TensorDesc],
            attributes: &__rt::DynAttributes,
        ) -> __rt::Result<__rt::ShapeExpr> {
            #arrays
            #typed
            #named
            let #visible_outputs: &[__rt::TensorDesc; #count] = #outputs;
            let _ = &#visible_outputs;
            ::core::result::Result::Ok(#into)
        }
    }
}

/// Whether the size is a path to a function, rather than to a parameter or a constant.
fn is_function(size: &Expr, inputs: &[&Parameter], attributes: &[&Parameter]) -> bool {
    let Expr::Path(path) = size else { return false };
    let is_parameter = path.path.get_ident().is_some_and(|name| {
        name == "outputs" || inputs.iter().chain(attributes).any(|parameter| parameter.name == *name)
    });
    let last = path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
    !is_parameter && last.chars().any(char::is_lowercase)
}
