//! Normal forms of quotients. Every rewriting holds for all integers, and none drops a divisor that could be 0.

use std::sync::Arc;

use super::integer;
use super::polynomial::{Atom, Flaw, Operation, Polynomial};

/// The quotient, rounded towards negative infinity.
pub(super) fn floor_div(dividend: &Arc<Polynomial>, divisor: &Arc<Polynomial>) -> Result<Polynomial, Flaw> {
    let simplified = match (dividend.constant_value(), divisor.constant_value()) {
        (_, Some(0)) => return Err(Flaw::DivisionByZero),
        (Some(a), Some(b)) => return constant_quotient(integer::floor_div(a.into(), b.into())),
        (None, Some(b)) => floor_by_constant(dividend, b),
        (_, None) => floor_by_expression(dividend, divisor),
    };
    unless_overflow(simplified, Operation::FloorDiv, dividend, divisor)
}

/// The quotient, rounded towards positive infinity.
pub(super) fn ceil_div(dividend: &Arc<Polynomial>, divisor: &Arc<Polynomial>) -> Result<Polynomial, Flaw> {
    let simplified = match (dividend.constant_value(), divisor.constant_value()) {
        (_, Some(0)) => return Err(Flaw::DivisionByZero),
        (Some(a), Some(b)) => return constant_quotient(integer::ceil_div(a.into(), b.into())),
        (Some(0), None) => floor_by_expression(dividend, divisor),
        (None, Some(b)) => dividend.negated().and_then(|n| floor_by_constant(&n, b)).and_then(|q| q.negated()),
        (_, None) => dividend.negated().and_then(|n| floor_by_expression(&n, divisor)).and_then(|q| q.negated()),
    };
    unless_overflow(simplified, Operation::CeilDiv, dividend, divisor)
}

fn constant_quotient(value: i128) -> Result<Polynomial, Flaw> {
    i64::try_from(value).map(Polynomial::constant).map_err(|_| Flaw::Overflow)
}

/// A rewriting that leaves 64 bits is not made.
fn unless_overflow(
    simplified: Result<Polynomial, Flaw>,
    operation: Operation,
    dividend: &Arc<Polynomial>,
    divisor: &Arc<Polynomial>,
) -> Result<Polynomial, Flaw> {
    match simplified {
        Err(Flaw::Overflow) => Ok(Atom::node(operation, vec![dividend.clone(), divisor.clone()])?.into()),
        other => other,
    }
}

/// Takes out whole multiples of the divisor (`(2*n + m + 5)/2` is `n + (m + 1)/2 + 2`), reduces the rest
/// (`2*n/4` is `n/2`, `n/2/3` is `n/6`) and makes its first coefficient positive.
fn floor_by_constant(dividend: &Polynomial, divisor: i64) -> Result<Polynomial, Flaw> {
    if divisor < 0 {
        return floor_by_constant(&dividend.negated()?, divisor.checked_neg().ok_or(Flaw::Overflow)?);
    }
    let constant = dividend.constant_term();
    let whole = dividend
        .map_coefficients(|c| Ok(if c % divisor == 0 { c / divisor } else { 0 }))?
        .with_constant(constant.div_euclid(divisor))?;
    let rest = dividend
        .map_coefficients(|c| Ok(if c % divisor == 0 { 0 } else { c }))?
        .with_constant(constant.rem_euclid(divisor))?;
    if rest.variable_terms().is_empty() {
        return Ok(whole);
    }
    let common = common_factor(rest.variable_terms().iter().map(|t| t.coefficient).chain([divisor]))?;
    let divisor = divisor / common;
    let constant = rest.constant_term() / common;
    let rest = rest.map_coefficients(|c| Ok(c / common))?.with_constant(constant)?;
    if rest.leads_negative() {
        let mirrored = rest.negated()?.with_constant(divisor - 1 - constant)?;
        return whole.plus(-1, &positive_remainder(mirrored, divisor)?);
    }
    whole.plus(1, &positive_remainder(rest, divisor)?)
}

fn positive_remainder(dividend: Polynomial, divisor: i64) -> Result<Polynomial, Flaw> {
    if let Some(unnested) = unnested(&dividend, divisor)? {
        return Ok(unnested);
    }
    let operands = vec![Arc::new(dividend), Arc::new(Polynomial::constant(divisor))];
    Ok(Atom::node(Operation::FloorDiv, operands)?.into())
}

/// `(x/m + c)/n` is `(x + c*m)/(m*n)`.
fn unnested(dividend: &Polynomial, divisor: i64) -> Result<Option<Polynomial>, Flaw> {
    let constant = dividend.constant_term();
    let quotient = dividend.with_constant(0)?;
    let Some([inner, inner_divisor]) = quotient.as_node(Operation::FloorDiv) else { return Ok(None) };
    let Some(m) = inner_divisor.constant_value().filter(|m| *m > 0) else { return Ok(None) };
    let (Some(shift), Some(divisor)) = (constant.checked_mul(m), divisor.checked_mul(m)) else { return Ok(None) };
    match inner.plus(1, &Polynomial::constant(shift)).and_then(|n| floor_by_constant(&n, divisor)) {
        Ok(quotient) => Ok(Some(quotient)),
        Err(Flaw::Overflow) => Ok(None),
        Err(flaw) => Err(flaw),
    }
}

/// Divides out common factors and makes the first coefficients of both operands positive.
fn floor_by_expression(dividend: &Polynomial, divisor: &Polynomial) -> Result<Polynomial, Flaw> {
    if divisor.leads_negative() {
        return floor_by_expression(&dividend.negated()?, &divisor.negated()?);
    }
    let common = common_factor(dividend.terms().iter().chain(divisor.terms()).map(|t| t.coefficient))?;
    let reduced = |p: &Polynomial| p.map_coefficients(|c| Ok(c / common));
    let divisor = Arc::new(reduced(divisor)?);
    if dividend.leads_negative() {
        let mirrored = Arc::new(reduced(dividend)?.negated()?);
        return Polynomial::from(Atom::node(Operation::CeilDiv, vec![mirrored, divisor])?).negated();
    }
    Ok(Atom::node(Operation::FloorDiv, vec![Arc::new(reduced(dividend)?), divisor])?.into())
}

/// At least 1.
fn common_factor(coefficients: impl Iterator<Item = i64>) -> Result<i64, Flaw> {
    i64::try_from(integer::gcd(coefficients).max(1)).map_err(|_| Flaw::Overflow)
}
