//! The kernels of a CUDA C++ file, as far as they can be read without a preprocessor.

use std::collections::HashMap;

/// The types that the runtime's header names; `f16` and `bf16` are known without it.
pub(super) const HEADER_TYPES: &str = "\
    typedef float f32;\n\
    typedef signed char i8;\n\
    typedef unsigned char u8;\n\
    typedef int i32;\n\
    typedef unsigned int u32;\n\
    typedef long long i64;\n\
    typedef unsigned long long u64;\n";

/// What a file says of its kernels.
#[derive(Debug, Default)]
pub(super) struct CudaFile {
    pub(super) kernels: Vec<CudaKernel>,
    /// Whether there may be kernels that aren't listed: made by a macro, or in a header that isn't known.
    pub(super) has_more: bool,
    /// Whether it includes the header that the runtime brings.
    pub(super) uses_runtime_header: bool,
}

/// One `__global__` function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CudaKernel {
    pub(super) name: String,
    pub(super) is_extern_c: bool,
    /// The names of its template parameters.
    pub(super) template: Vec<String>,
    pub(super) parameters: Vec<CudaParameter>,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CudaParameter {
    /// Its name, if it has one.
    pub(super) name: Option<String>,
    /// As it is written there.
    pub(super) text: String,
    pub(super) is_pointer: bool,
    /// Whether what it points to is constant.
    pub(super) is_const: bool,
    pub(super) ty: CudaType,
}

/// The type of a value, or of what a pointer points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CudaType {
    /// An integer of so many bytes, with sign or without.
    Integer(usize, bool),
    /// A float of so many bytes.
    Float(usize),
    Half,
    BFloat16,
    /// A template's parameter.
    Template(String),
    Void,
    /// Whatever else.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text,
    Mark(char),
}

impl Token {
    fn word(&self) -> Option<&str> {
        match self {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }
}

pub(super) fn read(text: &str, headers: &[String]) -> CudaFile {
    let text = without_comments(text);
    let mut file = CudaFile::default();
    let code = without_directives(&text, headers, &mut file);
    let tokens = tokens(&code);
    let header = if file.uses_runtime_header { HEADER_TYPES } else { "" };
    let names = typedefs(&self::tokens(header), &tokens);
    let is_c_block =
        tokens.windows(3).any(|w| w[0] == word("extern") && w[1] == Token::Text && w[2] == Token::Mark('{'));
    for at in (0..tokens.len()).filter(|&at| tokens[at] == word("__global__")) {
        file.kernels.extend(kernel(&tokens, at, is_c_block, &names));
    }
    file
}

fn word(text: &str) -> Token {
    Token::Word(text.to_owned())
}

fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
            out.push(' ');
        } else if c == '"' {
            let end = string_end(rest);
            out += &rest[..end];
            rest = &rest[end..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// Where the string that the text begins with ends.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\n' => return at,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

/// The text without lines that begin with `#`; what they tell goes to the file.
fn without_directives(text: &str, headers: &[String], file: &mut CudaFile) -> String {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let mut code = String::with_capacity(joined.len());
    for line in joined.lines() {
        let Some(directive) = line.trim_start().strip_prefix('#') else {
            code += line;
            code.push('\n');
            continue;
        };
        let directive = directive.trim_start();
        if directive.starts_with("define") && directive.contains("__global__") {
            file.has_more = true;
        }
        if let Some(included) = directive.strip_prefix("include") {
            let name = included.trim().trim_matches(['"', '<', '>']);
            file.uses_runtime_header |= name == "plugin_runtime.cuh";
            let is_quoted = included.trim_start().starts_with('"');
            file.has_more |= is_quoted && name != "plugin_runtime.cuh" && !headers.iter().any(|header| header == name);
        }
    }
    code
}

fn tokens(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        if c == '"' {
            tokens.push(Token::Text);
            rest = &rest[string_end(rest)..];
        } else if c.is_alphanumeric() || c == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(word(&rest[..end]));
            rest = &rest[end..];
        } else {
            if !c.is_whitespace() {
                tokens.push(Token::Mark(c));
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    tokens
}

/// Names that `typedef` and `using` give to arithmetic types. One that stands for several, as in two scopes, is left out.
fn typedefs(header: &[Token], own: &[Token]) -> HashMap<String, CudaType> {
    let mut names: HashMap<String, CudaType> = HashMap::new();
    let places = [header, own].into_iter().flat_map(|tokens| (0..tokens.len()).map(|at| &tokens[at..]));
    for tokens in places.filter(|tokens| tokens[0] == word("typedef") || tokens[0] == word("using")) {
        let end = tokens.iter().position(|token| *token == Token::Mark(';')).unwrap_or(tokens.len());
        let words: Vec<&str> = tokens[1..end].iter().filter_map(Token::word).collect();
        let (name, ty) = match words.as_slice() {
            [ty @ .., name] if tokens[0] == word("typedef") => (*name, ty),
            [name, ty @ ..] => (*name, ty),
            [] => continue,
        };
        let is_plain = tokens[1..end].iter().all(|token| matches!(token, Token::Word(_) | Token::Mark('=' | ':')));
        let ty = if is_plain { arithmetic(ty, &names) } else { CudaType::Other };
        let is_other = names.get(name).is_some_and(|known| *known != ty);
        names.insert(name.to_owned(), if is_other { CudaType::Other } else { ty });
    }
    names
}

fn arithmetic(words: &[&str], names: &HashMap<String, CudaType>) -> CudaType {
    let is_unsigned = words.iter().any(|word| *word == "unsigned" || word.starts_with("uint") || *word == "size_t");
    let integer = |bytes| CudaType::Integer(bytes, !is_unsigned);
    let plain: Vec<&str> = words.iter().copied().filter(|w| !["signed", "unsigned", "std"].contains(w)).collect();
    match plain.as_slice() {
        [] if !words.is_empty() => integer(4),
        ["char" | "int8_t" | "uint8_t" | "bool"] => integer(1),
        ["short"] | ["short", "int"] | ["int16_t" | "uint16_t"] => integer(2),
        ["int" | "int32_t" | "uint32_t"] => integer(4),
        ["long"] | ["long", "int" | "long"] | ["long", "long", "int"] => integer(8),
        ["int64_t" | "uint64_t" | "size_t" | "ptrdiff_t"] => integer(8),
        ["float"] => CudaType::Float(4),
        ["double"] => CudaType::Float(8),
        ["half" | "__half" | "f16"] => CudaType::Half,
        ["nv_bfloat16" | "__nv_bfloat16" | "bf16"] => CudaType::BFloat16,
        ["void"] => CudaType::Void,
        [name] => names.get(*name).cloned().unwrap_or(CudaType::Other),
        _ => CudaType::Other,
    }
}

/// The kernel whose `__global__` stands at a place.
fn kernel(tokens: &[Token], at: usize, is_c_block: bool, names: &HashMap<String, CudaType>) -> Option<CudaKernel> {
    let is_end = |token: &Token| matches!(token, Token::Mark(';' | '{' | '}'));
    let start = tokens[..at].iter().rposition(is_end).map_or(0, |end| end + 1);
    let before = &tokens[start..at];
    let template = template(before);
    let mut next = at + 1;
    let name = loop {
        match (tokens.get(next)?, tokens.get(next + 1)) {
            (Token::Word(name), Some(Token::Mark('('))) if name.starts_with("__") || name == "alignas" => {
                next = closing(tokens, next + 1)? + 1;
            }
            (Token::Word(name), Some(Token::Mark('('))) => break name.clone(),
            (Token::Word(_), _) | (Token::Text, _) => next += 1,
            _ => return None,
        }
    };
    let close = closing(tokens, next + 1)?;
    let after = &tokens[at..next];
    let is_extern = |part: &[Token]| part.windows(2).any(|w| w[0] == word("extern") && w[1] == Token::Text);
    Some(CudaKernel {
        name,
        is_extern_c: is_c_block || is_extern(before) || is_extern(after),
        parameters: parameters(&tokens[next + 2..close], &template, names),
        template,
    })
}

/// The place of the parenthesis that closes the one at `open`.
fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Mark('(') => depth += 1,
            Token::Mark(')') if depth == 1 => return Some(at),
            Token::Mark(')') => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The names in `template <typename T, int N>`.
fn template(before: &[Token]) -> Vec<String> {
    let Some(at) = before.iter().position(|token| *token == word("template")) else { return Vec::new() };
    let list = split(before.get(at + 2..).unwrap_or_default());
    list.iter()
        .filter_map(|part| {
            let end = part.iter().position(|t| matches!(t, Token::Mark('=' | '>'))).unwrap_or(part.len());
            part[..end].iter().rev().find_map(Token::word).map(str::to_owned)
        })
        .collect()
}

/// The parts between commas that are in no brackets.
fn split(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0usize);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Mark('(' | '<' | '[') => depth += 1,
            Token::Mark(')' | '>' | ']') => depth = depth.saturating_sub(1),
            Token::Mark(',') if depth == 0 => {
                parts.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if start < tokens.len() {
        parts.push(&tokens[start..]);
    }
    parts
}

fn parameters(tokens: &[Token], template: &[String], names: &HashMap<String, CudaType>) -> Vec<CudaParameter> {
    let parts = split(tokens);
    if let [one] = parts.as_slice()
        && **one == [word("void")]
    {
        return Vec::new();
    }
    parts.iter().map(|part| parameter(part, template, names)).collect()
}

fn parameter(tokens: &[Token], template: &[String], names: &HashMap<String, CudaType>) -> CudaParameter {
    const QUALIFIERS: [&str; 7] =
        ["const", "volatile", "__restrict__", "__restrict", "__grid_constant__", "struct", "typename"];
    let end = tokens.iter().position(|token| *token == Token::Mark('=')).unwrap_or(tokens.len());
    let tokens = &tokens[..end];
    let star = tokens.iter().position(|token| matches!(token, Token::Mark('*' | '[')));
    let words = |tokens: &[Token]| -> Vec<String> {
        let words = tokens.iter().filter_map(Token::word).filter(|word| !QUALIFIERS.contains(word));
        words.map(str::to_owned).collect()
    };
    let is_bracketed = star.is_some_and(|at| tokens[at] == Token::Mark('['));
    let mut ty = words(&tokens[..star.unwrap_or(tokens.len())]);
    let is_known = |words: &[String]| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        arithmetic(&words, names) != CudaType::Other
            || matches!(words[..], [name] if template.iter().any(|t| t == name))
    };
    let name = match star {
        Some(at) if !is_bracketed => words(&tokens[at..]).pop(),
        // The last word is the parameter's own name, unless it has none.
        _ if ty.len() > 1 && !is_known(&ty) => ty.pop(),
        _ => None,
    };
    let is_generic = tokens.iter().any(|token| matches!(token, Token::Mark('<' | '&' | '(')));
    let ty: Vec<&str> = ty.iter().map(String::as_str).collect();
    let of = match ty[..] {
        _ if is_generic => CudaType::Other,
        [name] if template.iter().any(|parameter| parameter == name) => CudaType::Template(name.to_owned()),
        _ => arithmetic(&ty, names),
    };
    let stars = tokens.iter().filter(|token| **token == Token::Mark('*')).count();
    CudaParameter {
        name,
        text: written(tokens),
        is_pointer: star.is_some(),
        is_const: star.is_some_and(|at| tokens[..at].contains(&word("const"))),
        ty: if stars > 1 { CudaType::Other } else { of },
    }
}

/// `const float* x`
fn written(tokens: &[Token]) -> String {
    let mut text = String::new();
    for token in tokens {
        match token {
            Token::Word(word) => {
                if !text.is_empty() && !text.ends_with([':', '<', '[']) {
                    text.push(' ');
                }
                text += word;
            }
            Token::Mark(mark) => text.push(*mark),
            Token::Text => text += "\"..\"",
        }
    }
    text
}
