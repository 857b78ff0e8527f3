//! Nodes of a host, called as an adapter calls them.

#![expect(unsafe_code, reason = "gives memory by its address, and in the crate itself link sections count as unsafe")]

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use super::{Call, Decision, Node, Places};
use crate::device::Device;
use crate::network::{Dim, Preference};
use crate::plugin::{AttributeValue, Registry};
use crate::prelude::*;

#[register("host_test::scale", crate = crate)]
fn scale(x: &TensorDesc, #[default(2.0)] factor: f32) -> TensorDesc {
    x.like()
}

#[autotune("host_test::scale", crate = crate)]
fn scale_autotune(x: &TensorDesc, outputs: &[TensorDesc; 1]) -> Vec<AutoTuneCombination> {
    vec![AutoTuneCombination::new("FP32, FP32").layouts("CHW4*LINEAR, CHW4*LINEAR").tactics([3, 4])]
}

#[impl_plugin("host_test::scale", device = cpu, crate = crate)]
fn scale_cpu(x: Tensor, factor: f32, outputs: [TensorMut; 1], tactic: i32) -> Result<()> {
    let [y] = outputs;
    assert_eq!((x.format(), tactic), (Format::Linear, 3));
    if x.numel() == 13 {
        panic!("thirteen");
    }
    y.into_slice::<f32>()?.iter_mut().zip(x.as_slice::<f32>()?).for_each(|(y, x)| *y = x * factor);
    Ok(())
}

#[register("host_test::add", crate = crate)]
fn add(a: &TensorDesc, b: &TensorDesc) -> Result<TensorDesc> {
    if a.shape_exprs() != b.shape_exprs() {
        bail!("a is {a}, b is {b}");
    }
    Ok(a.like())
}

#[impl_plugin("host_test::add", device = cpu, crate = crate)]
fn add_cpu(a: Tensor, b: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    let pairs = a.as_slice::<f32>()?.iter().zip(b.as_slice::<f32>()?);
    y.into_slice::<f32>()?.iter_mut().zip(pairs).for_each(|(y, (a, b))| *y = a + b);
    Ok(())
}

#[register("host_test::update", crate = crate)]
fn update(x: &TensorDesc) -> TensorDesc {
    x.aliased()
}

#[impl_plugin("host_test::update", device = cpu, crate = crate)]
fn update_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    y.into_slice::<f32>()?.iter_mut().for_each(|y| *y += 1.0);
    Ok(())
}

/// Keeps what is positive, by way of scratch memory.
#[register("host_test::keep", crate = crate)]
fn keep(x: &TensorDesc) -> (SizeTensorDesc, TensorDesc) {
    let kept = size_tensor(1, x.numel()).dtype(DataType::Int64);
    let dims = [kept.expr(), 1.into()];
    (kept, TensorDesc::from_shape_expr(dims, x.dtype()))
}

#[impl_plugin("host_test::keep", device = cpu, workspace = x.numel() * 4, crate = crate)]
fn keep_cpu(x: Tensor, outputs: [TensorMut; 2], workspace: Workspace) -> Result<()> {
    let [count, y] = outputs;
    let x = x.as_slice::<f32>()?;
    let scratch = workspace.into_slice::<f32>()?;
    assert_eq!(scratch.len(), x.len());
    let mut n = 0;
    for value in x.iter().filter(|x| **x > 0.0) {
        scratch[n] = *value;
        n += 1;
    }
    y.into_slice::<f32>()?[..n].copy_from_slice(&scratch[..n]);
    if x.len() == 7 { Ok(()) } else { count.write_size(n) }
}

/// Has to know how many columns there are.
#[register("host_test::rows", crate = crate)]
fn rows(x: &TensorDesc) -> Result<TensorDesc> {
    let Some(columns) = x.shape_expr(1).constant_value() else { bail!("the number of columns has to be known") };
    Ok(TensorDesc::from_shape_expr([x.shape_expr(0) - columns], x.dtype()))
}

#[impl_plugin("host_test::rows", device = cpu, crate = crate)]
fn rows_cpu(x: Tensor, outputs: [TensorMut; 1]) -> Result<()> {
    let [y] = outputs;
    y.into_slice::<f32>()?.fill(9.0);
    Ok(())
}

fn node(name: &str, inputs: &[DataType], attributes: &[(&'static str, AttributeValue)]) -> Node {
    Node {
        name: "n".into(),
        plugin: Registry::global().unwrap().get(&format!("host_test::{name}"), 1).unwrap(),
        attributes: attributes.to_vec(),
        device: Device::cpu(),
        preference: Preference::Unspecified,
        inputs: inputs.to_vec(),
    }
}

fn call(name: &str, declared: Option<&[Vec<Dim>]>) -> Result<Call> {
    let inputs = vec![DataType::Float32; if name == "add" { 2 } else { 1 }];
    Call::new(node(name, &inputs, &[]), declared, Box::new(Decision::in_order))
}

fn dynamic(rank: usize) -> Vec<Dim> {
    vec![Dim::Dynamic; rank]
}

/// Memory at a multiple of 64 and so many bytes.
struct Room(Vec<u128>, usize);

impl Room {
    fn new(bytes: usize, beyond: usize) -> Room {
        Room(vec![0; (bytes + beyond).div_ceil(16) + 4], beyond)
    }

    fn of(values: &[f32], beyond: usize) -> Room {
        let mut room = Room::new(size_of_val(values), beyond);
        let start = room.start();
        bytemuck::cast_slice_mut::<u128, u8>(&mut room.0)[start..][..size_of_val(values)]
            .copy_from_slice(bytemuck::cast_slice(values));
        room
    }

    fn start(&self) -> usize {
        self.0.as_ptr().addr().wrapping_neg() % 64 + self.1
    }

    fn place(&mut self) -> *mut c_void {
        let start = self.start();
        self.0.as_mut_ptr().wrapping_byte_add(start).cast()
    }

    fn floats(&self, n: usize) -> Vec<f32> {
        bytemuck::pod_collect_to_vec(&bytemuck::cast_slice::<u128, u8>(&self.0)[self.start()..][..4 * n])
    }
}

/// Runs a node of one output on vectors.
fn run(call: &Call, inputs: &[&[f32]], beyond: usize) -> Result<Vec<f32>> {
    let mut lease = call.begin();
    for (index, values) in inputs.iter().enumerate() {
        lease.set_input(index, &[values.len() as i64])?;
    }
    lease.prepare()?;
    let n = lease.largest(0)?.numel().unwrap() as usize;
    let mut rooms: Vec<Room> = inputs.iter().map(|values| Room::of(values, beyond)).collect();
    let mut output = Room::new(4 * n, beyond);
    let inputs: Vec<*const c_void> = rooms.iter_mut().map(|room| room.place().cast_const()).collect();
    let places = Places { inputs: &inputs, outputs: &[output.place()], workspace: ptr::null_mut() };
    // SAFETY: the rooms hold as much, and live until the run is done.
    unsafe { lease.run(&places, &Device::cpu().create_stream()?)? };
    Ok(output.floats(n))
}

#[test]
fn a_node_runs_at_any_extents_of_the_declared_rank() {
    let call = call("scale", Some(&[dynamic(1)])).unwrap();
    assert_eq!(call.plan().unwrap().decision().choice.tactic, 3);
    for values in [&[1.0, 2.0][..], &[], &[4.0, 5.0, 6.0], &[1.0, 2.0]] {
        let doubled: Vec<f32> = values.iter().map(|x| x * 2.0).collect();
        assert_eq!(run(&call, &[values], 0).unwrap(), doubled);
    }
}

#[test]
fn a_node_of_unknown_rank_runs_at_every_rank() {
    let call = call("scale", None).unwrap();
    assert!(call.plan().is_none());
    assert_eq!(run(&call, &[&[3.0]], 0).unwrap(), [6.0]);
    let mut lease = call.begin();
    for extents in [&[][..], &[2, 1, 3], &[4]] {
        lease.set_input(0, extents).unwrap();
        lease.prepare().unwrap();
        assert_eq!(*lease.largest(0).unwrap(), *extents);
    }
}

#[test]
fn memory_that_is_not_aligned_is_used_by_way_of_a_copy() {
    let scale = call("scale", Some(&[dynamic(1)])).unwrap();
    let update = call("update", Some(&[dynamic(1)])).unwrap();
    for beyond in [4, 1, 0, 12] {
        assert_eq!(run(&scale, &[&[1.0, 2.0, 3.0]], beyond).unwrap(), [2.0, 4.0, 6.0]);
        assert_eq!(run(&update, &[&[1.0, 2.0, 3.0]], beyond).unwrap(), [2.0, 3.0, 4.0]);
    }
}

#[test]
fn an_update_in_place_leaves_an_input_elsewhere_as_it_is() {
    let call = call("update", Some(&[dynamic(1)])).unwrap();
    let mut lease = call.begin();
    lease.set_input(0, &[2]).unwrap();
    lease.prepare().unwrap();
    let (mut x, mut y) = (Room::of(&[1.0, 2.0], 0), Room::new(8, 0));
    let stream = Device::cpu().create_stream().unwrap();
    let places = Places { inputs: &[x.place().cast_const()], outputs: &[y.place()], workspace: ptr::null_mut() };
    // SAFETY: the rooms hold as much, and live until the run is done.
    unsafe { lease.run(&places, &stream).unwrap() };
    assert_eq!((x.floats(2), y.floats(2)), (vec![1.0, 2.0], vec![2.0, 3.0]));
    let place = y.place();
    let places = Places { inputs: &[place.cast_const()], outputs: &[place], workspace: ptr::null_mut() };
    // SAFETY: as above; the output is updated in place.
    unsafe { lease.run(&places, &stream).unwrap() };
    assert_eq!(y.floats(2), [3.0, 4.0]);
}

fn kept(call: &Call, values: &[f32]) -> Result<(i64, Vec<i64>, Vec<f32>)> {
    let mut lease = call.begin();
    lease.set_input(0, &[values.len() as i64])?;
    lease.prepare()?;
    assert_eq!((lease.largest(1)?[0], lease.workspace()?), (values.len() as i64, 4 * values.len()));
    assert!(lease.outputs()?[1].data_dependent && !lease.outputs()?[0].data_dependent);
    let (mut x, mut count, mut y) = (Room::of(values, 0), Room::new(8, 0), Room::new(4 * values.len(), 0));
    let mut scratch = Room::new(4 * values.len(), 0);
    let outputs = [count.place(), y.place()];
    let places = Places { inputs: &[x.place().cast_const()], outputs: &outputs, workspace: scratch.place() };
    // SAFETY: the rooms hold as much, and live until the run is done.
    unsafe { lease.run(&places, &Device::cpu().create_stream()?)? };
    let found = lease.found(1)?;
    let count = i64::from_le_bytes(bytemuck::cast_slice::<f32, u8>(&count.floats(2)).try_into().unwrap());
    Ok((count, found.to_vec(), y.floats(found[0] as usize)))
}

#[test]
fn extents_that_a_run_finds_are_those_of_that_run() {
    let call = call("keep", Some(&[dynamic(1)])).unwrap();
    for (values, expected) in [
        (&[1.0, -1.0, 3.0][..], &[1.0, 3.0][..]),
        (&[-1.0, -1.0, -3.0], &[]),
        (&[4.0, 5.0, 6.0], &[4.0, 5.0, 6.0]),
        (&[], &[]),
    ] {
        let n = expected.len() as i64;
        assert_eq!(kept(&call, values).unwrap(), (n, vec![n, 1], expected.to_vec()));
    }
    let error = kept(&call, &[1.0; 7]).unwrap_err().to_string();
    assert!(
        error.starts_with("layer `n` (host_test::keep v1, tactic default, x FP32 [7] -> INT64 [], FP32 [7, 1]): "),
        "{error}"
    );
    assert!(error.contains("didn't write its size tensor, output 0"), "{error}");
    assert_eq!(kept(&call, &[2.0]).unwrap().0, 1);
}

#[test]
fn a_plugin_that_needs_equal_extents_gets_them_when_a_call_brings_them() {
    let equal = vec![Dim::Named("n".into())];
    assert!(call("add", Some(&[equal.clone(), equal])).unwrap().plan().is_some());
    let call = call("add", Some(&[dynamic(1), dynamic(1)])).unwrap();
    assert!(call.plan().is_none());
    assert_eq!(run(&call, &[&[1.0, 2.0], &[3.0, 4.0]], 0).unwrap(), [4.0, 6.0]);
    let error = run(&call, &[&[1.0, 2.0], &[3.0]], 0).unwrap_err().to_string();
    assert!(error.contains("layer `n` (host_test::add v1, a: FP32 [2], b: FP32 [1])"), "{error}");
    assert!(error.ends_with("a is FP32 [2], b is FP32 [1]"), "{error}");
    assert_eq!(run(&call, &[&[1.0], &[3.0]], 0).unwrap(), [4.0]);
}

#[test]
fn a_plugin_that_has_to_know_an_extent_gets_it_when_a_call_brings_it() {
    let call = call("rows", Some(&[dynamic(2)])).unwrap();
    let mut lease = call.begin();
    for (extents, expected) in [([5, 2], 3), ([5, 4], 1), ([6, 2], 4)] {
        lease.set_input(0, &extents).unwrap();
        lease.prepare().unwrap();
        assert_eq!(*lease.largest(0).unwrap(), [expected]);
    }
    lease.set_input(0, &[1, 2]).unwrap();
    let error = lease.prepare().unwrap_err().to_string();
    assert!(error.starts_with("layer `n` (host_test::rows v1") && error.contains("would be -1"), "{error}");
    assert!(lease.largest(0).is_err());
}

#[test]
fn what_is_refused_says_what_was_expected() {
    let declared: &[Vec<Dim>] = &[dynamic(1)];
    let refused = |node: Node| Call::new(node, Some(declared), Box::new(Decision::in_order)).unwrap_err().to_string();
    assert_eq!(
        refused(node("scale", &[DataType::Int32], &[])),
        "layer `n` (host_test::scale v1): its tensors are INT32 -> INT32 here, which it doesn't take: it takes FP32 -> FP32"
    );
    assert_eq!(
        refused(node("scale", &[DataType::Float32; 2], &[])),
        "layer `n` (host_test::scale v1): it is given 2 inputs, but takes 1: x"
    );
    let message = refused(node("scale", &[DataType::Float32], &[("factor", AttributeValue::Int32(1))]));
    assert!(
        message.contains("attribute `factor` of plugin `host_test::scale v1` is f32, but i32 was given"),
        "{message}"
    );
    let call = call("scale", Some(declared)).unwrap();
    let error = call.begin().set_input(0, &[1; 9]).unwrap_err().to_string();
    assert_eq!(
        error,
        "layer `n` (host_test::scale v1): input `x` can't be [1, 1, 1, 1, 1, 1, 1, 1, 1]: at most 8 extents of 0 or more are possible"
    );
    let error = run(&call, &[&[0.0; 13]], 0).unwrap_err().to_string();
    assert!(error.contains("tactic 3, x FP32 [13] -> FP32 [13]") && error.ends_with("panicked: thirteen"), "{error}");
    assert_eq!(run(&call, &[&[1.0]], 0).unwrap(), [2.0]);
}

#[test]
fn a_call_of_unchanged_extents_allocates_nothing() {
    let (scale, update) = (call("scale", Some(&[dynamic(1)])).unwrap(), call("update", Some(&[dynamic(1)])).unwrap());
    let stream = Device::cpu().create_stream().unwrap();
    let (mut x, mut y) = (Room::of(&[1.0; 32], 4), Room::new(128, 0));
    let (inputs, outputs) = ([x.place().cast_const()], [y.place()]);
    let places = Places { inputs: &inputs, outputs: &outputs, workspace: ptr::null_mut() };
    for extents in [[32], [7], [32]] {
        let run = || {
            for call in [&scale, &update] {
                let mut lease = call.begin();
                lease.set_input(0, &extents).unwrap();
                lease.prepare().unwrap();
                // SAFETY: the rooms hold as much, and live until the run is done.
                unsafe { lease.run(&places, &stream).unwrap() };
            }
        };
        run();
        let allocated = allocation_counter::measure(run);
        assert_eq!((allocated.count_total, allocated.bytes_total), (0, 0), "{extents:?}");
    }
}

#[cfg(feature = "python")]
#[test]
fn calls_are_kept_by_their_keys_and_found_without_allocation() {
    use super::{Calls, Described, KeyRoom};
    let calls = Calls::new();
    let described = |factor: f32| Described {
        name: "n".into(),
        plugin: Registry::global().unwrap().get("host_test::scale", 1).unwrap(),
        device: Device::cpu(),
        types: vec![DataType::Float32],
        attributes: vec![("factor", AttributeValue::Float32(factor))],
        extents: None,
        tactics: super::Said::default().tactics().unwrap(),
    };
    let find = |factor: f32| {
        let mut key = KeyRoom::new(7);
        key.push(factor.to_bits().into());
        key.push_bytes(b"more of it");
        calls.get(key.words(), || Ok(described(factor))).unwrap()
    };
    let (two, three) = (find(2.0), find(3.0));
    assert!(!Arc::ptr_eq(&two, &three) && Arc::ptr_eq(&two, &find(2.0)));
    let allocated = allocation_counter::measure(|| assert!(Arc::ptr_eq(&two, &find(2.0))));
    assert_eq!((allocated.count_total, allocated.bytes_total), (0, 0));
    // What is used often stays when there are too many; of the others some go, and are made anew.
    let others: Vec<_> = (0..300u16).map(|factor| find(f32::from(factor) + 0.5)).collect();
    assert!(Arc::ptr_eq(&two, &find(2.0)));
    assert!(Arc::ptr_eq(&others[299], &find(299.5)) && Arc::ptr_eq(&others[298], &find(298.5)));
    assert!(!Arc::ptr_eq(&others[150], &find(150.5)));
    assert_eq!(format!("{calls:?}"), "Calls(256 kept)");
    let failed = calls.get(&[9], || bail!("no such device"));
    assert!(failed.is_err_and(|error| error.to_string() == "no such device"));
}

#[test]
fn many_threads_call_one_node_at_once() {
    let call = Arc::new(call("scale", Some(&[dynamic(1)])).unwrap());
    std::thread::scope(|scope| {
        for thread in 1..=8 {
            let call = call.clone();
            scope.spawn(move || {
                for repeat in 0..500 {
                    // One number is refused by the plugin.
                    let n = if repeat % 11 == 0 { 12 } else { (thread * repeat) % 12 };
                    let values: Vec<f32> = (0..n).map(|i| (i + repeat) as f32).collect();
                    let doubled: Vec<f32> = values.iter().map(|x| x * 2.0).collect();
                    assert_eq!(run(&call, &[&values], 0).unwrap(), doubled);
                }
            });
        }
    });
}

#[test]
fn a_pool_gives_back_what_was_given_and_drops_what_it_has_no_room_for() {
    let counter = Arc::new(());
    let pool = super::pool::Pool::new();
    assert!(pool.take().is_none());
    (0..100).for_each(|_| pool.give(Box::new(counter.clone())));
    let kept = Arc::strong_count(&counter) - 1;
    assert!((1..100).contains(&kept), "{kept}");
    let taken: Vec<_> = std::iter::from_fn(|| pool.take()).collect();
    assert_eq!(taken.len(), kept);
    drop(taken);
    pool.give(Box::new(counter.clone()));
    drop(pool);
    assert_eq!(Arc::strong_count(&counter), 1);
}
