//! The suite's networks, asked as a host asks while it builds: types, shapes and aliases are what the engine says.

use std::collections::HashMap;

use plugin_runtime::shape::SymbolKind;
use tests::command::skipped;
use tests::suite::{Case, Run, cases};
use tests::tensorrt::{DynamicDesc, Expr, Exprs, Step, log, quiet, steps, type_number};

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
        let tactics = plugin.tactics().unwrap();
        assert!(tactics.iter().all(|tactic| *tactic > 0 && plugin.set_tactic(*tactic) == 0), "{what}: {tactics:?}");
        assert!(plugin.workspace(&inputs, &outputs) < 1 << 40, "{what}: {:?}", log());
    }
}

fn check(case: &Case, run: &Run) -> Result<(), String> {
    let (summary, steps) = steps(&case.network)?;
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

macro_rules! each {
    ($($case:ident)*) => {$(
        #[test]
        fn $case() {
            let case = cases::$case();
            if !case.on.contains(&tests::suite::On::Cuda) {
                return skipped(concat!("suite::", stringify!($case)), "a plugin has no impl for cuda");
            }
            for run in &case.runs {
                if let Err(reason) = check(&case, run) {
                    return skipped(concat!("suite::", stringify!($case)), &reason);
                }
            }
        }
    )*};
}

tests::for_each_case!(each);
