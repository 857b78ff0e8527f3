//! What a plugin says of itself for a node of the host: types, shapes, combinations.

use crate::device::DeviceKind;
use crate::error::Result;
use crate::host::{Node, only_layer};
use crate::network::{Dim, Layer, Network};
use crate::plugin::Implementation;
use crate::plugin::combination::Combination;
use crate::shape::MAX_RANK;
use crate::tactic::{Rules, enumerate};
use crate::tensor::{DataType, Format};

/// What a plugin says for inputs of these types and dimensions.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) dims: Vec<Vec<Dim>>,
    pub(super) network: Network,
    pub(super) implementation: Implementation,
    /// Those that can run, with the tactics that can.
    pub(super) combinations: Vec<Combination>,
}

/// The network of a node whose inputs have these dimensions. Where the plugin refuses extents of which it isn't known that
/// they are one, those of one axis are taken to be one; each run checks that they are.
pub(super) fn network(node: &Node, dims: &[Vec<Dim>]) -> Result<Network> {
    let error = match node.network(dims) {
        Ok(network) => return Ok(network),
        Err(error) => error,
    };
    let from_first = |_: usize, axis: usize| format!("d{axis}");
    let from_last = |rank: usize, axis: usize| format!("d-{}", rank - axis);
    let all = |_: usize, _: usize| "n".to_owned();
    let ways: [&dyn Fn(usize, usize) -> String; 3] = [&from_first, &from_last, &all];
    ways.iter().find_map(|way| node.network(&linked(dims, way)).ok()).ok_or(error)
}

/// The same dimensions, where those that are open are called as `name` says.
fn linked(dims: &[Vec<Dim>], name: &dyn Fn(usize, usize) -> String) -> Vec<Vec<Dim>> {
    let linked = |dims: &Vec<Dim>| {
        let named = dims.iter().enumerate().map(|(axis, dim)| match dim {
            Dim::Fixed(_) => dim.clone(),
            _ => Dim::Named(name(dims.len(), axis)),
        });
        named.collect()
    };
    dims.iter().map(linked).collect()
}

/// The network of a node of whose inputs only the types are known: its outputs' types and aliases hold for all ranks. `None`
/// where the plugin takes no such inputs, whatever their ranks: why is said when their shapes are known.
pub(super) fn of_any_shape(node: &Node) -> Option<Network> {
    const RANKS: [usize; MAX_RANK + 1] = [4, 3, 2, 1, 5, 0, 6, 7, 8];
    let inputs = node.inputs.len();
    let asked = |ranks: Vec<usize>, dim: Dim| {
        network(node, &ranks.into_iter().map(|rank| vec![dim.clone(); rank]).collect::<Vec<_>>()).ok()
    };
    let alike = RANKS.into_iter().find_map(|rank| asked(vec![rank; inputs], Dim::Dynamic));
    // Inputs of different ranks, as far as they are few.
    const LOW: usize = 5;
    let mixed = if (2..=4).contains(&inputs) { LOW.pow(inputs as u32) } else { 0 };
    let ranks = |number: usize| (0..inputs).map(|input| number / LOW.pow(input as u32) % LOW).collect();
    alike
        .or_else(|| (0..mixed).find_map(|number| asked(ranks(number), Dim::Dynamic)))
        .or_else(|| RANKS.into_iter().find_map(|rank| asked(vec![rank; inputs], Dim::Fixed(64))))
}

/// The same where the inputs' ranks are known too.
pub(super) fn of_ranks(node: &Node, ranks: &[usize]) -> Option<Network> {
    network(node, &ranks.iter().map(|&rank| vec![Dim::Dynamic; rank]).collect::<Vec<_>>()).ok()
}

impl Described {
    pub(super) fn new(node: &Node, dims: Vec<Vec<Dim>>) -> Result<Described> {
        let network = network(node, &dims)?;
        let layer = only_layer(&network)?;
        let rules = Rules { types: DataType::ALL.into(), ..Rules::default() };
        let found = enumerate(&network, layer, DeviceKind::Cuda, &rules).map_err(|error| node.failed(error))?;
        let mut combinations = found.combinations;
        for (index, combination) in combinations.iter_mut().enumerate() {
            let runs =
                |candidate: &&crate::tactic::Candidate| candidate.combination == index && candidate.ruled_out.is_none();
            combination.tactics = found.candidates.iter().filter(runs).map(|candidate| candidate.tactic).collect();
        }
        combinations.retain(|combination| !combination.tactics.is_empty());
        Ok(Described { dims, implementation: found.implementation, combinations, network })
    }

    /// Whether it holds for inputs of these dimensions.
    pub(super) fn holds_for(&self, dims: &[Vec<Dim>]) -> bool {
        let same = |(known, given): (&Dim, &Dim)| match (known, given) {
            (Dim::Fixed(known), Dim::Fixed(given)) => known == given,
            (Dim::Fixed(_), _) => false,
            _ => true,
        };
        let mut pairs = self.dims.iter().zip(dims);
        self.dims.len() == dims.len()
            && pairs.all(|(known, given)| known.len() == given.len() && known.iter().zip(given).all(same))
    }

    /// Whether a combination begins with these types and layouts.
    pub(super) fn begins(&self, types: &[DataType], formats: &[Format]) -> bool {
        self.combinations.iter().any(|known| known.types.starts_with(types) && known.formats.starts_with(formats))
    }

    /// The combination of these types and layouts.
    pub(super) fn combination(&self, types: &[DataType], formats: &[Format]) -> Option<&Combination> {
        self.combinations.iter().find(|known| known.types == types && known.formats == formats)
    }

    pub(super) fn layer(&self) -> Result<&Layer> {
        only_layer(&self.network)
    }
}
