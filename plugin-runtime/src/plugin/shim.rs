//! What the generated functions call to take apart what they are given.

use super::{Attribute, AttributeSet, AttributeValue, DynAttributes, KnownTactics, PluginSpec};
use crate::error::{Error, Result};
use crate::tensor::TensorDesc;

/// The descs as an array.
///
/// # Errors
/// When there aren't `N`.
pub fn descs<const N: usize>(descs: &[TensorDesc]) -> Result<&[TensorDesc; N]> {
    descs.try_into().map_err(|_| Error::invalid(format_args!("expected {N} tensors, got {}", descs.len())))
}

/// The typed attributes.
///
/// # Errors
/// When they are another plugin's.
pub fn attributes<P: PluginSpec>(attributes: &DynAttributes) -> Result<&P::Attributes> {
    let typed = attributes.downcast_ref();
    typed.ok_or_else(|| Error::invalid(format_args!("`{}` was given the attributes of another plugin", P::ID)))
}

/// Makes the typed attributes from one value an attribute.
///
/// # Errors
/// As [`AttributeSet::from_values`].
pub fn attributes_from_values<P: PluginSpec>(values: &[AttributeValue]) -> Result<Box<DynAttributes>> {
    Ok(Box::new(P::Attributes::from_values(values)?))
}

/// One value an attribute, as an array.
///
/// # Errors
/// When there aren't `N`.
pub fn attribute_values<P: PluginSpec, const N: usize>(values: &[AttributeValue]) -> Result<&[AttributeValue; N]> {
    values.try_into().map_err(|_| {
        let names = P::ATTRIBUTES.join(", ");
        let given = values.len();
        Error::invalid(format_args!("`{}` has {N} attributes ({names}), got {given} values", P::ID))
    })
}

/// Attribute `index` out of one value an attribute.
///
/// # Errors
/// When it isn't there, or has another type than registered.
pub fn attribute<P: PluginSpec, T: Attribute>(values: &[AttributeValue], index: usize) -> Result<T> {
    let name = P::ATTRIBUTES.get(index).copied().unwrap_or("?");
    let describe =
        |reason: &dyn std::fmt::Display| Error::invalid(format_args!("attribute `{name}` of `{}`: {reason}", P::ID));
    let value = values.get(index).ok_or_else(|| describe(&"no value"))?;
    T::from_value(value).map_err(|error| describe(&error))
}

/// The tactic of that number.
///
/// # Errors
/// When there is none.
pub fn tactic<T: KnownTactics>(id: i32) -> Result<T> {
    T::from_id(id).ok_or_else(|| {
        let known: Vec<String> = T::NAMES.iter().map(|(id, name)| format!("{id} ({name})")).collect();
        let advice = match id {
            0 => "; 0 runs where no tactics are listed: list them in the plugin's #[autotune] function",
            _ => "",
        };
        Error::plugin(format_args!("there is no tactic {id}; known are {}{advice}", known.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tactic::Tactic;

    #[derive(Clone, Copy, PartialEq, Debug)]
    struct Rows;

    impl Tactic for Rows {
        fn id(self) -> i32 {
            7
        }
        fn from_id(id: i32) -> Option<Self> {
            (id == 7).then_some(Rows)
        }
        fn name(id: i32) -> Option<&'static str> {
            (id == 7).then_some("Rows")
        }
    }

    impl KnownTactics for Rows {
        const NAMES: &'static [(i32, &'static str)] = &[(7, "Rows")];
    }

    #[test]
    fn unknown_tactics_name_the_known_ones() {
        assert_eq!(tactic::<Rows>(7).ok(), Some(Rows));
        let message = tactic::<Rows>(3).expect_err("3 is no tactic").to_string();
        assert!(message.contains("no tactic 3") && message.contains("7 (Rows)"), "{message}");
        let message = tactic::<Rows>(0).expect_err("0 is no tactic").to_string();
        assert!(message.contains("#[autotune]"), "{message}");
    }
}
