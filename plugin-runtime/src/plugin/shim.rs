//! Functions that generated code calls to take apart its arguments.

use super::{Attribute, AttributeSet, AttributeValue, KnownTactics, PluginSpec};
use crate::device::DynAttributes;
use crate::error::{Error, Result};
use crate::tensor::TensorDesc;
use crate::wording::counted;

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

/// Makes the typed attributes from one value per attribute.
///
/// # Errors
/// As [`AttributeSet::from_values`].
pub fn attributes_from_values<P: PluginSpec>(values: &[AttributeValue]) -> Result<Box<DynAttributes>> {
    Ok(Box::new(P::Attributes::from_values(values)?))
}

/// One value per attribute, as an array.
///
/// # Errors
/// When there aren't `N`.
pub fn attribute_values<P: PluginSpec, const N: usize>(values: &[AttributeValue]) -> Result<&[AttributeValue; N]> {
    values.try_into().map_err(|_| {
        let names = match P::ATTRIBUTES {
            [] => String::new(),
            names => format!(" ({})", names.join(", ")),
        };
        let (has, got) = (counted(N, "attribute"), counted(values.len(), "value"));
        Error::invalid(format_args!("`{}` has {has}{names}, got {got}", P::ID))
    })
}

/// Attribute `index`, from one value per attribute.
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

/// How an author's enum of tactics is looked up by number.
#[derive(Debug)]
pub struct Tactics<T> {
    /// The tactic of that number, or an error that names those that there are.
    pub find: fn(i32) -> Result<T>,
    /// The name of the tactic of that number.
    pub name: fn(i32) -> Option<&'static str>,
}

/// The tactics of an author's enum.
pub const fn tactics<T: KnownTactics>() -> Tactics<T> {
    Tactics { find: find_tactic, name: tactic_name::<T> }
}

fn find_tactic<T: KnownTactics>(id: i32) -> Result<T> {
    T::find(id).ok_or_else(|| {
        let known: Vec<String> = T::NAMES.iter().map(|(id, name)| format!("{id} ({name})")).collect();
        let advice = match id {
            0 => "; 0 runs where no tactics are listed: list them in the plugin's #[autotune] function",
            _ => "",
        };
        Error::plugin(format_args!("there is no tactic {id}; known are {}{advice}", known.join(", ")))
    })
}

fn tactic_name<T: KnownTactics>(id: i32) -> Option<&'static str> {
    T::NAMES.iter().find(|(known, _)| *known == id).map(|(_, name)| *name)
}

/// What stands beside an annotated function, in a scope of its own. In an `impl` block a trait can't stand: the compiler leaves
/// it out, and says so with the name of this macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __attribute_goes_on_a_free_function {
    ($name:ident [$($mark:ident)?] $($items:tt)*) => {
        #[doc(hidden)]
        #[allow(dead_code, non_camel_case_types, non_local_definitions, non_snake_case)]
        trait $name {
            const CHECKS: () = { $($items)* };
        }
        $(
            #[doc(hidden)]
            #[allow(dead_code, non_upper_case_globals)]
            const $mark: () = ();
        )?
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(PartialEq, Debug)]
    struct Rows;

    impl KnownTactics for Rows {
        const NAMES: &'static [(i32, &'static str)] = &[(7, "Rows")];

        fn find(id: i32) -> Option<Self> {
            (id == 7).then_some(Rows)
        }
    }

    #[test]
    fn unknown_tactics_name_the_known_ones() {
        let tactics = tactics::<Rows>();
        assert_eq!((tactics.find)(7).ok(), Some(Rows));
        assert_eq!(((tactics.name)(7), (tactics.name)(0)), (Some("Rows"), None));
        let message = (tactics.find)(3).expect_err("3 is no tactic").to_string();
        assert!(message.contains("no tactic 3") && message.contains("7 (Rows)"), "{message}");
        let message = (tactics.find)(0).expect_err("0 is no tactic").to_string();
        assert!(message.contains("#[autotune]"), "{message}");
    }
}
