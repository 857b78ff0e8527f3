//! The choice of one option per layer that costs least over the whole network.
//!
//! A factor adds a cost that depends on the options of a few variables: what it costs to convert a tensor between the
//! layers that make and use it. Variables are eliminated one by one, fewest neighbours first, which is exact. Where the
//! tables would grow too large, the rest is improved one variable at a time instead.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// A cost that depends on some variables.
#[derive(Clone, Debug)]
pub(crate) struct Factor {
    /// Ascending, each once.
    variables: Vec<usize>,
    /// One cost for each assignment; the last variable changes fastest.
    costs: Vec<f64>,
}

/// Tables above this size aren't made.
const LARGEST_TABLE: usize = 1 << 16;

impl Factor {
    /// A factor over `variables`, ascending, each with `options[v]` options. `None` when its table would be too large.
    pub(crate) fn new(variables: Vec<usize>, options: &[usize], mut cost: impl FnMut(&[usize]) -> f64) -> Option<Self> {
        let size = table_size(&variables, options)?;
        let mut costs = Vec::with_capacity(size);
        let mut assignment = vec![0; variables.len()];
        for _ in 0..size {
            costs.push(cost(&assignment));
            advance(&mut assignment, &variables, options);
        }
        Some(Factor { variables, costs })
    }

    fn cost(&self, choice: &[usize], options: &[usize]) -> f64 {
        self.costs[self.variables.iter().fold(0, |index, &v| index * options[v] + choice[v])]
    }
}

fn table_size(variables: &[usize], options: &[usize]) -> Option<usize> {
    let size = variables.iter().try_fold(1usize, |size, &v| size.checked_mul(options[v]))?;
    (size <= LARGEST_TABLE).then_some(size)
}

fn advance(assignment: &mut [usize], variables: &[usize], options: &[usize]) {
    for (value, &variable) in assignment.iter_mut().zip(variables).rev() {
        *value += 1;
        if *value < options[variable] {
            return;
        }
        *value = 0;
    }
}

/// One option for each variable, so that the sum of all factors is least. Each variable has at least one option.
pub(crate) fn minimise(options: &[usize], factors: Vec<Factor>) -> Vec<usize> {
    let mut choice = vec![0; options.len()];
    let mut work = Elimination::new(options, &factors);
    let mut queue: BinaryHeap<Reverse<(usize, usize)>> =
        (0..options.len()).map(|v| Reverse((work.scope(v).len(), v))).collect();
    let mut eliminated: Vec<(usize, Factor)> = Vec::new();
    let mut stuck = Vec::new();

    while let Some(Reverse((expected, variable))) = queue.pop() {
        let scope = work.scope(variable);
        if scope.len() > expected {
            queue.push(Reverse((scope.len(), variable)));
        } else if let Some(joined) = work.join(variable, scope, &mut choice) {
            work.replace(variable, &joined, &mut choice);
            eliminated.push((variable, joined));
        } else {
            stuck.push(variable);
        }
    }

    descend(&stuck, &work.live(), &mut choice, options);
    for (variable, joined) in eliminated.iter().rev() {
        choice[*variable] = best_option(*variable, std::slice::from_ref(joined), &mut choice, options).0;
    }
    choice
}

/// The factors that are left, and which variables they touch.
struct Elimination<'a> {
    options: &'a [usize],
    factors: Vec<Option<Factor>>,
    touching: Vec<Vec<usize>>,
}

impl<'a> Elimination<'a> {
    fn new(options: &'a [usize], factors: &[Factor]) -> Self {
        let mut work = Elimination { options, factors: Vec::new(), touching: vec![Vec::new(); options.len()] };
        factors.iter().for_each(|f| work.add(f.clone()));
        work
    }

    fn add(&mut self, factor: Factor) {
        factor.variables.iter().for_each(|&v| self.touching[v].push(self.factors.len()));
        self.factors.push(Some(factor));
    }

    /// All variables that share a factor with this one, itself included, ascending.
    fn scope(&self, variable: usize) -> Vec<usize> {
        let factors = self.touching[variable].iter().filter_map(|&f| self.factors[f].as_ref());
        let scope: BTreeSet<usize> = factors.flat_map(|f| f.variables.iter().copied()).chain([variable]).collect();
        scope.into_iter().collect()
    }

    /// Takes the factors that touch a variable, as one; `None`, and nothing taken, where its table would be too large.
    fn join(&mut self, variable: usize, scope: Vec<usize>, choice: &mut [usize]) -> Option<Factor> {
        table_size(&scope, self.options)?;
        let taken: Vec<Factor> = self.touching[variable].iter().filter_map(|&f| self.factors[f].take()).collect();
        Factor::new(scope.clone(), self.options, |assignment| {
            assign(choice, &scope, assignment);
            taken.iter().map(|f| f.cost(choice, self.options)).sum()
        })
    }

    /// Adds what the best option of a variable costs, for each assignment of the others.
    fn replace(&mut self, variable: usize, joined: &Factor, choice: &mut [usize]) {
        let rest: Vec<usize> = joined.variables.iter().copied().filter(|&v| v != variable).collect();
        for &v in &rest {
            self.touching[v].retain(|&f| self.factors[f].is_some());
        }
        let least = Factor::new(rest.clone(), self.options, |assignment| {
            assign(choice, &rest, assignment);
            best_option(variable, std::slice::from_ref(joined), choice, self.options).1
        });
        if let Some(least) = least {
            self.add(least);
        }
    }

    fn live(&self) -> Vec<Factor> {
        self.factors.iter().flatten().cloned().collect()
    }
}

fn assign(choice: &mut [usize], variables: &[usize], values: &[usize]) {
    for (&variable, &value) in variables.iter().zip(values) {
        choice[variable] = value;
    }
}

/// The option of one variable that costs least while the others stay, and that cost.
fn best_option(variable: usize, factors: &[Factor], choice: &mut [usize], options: &[usize]) -> (usize, f64) {
    let kept = choice[variable];
    let mut best = (kept, f64::INFINITY);
    for option in 0..options[variable] {
        choice[variable] = option;
        let cost: f64 = factors.iter().map(|f| f.cost(choice, options)).sum();
        if cost < best.1 {
            best = (option, cost);
        }
    }
    choice[variable] = kept;
    best
}

/// Improves one variable at a time until none improves further.
fn descend(variables: &[usize], factors: &[Factor], choice: &mut [usize], options: &[usize]) {
    const MOST_ROUNDS: usize = 100;
    for _ in 0..MOST_ROUNDS {
        let mut improved = false;
        for &variable in variables {
            let mine: Vec<Factor> = factors.iter().filter(|f| f.variables.contains(&variable)).cloned().collect();
            let current: f64 = mine.iter().map(|f| f.cost(choice, options)).sum();
            let (option, cost) = best_option(variable, &mine, choice, options);
            if cost < current {
                choice[variable] = option;
                improved = true;
            }
        }
        if !improved {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Random(u64);

    impl Random {
        fn below(&mut self, n: usize) -> usize {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (self.0 >> 33) as usize % n
        }
    }

    fn total(factors: &[Factor], choice: &[usize], options: &[usize]) -> f64 {
        factors.iter().map(|f| f.cost(choice, options)).sum()
    }

    #[test]
    fn finds_what_trying_everything_finds() {
        let mut random = Random(7);
        for _ in 0..200 {
            let options: Vec<usize> = (0..1 + random.below(6)).map(|_| 1 + random.below(3)).collect();
            let factors: Vec<Factor> = (0..random.below(9))
                .map(|_| {
                    let scope: BTreeSet<usize> =
                        (0..1 + random.below(3)).map(|_| random.below(options.len())).collect();
                    Factor::new(scope.into_iter().collect(), &options, |_| random.below(20) as f64).unwrap()
                })
                .collect();
            let everything: Vec<usize> = (0..options.len()).collect();
            let mut least = f64::INFINITY;
            let _ = Factor::new(everything, &options, |choice| {
                least = least.min(total(&factors, choice, &options));
                0.0
            });
            let found = minimise(&options, factors.clone());
            assert_eq!(total(&factors, &found, &options), least, "{options:?} {factors:?}");
        }
    }

    #[test]
    fn a_dear_conversion_outweighs_a_quicker_layer() {
        let options = [2, 2];
        let layer = |v| Factor::new(vec![v], &options, |a| [5.0, 4.0][a[0]]).unwrap();
        let conversion = Factor::new(vec![0, 1], &options, |a| if a[0] == a[1] { 0.0 } else { 3.0 }).unwrap();
        let source = Factor::new(vec![0], &options, |a| [0.0, 3.0][a[0]]).unwrap();
        assert_eq!(minimise(&options, vec![layer(0), layer(1), conversion, source]), [0, 0]);
    }

    #[test]
    fn a_long_chain_and_a_wide_clique_end_quickly() {
        let options = vec![4; 3000];
        let chain =
            (1..3000).map(|v| Factor::new(vec![v - 1, v], &options, |a| (a[0] + 3 * a[1] + v) as f64 % 7.0).unwrap());
        assert_eq!(minimise(&options, chain.collect()).len(), 3000);
        let options = vec![4; 24];
        let pairs = (0..24).flat_map(|a| (a + 1..24).map(move |b| vec![a, b]));
        let clique = pairs.map(|p| Factor::new(p, &options, |a| if a[0] == a[1] { 0.0 } else { 1.0 }).unwrap());
        let factors: Vec<Factor> = clique.collect();
        let found = minimise(&options, factors.clone());
        assert_eq!(total(&factors, &found, &options), 0.0);
    }
}
