//! Reads kernels and their parameters from PTX.

/// A kernel in PTX.
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    /// The sizes of the parameters in bytes; `None` where one is of a type that isn't known here.
    pub(super) parameters: Option<Vec<usize>>,
}

/// Whether it is text that begins as PTX does.
pub(super) fn is_ptx(bytes: &[u8]) -> bool {
    text_of(bytes).is_some_and(|text| Tokens(text).next() == Some(".version"))
}

/// All kernels; `None` where it isn't text.
pub(super) fn entries(bytes: &[u8]) -> Option<Vec<Entry<'_>>> {
    let mut tokens = Tokens(text_of(bytes)?);
    let mut entries = Vec::new();
    while let Some(token) = tokens.next() {
        if token == ".entry"
            && let Some(name) = tokens.next()
        {
            let parameters = match tokens.clone().next() {
                Some("(") => parameters(&mut tokens),
                _ => Some(Vec::new()),
            };
            entries.push(Entry { name, parameters });
        }
    }
    Some(entries)
}

/// The text without the NULs that end it.
fn text_of(bytes: &[u8]) -> Option<&str> {
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    str::from_utf8(&bytes[..end]).ok().filter(|text| !text.contains('\0'))
}

/// From the opening to the closing parenthesis, which is taken too.
fn parameters(tokens: &mut Tokens) -> Option<Vec<usize>> {
    tokens.next();
    let mut parameters = Vec::new();
    let mut parameter = Vec::new();
    loop {
        match tokens.next()? {
            ")" => break,
            "," => parameters.push(bytes_of(&std::mem::take(&mut parameter))?),
            token => parameter.push(token),
        }
    }
    if !parameter.is_empty() {
        parameters.push(bytes_of(&parameter)?);
    }
    Some(parameters)
}

/// Size in bytes of a parameter such as `.param .align 4 .b8 name[16]`.
fn bytes_of(parameter: &[&str]) -> Option<usize> {
    let mut bytes: Option<usize> = None;
    let mut tokens = parameter.iter().copied();
    while let Some(token) = tokens.next() {
        match token {
            ".align" => drop(tokens.next()),
            "[" => bytes = Some(bytes?.checked_mul(tokens.next()?.parse().ok()?)?),
            _ => bytes = type_bytes(token).or(bytes),
        }
    }
    bytes
}

fn type_bytes(token: &str) -> Option<usize> {
    Some(match token {
        ".pred" | ".b8" | ".u8" | ".s8" => 1,
        ".b16" | ".u16" | ".s16" | ".f16" | ".bf16" => 2,
        ".b32" | ".u32" | ".s32" | ".f32" | ".f16x2" | ".bf16x2" => 4,
        ".b64" | ".u64" | ".s64" | ".f64" => 8,
        ".b128" => 16,
        _ => return None,
    })
}

/// Words and single signs, without blanks and comments.
#[derive(Clone)]
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            self.0 = self.0.trim_start();
            let after = if self.0.starts_with("//") {
                self.0.find('\n')
            } else if let Some(comment) = self.0.strip_prefix("/*") {
                comment.find("*/").map(|end| end + 4)
            } else {
                break;
            };
            self.0 = after.map_or("", |at| &self.0[at..]);
        }
        let first = self.0.chars().next()?;
        let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '%' | '.');
        let end = match first {
            // A path in a line table may hold anything.
            '"' => self.0[1..].find('"').map_or(self.0.len(), |end| end + 2),
            _ if in_word(first) => self.0.find(|c| !in_word(c)).unwrap_or(self.0.len()),
            _ => first.len_utf8(),
        };
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(token)
    }
}
