//! Nodes in an order in which each comes after what it needs.

use super::flatten::{Flat, Source};
use super::text::quoted;
use crate::error::{Error, Result};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    Not,
    Begun,
    Done,
}

/// The model's own order where that will do.
pub(super) fn order(flat: &Flat<'_>) -> Result<Vec<usize>> {
    let mut visits = vec![Visit::Not; flat.nodes.len()];
    let mut order = Vec::with_capacity(flat.nodes.len());
    let mut path: Vec<(usize, usize)> = Vec::new();
    for start in 0..flat.nodes.len() {
        if visits[start] == Visit::Done {
            continue;
        }
        visits[start] = Visit::Begun;
        path.push((start, 0));
        while let Some((node, position)) = path.last_mut() {
            let node = *node;
            let Some(input) = flat.nodes[node].inputs.get(*position) else {
                visits[node] = Visit::Done;
                order.push(node);
                path.pop();
                continue;
            };
            *position += 1;
            let Some(Source::Node(producer)) = input.map(|value| flat.values[value].source) else { continue };
            match visits[producer] {
                Visit::Done => {}
                Visit::Begun => return Err(cycle(flat, &path, producer)),
                Visit::Not => {
                    visits[producer] = Visit::Begun;
                    path.push((producer, 0));
                }
            }
        }
    }
    Ok(order)
}

fn cycle(flat: &Flat<'_>, path: &[(usize, usize)], closing: usize) -> Error {
    const MOST: usize = 8;
    let start = path.iter().position(|(node, _)| *node == closing).unwrap_or(0);
    let names = path[start..].iter().rev().map(|(node, _)| quoted(&flat.nodes[*node].name).to_string());
    let mut names: Vec<String> = names.take(MOST).collect();
    match path.len() - start {
        1 => return Error::invalid(format_args!("node {} needs its own output", names.concat())),
        n if n > MOST => names.push(format!("{} more", n - MOST)),
        _ => {}
    }
    Error::invalid(format_args!("these nodes need each other's outputs in a circle: {}", names.join(", ")))
}
