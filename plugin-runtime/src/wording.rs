//! Numbers of things in messages.

use std::fmt::{self, Display};

/// `1 input`, `2 inputs`.
pub(crate) fn counted(number: usize, what: &str) -> impl Display {
    fmt::from_fn(move |f| write!(f, "{number} {what}{}", if number == 1 { "" } else { "s" }))
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_singular() {
        let texts = [0, 1, 2].map(|number| counted(number, "input").to_string());
        assert_eq!(texts, ["0 inputs", "1 input", "2 inputs"]);
    }
}
