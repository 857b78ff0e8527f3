//! The context of errors: places, and layers with plugin, tactic and shapes.

use std::fmt;

/// A place that an error passed through.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Context {
    /// A layer of a network.
    Layer(Box<LayerContext>),
    /// Anything else, in words.
    Place(String),
}

/// A layer, with its plugin, tactic and shapes as far as they are known.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LayerContext {
    /// The layer's name in its network.
    pub layer: String,
    /// The plugin's id and version, or what the builder inserted.
    pub plugin: String,
    /// The tactic that ran, where one did.
    pub tactic: Option<String>,
    /// Types and shapes of the inputs and outputs.
    pub shapes: Option<String>,
}

impl LayerContext {
    /// A layer by its name, and the label of its plugin.
    pub fn new(layer: &str, plugin: &str) -> Self {
        LayerContext { layer: layer.into(), plugin: plugin.into(), tactic: None, shapes: None }
    }

    /// The tactic that ran.
    #[must_use]
    pub fn tactic(mut self, tactic: Option<String>) -> Self {
        self.tactic = tactic.filter(|tactic| !tactic.is_empty());
        self
    }

    /// Types and shapes of the inputs and outputs.
    #[must_use]
    pub fn shapes(mut self, shapes: Option<String>) -> Self {
        self.shapes = shapes.filter(|shapes| !shapes.is_empty());
        self
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Context::Layer(layer) => layer.fmt(f),
            Context::Place(place) => f.write_str(place),
        }
    }
}

/// ``layer `pad` (sample::circ_pad v1, tactic Rows, x FP32 [2, 3])``
impl fmt::Display for LayerContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "layer `{}` ({}", self.layer, self.plugin)?;
        if let Some(tactic) = &self.tactic {
            write!(f, ", tactic {tactic}")?;
        }
        if let Some(shapes) = &self.shapes {
            write!(f, ", {shapes}")?;
        }
        f.write_str(")")
    }
}
