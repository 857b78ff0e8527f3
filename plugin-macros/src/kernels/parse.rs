//! A declaration from its tokens.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::token::Brace;
use syn::{Attribute, Expr, GenericArgument, LitStr, PathArguments, Result, Token, Type, Visibility};

use super::model::{Declaration, Kernel, Kind, Parameter, Types};
use crate::elements::{ELEMENTS, no_element};
use crate::model::types::{last_segment, plain, spelled};
use crate::nearest::nearest;
use crate::report::Report;

const FILE_FIRST: &str = "the file comes first: write `source NAME = \"kernels.cu\";` before the kernels";
const TYPES: &str = "a kernel for several element types is declared `fn name<T in [f32, f16, bf16]>(..)`";

/// Reads `source NAME = "file", ..; fn name(..); ..`. Kernels that can't be read are reported and left out.
pub(super) fn declaration(tokens: TokenStream, report: &mut Report) -> Option<Declaration> {
    let mut declaration = None;
    let parser = |input: ParseStream<'_>| {
        let mut read = file(input, report)?;
        while !input.is_empty() {
            let kernel = kernel(input, report);
            let is_read = kernel.is_ok();
            read.kernels.extend(report.absorb(kernel).flatten());
            if !is_read {
                skip_to_end(input);
            }
        }
        declaration = Some(read);
        Ok(())
    };
    let parsed = parser.parse2(tokens);
    report.absorb(parsed);
    if let Some(declaration) = &declaration {
        repeated(declaration, report);
    }
    declaration
}

fn skip_to_end(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![;]) {
        let _ = input.parse::<TokenTree>();
    }
    let _ = input.parse::<Token![;]>();
}

fn repeated(declaration: &Declaration, report: &mut Report) {
    let mut seen: Vec<&Ident> = Vec::new();
    for kernel in &declaration.kernels {
        if seen.contains(&&kernel.name) {
            report.error(&kernel.name, format_args!("`{}` is declared twice: remove one", kernel.name));
        }
        seen.push(&kernel.name);
    }
}

fn file(input: ParseStream<'_>, report: &mut Report) -> Result<Declaration> {
    if input.is_empty() {
        return Err(syn::Error::new(Span::call_site(), FILE_FIRST));
    }
    let attributes = input.call(Attribute::parse_outer)?;
    let visibility: Visibility = input.parse()?;
    if input.peek(Token![fn]) {
        return Err(input.error(FILE_FIRST));
    }
    let keyword = input.call(Ident::parse_any).map_err(|error| syn::Error::new(error.span(), FILE_FIRST))?;
    let is_image = match keyword.to_string().as_str() {
        "source" => false,
        "image" => true,
        other => {
            let meant = nearest(other, ["source", "image"]);
            let meant = meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
            return Err(syn::Error::new(
                keyword.span(),
                format!(
                    "write `source NAME = \"kernels.cu\";`, or `image NAME = \"kernels.ptx\";` for one compiled before{meant}"
                ),
            ));
        }
    };
    let example = if is_image { "image NAME = \"kernels.ptx\";" } else { "source NAME = \"kernels.cu\";" };
    let wanted = |error: syn::Error| syn::Error::new(error.span(), format!("write `{example}`"));
    let name: Ident = input.parse().map_err(wanted)?;
    input.parse::<Token![=]>().map_err(wanted)?;
    let file: LitStr = input.parse().map_err(|error| {
        syn::Error::new(error.span(), "write the file's name as a string, relative to this file: `\"kernels.cu\"`")
    })?;
    let mut declaration = Declaration {
        attributes,
        visibility,
        is_image,
        name,
        file,
        headers: Vec::new(),
        options: Vec::new(),
        kernels: Vec::new(),
    };
    options(input, &mut declaration, report)?;
    Ok(declaration)
}

/// `, headers ["a.cuh"], options ["--use_fast_math"];`
fn options(input: ParseStream<'_>, declaration: &mut Declaration, report: &mut Report) -> Result<()> {
    while input.peek(Token![,]) {
        input.parse::<Token![,]>()?;
        if input.peek(Token![;]) {
            break;
        }
        let name = input.call(Ident::parse_any)?;
        let list = match name.to_string().as_str() {
            "headers" => &mut declaration.headers,
            "options" => &mut declaration.options,
            _ => {
                let message = "after the file's name may follow `, headers [\"common.cuh\"]` and `, options [\"--use_fast_math\"]`";
                return Err(syn::Error::new(name.span(), message));
            }
        };
        let example = if name == "headers" { "headers [\"common.cuh\"]" } else { "options [\"--use_fast_math\"]" };
        let wanted = |span: Span| syn::Error::new(span, format!("write `{example}`, a list of strings"));
        if !input.peek(syn::token::Bracket) {
            return Err(wanted(input.span()));
        }
        let inside;
        syn::bracketed!(inside in input);
        let strings = Punctuated::<LitStr, Token![,]>::parse_terminated(&inside);
        list.extend(strings.map_err(|error| wanted(error.span()))?);
        if declaration.is_image {
            report.error(&name, format_args!("an image is compiled already: remove `{name}`"));
        }
    }
    semicolon(input, declaration.file.span(), "the line of the file")
}

fn semicolon(input: ParseStream<'_>, before: Span, what: &str) -> Result<()> {
    if input.parse::<Option<Token![;]>>()?.is_some() {
        return Ok(());
    }
    Err(syn::Error::new(before, format!("a `;` is missing after {what}")))
}

fn kernel(input: ParseStream<'_>, report: &mut Report) -> Result<Option<Kernel>> {
    let attributes = input.call(Attribute::parse_outer)?;
    let visibility: Visibility = input.parse()?;
    if !input.peek(Token![fn]) {
        let start = input.call(Ident::parse_any);
        let (span, start) = match start {
            Ok(start) => (start.span(), start.to_string()),
            Err(error) => (error.span(), String::new()),
        };
        return Err(syn::Error::new(
            span,
            match start.as_str() {
                "source" | "image" => "a declaration has one file: write another `kernels!` for this one".to_owned(),
                "unsafe" | "extern" | "const" | "async" => {
                    format!("a kernel is declared with `fn` alone: remove `{start}`")
                }
                _ => "expected a kernel: `fn name(x: DeviceSlice<f32>, y: DeviceSliceMut<f32>);`".to_owned(),
            },
        ));
    }
    input.parse::<Token![fn]>()?;
    let name: Ident = input.parse()?;
    let types = if input.peek(Token![<]) { Some(types(input, report)?) } else { None };
    if !input.peek(syn::token::Paren) {
        return Err(input.error(format_args!("the parameters are missing: write `fn {name}(..);`")));
    }
    let inside;
    let parentheses = syn::parenthesized!(inside in input);
    let mut parameters = Vec::new();
    let mut all_are_read = true;
    while !inside.is_empty() {
        let read = parameter(&inside, types.as_ref(), report);
        all_are_read &= read.is_ok();
        parameters.extend(report.absorb(read));
    }
    end(input, &name, parentheses.span.close(), report)?;
    if !all_are_read {
        return Ok(None);
    }
    let kernel = Kernel { attributes, visibility, name, types, parameters, is_template: false };
    Ok(whole(&kernel, report).then_some(kernel))
}

/// What follows the parameters: nothing but `;`.
fn end(input: ParseStream<'_>, name: &Ident, close: Span, report: &mut Report) -> Result<()> {
    if input.peek(Token![->]) {
        let arrow = input.parse::<syn::ReturnType>()?;
        report.error(arrow, "a kernel returns nothing, and its launch a `Result<()>` by itself: remove this");
    }
    if input.peek(Brace) {
        let body: proc_macro2::Group = input.parse()?;
        report.error_at(body.span_open(), "the body stands in the CUDA file: write `;` in its place");
        let _ = input.parse::<Option<Token![;]>>();
        return Ok(());
    }
    if input.peek(Token![where]) {
        return Err(input.error(TYPES));
    }
    if input.parse::<Option<Token![;]>>()?.is_none() {
        report.error_at(close, format_args!("a `;` is missing after `fn {name}(..)`"));
    }
    Ok(())
}

/// `<T in [f32, f16, bf16]>`
fn types(input: ParseStream<'_>, report: &mut Report) -> Result<Types> {
    input.parse::<Token![<]>()?;
    let parameter: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), TYPES))?;
    if !input.peek(Token![in]) {
        return Err(input.error(TYPES));
    }
    input.parse::<Token![in]>()?;
    if !input.peek(syn::token::Bracket) {
        return Err(input.error(TYPES));
    }
    let inside;
    let brackets = syn::bracketed!(inside in input);
    let list = Punctuated::<Ident, Token![,]>::parse_terminated(&inside);
    let list: Vec<Ident> = list.map_err(|error| syn::Error::new(error.span(), TYPES))?.into_iter().collect();
    input.parse::<Token![>]>().map_err(|error| syn::Error::new(error.span(), TYPES))?;
    if list.is_empty() {
        report.error_at(brackets.span.join(), format_args!("the list is empty: {TYPES}"));
    }
    for (index, ty) in list.iter().enumerate() {
        if !ELEMENTS.contains(&ty.to_string().as_str()) {
            report.error(ty, no_element(&ty.to_string()));
        }
        if list[..index].contains(ty) {
            report.error(ty, format_args!("`{ty}` stands here twice: remove one"));
        }
    }
    Ok(Types { parameter, list })
}

/// A parameter with the `,` behind it. Whatever is wrong, all up to there is read.
fn parameter(input: ParseStream<'_>, types: Option<&Types>, report: &mut Report) -> Result<Parameter> {
    let read = parameter_itself(input, types, report).and_then(|parameter| {
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(parameter);
        }
        Err(input.error("a `,` is missing between parameters"))
    });
    let mut depth = 0;
    while !input.is_empty() && (depth > 0 || !input.peek(Token![,])) {
        match input.parse()? {
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' => depth -= 1,
            _ => {}
        }
    }
    input.parse::<Option<Token![,]>>()?;
    read
}

fn parameter_itself(input: ParseStream<'_>, types: Option<&Types>, report: &mut Report) -> Result<Parameter> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("a kernel's parameter is `name: type`"));
    }
    let name: Ident = input.call(Ident::parse_any)?;
    if matches!(name.to_string().as_str(), "self" | "_" | "mut") {
        return Err(syn::Error::new(name.span(), "a kernel's parameter is `name: type`"));
    }
    if matches!(name.to_string().as_str(), "stream" | "launch") {
        report.error(&name, format_args!("`{name}` is what each launch is given first: take another name"));
    }
    if input.parse::<Option<Token![:]>>()?.is_none() {
        let looks_like_a_type = input.peek(Token![<]) || rust_name(&name).is_some() || is_primitive(&name);
        let what = if looks_like_a_type { "name: type" } else { &format!("{name}: type") };
        return Err(syn::Error::new(
            name.span(),
            format_args!("a kernel's parameter has a name and a type: write `{what}`, e.g. `x: DeviceSlice<f32>`"),
        ));
    }
    let ty: Type = input.parse()?;
    let kind = kind(&ty);
    let advice = match &kind {
        Kind::Value => advice(&name, &ty, types),
        Kind::Input(element) | Kind::Output(element) => of_cuda(element),
    };
    if let Some(advice) = &advice {
        match &kind {
            Kind::Value => report.error(&ty, advice),
            Kind::Input(element) | Kind::Output(element) => report.error(element, advice),
        }
    }
    let length_of = match input.parse::<Option<Token![=]>>()? {
        None => None,
        Some(_) => length(input, &ty, advice.is_none(), report)?,
    };
    Ok(Parameter { name, ty, kind, is_possible: advice.is_none(), length_of })
}

/// `x.len()`
fn length(input: ParseStream<'_>, ty: &Type, is_possible: bool, report: &mut Report) -> Result<Option<Ident>> {
    let expr: Expr = input.parse()?;
    let of = match &expr {
        Expr::MethodCall(call) if call.method == "len" && call.args.is_empty() => match &*call.receiver {
            Expr::Path(path) => path.path.get_ident().cloned(),
            _ => None,
        },
        _ => None,
    };
    if of.is_none() {
        report.error(&expr, "only the length of a slice can be given by itself: write `n: i64 = x.len()`");
    }
    let is_integer = ["i32", "i64", "u32", "u64"].iter().any(|name| spelled(ty) == *name);
    if is_possible && !is_integer {
        report.error(ty, "a length is an `i32`, `i64`, `u32` or `u64`");
    }
    Ok(of)
}

/// How the kernel gets it.
fn kind(ty: &Type) -> Kind {
    if let Some(segment) = last_segment(ty)
        && let (true, PathArguments::AngleBracketed(arguments)) =
            (segment.ident == "DeviceSlice" || segment.ident == "DeviceSliceMut", &segment.arguments)
    {
        let element = arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(element) => Some(Box::new(element.clone())),
            _ => None,
        });
        if let Some(element) = element {
            return if segment.ident == "DeviceSlice" { Kind::Input(element) } else { Kind::Output(element) };
        }
    }
    Kind::Value
}

fn is_primitive(name: &Ident) -> bool {
    ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f16", "bf16", "f32", "f64", "bool"]
        .iter()
        .any(|ty| name == ty)
}

/// The type of Rust for one of C++ or CUDA.
fn rust_name(name: &Ident) -> Option<&'static str> {
    match name.to_string().as_str() {
        "float" => Some("f32"),
        "double" => Some("f64"),
        "half" | "__half" => Some("f16"),
        "nv_bfloat16" | "__nv_bfloat16" => Some("bf16"),
        "short" | "int16_t" => Some("i16"),
        "int" | "int32_t" => Some("i32"),
        "long" | "int64_t" => Some("i64"),
        "unsigned" | "uint" | "uint32_t" => Some("u32"),
        "size_t" | "uint64_t" => Some("u64"),
        "int8_t" => Some("i8"),
        "uint8_t" => Some("u8"),
        _ => None,
    }
}

/// What to write for a type of C++ or CUDA.
fn of_cuda(ty: &Type) -> Option<String> {
    let name = &last_segment(ty)?.ident;
    Some(format!("`{name}` is a type of C++: write `{}`, which it is in Rust", rust_name(name)?))
}

fn advice(name: &Ident, ty: &Type, types: Option<&Types>) -> Option<String> {
    let parameter = |right: &str| Some(format!("write `{name}: {right}`"));
    let element = |slice: &Type| match plain(slice) {
        Type::Slice(slice) => spelled(&slice.elem),
        other => spelled(other),
    };
    match plain(ty) {
        Type::Reference(reference) if reference.mutability.is_some() => {
            parameter(&format!("DeviceSliceMut<{}>", element(&reference.elem)))
        }
        Type::Reference(reference) if spelled(&reference.elem) == "str" => Some("a kernel takes no text".to_owned()),
        Type::Reference(reference) => parameter(&format!("DeviceSlice<{}>", element(&reference.elem))),
        Type::Ptr(pointer) if !matches!(pointer.mutability, syn::PointerMutability::Const(_)) => {
            parameter(&format!("DeviceSliceMut<{}>", element(&pointer.elem)))
        }
        Type::Ptr(pointer) => parameter(&format!("DeviceSlice<{}>", element(&pointer.elem))),
        Type::Slice(slice) => parameter(&format!("DeviceSlice<{}>", spelled(&slice.elem))),
        Type::Path(_) => {
            let segment = last_segment(ty)?;
            let example = types.map_or("f32".to_owned(), |types| types.parameter.to_string());
            match segment.ident.to_string().as_str() {
                "Tensor" | "DeviceSlice" => Some(format!(
                    "say what the kernel reads: write `{name}: DeviceSlice<{example}>`; a launch takes a `Tensor` for it"
                )),
                "TensorMut" | "DeviceSliceMut" | "Workspace" => Some(format!(
                    "say what the kernel writes: write `{name}: DeviceSliceMut<{example}>`; a launch takes a `TensorMut` or a \
                     `Workspace` for it"
                )),
                "bool" => {
                    Some(format!("a kernel takes no `bool`: write `{name}: u8`, which a C++ `bool` reads 0 or 1 from"))
                }
                "char" | "String" | "str" => Some("a kernel takes no text".to_owned()),
                "Vec" | "Option" | "Box" => Some(format!(
                    "`{}` is memory of the host: write `{name}: DeviceSlice<T>`, or a plain value",
                    spelled(ty)
                )),
                _ if types.is_some_and(|types| segment.ident == types.parameter) => Some(format!(
                    "a value of the kernel's own type can't be passed: take it as `f32`, or write `{name}: DeviceSlice<{}>`",
                    segment.ident
                )),
                _ => of_cuda(ty),
            }
        }
        _ => Some(format!("a kernel takes `DeviceSlice<T>`, `DeviceSliceMut<T>` or a plain value, e.g. `{name}: i32`")),
    }
}

/// Whether lengths name slices, and types can be told by an argument.
fn whole(kernel: &Kernel, report: &mut Report) -> bool {
    let slices: Vec<String> = kernel
        .parameters
        .iter()
        .filter(|parameter| !matches!(parameter.kind, Kind::Value))
        .map(|parameter| parameter.name.to_string())
        .collect();
    let mut is_whole = kernel.parameters.iter().all(|parameter| parameter.is_possible);
    for of in kernel.parameters.iter().filter_map(|parameter| parameter.length_of.as_ref()) {
        if !slices.contains(&of.to_string()) {
            let known = if slices.is_empty() { "none".to_owned() } else { format!("`{}`", slices.join("`, `")) };
            report.error(of, format_args!("no slice of the kernel is called `{of}`: there is {known}"));
            is_whole = false;
        }
    }
    for (index, parameter) in kernel.parameters.iter().enumerate() {
        if kernel.parameters[..index].iter().any(|other| other.name == parameter.name) {
            report.error(&parameter.name, format_args!("another parameter is called `{}`", parameter.name));
            is_whole = false;
        }
    }
    if let Some(types) = kernel.types.as_ref().filter(|_| is_whole) {
        let is_told = kernel.parameters.iter().any(|parameter| match &parameter.kind {
            Kind::Input(element) | Kind::Output(element) => kernel.is_type_parameter(element),
            Kind::Value => false,
        });
        if !is_told {
            let name = &types.parameter;
            report.error(
                name,
                format_args!(
                    "no slice tells what `{name}` is: declare one as `DeviceSlice<{name}>` or `DeviceSliceMut<{name}>`"
                ),
            );
            is_whole = false;
        }
    }
    is_whole && kernel.types.as_ref().is_none_or(|types| !types.list.is_empty())
}
