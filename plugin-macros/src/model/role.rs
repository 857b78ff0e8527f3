//! The four attributes, and what sets their functions apart.

use std::fmt;

/// Which attribute a function carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Register,
    Autotune,
    Impl,
    Aot,
}

impl Role {
    /// All of them.
    pub(crate) const ALL: [Role; 4] = [Role::Register, Role::Autotune, Role::Impl, Role::Aot];

    /// The attribute's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Role::Register => "register",
            Role::Autotune => "autotune",
            Role::Impl => "impl_plugin",
            Role::Aot => "aot_impl",
        }
    }

    /// The options it takes after the id.
    pub(crate) const fn options(self) -> &'static [&'static str] {
        match self {
            Role::Register => &["version", "onnx", "compare", "sample_inputs", "crate"],
            Role::Autotune => &["plugin", "crate"],
            Role::Aot => &["device_shape", "plugin", "crate"],
            Role::Impl => &["device", "workspace", "device_shape", "plugin", "crate"],
        }
    }

    /// How it is written for a plugin.
    pub(crate) fn example(self, id: &str) -> String {
        match self {
            Role::Impl => format!("#[impl_plugin(\"{id}\", device = cpu)]"),
            _ => format!("#[{}(\"{id}\")]", self.name()),
        }
    }

    /// The type of its inputs.
    pub(crate) const fn input_type(self) -> &'static str {
        match self {
            Role::Impl => "Tensor",
            _ => "&TensorDesc",
        }
    }

    /// The type of its `outputs` parameter.
    pub(crate) const fn outputs_type(self) -> &'static str {
        match self {
            Role::Impl => "[TensorMut; N]",
            _ => "&[TensorDesc; N]",
        }
    }

    /// The parameters of fixed name that it may have, in their order.
    pub(crate) const fn tail(self) -> &'static [&'static str] {
        match self {
            Role::Register => &[],
            Role::Autotune => &["outputs"],
            Role::Aot => &["outputs", "tactic"],
            Role::Impl => &["outputs", "workspace", "stream", "tactic"],
        }
    }

    /// Its return type, as the last segment of a path, and how that is written.
    pub(crate) const fn returns(self) -> (&'static str, &'static str) {
        match self {
            Role::Register => ("TensorDesc", "TensorDesc"),
            Role::Autotune => ("Vec", "Vec<AutoTuneCombination>"),
            Role::Aot => ("AotKernel", "AotKernel"),
            Role::Impl => ("()", "()"),
        }
    }
}

/// `#[register]`
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#[{}]", self.name())
    }
}
