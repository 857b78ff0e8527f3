//! Which tactic a node runs by which records.

use super::*;
use crate::network::{At, Dim};
use crate::prelude::*;
use crate::tactic::record::{LayerSubject, Machine};

#[register("node_test::three", crate = crate)]
fn three(x: &TensorDesc, scale: f32) -> TensorDesc {
    x.like()
}

#[autotune("node_test::three", crate = crate)]
fn three_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![
        AutoTuneCombination::new("FP32, FP32").layouts("CHW32").tactics([1]),
        AutoTuneCombination::new("FP32|FP16, FP32|FP16").tactics([1, 2, 3]),
    ]
}

#[impl_plugin("node_test::three", device = cpu, crate = crate)]
fn three_cpu(x: Tensor, scale: f32, outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    if tactic == 1 {
        bail!("tactic 1 never works");
    }
    let [y] = outputs;
    for (y, x) in y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?) {
        *y = x * scale;
    }
    Ok(())
}

fn network(dtype: DataType, scale: f32, dims: &[i64]) -> Network {
    let mut network = Network::new();
    let x = network.add_input("x", dtype, dims.iter().map(|&dim| Dim::from(dim))).unwrap();
    let [y] = network.add_plugin(three::op(x, scale)).unwrap();
    network.mark_output(y, "y").unwrap();
    network
}

fn layer(network: &Network) -> &Layer {
    network.layers.iter().next().unwrap()
}

/// A lockfile in which a layer's tactics fared so, in nanoseconds; 0 where one is rejected.
struct Lockfile(Recorded);

impl Lockfile {
    fn new() -> Lockfile {
        let surroundings = Surroundings::of(&Device::cpu());
        Lockfile(Recorded { path: "a.lock".into(), held: Held::default(), surroundings })
    }

    fn add(&mut self, of: (DataType, f32, &[i64]), tactics: &[(i32, u64)], driver: Option<&str>) {
        let network = network(of.0, of.1, of.2);
        let layer = layer(&network);
        let point = Bounds::new(&network, &Profile::new()).unwrap().point(At::Opt, network.symbols.iter()).unwrap();
        let found = enumerate(&network, layer, Device::cpu().kind(), &as_they_are()).unwrap();
        let subject = LayerSubject::new(&network, layer, found.implementation, &[point], "tactics agree".into());
        let combination = Combination { tactics: vec![], ..Combination::untuned([of.0; 2]) };
        for (tactic, nanoseconds) in tactics {
            let subject = subject.as_ref().unwrap().trial(combination_text(&combination), *tactic);
            let machine = self.0.surroundings.machine(&subject);
            let machine = driver.map_or(machine.clone(), |driver| Machine { driver: driver.into(), ..machine });
            let outcome = match nanoseconds {
                0 => Outcome::Rejected("it is wrong".into()),
                nanoseconds => Outcome::Time(Duration::from_nanos(*nanoseconds)),
            };
            self.0.held.records.insert(Key { subject, machine }, outcome);
        }
    }

    fn choice(&self, dtype: DataType, scale: f32, dims: &[i64]) -> Result<Option<i32>> {
        let network = network(dtype, scale, dims);
        let choice = self.0.choose(&network, layer(&network), &Device::cpu())?;
        Ok(choice.map(|choice| {
            assert!(choice.combination.is_linear() && choice.combination.types == [dtype; 2]);
            choice.tactic
        }))
    }
}

#[test]
fn the_records_of_the_nearest_extents_decide() {
    let mut lockfile = Lockfile::new();
    lockfile.add((DataType::Float32, 2.0, &[4, 4]), &[(1, 900), (2, 300), (3, 500)], None);
    lockfile.add((DataType::Float32, 2.0, &[1000, 4]), &[(1, 900), (2, 800), (3, 700)], None);
    let choice = |dims: &[i64]| lockfile.choice(DataType::Float32, 2.0, dims).unwrap();
    assert_eq!([choice(&[4, 4]), choice(&[1000, 4])], [Some(2), Some(3)]);
    assert_eq!([choice(&[8, 4]), choice(&[400, 8])], [Some(2), Some(3)]);
    // Nothing is known: what takes longest decides.
    assert_eq!([choice(&[-1, -1]), choice(&[-1, 4])], [Some(3), Some(3)]);
    assert_eq!(choice(&[0, 4]), Some(2));
}

#[test]
fn other_attributes_types_ranks_and_machines_are_others() {
    let mut lockfile = Lockfile::new();
    lockfile.add((DataType::Float32, 2.0, &[4]), &[(1, 3), (2, 2), (3, 1)], None);
    lockfile.add((DataType::Float32, 4.0, &[4]), &[(1, 3), (2, 2), (3, 1)], Some("CUDA 99.0"));
    let choice = |dtype, scale, dims: &[i64]| lockfile.choice(dtype, scale, dims).unwrap();
    assert_eq!(choice(DataType::Float32, 2.0, &[4]), Some(3));
    assert_eq!(choice(DataType::Float32, 3.0, &[4]), None);
    assert_eq!(choice(DataType::Float32, 4.0, &[4]), None);
    assert_eq!(choice(DataType::Float16, 2.0, &[4]), None);
    assert_eq!(choice(DataType::Float32, 2.0, &[4, 4]), None);
}

#[test]
fn what_is_recorded_as_wrong_never_runs() {
    let of = (DataType::Float32, 2.0, [4].as_slice());
    let mut lockfile = Lockfile::new();
    lockfile.add(of, &[(1, 0), (2, 9)], None);
    assert_eq!(lockfile.choice(of.0, of.1, of.2).unwrap(), Some(2));
    let mut lockfile = Lockfile::new();
    lockfile.add(of, &[(1, 0), (2, 0)], None);
    assert_eq!(lockfile.choice(of.0, of.1, of.2).unwrap(), Some(3));
    lockfile.add(of, &[(3, 0)], None);
    let refused = lockfile.choice(of.0, of.1, of.2).unwrap_err().to_string();
    assert!(refused.contains("tuning lockfile `a.lock` says that none of its tactics works:\n  tactic 1: it is wrong"));
}

#[test]
fn without_records_the_first_that_is_listed_runs_and_trying_finds_one_that_works() {
    let network = network(DataType::Float32, 2.0, &[64]);
    let first = first_listed(&network, layer(&network), &Device::cpu()).unwrap();
    assert_eq!((first.tactic, first.combination.is_linear()), (1, true));
    let folder = std::env::temp_dir().join(format!("plugin-runtime-node-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("a.lock");
    let found = tried(&network, &Device::cpu(), Keeping::Lockfile(path.clone())).unwrap();
    assert!([2, 3].contains(&found.tactic) && found.combination.is_linear());
    let recorded = Recorded::read(&path, &Device::cpu()).unwrap();
    let choice = recorded.choose(&network, layer(&network), &Device::cpu()).unwrap().unwrap();
    assert_eq!(choice.tactic, found.tactic);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn types_that_nothing_takes_are_told() {
    let network = network(DataType::Int32, 2.0, &[4]);
    let refused = first_listed(&network, layer(&network), &Device::cpu()).unwrap_err().to_string();
    assert_eq!(
        refused,
        "its tensors are INT32 -> INT32 here, which it doesn't take: it takes FP32 -> FP32; FP16 -> FP16"
    );
}
