//! The suite through TensorRT's tables of functions: created, asked, copied, kept and made again, attached and enqueued by a host
//! of our own, in its own stream and memory, recorded too. Of quick plugins also by the kernels that they give for a plan.

#![expect(unsafe_code, reason = "lends streams and memory")]

use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::null_mut;

use plugin_runtime::prelude::*;
use plugin_runtime::tensor::HostTensor;
use tests::suite::{Case, On, Run, Runtime};
use tests::tensorrt::{
    Desc, DynamicDesc, Expr, Exprs, Field, Kernel, Launch, Plugin, Request, Step, find, find_quick, log, steps_of,
};

use crate::driver::{Bytes, Driver};

/// What plugins are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Family {
    One,
    /// Quick plugins that the host calls.
    Quick,
    /// Quick plugins whose kernels the host launches by itself.
    InPlan,
}

/// How a case runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    Enqueued,
    /// Each layer is recorded once it was warmed up, and replayed.
    Captured,
    /// Each layer is run again, and what that allocates is counted.
    Counted,
}

/// The host.
struct TensorRt {
    driver: Driver,
    family: Family,
    how: How,
}

impl TensorRt {
    fn new(family: Family, how: How) -> TensorRt {
        TensorRt { driver: Driver::new(), family, how }
    }

    fn create(&self, id: &str, name: &str, fields: &[Field]) -> std::result::Result<Plugin, String> {
        let quick = || find_quick(id).ok_or_else(|| format!("`{id}` has no quick creator"));
        let plugin = match self.family {
            Family::One => find(id).create(name, fields, false),
            Family::Quick => quick()?.create_quick(name, fields, false, Request::PreferJit),
            Family::InPlan => quick()?.create_quick(name, fields, false, Request::StrictAot),
        };
        Ok(plugin.unwrap_or_else(|| panic!("{id}: {:?}", log())))
    }
}

/// An extent that a run finds: the output, its axis, and the size tensor that holds it.
type Found = (usize, usize, usize);

/// A tensor of a run.
#[derive(Debug)]
struct Held<'d> {
    memory: Bytes<'d>,
    dtype: DataType,
    extents: Vec<i64>,
}

impl Runtime for TensorRt {
    fn name(&self) -> &'static str {
        match (self.family, self.how) {
            (Family::One, How::Captured) => "TensorRT's tables, captured",
            (Family::One, _) => "TensorRT's tables",
            (Family::Quick, _) => "TensorRT's quick tables",
            (Family::InPlan, _) => "TensorRT's plans with kernels",
        }
    }

    fn leaves_out(&self, case: &Case) -> Option<String> {
        if !case.on.contains(&On::Cuda) && !case.on.contains(&On::AheadOfTime) {
            return Some("a plugin has nothing for cuda".into());
        }
        let (_, steps) = match steps_of(&case.network, &|id, name, fields| self.create(id, name, fields)) {
            Ok(steps) => steps,
            Err(reason) => return Some(reason),
        };
        let is_linear = |step: &Step| {
            let (inputs, outputs) = step.descs(9);
            let all = [inputs, outputs].concat();
            step.plugin.output_types(&step.input_types()).is_ok()
                && step.plugin.supports(all.len() as i32 - 1, &all, step.counts())
        };
        let refused = steps.iter().find(|step| !is_linear(step)).map(|step| step.id.clone());
        log();
        refused.map(|id| format!("`{id}` isn't LINEAR in the network's own types, and the host converts nothing"))
    }

    fn run(&mut self, case: &Case) -> Result<Vec<Vec<HostTensor>>> {
        let (summary, steps) =
            steps_of(&case.network, &|id, name, fields| self.create(id, name, fields)).map_err(Error::plugin)?;
        let stream = self.driver.stream();
        let mut layers: Vec<Layer> = steps.into_iter().map(Layer::new).collect();
        let mut found = Vec::new();
        for (number, run) in case.runs.iter().enumerate() {
            let mut tensors: HashMap<String, Held<'_>> = HashMap::new();
            for input in &summary.inputs {
                tensors.insert(input.name.clone(), self.given(run, &input.name));
            }
            for layer in &mut layers {
                layer.run(self, number, &mut tensors, stream);
            }
            let outputs = summary.outputs.iter().map(|output| {
                let held = &tensors[&output.tensor];
                HostTensor::from_bytes(
                    held.dtype,
                    &held.memory.read()[..bytes(held.dtype, &held.extents)],
                    &held.extents,
                )
            });
            found.push(outputs.collect::<Result<_>>()?);
        }
        drop(layers);
        self.driver.destroy(stream);
        assert_eq!(log(), [""; 0], "{}", case.name);
        Ok(found)
    }
}

fn bytes(dtype: DataType, extents: &[i64]) -> usize {
    extents.iter().product::<i64>() as usize * dtype.bits() as usize / 8
}

/// What outputs hold before a run.
const POISON: u8 = 0xa5;

impl TensorRt {
    fn given(&self, run: &Run, name: &str) -> Held<'_> {
        let tensor =
            run.inputs.iter().find(|(given, _)| *given == name).map(|(_, tensor)| tensor).expect("it is given");
        let extents = tensor.shape().to_vec();
        Held { memory: self.driver.bytes(tensor.bytes()), dtype: tensor.dtype(), extents }
    }

    fn poisoned(&self, dtype: DataType, extents: &[i64]) -> Held<'_> {
        let memory = self.driver.bytes(&vec![POISON; bytes(dtype, extents)]);
        Held { memory, dtype, extents: extents.to_vec() }
    }
}

/// A layer: the plugin that was asked, and the one that was made of what a plan keeps, and attached; or that gives kernels.
struct Layer {
    step: Step,
    attached: Plugin,
}

impl Layer {
    fn new(step: Step) -> Layer {
        let types = step.input_types();
        assert_eq!(step.plugin.output_types(&types), Ok(step.output_types()), "{:?}", log());
        // What is kept is what runs, without what only the register function reads.
        let (inputs, outputs) = step.descs(1 << 20);
        let configured = step.plugin.copy();
        assert_eq!(configured.configure(&inputs, &outputs), 0, "{:?}", log());
        if step.plugin.is_aot() {
            return Layer { step, attached: configured };
        }
        let fields = configured.fields().expect("fields");
        let made = step.made_again(&fields);
        let attached = made.unwrap_or_else(|| panic!("{}: {:?}", step.id, log())).attach();
        Layer { step, attached }
    }

    /// The largest extents of the outputs, and for each extent that is found the size tensor that finds it.
    fn shapes(&self, inputs: &[Vec<i64>]) -> (Vec<Vec<i64>>, Vec<Found>) {
        let exprs = Exprs::new();
        let given: Vec<Vec<Expr>> =
            inputs.iter().map(|extents| extents.iter().map(|&extent| Expr::dynamic(extent)).collect()).collect();
        let shapes = self.step.plugin.output_shapes(&exprs, &given).unwrap_or_else(|_| panic!("{:?}", log()));
        let mut found = Vec::new();
        for (output, (shape, expected)) in shapes.iter().zip(&self.step.layer.outputs).enumerate() {
            for (axis, _) in shape.iter().enumerate().filter(|(_, extent)| extent.size) {
                // The network calls a size tensor's extent as it calls the tensor.
                let name = expected.shape[axis].to_string();
                let size = self.step.layer.outputs.iter().position(|output| output.name == name);
                found.push((output, axis, size.unwrap_or_else(|| panic!("no size tensor `{name}`"))));
            }
        }
        (shapes.iter().map(|shape| shape.iter().map(|extent| extent.value).collect()).collect(), found)
    }

    fn run<'d>(
        &mut self,
        host: &'d TensorRt,
        number: usize,
        tensors: &mut HashMap<String, Held<'d>>,
        stream: *mut c_void,
    ) {
        let layer = &self.step.layer;
        let shapes_in: Vec<Vec<i64>> = layer.inputs.iter().map(|name| tensors[name].extents.clone()).collect();
        let (largest, found) = self.shapes(&shapes_in);
        let workspace = self.configure(number, &shapes_in, &largest);
        let workspace = host.driver.bytes(&vec![POISON; workspace]);
        let copies = self.copies(host, tensors);
        let outputs: Vec<Held<'_>> =
            layer.outputs.iter().zip(&largest).map(|(output, extents)| host.poisoned(output.dtype, extents)).collect();
        let place =
            |held: &Held<'_>| if bytes(held.dtype, &held.extents) == 0 { null_mut() } else { held.memory.address() };
        let inputs: Vec<*const c_void> = copies.iter().map(|held| place(held).cast_const()).collect();
        let places: Vec<*mut c_void> = outputs
            .iter()
            .zip(&layer.in_place)
            .map(|(output, alias)| match alias {
                Some(input) => inputs[*input].cast_mut(),
                None => place(output),
            })
            .collect();
        let (descs_in, descs_out) = self.descs(&shapes_in, &largest, &found);
        if self.attached.is_aot() {
            let (kernel, launch) = self.of_plan((&shapes_in, &largest), (&descs_in, &descs_out));
            host.driver.loaded(&kernel).launch(&launch, &inputs, &places, stream);
            host.driver.synchronize(stream);
            return self.keep(outputs, copies, &found, tensors);
        }
        assert_eq!(self.attached.on_shape_change(&descs_in, &descs_out), 0, "{:?}", log());
        let enqueue = || {
            // SAFETY: the memory is as large as the descs say, and stays until the stream is done.
            let code = unsafe {
                self.attached.enqueue((&descs_in, &descs_out), &inputs, &places, workspace.address(), stream)
            };
            assert_eq!(code, 0, "{}: {:?}", layer.name, log());
        };
        enqueue();
        host.driver.synchronize(stream);
        if host.how == How::Counted {
            let counted = allocation_counter::measure(enqueue);
            assert_eq!((counted.count_total, counted.bytes_total), (0, 0), "{}", layer.name);
            host.driver.synchronize(stream);
        }
        if host.how == How::Captured {
            let mut again = || {
                for (copy, name) in copies.iter().zip(&layer.inputs) {
                    copy.memory.write(&tensors[name].memory.read());
                }
                outputs.iter().for_each(|output| output.memory.write(&vec![POISON; output.memory.len()]));
            };
            again();
            host.driver.captured(stream, enqueue, &mut again, 2);
        }
        self.keep(outputs, copies, &found, tensors);
    }

    /// Copies of the inputs: one that is updated in place is the layer's own, which others don't see.
    fn copies<'d>(&self, host: &'d TensorRt, tensors: &HashMap<String, Held<'d>>) -> Vec<Held<'d>> {
        let copy = |name: &String| {
            let held = &tensors[name];
            let memory = host.driver.bytes(&held.memory.read());
            Held { memory, dtype: held.dtype, extents: held.extents.clone() }
        };
        self.step.layer.inputs.iter().map(copy).collect()
    }

    /// What a plan holds for inputs of these shapes: the kernel, and its launch, which is computed of dynamic extents.
    fn of_plan(
        &self,
        (inputs, outputs): (&[Vec<i64>], &[Vec<i64>]),
        (descs_in, descs_out): (&[Desc], &[Desc]),
    ) -> (Kernel, Launch) {
        let exprs = Exprs::new();
        let given: Vec<Vec<Expr>> =
            inputs.iter().map(|extents| extents.iter().map(|&extent| Expr::dynamic(extent)).collect()).collect();
        let dynamic = |shapes: &[Vec<i64>], types: Vec<i32>| -> Vec<DynamicDesc> {
            let desc = |(extents, dtype): (&Vec<i64>, i32)| DynamicDesc {
                desc: Desc::new(dtype, &vec![-1; extents.len()]),
                ..DynamicDesc::fixed(dtype, extents)
            };
            shapes.iter().zip(types).map(desc).collect()
        };
        let tensors = [dynamic(inputs, self.step.input_types()), dynamic(outputs, self.step.output_types())].concat();
        let launch = self.attached.launch(&exprs, &given, &tensors, self.step.counts());
        let kernel = self.attached.kernel(descs_in, descs_out);
        match (kernel, launch) {
            (Ok(kernel), Ok(launch)) => (kernel, launch),
            _ => panic!("{}: {:?}", self.step.layer.name, log()),
        }
    }

    fn descs(&self, inputs: &[Vec<i64>], outputs: &[Vec<i64>], found: &[Found]) -> (Vec<Desc>, Vec<Desc>) {
        let of = |shapes: &[Vec<i64>], types: Vec<i32>| -> Vec<Desc> {
            shapes.iter().zip(types).map(|(extents, dtype)| Desc::new(dtype, extents)).collect()
        };
        let mut outputs = of(outputs, self.step.output_types());
        for &(output, axis, _) in found {
            outputs[output].dims.extents[axis] = -1;
        }
        (of(inputs, self.step.input_types()), outputs)
    }

    /// Puts the outputs at their true extents.
    fn keep<'d>(
        &self,
        outputs: Vec<Held<'d>>,
        copies: Vec<Held<'d>>,
        found: &[Found],
        tensors: &mut HashMap<String, Held<'d>>,
    ) {
        let sizes: Vec<i64> = outputs
            .iter()
            .map(|output| match output.dtype {
                DataType::Int64 if output.extents.is_empty() => {
                    i64::from_ne_bytes(output.memory.read()[..8].try_into().expect("8 bytes"))
                }
                DataType::Int32 if output.extents.is_empty() => {
                    i32::from_ne_bytes(output.memory.read()[..4].try_into().expect("4 bytes")).into()
                }
                _ => -1,
            })
            .collect();
        let mut copies: Vec<Option<Held<'d>>> = copies.into_iter().map(Some).collect();
        let layer = &self.step.layer;
        for (output, mut held) in outputs.into_iter().enumerate() {
            if let Some(input) = layer.in_place[output] {
                held = copies[input].take().expect("one output is in its memory");
            }
            for &(_, axis, size) in found.iter().filter(|(of, ..)| *of == output) {
                assert!((0..=held.extents[axis]).contains(&sizes[size]), "{}: {} was found", layer.name, sizes[size]);
                held.extents[axis] = sizes[size];
            }
            tensors.insert(layer.outputs[output].name.clone(), held);
        }
    }

    /// Bytes of workspace. Each run has another of the tactics.
    fn configure(&self, number: usize, inputs: &[Vec<i64>], outputs: &[Vec<i64>]) -> usize {
        let of = |shapes: &[Vec<i64>], types: Vec<i32>| -> Vec<DynamicDesc> {
            shapes.iter().zip(types).map(|(extents, dtype)| DynamicDesc::fixed(dtype, extents)).collect()
        };
        let (inputs, outputs) = (of(inputs, self.step.input_types()), of(outputs, self.step.output_types()));
        let plugin = self.step.plugin.copy();
        assert_eq!(plugin.configure(&inputs, &outputs), 0, "{:?}", log());
        let tactics = plugin.tactics().expect("tactics");
        // With 0 the host chooses none.
        let tactic = [&[0], &tactics[..]].concat()[number % (tactics.len() + 1)];
        assert_eq!(self.attached.set_tactic(tactic), 0, "{:?}", log());
        plugin.workspace(&inputs, &outputs)
    }
}

macro_rules! on_tensorrt {
    ($($case:ident)*) => {
        on_tensorrt! { @as enqueued One Enqueued: $($case)* }
        on_tensorrt! { @as captured One Captured: $($case)* }
    };
    (@as $module:ident $family:ident $how:ident: $($case:ident)*) => {
        mod $module {
            use tests::suite::{cases, check};

            use crate::gpu::gpu_alone;

            $(
                #[test]
                fn $case() {
                    let name = concat!("tensorrt::", stringify!($module), "::", stringify!($case));
                    // While a host captures, no other thread of its process may allocate.
                    let Some(_gpu) = gpu_alone(name) else { return };
                    let mut host = super::TensorRt::new(super::Family::$family, super::How::$how);
                    check(&mut host, cases::$case());
                }
            )*
        }
    };
}

tests::for_each_case!(on_tensorrt);

// Those whose plugins have quick creators.
on_tensorrt! { @as quick Quick Captured:
    add_f32 add_f16 circ_pad_f32 circ_pad_f16 circ_pad_of_one_dimension kernels_ahead_of_time_in_half
    found_sizes_ahead_of_time random_padding
}

// Those whose kernels a plan can hold.
on_tensorrt! { @as in_plan InPlan Enqueued: add_f32 add_f16 circ_pad_f32 circ_pad_f16 }

/// What is run twice is what gives the same.
#[test]
fn a_warmed_up_enqueue_allocates_nothing() {
    let Some(_gpu) = crate::gpu::gpu_alone("tensorrt::a_warmed_up_enqueue_allocates_nothing") else { return };
    use tests::suite::cases::{add_f16, circ_pad_f32, found_sizes, non_zero_f16, scale_f32, two_outputs};
    for case in [circ_pad_f32(), found_sizes(), non_zero_f16(), scale_f32(), two_outputs()] {
        tests::suite::check(&mut TensorRt::new(Family::One, How::Counted), case);
    }
    for case in [circ_pad_f32(), add_f16()] {
        tests::suite::check(&mut TensorRt::new(Family::Quick, How::Counted), case);
    }
}

/// Through TensorRT's tables, runs whose shapes come back, are said in the run alone, or differ from those of the one before.
#[test]
fn a_run_is_taken_for_the_last_one_only_where_it_is_as_that() {
    let Some(_gpu) = crate::gpu::gpu("tensorrt::a_run_is_taken_for_the_last_one_only_where_it_is_as_that") else {
        return;
    };
    const FLOAT: i32 = tests::tensorrt::types::FLOAT;
    let driver = Driver::new();
    let stream = driver.stream();
    let fields = [Field::ints("block_size", &[64])];
    let plugin = find("sample::elemwise_add_plugin").create("add", &fields, false).unwrap();
    plugin.output_types(&[FLOAT]).unwrap();
    let any = DynamicDesc::dynamic(FLOAT, &[1, 1], &[40, 50]);
    assert_eq!(plugin.configure(&[any], &[any]), 0, "{:?}", log());
    let plugin = plugin.attach();
    let values: Vec<f32> = (0..2000).map(|value| value as f32).collect();
    let x = driver.memory(&values);
    for (shape, is_said) in [
        ([40, 50], true),
        ([3, 5], true),
        ([3, 5], true),
        ([5, 3], false),
        ([40, 50], true),
        ([3, 7], false),
        ([3, 5], false),
    ] {
        let desc = [Desc::new(FLOAT, &shape)];
        if is_said {
            assert_eq!(plugin.on_shape_change(&desc, &desc), 0, "{:?}", log());
        }
        let count = shape.iter().product::<i64>() as usize;
        for round in 0..3 {
            let y = driver.memory(&[-1.0; 2000]);
            let (inputs, outputs) = ([x.address().cast_const()], [y.address()]);
            // SAFETY: both are as large as the largest shape, and stay until the stream is done.
            let status = unsafe { plugin.enqueue((&desc, &desc), &inputs, &outputs, null_mut(), stream) };
            assert_eq!(status, 0, "{:?}", log());
            driver.synchronize(stream);
            let found = y.read();
            assert!(found[..count].iter().zip(&values).all(|(found, x)| *found == x + 1.0), "{shape:?}, round {round}");
            assert!(found[count..].iter().all(|found| *found == -1.0), "{shape:?}, round {round}: behind the end");
        }
    }
    driver.destroy(stream);
}
