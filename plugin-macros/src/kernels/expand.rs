//! From a declaration to a static of the file and functions that launch its kernels.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::compare::uses_runtime_header;
use super::file::File;
use super::model::{Declaration, Kernel, Kind, Parameter};
use crate::expand::{at, mark_of};
use crate::model::types::spelled;

pub(super) fn expand(runtime: &TokenStream, declaration: &Declaration, file: &File) -> TokenStream {
    let source = source(runtime, declaration, file);
    let kernels = declaration.kernels.iter().map(|kernel| {
        let (function, mark) = (function(runtime, &declaration.name, kernel), mark(kernel));
        quote!(#function #mark)
    });
    quote!(#source #(#kernels)*)
}

/// An item that clashes with the one beside a plugin's function of the same name. As the functions clash too, this adds no
/// mistake, but its name, which says what to do.
fn mark(kernel: &Kernel) -> TokenStream {
    let conditions = kernel.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let mark = mark_of(&kernel.name);
    quote_spanned! {at(kernel.name.span())=>
        #(#conditions)*
        #[doc(hidden)]
        #[allow(dead_code, non_upper_case_globals)]
        const #mark: () = ();
    }
}

fn source(runtime: &TokenStream, declaration: &Declaration, file: &File) -> TokenStream {
    let Declaration { attributes, visibility, name, file: path, headers, options, .. } = declaration;
    let included = |name: &syn::LitStr| if file.is_missing { quote!("") } else { quote!(::core::include_str!(#name)) };
    let (text, image) = match declaration.is_image {
        true if !file.is_missing => (quote!(""), quote!(Some(::core::include_bytes!(#path)))),
        true => (quote!(""), quote!(None)),
        false => (included(path), quote!(None)),
    };
    let headers = headers.iter().map(|header| {
        let text = included(header);
        quote!((#header, #text))
    });
    let is_own = file.text.as_deref().is_some_and(uses_runtime_header);
    let templates = declaration.kernels.iter().filter(|kernel| kernel.is_template);
    let instances = templates.flat_map(|kernel| instances(runtime, kernel, is_own));
    quote! {
        #(#attributes)*
        #visibility static #name: #runtime::device::cuda::Source = {
            use ::core::option::Option::*;
            #runtime::device::cuda::Source {
                name: #path,
                text: #text,
                image: #image,
                rust_file: ::core::file!(),
                headers: &[#(#headers),*],
                options: &[#(#options),*],
                instances: &[#(#instances),*],
            }
        };
        const _: () = {
            use #runtime::__private::linkme;
            #[linkme::distributed_slice(#runtime::device::cuda::SOURCES)]
            #[linkme(crate = linkme)]
            static LISTED: &#runtime::device::cuda::Source = &#name;
        };
    }
}

/// One function of a template a type: its name, how it is named in C++, and how its symbol begins.
fn instances<'a>(runtime: &'a TokenStream, kernel: &'a Kernel, is_own: bool) -> impl Iterator<Item = TokenStream> + 'a {
    kernel.instances().into_iter().filter_map(move |(name, ty)| {
        let (cpp, code) = cpp_type(&ty?.to_string(), is_own);
        let template = kernel.name.to_string();
        let expression = format!("{template}<{cpp}>");
        let symbol = format!("_Z{}{template}I{code}E", template.len());
        Some(quote!(#runtime::device::cuda::Instance { name: #name, expression: #expression, symbol: #symbol }))
    })
}

/// The C++ type of a Rust type's elements, and its code in symbols. `is_own`: with the runtime's header.
fn cpp_type(rust: &str, is_own: bool) -> (&'static str, &'static str) {
    match rust {
        "f32" => ("float", "f"),
        "f16" if is_own => ("f16", "3f16"),
        "f16" => ("__half", "6__half"),
        "bf16" if is_own => ("bf16", "4bf16"),
        "bf16" => ("__nv_bfloat16", "13__nv_bfloat16"),
        "i64" => ("long long", "x"),
        "i32" => ("int", "i"),
        "i8" => ("signed char", "a"),
        _ => ("unsigned char", "h"),
    }
}

fn function(runtime: &TokenStream, source: &Ident, kernel: &Kernel) -> TokenStream {
    let Kernel { attributes, visibility, name, .. } = kernel;
    let given = kernel.parameters.iter().filter(|parameter| parameter.length_of.is_none());
    let parameters = given.map(|parameter| declared(runtime, kernel, parameter));
    let bindings = kernel.parameters.iter().map(|parameter| binding(kernel, parameter));
    let lengths = kernel.parameters.iter().filter_map(length);
    let arguments = kernel.parameters.iter().map(|parameter| {
        let name = &parameter.name;
        quote_spanned!(at(parameter.ty.span())=> __rt::KernelArgument::argument(&#name))
    });
    let entries: Vec<TokenStream> =
        kernel.instances().iter().map(|(name, ty)| entry(source, kernel, name, *ty)).collect();
    let count = entries.len();
    let listed = (0..count).map(|index| {
        let listed = format_ident!("__LISTED_{index}");
        quote! {
            #[__rt::linkme::distributed_slice(__rt::KERNELS)]
            #[linkme(crate = __rt::linkme)]
            static #listed: __rt::KernelEntry = __ENTRIES[#index];
        }
    });
    let indices = 0..count;
    let chosen = chosen(kernel);
    quote! {
        #(#attributes)*
        ///
        /// # Errors
        /// When the kernel doesn't compile, differs from its declaration, is given a tensor of another type or in other
        /// memory, or the launch is beyond what the GPU allows.
        #[allow(clippy::too_many_arguments)]
        #visibility fn #name(
            stream: &#runtime::device::Stream,
            launch: #runtime::device::cuda::LaunchConfig,
            #(#parameters),*
        ) -> #runtime::Result<()> {
            use #runtime::__private as __rt;
            const __ENTRIES: [__rt::KernelEntry; #count] = [#(#entries),*];
            #(#listed)*
            static __KERNELS: [__rt::Kernel; #count] = [#(__rt::Kernel::new(__ENTRIES[#indices])),*];
            #(#bindings)*
            #(#lengths)*
            let __chosen: usize = #chosen;
            __KERNELS[__chosen].launch(stream, launch, [#(#arguments),*])
        }
    }
}

/// A parameter of the function.
fn declared(runtime: &TokenStream, kernel: &Kernel, parameter: &Parameter) -> TokenStream {
    let Parameter { name, ty, kind, .. } = parameter;
    let (role, element) = match kind {
        Kind::Input(element) => ("KernelInput", element),
        Kind::Output(element) => ("KernelOutput", element),
        Kind::Value => return quote!(#name: #ty),
    };
    let role = Ident::new(role, Span::call_site());
    match kernel.is_type_parameter(element) {
        true => quote!(#name: impl #runtime::device::cuda::#role<#runtime::device::cuda::AnyElement>),
        false => quote!(#name: impl #runtime::device::cuda::#role<#element>),
    }
}

/// Takes a slice's address, length and type.
fn binding(kernel: &Kernel, parameter: &Parameter) -> TokenStream {
    let name = &parameter.name;
    let text = name.to_string();
    let (method, role, element) = match &parameter.kind {
        Kind::Input(element) => ("input", "KernelInput", element),
        Kind::Output(element) => ("output", "KernelOutput", element),
        Kind::Value => return TokenStream::new(),
    };
    let (method, role) = (Ident::new(method, Span::call_site()), Ident::new(role, Span::call_site()));
    let element = if kernel.is_type_parameter(element) { quote!(__rt::AnyElement) } else { quote!(#element) };
    let kernel_name = kernel.name.to_string();
    quote!(let #name = __rt::argument_of(#kernel_name, #text, __rt::#role::<#element>::#method(&#name))?;)
}

fn length(parameter: &Parameter) -> Option<TokenStream> {
    let Parameter { name, ty, length_of, .. } = parameter;
    let (of, text) = (length_of.as_ref()?, name.to_string());
    Some(quote!(let #name: #ty = __rt::length_of(#text, &#of)?;))
}

/// Which of the kernel's functions is launched.
fn chosen(kernel: &Kernel) -> TokenStream {
    let Some(types) = &kernel.types else { return quote!(0) };
    let (name, list) = (kernel.name.to_string(), &types.list);
    let slices = kernel.parameters.iter().filter(|parameter| match &parameter.kind {
        Kind::Input(element) | Kind::Output(element) => kernel.is_type_parameter(element),
        Kind::Value => false,
    });
    let slices = slices.map(|parameter| {
        let (name, text) = (&parameter.name, parameter.name.to_string());
        quote!((#text, #name.dtype()))
    });
    quote!(__rt::chosen_instance(#name, &[#((<__rt::elements::#list as __rt::Element>::NAME, <__rt::elements::#list as __rt::Element>::views)),*], &[#(#slices),*])?)
}

/// The declaration of one function, of one type where there are several.
fn entry(source: &Ident, kernel: &Kernel, name: &str, ty: Option<&Ident>) -> TokenStream {
    let alias = kernel.types.as_ref().zip(ty).map(|(types, ty)| {
        let parameter = &types.parameter;
        quote!(#[allow(dead_code)] type #parameter = __rt::elements::#ty;)
    });
    let parameters = kernel.parameters.iter().map(|parameter| {
        let (text, ty) = (parameter.name.to_string(), &parameter.ty);
        let shown = shown(kernel, parameter, name);
        quote!(__rt::parameter::<#ty>(#text, #shown))
    });
    quote! {{
        #alias
        __rt::KernelEntry { source: &#source, name: #name, parameters: &[#(#parameters),*] }
    }}
}

/// The type as messages show it.
fn shown(kernel: &Kernel, parameter: &Parameter, instance: &str) -> String {
    let ty = instance.strip_prefix(&format!("{}_", kernel.name)).unwrap_or_default();
    match &parameter.kind {
        Kind::Input(element) if kernel.is_type_parameter(element) => format!("DeviceSlice<{ty}>"),
        Kind::Output(element) if kernel.is_type_parameter(element) => format!("DeviceSliceMut<{ty}>"),
        _ => spelled(&parameter.ty),
    }
}
