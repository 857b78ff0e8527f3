//! An attribute's arguments: the id, then options.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, LitStr, Path, Token};

use crate::model::types::spelled;
use crate::model::{Options, Role};
use crate::nearest::nearest;
use crate::report::Report;
use crate::validate;

/// What to write for the option `device_shape`.
const DEVICE_SHAPE: &str =
    "write `device_shape = true` if it copes with extents that only the GPU knows, else leave it out";

/// Reads the arguments of the attribute that `role` names. What can't be read is reported and left out.
pub(crate) fn options(tokens: TokenStream, role: Role, report: &mut Report) -> Options {
    let mut options = Options::default();
    let parser = |input: ParseStream<'_>| {
        let mut reader = Reader { input, role, report: &mut *report };
        reader.id(&mut options);
        while !reader.input.is_empty() {
            reader.option(&mut options);
        }
        Ok(())
    };
    let read = parser.parse2(tokens);
    report.absorb(read);
    options
}

struct Reader<'a> {
    input: ParseStream<'a>,
    role: Role,
    report: &'a mut Report,
}

impl Reader<'_> {
    fn id(&mut self, options: &mut Options) {
        let role = self.role;
        let example = role.example("namespace::name");
        if self.input.is_empty() {
            self.report.error_at(Span::call_site(), format_args!("{role} needs the plugin's id: write `{example}`"));
        } else if self.input.peek(LitStr) {
            if let Some(literal) = self.report.absorb(self.input.parse::<LitStr>()) {
                options.id = validate::id(literal, self.report);
            }
            self.end_of_argument();
        } else if self.input.peek(Ident::peek_any) && self.input.peek2(Token![=]) {
            let at = self.input.span();
            if let Some(literal) = self.named_id() {
                self.report
                    .error_at(at, format_args!("the id stands by itself: write `{}`", role.example(&literal.value())));
                options.id = validate::id(literal, self.report);
                return self.end_of_argument();
            }
            options.awaits_id = true;
            self.report.error_at(at, format_args!("the plugin's id comes first: write `{example}`"));
        } else {
            let start = self.input.span();
            let ahead = self.input.fork();
            match ahead.call(Path::parse_mod_style) {
                Ok(path) if ahead.peek(Token![!]) => {
                    let name = spelled(&path);
                    self.report.error(
                        path,
                        format_args!(
                            "an attribute is read before `{name}!` is expanded, and the id names the plugin's module: write \
                             it out, `{example}`"
                        ),
                    );
                }
                Ok(path)
                    if path.get_ident().is_some_and(|name| name.to_string().chars().all(|c| !c.is_lowercase())) =>
                {
                    let name = spelled(&path);
                    self.report.error(
                        path,
                        format_args!(
                            "an attribute can't see what the constant `{name}` is, and the id names the plugin's module: \
                             write it out, `{example}`"
                        ),
                    );
                }
                Ok(path) => {
                    let id: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
                    self.report.error(path, format_args!("the id is a string: write `\"{}\"`", id.join("::")));
                }
                Err(_) => self.report.error_at(start, format_args!("expected the plugin's id: write `{example}`")),
            }
            self.skip_argument();
        }
    }

    /// The text in `name = "namespace::name"`, where the name is none of an option.
    fn named_id(&self) -> Option<LitStr> {
        let ahead = self.input.fork();
        let name = ahead.call(Ident::parse_any).ok()?;
        ahead.parse::<Token![=]>().ok()?;
        let literal: LitStr = ahead.parse().ok()?;
        let is_option = Role::ALL.iter().any(|role| role.options().contains(&name.to_string().as_str()));
        let is_id = !is_option && literal.value().contains("::");
        is_id.then(|| self.input.advance_to(&ahead)).map(|()| literal)
    }

    fn option(&mut self, options: &mut Options) {
        if options.id.is_none() && options.awaits_id && self.input.peek(LitStr) {
            if let Ok(literal) = self.input.parse::<LitStr>() {
                options.id = validate::id(literal, self.report);
            }
            return self.end_of_argument();
        }
        let Ok(name) = self.input.call(Ident::parse_any) else {
            let at = self.input.span();
            self.report.error_at(at, format_args!("expected an option of {}: {}", self.role, self.known()));
            return self.skip_argument();
        };
        let text = name.to_string();
        if !self.role.options().contains(&text.as_str()) {
            // What is meant isn't missed, too.
            let meant = self.unknown(&name, &text);
            options.written.extend(meant.map(str::to_owned));
            return self.skip_argument();
        }
        if options.has(&text) {
            self.report.error(&name, format_args!("option `{text}` is given twice"));
            return self.skip_argument();
        }
        options.written.push(text.clone());
        match text.as_str() {
            "version" => options.version = self.value(&name, "a version is a whole number from 1: write `version = 2`"),
            "onnx" => {
                let advice = "write `onnx = \"domain::Operator\"`, or several in brackets: `onnx = [\"..\", \"..\"]`";
                options.onnx = self.value(&name, advice).map(|Texts(texts)| texts).unwrap_or_default();
            }
            "device" => {
                let advice = "an impl is for one device, and that is a name: write `device = cpu` or `device = cuda`";
                options.device = self.value(&name, advice).map(|Alone(device)| device)
            }
            "compare" => {
                let compare: Option<Expr> =
                    self.value(&name, "write `compare = Compare::new().unordered()`, or another one");
                options.compare = compare.filter(|compare| self.is_made_first(compare));
            }
            "sample_inputs" => options.sample_inputs = self.samples(&name),
            "workspace" => options.workspace = self.value(&name, "write `workspace = bytes`, an expression"),
            "device_shape" => options.device_shape = self.value(&name, DEVICE_SHAPE),
            "plugin" => {
                options.plugin = self.value(&name, "write `plugin = path::to::the_plugins_module`").map(|ModPath(p)| p)
            }
            _ => options.runtime = self.value(&name, "write `crate = ::name_of_plugin_runtime`").map(|ModPath(p)| p),
        }
    }

    /// The value after `name =`; a mistake is answered with `advice`.
    fn value<T: Parse>(&mut self, name: &Ident, advice: &str) -> Option<T> {
        if self.input.parse::<Token![=]>().is_err() {
            self.report.error(name, advice);
            self.skip_argument();
            return None;
        }
        let start = self.input.span();
        match self.input.parse() {
            Ok(value) => {
                self.end_of_argument();
                Some(value)
            }
            Err(_) => {
                let span = if self.input.is_empty() { name.span() } else { start };
                self.report.error_at(span, advice);
                self.skip_argument();
                None
            }
        }
    }

    /// The list after `sample_inputs`.
    fn samples(&mut self, name: &Ident) -> Vec<(Ident, Expr)> {
        const ADVICE: &str = "write `sample_inputs(name_of_input = Sample::below(bound))`, or another `Sample`";
        let Ok(list) = self.input.parse::<Group>() else {
            self.report.error(name, ADVICE);
            self.skip_argument();
            return Vec::new();
        };
        self.end_of_argument();
        let sample = |input: ParseStream<'_>| {
            let name: Ident = input.parse()?;
            let value = input.parse::<Token![=]>().and_then(|_| input.parse());
            let value =
                value.map_err(|error| if input.is_empty() { syn::Error::new(name.span(), "") } else { error })?;
            Ok((name, value))
        };
        let samples = |input: ParseStream<'_>| input.parse_terminated(sample, Token![,]);
        match samples.parse2(list.stream()) {
            Ok(samples) if list.delimiter() == Delimiter::Parenthesis && !samples.is_empty() => {
                samples.into_iter().collect()
            }
            Ok(_) => {
                self.report.error(list, ADVICE);
                Vec::new()
            }
            Err(error) => {
                self.report.error_at(error.span(), ADVICE);
                Vec::new()
            }
        }
    }

    /// Whether a chain of calls starts with a function, not with a method as in `Compare::close(..)`; that is reported.
    fn is_made_first(&mut self, value: &Expr) -> bool {
        let call = match value {
            Expr::MethodCall(call) => return self.is_made_first(&call.receiver),
            Expr::Call(call) => call,
            _ => return true,
        };
        let Expr::Path(function) = &*call.func else { return true };
        let names: Vec<String> = function.path.segments.iter().rev().map(|segment| segment.ident.to_string()).collect();
        let is_method =
            matches!(&*names, [method, ty, ..] if ty == "Compare" && ["close", "unordered"].contains(&method.as_str()));
        if is_method {
            let arguments: Vec<String> = call.args.iter().map(spelled).collect();
            let message = format!("write `Compare::new().{}({})`", names[0], arguments.join(", "));
            self.report.error(call, message);
        }
        !is_method
    }

    /// Reports an option that isn't there, and gives the one that is meant.
    fn unknown(&mut self, name: &Ident, text: &str) -> Option<&'static str> {
        let elsewhere = Role::ALL.into_iter().find(|r| r.options().contains(&text));
        let (role, known) = (self.role, self.known());
        if role == Role::Impl && ["cpu", "cuda", "gpu"].contains(&text) {
            let device = if text == "cpu" { "cpu" } else { "cuda" };
            self.report.error(name, format_args!("a device is given by name: write `device = {device}`"));
            return Some("device");
        }
        let meant = nearest(text, role.options().iter().copied());
        match (meant, elsewhere) {
            (Some(near), _) => {
                self.report.error(name, format_args!("{role} has no option `{text}`; did you mean `{near}`?"))
            }
            (None, Some(other)) => self.report.error(
                name,
                format_args!("`{text}` is an option of {other}, not of {role}, which takes its id and {known}"),
            ),
            (None, None) => {
                self.report.error(name, format_args!("{role} has no option `{text}`; it takes its id and {known}"))
            }
        }
        meant
    }

    fn known(&self) -> String {
        let written = |name: &&str| match *name {
            "sample_inputs" => format!("`{name}(..)`"),
            _ => format!("`{name} = ..`"),
        };
        let names: Vec<String> = self.role.options().iter().map(written).collect();
        names.join(", ")
    }

    fn end_of_argument(&mut self) {
        if !self.input.is_empty() && self.input.parse::<Token![,]>().is_err() {
            self.report.error_at(self.input.span(), "expected `,` before the next option");
            self.skip_argument();
        }
    }

    fn skip_argument(&mut self) {
        while !self.input.is_empty() {
            let token = self.input.parse::<TokenTree>();
            if matches!(&token, Ok(TokenTree::Punct(punct)) if punct.as_char() == ',') {
                break;
            }
        }
    }
}

/// A name that nothing but the next option follows.
struct Alone(Ident);

impl Parse for Alone {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        match input.is_empty() || input.peek(Token![,]) {
            true => Ok(Alone(name)),
            false => Err(input.error("")),
        }
    }
}

/// A string, or a list of them.
struct Texts(Vec<LitStr>);

impl Parse for Texts {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            return Ok(Texts(vec![input.parse()?]));
        }
        let list;
        syn::bracketed!(list in input);
        let texts = Punctuated::<LitStr, Token![,]>::parse_terminated(&list)?;
        match texts.is_empty() {
            true => Err(list.error("expected a string")),
            false => Ok(Texts(texts.into_iter().collect())),
        }
    }
}

/// A path without generic arguments, of which any segment may be a keyword.
struct ModPath(Path);

impl Parse for ModPath {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        input.call(Path::parse_mod_style).map(ModPath)
    }
}
