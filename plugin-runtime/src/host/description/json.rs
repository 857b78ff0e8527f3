//! JSON, written only.

use std::fmt;

/// A JSON value.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Int(i64),
    /// As it is printed. What isn't finite is `NaN`, `Infinity` or `-Infinity`, as Python reads it.
    Float(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    pub(super) fn text(text: impl Into<String>) -> Json {
        Json::Text(text.into())
    }

    /// `value` as the shortest text that reads back the same in its own type.
    pub(super) fn float(value: impl fmt::Debug + Into<f64> + Copy) -> Json {
        let wide: f64 = value.into();
        Json::Float(match (wide.is_nan(), wide.is_infinite(), wide > 0.0) {
            (true, _, _) => "NaN".into(),
            (_, true, true) => "Infinity".into(),
            (_, true, false) => "-Infinity".into(),
            _ => format!("{value:?}"),
        })
    }

    pub(super) fn index(index: usize) -> Json {
        Json::Int(i64::try_from(index).unwrap_or(i64::MAX))
    }

    pub(super) fn list(items: impl IntoIterator<Item = Json>) -> Json {
        Json::List(items.into_iter().collect())
    }

    pub(super) fn or_null<T>(value: Option<T>, of: impl FnOnce(T) -> Json) -> Json {
        value.map_or(Json::Null, of)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(value) => write!(f, "{value}"),
            Json::Int(value) => write!(f, "{value}"),
            Json::Float(value) => f.write_str(value),
            Json::Text(text) => quoted(f, text),
            Json::List(items) => {
                f.write_str("[")?;
                separated(f, items, |f, item| write!(f, "{item}"))?;
                f.write_str("]")
            }
            Json::Object(members) => {
                f.write_str("{")?;
                separated(f, members, |f, (name, value)| {
                    quoted(f, name)?;
                    write!(f, ": {value}")
                })?;
                f.write_str("}")
            }
        }
    }
}

fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    each: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    items.iter().enumerate().try_for_each(|(index, item)| {
        if index > 0 {
            f.write_str(", ")?;
        }
        each(f, item)
    })
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write;
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}
