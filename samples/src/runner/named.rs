//! Options of the form `NAME=VALUE`, where the names are those of inputs.

use plugin_runtime::shape::Profile;

use super::cli::parse_shape;
use super::failure::{Failure, Result};
use super::source::Slot;

/// Splits `NAME=VALUE` into the position of the input and the value. Names may hold `=` themselves: of the inputs that
/// fit, the one of the longest name is meant.
///
/// # Errors
/// When it has no `=`, or no input is of that name.
fn split<'t>(option: &str, text: &'t str, inputs: &[Slot]) -> Result<(usize, &'t str)> {
    let value = |slot: &Slot| text.strip_prefix(&*slot.name)?.strip_prefix('=');
    let fitting = inputs.iter().enumerate().filter_map(|(position, slot)| Some((position, value(slot)?)));
    fitting.min_by_key(|(_, value)| value.len()).ok_or_else(|| {
        let inputs = listed(inputs);
        match text.split_once('=') {
            Some((name, _)) => Failure::work(format_args!("{option} {text}: there is no input `{name}`; {inputs}")),
            None => {
                Failure::usage(format_args!("{option} {text}: expected NAME=.., with the name of an input; {inputs}"))
            }
        }
    })
}

/// For each input what one option says of it.
///
/// # Errors
/// As for what is given, or when an input is given twice.
pub(super) fn one_each<'t>(option: &str, given: &'t [String], inputs: &[Slot]) -> Result<Vec<Option<&'t str>>> {
    let mut values = vec![None; inputs.len()];
    for text in given {
        let (position, value) = split(option, text, inputs)?;
        if values[position].replace(value).is_some() {
            let name = &inputs[position].name;
            return Err(Failure::usage(format_args!("{option} {text}: input `{name}` was given before")));
        }
    }
    Ok(values)
}

/// `its inputs are X FP32 [batch, 3], Y ..`
pub(super) fn listed(inputs: &[Slot]) -> String {
    let inputs: Vec<String> = inputs.iter().map(Slot::to_string).collect();
    if inputs.is_empty() { "it has no inputs".into() } else { format!("its inputs are {}", inputs.join(", ")) }
}

type Range = [Vec<i64>; 3];

/// The profiles that options `NAME=MIN:OPT:MAX` say; an input that comes again begins the next one. Where a profile
/// lacks an input with dynamic dimensions, `otherwise` gives its only shape.
///
/// # Errors
/// When an option is malformed, or an input with dynamic dimensions is left.
pub(super) fn profiles(
    given: &[String],
    inputs: &[Slot],
    otherwise: &dyn Fn(usize) -> Option<Vec<i64>>,
) -> Result<Vec<Profile>> {
    let mut profiles: Vec<Vec<Option<Range>>> = Vec::new();
    for text in given {
        let (position, value) = split("--profile", text, inputs)?;
        let range = parse_range(value).map_err(|why| Failure::usage(format_args!("--profile {text}: {why}")))?;
        match profiles.last_mut().and_then(|last| last.get_mut(position)) {
            Some(slot @ None) => *slot = Some(range),
            _ => {
                let mut next = vec![None; inputs.len()];
                next[position] = Some(range);
                profiles.push(next);
            }
        }
    }
    if profiles.is_empty() {
        profiles.push(vec![None; inputs.len()]);
    }
    profiles.into_iter().map(|ranges| profile(ranges, inputs, otherwise)).collect()
}

fn profile(
    ranges: Vec<Option<Range>>,
    inputs: &[Slot],
    otherwise: &dyn Fn(usize) -> Option<Vec<i64>>,
) -> Result<Profile> {
    let mut profile = Profile::new();
    for (position, (slot, range)) in inputs.iter().zip(ranges).enumerate() {
        let only = || slot.is_dynamic().then(|| otherwise(position)).flatten();
        let Some([min, opt, max]) = range.or_else(|| only().map(|shape| [shape.clone(), shape.clone(), shape])) else {
            if slot.is_dynamic() {
                return Err(Failure::usage(format_args!(
                    "input `{}` has dynamic dimensions, {slot}: give its smallest, usual and largest shape with --profile \
                     '{}={}'",
                    slot.name,
                    slot.name,
                    example(slot)
                )));
            }
            continue;
        };
        profile = profile.dims(&*slot.name, min, opt, max);
    }
    Ok(profile)
}

/// A range that would do for an input.
fn example(slot: &Slot) -> String {
    let shape = |dynamic: i64| {
        let extents = slot.shape.iter().map(|extent| extent.constant_value().unwrap_or(dynamic).to_string());
        extents.collect::<Vec<_>>().join("x")
    };
    [1, 4, 16].map(shape).join(":")
}

/// `MIN:OPT:MAX`, or one shape for all three.
fn parse_range(text: &str) -> std::result::Result<Range, String> {
    let shapes = text.split(':').map(|shape| parse_shape(shape).map(|shape| shape.0));
    let shapes = shapes.collect::<std::result::Result<Vec<_>, _>>()?;
    match <Range>::try_from(shapes) {
        Ok(range) => Ok(range),
        Err(shapes) => match shapes.as_slice() {
            [shape] => Ok([shape.clone(), shape.clone(), shape.clone()]),
            other => Err(format!("{} shapes were given; expected MIN:OPT:MAX, such as 1x3:4x3:16x3", other.len())),
        },
    }
}

#[cfg(test)]
mod tests {
    use plugin_runtime::shape::{ShapeExpr, Symbol, SymbolKind};
    use plugin_runtime::tensor::DataType;

    use super::*;

    fn slot(name: &str, dims: &[i64]) -> Slot {
        let extent = |(index, &dim): (usize, &i64)| match dim {
            -1 => ShapeExpr::symbol(Symbol { kind: SymbolKind::Dim, index: index as u32, name: "n".into() }),
            dim => ShapeExpr::constant(dim),
        };
        let shape = dims.iter().enumerate().map(extent).collect();
        Slot { name: name.into(), dtype: DataType::Float32, shape }
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn names_may_hold_anything() {
        let inputs = [slot("a", &[]), slot("a=b", &[]), slot("in:0", &[]), slot("", &[])];
        for (text, expected) in
            [("a=x=y", (0, "x=y")), ("a=b=c.npy", (1, "c.npy")), ("in:0=1", (2, "1")), ("=z", (3, "z"))]
        {
            assert_eq!(split("--input", text, &inputs).unwrap(), expected, "{text}");
        }
        for text in ["b=1", "a", "in:1=a", "A=1"] {
            let message = split("--input", text, &inputs).unwrap_err().to_string();
            assert!(message.contains("its inputs are a FP32 [], a=b FP32 []"), "{message}");
        }
    }

    #[test]
    fn profiles_begin_where_an_input_comes_again() {
        let inputs = [slot("X", &[-1, 3]), slot("Y", &[-1]), slot("Z", &[2])];
        let read = |given: &[&str]| profiles(&strings(given), &inputs, &|_| Some(vec![7, 3]));
        let [first, second] = &read(&["X=1x3:2x3:8x3", "Y=1:2:3", "Y=4"]).unwrap()[..] else { panic!() };
        assert_eq!(*first, Profile::new().dims("X", [1, 3], [2, 3], [8, 3]).dims("Y", [1], [2], [3]));
        assert_eq!(*second, Profile::new().dims("X", [7, 3], [7, 3], [7, 3]).dims("Y", [4], [4], [4]));
        let none = profiles(&[], &inputs, &|_| None).unwrap_err().to_string();
        assert!(none.contains("--profile 'X=1x3:4x3:16x3'"), "{none}");
        for (given, expected) in [
            ("X=1x3:2x3", "2 shapes"),
            ("X=", "isn't an extent"),
            ("X=1:2:3:4", "4 shapes"),
            ("X=-1:2:3", "'-1' isn't an extent"),
            ("W=1:2:3", "no input `W`"),
        ] {
            let message = read(&[given]).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
