//! Normal forms of max, min, equal and less. Every rewriting holds for all integers.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::integer;
use super::polynomial::{Atom, Flaw, Operation, Polynomial, Term};

/// The largest (or smallest) of all operands: nested ones are flattened, and of operands that differ by a constant one
/// is kept.
pub(super) fn extremum(operation: Operation, a: &Arc<Polynomial>, b: &Arc<Polynomial>) -> Result<Polynomial, Flaw> {
    let mut kept: BTreeMap<&[Term], &Arc<Polynomial>> = BTreeMap::new();
    for side in [a, b] {
        for operand in side.as_node(operation).unwrap_or(std::slice::from_ref(side)) {
            let rival = kept.entry(operand.variable_terms()).or_insert(operand);
            let wins = match operation {
                Operation::Min => operand.constant_term() < rival.constant_term(),
                _ => operand.constant_term() > rival.constant_term(),
            };
            if wins {
                *rival = operand;
            }
        }
    }
    let mut operands: Vec<_> = kept.into_values().cloned().collect();
    operands.sort();
    match &*operands {
        [only] => Ok(Polynomial::clone(only)),
        _ => Ok(Atom::node(operation, operands)?.into()),
    }
}

/// 1 where both are equal, else 0.
pub(super) fn equal(a: &Arc<Polynomial>, b: &Arc<Polynomial>) -> Result<Polynomial, Flaw> {
    if let (Some(a), Some(b)) = (a.constant_value(), b.constant_value()) {
        return Ok(Polynomial::constant((a == b).into()));
    }
    match equal_in_lowest_terms(a, b) {
        Err(Flaw::Overflow) => {
            let mut operands = vec![a.clone(), b.clone()];
            operands.sort();
            Ok(Atom::node(Operation::Equal, operands)?.into())
        }
        other => other,
    }
}

fn equal_in_lowest_terms(a: &Polynomial, b: &Polynomial) -> Result<Polynomial, Flaw> {
    let difference = a.plus(-1, b)?;
    let constant = difference.constant_term();
    if difference.variable_terms().is_empty() {
        return Ok(Polynomial::constant((constant == 0).into()));
    }
    let common = variable_factor(&difference)?;
    if constant % common != 0 {
        return Ok(Polynomial::constant(0));
    }
    let sign = if difference.leads_negative() { -1 } else { 1 };
    compared_sides(
        Operation::Equal,
        &difference.map_coefficients(|c| (c / common).checked_mul(sign).ok_or(Flaw::Overflow))?,
    )
}

/// 1 where `a` is below `b`, else 0.
pub(super) fn less(a: &Arc<Polynomial>, b: &Arc<Polynomial>) -> Result<Polynomial, Flaw> {
    if let (Some(a), Some(b)) = (a.constant_value(), b.constant_value()) {
        return Ok(Polynomial::constant((a < b).into()));
    }
    match less_in_lowest_terms(a, b) {
        Err(Flaw::Overflow) => Ok(Atom::node(Operation::Less, vec![a.clone(), b.clone()])?.into()),
        other => other,
    }
}

fn less_in_lowest_terms(a: &Polynomial, b: &Polynomial) -> Result<Polynomial, Flaw> {
    let difference = a.plus(-1, b)?;
    let constant = difference.constant_term();
    if difference.variable_terms().is_empty() {
        return Ok(Polynomial::constant((constant < 0).into()));
    }
    let common = variable_factor(&difference)?;
    let reduced = difference.map_coefficients(|c| Ok(c / common))?.with_constant(constant.div_euclid(common))?;
    compared_sides(Operation::Less, &reduced)
}

fn variable_factor(difference: &Polynomial) -> Result<i64, Flaw> {
    let factor = integer::gcd(difference.variable_terms().iter().map(|t| t.coefficient));
    i64::try_from(factor).map_err(|_| Flaw::Overflow)
}

/// A difference compared with 0, as a comparison of what is added in it with what is subtracted; the constant goes
/// right, unless the left side would be empty.
fn compared_sides(operation: Operation, difference: &Polynomial) -> Result<Polynomial, Flaw> {
    let variables = difference.with_constant(0)?;
    let added = variables.map_coefficients(|c| Ok(c.max(0)))?;
    let subtracted = variables.map_coefficients(|c| Ok(c.min(0)))?.negated()?;
    let constant = difference.constant_term();
    let (left, right) = if added.terms().is_empty() {
        (Polynomial::constant(constant), subtracted)
    } else {
        (added, subtracted.with_constant(constant.checked_neg().ok_or(Flaw::Overflow)?)?)
    };
    Ok(Atom::node(operation, vec![Arc::new(left), Arc::new(right)])?.into())
}
