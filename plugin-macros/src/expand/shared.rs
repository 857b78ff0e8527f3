//! Parts that the expansions share.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{ItemFn, Type};

use crate::model::{AttributeParameter, Parameter, Part, PluginId, TacticParameter};
use crate::registered::{self, Found};

/// A static in one of the runtime's link-time slices.
pub(crate) fn entry(slice: &str, ty: &str, fields: TokenStream) -> TokenStream {
    let (slice, ty) = (hygienic(slice), hygienic(ty));
    quote_spanned! {Span::mixed_site()=>
        #[__rt::linkme::distributed_slice(__rt::#slice)]
        #[linkme(crate = __rt::linkme)]
        static __ENTRY: __rt::#ty = __rt::#ty { #fields };
    }
}

/// Source location of the function.
pub(crate) fn location(function: &Ident) -> TokenStream {
    let here =
        quote_spanned!(function.span()=> file: ::core::file!(), line: ::core::line!(), column: ::core::column!());
    quote!(__rt::Location { #here })
}

/// The function, and beside it a scope that holds the checks against `register` and `body`.
pub(crate) fn beside(mut part: Part, body: TokenStream) -> TokenStream {
    // With an underscore before it, as the compiler advises for what isn't used, a name would be another one.
    part.function.use_parameters(|_| true);
    let Part { runtime, plugin, function, .. } = &part;
    let (item, conditions) = (&function.item, function.conditions());
    let (checks, plugin) = (checks(&part), plugin_type(&part.id, plugin));
    let scope = scope(item, None, runtime, quote!(#plugin #checks #body));
    quote!(#item #(#conditions)* #scope)
}

/// A scope beside the function that holds `items`, and beside it an item called `mark`.
pub(crate) fn scope(function: &ItemFn, mark: Option<Ident>, runtime: &TokenStream, items: TokenStream) -> TokenStream {
    let name = &function.sig.ident;
    // Of two functions of one name the compiler tells by itself.
    let scope = match registered::count(&name.unraw().to_string()) {
        1 => format!("__{}", name.unraw()),
        count => format!("__{}_{count}", name.unraw()),
    };
    let scope = Ident::new(&scope, at(name.span()));
    quote_spanned! {at(name.span())=>
        #runtime::attribute_goes_on_a_free_function! {
            #scope [#mark]
            use #runtime as __rt;
            #items
        }
    }
}

/// The name of the item by which the compiler says that a kernel and a plugin's function have one name.
pub(crate) fn mark_of(function: &Ident) -> Ident {
    Ident::new(&format!("rename_the_kernel_or_the_plugins_function_{}", function.unraw()), at(function.span()))
}

/// The plugin's type under a name of the expansion's. Where no such id was registered so far, a macro writes it: the compiler
/// tells the macro's name where it finds no module, and an advice can't be given otherwise without being an error.
fn plugin_type(id: &PluginId, module: &TokenStream) -> TokenStream {
    let alias = quote_spanned!(Span::mixed_site()=> type __Plugin = #module::Plugin;);
    let is_named_by_id = id.name == module.to_string();
    let advice = match registered::find(&id.literal.value()) {
        Found::Near(near) if is_named_by_id => {
            format!("did_you_mean__{}", near.replace(|c: char| !c.is_alphanumeric(), "_"))
        }
        Found::Unknown if is_named_by_id => "an_id_ends_in_the_name_of_the_plugins_module".to_owned(),
        _ => return alias,
    };
    let advice = hygienic(&advice);
    quote_spanned! {Span::mixed_site()=>
        macro_rules! #advice { () => { #alias }; }
        #advice!();
    }
}

/// Constants that fail to compile where the function and `register` disagree.
fn checks(part: &Part) -> TokenStream {
    let id = &part.id.literal;
    let mut checks = vec![check(id.span(), quote!(id::<__Plugin>(#id)))];
    for (index, input) in part.inputs.iter().enumerate() {
        let name = input.text();
        checks.push(check(input.name.span(), quote!(input::<__Plugin>(#index, #name))));
    }
    let (name, count) = (&part.function.item.sig.ident, part.inputs.len());
    checks.push(check(name.span(), quote!(inputs::<__Plugin>(#count))));
    let names: Vec<String> = part.attributes.iter().map(|attribute| attribute.parameter.text()).collect();
    for (index, attribute) in part.attributes.iter().enumerate().skip(1) {
        let (previous, name) = (&names[index - 1], &names[index]);
        checks.push(check(attribute.parameter.name.span(), quote!(order::<__Plugin>(#previous, #name))));
    }
    let outputs = &part.outputs;
    checks.push(check(outputs.span(), quote!(outputs::<__Plugin>(#outputs))));
    checks.into_iter().collect()
}

/// One check, whose message points at `span`.
pub(crate) fn check(span: Span, call: TokenStream) -> TokenStream {
    quote_spanned!(at(span)=> const _: () = __rt::check::#call;)
}

/// The typed attributes of `plugin` out of those whose type is forgotten.
pub(crate) fn typed_attributes(plugin: TokenStream) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> __rt::attributes::<#plugin>(attributes)?)
}

/// The descs out of `inputs` and `outputs`, as arrays.
pub(crate) fn arrays(part: &Part) -> TokenStream {
    let count = part.inputs.len();
    quote_spanned! {Span::mixed_site()=>
        let inputs = __rt::descs::<#count>(inputs)?;
        let outputs = __rt::descs(outputs)?;
    }
}

/// The inputs' descs as arguments.
pub(crate) fn desc_arguments(inputs: &[Parameter]) -> Vec<TokenStream> {
    let arguments = inputs.iter().enumerate().map(|(index, input)| {
        let index = syn::Index::from(index);
        let inputs = local("inputs", input.name.span());
        quote_spanned!(at(input.name.span())=> &#inputs[#index])
    });
    arguments.collect()
}

/// Takes the attributes out of the typed ones that `source` gives, each into a variable of the type that the author
/// wrote: so the compiler finds a wrong name or type at the author's parameter.
pub(crate) fn attribute_bindings(attributes: &[AttributeParameter], source: TokenStream) -> TokenStream {
    if attributes.is_empty() {
        return TokenStream::new();
    }
    let bindings = attributes.iter().map(|attribute| {
        let AttributeParameter { parameter: Parameter { name, ty, .. }, .. } = attribute;
        let (variable, attributes) = (variable(attribute), local("attributes", name.span()));
        let borrow = attribute.ty.is_copied().then(|| quote_spanned!(at(ty.span())=> &));
        quote_spanned!(at(name.span())=> let #variable: #borrow #ty = &#attributes.#name;)
    });
    quote_spanned! {Span::mixed_site()=>
        let attributes = #source;
        #(#bindings)*
    }
}

/// The variables of [`attribute_bindings`] as arguments.
pub(crate) fn attribute_arguments(attributes: &[AttributeParameter]) -> Vec<TokenStream> {
    let arguments = attributes.iter().map(|attribute| {
        let variable = variable(attribute);
        if attribute.ty.is_copied() { quote!(*#variable) } else { quote!(#variable) }
    });
    arguments.collect()
}

fn variable(attribute: &AttributeParameter) -> Ident {
    local(&format!("__{}", attribute.parameter.text()), attribute.parameter.name.span())
}

/// Inputs and attributes by the author's names, for an expression of theirs.
pub(crate) fn named(inputs: &[Parameter], attributes: &[AttributeParameter]) -> TokenStream {
    let (descs, values) = (desc_arguments(inputs), attribute_arguments(attributes));
    let (input_names, attribute_names) =
        (inputs.iter().map(|input| &input.name), attributes.iter().map(|attribute| &attribute.parameter.name));
    let names: Vec<&Ident> = input_names.clone().chain(attribute_names.clone()).collect();
    let types = attributes.iter().map(|attribute| &attribute.parameter.ty);
    quote_spanned! {Span::mixed_site()=>
        #(let #input_names: &__rt::TensorDesc = #descs;)*
        #(let #attribute_names: #types = #values;)*
        let _ = (#(&#names,)*);
    }
}

/// The fields of an entry that say which tactics there are.
pub(crate) fn tactic_fields(tactic: Option<&TacticParameter>) -> TokenStream {
    let takes_tactic = tactic.is_some();
    let names = match tactic {
        Some(TacticParameter::Enum(ty)) => {
            let tactics = tactics(ty);
            quote!(::core::option::Option::Some(#tactics.name))
        }
        _ => quote!(::core::option::Option::None),
    };
    quote!(tactic_names: #names, takes_tactic: #takes_tactic,)
}

/// The tactic as an argument, from its number.
pub(crate) fn tactic_argument(tactic: &TacticParameter, number: TokenStream) -> TokenStream {
    match tactic {
        TacticParameter::Number => number,
        TacticParameter::Enum(ty) => {
            let tactics = tactics(ty);
            quote!((#tactics.find)(#number)?)
        }
    }
}

fn tactics(ty: &Type) -> TokenStream {
    quote_spanned!(at(ty.span())=> __rt::tactics::<#ty>())
}

/// Calls the author's function with `arguments` and makes a `Result<value>` of what it returns.
pub(crate) fn call(part: &Part, arguments: &[TokenStream], value: TokenStream) -> TokenStream {
    let name = &part.function.item.sig.ident;
    let returned = part.function.return_tokens().span();
    quote_spanned!(at(returned)=> __rt::IntoResult::<#value>::into_result(#name(#(#arguments),*)))
}

/// A local variable of the expansion, out of reach of the author's names, shown at `span`.
pub(crate) fn local(name: &str, span: Span) -> Ident {
    Ident::new(name, at(span))
}

/// The expansion's own code, shown at `span`: what the author's lints say of written code isn't said of it.
pub(crate) fn at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

/// A name of the runtime's.
pub(crate) fn hygienic(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The value of a static slice of names.
pub(crate) fn names<'a>(parameters: impl IntoIterator<Item = &'a Parameter>) -> TokenStream {
    let names = parameters.into_iter().map(Parameter::text);
    quote!(&[#(#names),*]).into_token_stream()
}
