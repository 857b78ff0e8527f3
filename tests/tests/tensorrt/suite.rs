//! The suite's networks, asked as a host asks while it builds: types, shapes and aliases are what the engine says.

use std::collections::HashMap;

use plugin_runtime::shape::SymbolKind;
use tests::command::skipped;
use tests::suite::{Case, Run, cases};
use tests::tensorrt::{
    Create, DynamicDesc, Expr, Exprs, Plugin, Request, Step, find, find_quick, log, quiet, steps_of, type_number,
};

/// What a run knows: extents of tensors by name, and values of symbols.
struct Walk {
    exprs: Exprs,
    shapes: HashMap<String, Vec<Expr>>,
    symbols: Vec<Option<i64>>,
}

impl Walk {
    fn set(&mut self, index: u32, value: i64) {
        let index = index as usize;
        if self.symbols.len() <= index {
            self.symbols.resize(index + 1, None);
        }
        self.symbols[index] = Some(value);
    }

    /// The value of an extent, where all that it depends on is known.
    fn value(&self, expr: &plugin_runtime::shape::ShapeExpr) -> Option<i64> {
        let known =
            expr.symbols().iter().all(|symbol| matches!(self.symbols.get(symbol.index as usize), Some(Some(_))));
        let values: Vec<i64> = self.symbols.iter().map(|value| value.unwrap_or(0)).collect();
        known.then(|| expr.evaluate(&values).expect("it has a value"))
    }

    fn layer(&mut self, step: &Step, what: &str) {
        let (plugin, layer) = (&step.plugin, &step.layer);
        assert_eq!(plugin.output_types(&step.input_types()), Ok(step.output_types()), "{what}");
        for (output, alias) in layer.in_place.iter().enumerate() {
            assert_eq!(plugin.aliased_input(output as i32), alias.map_or(-1, |input| input as i32), "{what}");
        }
        let inputs: Vec<Vec<Expr>> = layer.inputs.iter().map(|name| self.shapes[name].clone()).collect();
        let shapes = plugin.output_shapes(&self.exprs, &inputs).unwrap_or_else(|_| panic!("{what}: {:?}", log()));
        for (output, (shape, expected)) in shapes.into_iter().zip(&layer.outputs).enumerate() {
            assert_eq!(shape.len(), expected.shape.len(), "{what}, output {output}");
            for (extent, expr) in shape.iter().zip(&expected.shape) {
                if extent.size && self.value(expr).is_none() {
                    let symbol = expr.as_symbol().filter(|symbol| symbol.kind == SymbolKind::Size);
                    self.set(symbol.expect("only a size tensor's own extent is found").index, extent.value);
                }
                assert_eq!(Some(extent.value), self.value(expr), "{what}, output {output}: {expr}");
            }
            // What a layer found is an extent like others for those behind it.
            let shape = shape.iter().map(|extent| Expr { size: false, ..*extent }).collect();
            self.shapes.insert(expected.name.clone(), shape);
        }
    }

    /// Types and layouts that the plugin takes, with tactics, and a workspace.
    fn configure(&self, step: &Step, what: &str) {
        let (plugin, layer) = (step.plugin.copy(), &step.layer);
        let desc = |name: &String, dtype: i32| {
            let extents: Vec<i64> = self.shapes[name].iter().map(|extent| extent.value).collect();
            DynamicDesc::dynamic(dtype, &vec![0; extents.len()], &extents)
        };
        let inputs: Vec<DynamicDesc> =
            layer.inputs.iter().zip(step.input_types()).map(|(name, dtype)| desc(name, dtype)).collect();
        let outputs = layer.outputs.iter().map(|output| desc(&output.name, type_number(output.dtype)));
        let outputs: Vec<DynamicDesc> = outputs.collect();
        let all = [&inputs[..], &outputs[..]].concat();
        let last = all.len() as i32 - 1;
        if !plugin.supports(last, &all, step.counts()) {
            quiet(what);
            return skipped(what, "it isn't LINEAR in the network's own types");
        }
        assert_eq!(plugin.configure(&inputs, &outputs), 0, "{what}: {:?}", log());
        if plugin.is_aot() {
            self.launch(step, &plugin, (&inputs, &outputs), what);
        }
        let tactics = plugin.tactics().unwrap();
        assert!(tactics.iter().all(|tactic| *tactic > 0 && plugin.set_tactic(*tactic) == 0), "{what}: {tactics:?}");
        assert!(plugin.workspace(&inputs, &outputs) < 1 << 40, "{what}: {:?}", log());
    }
}

impl Walk {
    /// Each of these plugins' kernels has a thread for each element of the output.
    fn launch(&self, step: &Step, plugin: &Plugin, (inputs, outputs): (&[DynamicDesc], &[DynamicDesc]), what: &str) {
        let given: Vec<Vec<Expr>> = step.layer.inputs.iter().map(|name| self.shapes[name].clone()).collect();
        let elements: i64 = self.shapes[&step.layer.outputs[0].name].iter().map(|extent| extent.value).product();
        let mut tactics = plugin.tactics().unwrap();
        tactics.push(0);
        for tactic in tactics {
            assert_eq!(plugin.set_tactic(tactic), 0, "{what}: {:?}", log());
            let launch = plugin.launch(&self.exprs, &given, &[inputs, outputs].concat(), step.counts());
            let launch = launch.unwrap_or_else(|_| panic!("{what}: {:?}", log()));
            let [grid, 1, 1, block, 1, 1, 0] = launch.dimensions.map(Option::unwrap) else { panic!("{launch:?}") };
            assert_eq!(grid, (elements + block - 1) / block, "{what}: {launch:?}");
            assert_eq!(launch.arguments.last(), Some(&elements), "{what}");
        }
    }
}

fn check(case: &Case, run: &Run, create: &Create<'_>) -> Result<(), String> {
    let (summary, steps) = steps_of(&case.network, create)?;
    let mut walk = Walk { exprs: Exprs::new(), shapes: HashMap::new(), symbols: Vec::new() };
    for input in &summary.inputs {
        let tensor = run.inputs.iter().find(|(name, _)| *name == input.name).map(|(_, tensor)| tensor);
        let extents = tensor.expect("it is given").shape();
        let mut shape = Vec::new();
        for (&extent, expr) in extents.iter().zip(&input.shape) {
            if let Some(symbol) = expr.as_symbol() {
                walk.set(symbol.index, extent);
            }
            shape.push(if expr.is_constant() { Expr::constant(extent) } else { Expr::dynamic(extent) });
        }
        walk.shapes.insert(input.name.clone(), shape);
    }
    for step in &steps {
        let what = format!(
            "{}: {} at {:?}",
            case.name,
            step.id,
            run.inputs.iter().map(|(_, x)| x.shape()).collect::<Vec<_>>()
        );
        walk.layer(step, &what);
        walk.configure(step, &what);
        quiet(&what);
    }
    Ok(())
}

const ONE: &Create<'static> =
    &|id, name, fields| Ok(find(id).create(name, fields, false).unwrap_or_else(|| panic!("{id}: {:?}", log())));

const QUICK: &Create<'static> = &|id, name, fields| {
    let creator = find_quick(id).ok_or_else(|| format!("`{id}` has no quick creator"))?;
    Ok(creator.create_quick(name, fields, false, Request::PreferJit).unwrap_or_else(|| panic!("{id}: {:?}", log())))
};

const IN_PLAN: &Create<'static> = &|id, name, fields| {
    let creator = find_quick(id).ok_or_else(|| format!("`{id}` has no quick creator"))?;
    Ok(creator.create_quick(name, fields, false, Request::StrictAot).unwrap_or_else(|| panic!("{id}: {:?}", log())))
};

/// Those whose plugins all have them. One needs scratch memory, which the host doesn't give.
#[test]
fn quick_plugins_answer_what_the_engine_says() {
    let mut checked = Vec::new();
    for case in cases::all().into_iter().filter(|case| case.name != "kernels_ahead_of_time") {
        if case.runs.iter().all(|run| check(&case, run, QUICK).is_ok()) {
            checked.push(case.name);
        }
    }
    for name in ["circ_pad_f32", "kernels_ahead_of_time_in_half", "found_sizes_ahead_of_time"] {
        assert!(checked.contains(&name), "{name} isn't among {checked:?}");
    }
    for case in [cases::add_f32(), cases::add_f16(), cases::circ_pad_f32(), cases::circ_pad_f16()] {
        case.runs.iter().for_each(|run| check(&case, run, IN_PLAN).expect("a plan can hold it"));
    }
}

macro_rules! each {
    ($($case:ident)*) => {$(
        #[test]
        fn $case() {
            let case = cases::$case();
            if !case.on.contains(&tests::suite::On::Cuda) {
                return skipped(concat!("suite::", stringify!($case)), "a plugin has no impl for cuda");
            }
            for run in &case.runs {
                if let Err(reason) = check(&case, run, ONE) {
                    return skipped(concat!("suite::", stringify!($case)), &reason);
                }
            }
        }
    )*};
}

tests::for_each_case!(each);
