//! Integer arithmetic that std lacks. Values of expressions have 64 bits; what lies between them has 128, so that
//! `a*b - a*b + 1` can be computed whatever `a*b` is.

/// Rounds towards negative infinity. The divisor isn't 0, and both came from 64 bits.
pub(super) fn floor_div(dividend: i128, divisor: i128) -> i128 {
    let quotient = dividend / divisor;
    let inexact = dividend % divisor != 0;
    if inexact && (dividend < 0) != (divisor < 0) { quotient - 1 } else { quotient }
}

/// Rounds towards positive infinity. The divisor isn't 0, and both came from 64 bits.
pub(super) fn ceil_div(dividend: i128, divisor: i128) -> i128 {
    -floor_div(-dividend, divisor)
}

/// The greatest common divisor of magnitudes; 0 of nothing but zeros.
pub(super) fn gcd(values: impl IntoIterator<Item = i64>) -> u64 {
    values.into_iter().fold(0, |mut a, value| {
        let mut b = value.unsigned_abs();
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    })
}
