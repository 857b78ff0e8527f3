//! From what a file says of its symbols to symbols: each stands for dynamic dimensions of inputs, or for a size tensor.

use std::sync::Arc;

use super::graph::LoadedLayer;
use super::records::{SizeRecord, SymbolRecord};
use crate::engine::InputInfo;
use crate::engine::plan::OwnSize;
use crate::error::{Error, Result};
use crate::network::{LayerIndex, SymbolDef, SymbolIndex, SymbolSource};
use crate::shape::{MAX_RANK, ShapeExpr, Symbol, SymbolKind, decode_exprs};

/// The symbols read so far.
pub(super) struct Symbols {
    pub(super) definitions: Vec<SymbolDef>,
    pub(super) symbols: Vec<Symbol>,
    /// For each input, the symbol of each dynamic dimension.
    dynamic: Vec<[Option<usize>; MAX_RANK]>,
}

impl Symbols {
    pub(super) fn new(inputs: &[InputInfo]) -> Self {
        Symbols { definitions: Vec::new(), symbols: Vec::new(), dynamic: vec![[None; MAX_RANK]; inputs.len()] }
    }

    pub(super) fn add(
        &mut self,
        record: &SymbolRecord,
        inputs: &[InputInfo],
        layers: &mut [LoadedLayer],
    ) -> Result<()> {
        let (kind, source) = match (&record.size, &*record.places) {
            (Some(size), []) => (SymbolKind::Size, self.size(size, layers)?),
            (None, [_, ..]) => (SymbolKind::Dim, self.dim(record, inputs)?),
            _ => return Err(Error::invalid("it has to be either a size tensor or a dimension of inputs")),
        };
        let index = u32::try_from(self.symbols.len()).map_err(|_| Error::invalid("there are too many symbols"))?;
        let symbol = Symbol { kind, index, name: record.name.as_str().into() };
        self.symbols.push(symbol.clone());
        self.definitions.push(SymbolDef { symbol, source });
        Ok(())
    }

    fn dim(&mut self, record: &SymbolRecord, inputs: &[InputInfo]) -> Result<SymbolSource> {
        let mut places = Vec::with_capacity(record.places.len());
        for place in &record.places {
            let (input, axis) = (place.input as usize, place.axis as usize);
            let dynamic = inputs.get(input).and_then(|input| input.dims.get(axis)) == Some(&-1);
            let slot = self.dynamic.get_mut(input).and_then(|axes| axes.get_mut(axis)).filter(|slot| slot.is_none());
            let Some(slot) = slot.filter(|_| dynamic) else {
                return Err(Error::invalid(format_args!(
                    "dimension {axis} of input {input} isn't dynamic, or is given twice"
                )));
            };
            *slot = Some(self.symbols.len());
            places.push((input, axis));
        }
        Ok(SymbolSource::Dim(places))
    }

    fn size(&self, record: &SizeRecord, layers: &mut [LoadedLayer]) -> Result<SymbolSource> {
        let (layer, output) = (record.layer as usize, record.output as usize);
        let owner = layers.get_mut(layer);
        let free = |owner: &&mut LoadedLayer| {
            output < owner.in_place.len() && owner.sizes.iter().all(|size| size.output != output)
        };
        let owner = owner.filter(free).ok_or_else(|| {
            Error::invalid(format_args!("layer {layer} has no output {output}, or its size is given twice"))
        })?;
        let (opt, upper_bound) = (self.expr(&record.opt)?, self.expr(&record.upper_bound)?);
        owner.sizes.push(Arc::new(OwnSize::new(output, SymbolIndex::new(self.symbols.len()), upper_bound.clone())?));
        Ok(SymbolSource::Size { layer: LayerIndex::new(layer), output, opt, upper_bound })
    }

    /// One expression of the symbols so far.
    fn expr(&self, bytes: &[u8]) -> Result<ShapeExpr> {
        let exprs = decode_exprs(bytes, &self.symbols)?;
        <[ShapeExpr; 1]>::try_from(exprs)
            .map(|[expr]| expr)
            .map_err(|exprs| Error::invalid(format_args!("one expression is needed where {} were saved", exprs.len())))
    }

    /// The shapes of the inputs, each of whose dynamic dimensions has a symbol by now.
    pub(super) fn input_shapes(&self, inputs: &[InputInfo]) -> Result<Vec<Vec<ShapeExpr>>> {
        let shape = |(input, dynamic): (&InputInfo, &[Option<usize>; MAX_RANK])| {
            let extent = |(axis, (&extent, symbol)): (usize, (&i64, &Option<usize>))| match symbol {
                Some(symbol) => Ok(ShapeExpr::symbol(self.symbols[*symbol].clone())),
                None if extent >= 0 => Ok(ShapeExpr::constant(extent)),
                None => {
                    let name = &input.name;
                    Err(Error::invalid(format_args!("no symbol stands for dimension {axis} of input `{name}`")))
                }
            };
            input.dims.iter().zip(dynamic).enumerate().map(extent).collect()
        };
        inputs.iter().zip(&self.dynamic).map(shape).collect()
    }
}
