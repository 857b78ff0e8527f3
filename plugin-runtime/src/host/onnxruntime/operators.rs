//! The linked plugins as operators of the runtime.

use std::ffi::{CString, c_char, c_int};
use std::ptr;

use super::abi::{Api, OrtCustomOp};
use super::attributes::Wanted;
use super::{in_place, kernel, shapes};
use crate::device::DeviceKind;
use crate::error::{Error, Result};
use crate::host::taken;
use crate::network::onnx::type_code;
use crate::plugin::Plugin;
use crate::suggest::did_you_mean;
use crate::tensor::DataType;

/// An input or output of any type.
const ANY: c_int = 0;

/// The plugins that nodes of one domain and operator can be: all versions of one, or where nodes say the namespace besides,
/// all of one name.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) domain: String,
    pub(super) name: CString,
    pub(super) members: Vec<&'static Plugin>,
}

/// One operator as the runtime knows it: a group on a device, for one combination of types.
#[repr(C)]
pub(super) struct Operator {
    abi: OrtCustomOp,
    pub(super) api: Api,
    pub(super) group: &'static Group,
    pub(super) device: DeviceKind,
    /// Types of the inputs, then of the outputs.
    types: Vec<c_int>,
}

// SAFETY: its pointers are to functions, and null.
#[expect(unsafe_code, reason = "pointers to functions")]
unsafe impl Sync for Operator {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "pointers to functions")]
unsafe impl Send for Operator {}

impl Group {
    /// The members that one schema can stand for: those with as many inputs and outputs as the first.
    pub(super) fn new(domain: &str, name: &str, mut members: Vec<&'static Plugin>) -> Option<Group> {
        let counts = |plugin: &Plugin| (plugin.entry.inputs.len(), plugin.entry.outputs);
        let first = counts(members.first()?);
        members.retain(|plugin| counts(plugin) == first);
        Some(Group { domain: domain.to_owned(), name: CString::new(name).ok()?, members })
    }

    fn entry(&self) -> &crate::plugin::PluginEntry {
        // `new` makes none that is empty.
        &self.members[0].entry
    }

    fn start_version(&self) -> c_int {
        let least = self.members.iter().map(|plugin| plugin.entry.version).min().unwrap_or(1);
        // The runtime takes versions of a domain up to 1000.
        if self.domain.is_empty() { 1 } else { least.clamp(1, 1000).cast_signed() }
    }

    /// The plugin that a node is.
    ///
    /// # Errors
    /// When there is none of the namespace or version that the node says.
    pub(super) fn member(&self, wanted: &Wanted) -> Result<&'static Plugin> {
        let in_namespace = |plugin: &&Plugin| match (&wanted.namespace, plugin.entry.id.split_once("::")) {
            (Some(wanted), Some((namespace, _))) => {
                let claimed = |name: &&str| name.split_once("::").is_some_and(|(domain, _)| domain == wanted);
                namespace == wanted || plugin.entry.onnx.iter().any(claimed)
            }
            _ => true,
        };
        let mut found = self.members.iter().copied().filter(in_namespace);
        let all: Vec<&'static Plugin> = found.by_ref().collect();
        let Some(first) = all.first() else {
            let namespace = wanted.namespace.as_deref().unwrap_or_default();
            let namespaces = self.members.iter().filter_map(|plugin| plugin.entry.id.split_once("::"));
            return Err(Error::invalid(format_args!(
                "no plugin of the namespace `{}` is linked under this name{}",
                namespace.escape_debug(),
                did_you_mean(namespace, namespaces.map(|(namespace, _)| namespace))
            )));
        };
        let version = wanted.version.unwrap_or(if all.len() == 1 { first.entry.version } else { 1 });
        all.iter().find(|plugin| plugin.entry.version == version).copied().ok_or_else(|| {
            let linked: Vec<String> = all.iter().map(|plugin| plugin.entry.version.to_string()).collect();
            Error::invalid(format_args!(
                "plugin `{}` is linked at version {}, not {version}",
                first.entry.id,
                linked.join(", ")
            ))
        })
    }

    /// The operators of a group that this runtime can have.
    pub(super) fn operators(&'static self, api: Api) -> Vec<&'static Operator> {
        let mut operators: Vec<Operator> = Vec::new();
        for device in [DeviceKind::Cpu, DeviceKind::Cuda] {
            let runs = |plugin: &&&Plugin| {
                plugin.impl_for(device).is_some() || (device == DeviceKind::Cuda && plugin.aot.is_some())
            };
            let mut of_device: Vec<Operator> = Vec::new();
            for plugin in self.members.iter().filter(runs) {
                let taken = taken(plugin);
                for types in taken.types.iter().filter(|types| types.iter().all(|dtype| is_known(api, *dtype))) {
                    let types: Vec<c_int> = types.iter().map(|dtype| type_code(*dtype)).collect();
                    if of_device.iter().all(|operator| operator.types != types) {
                        of_device.push(Operator::new(api, self, device, types, &taken.aliases));
                    }
                }
                // What isn't known before there is a node is left to the node.
                let entry = self.entry();
                let any = vec![ANY; entry.inputs.len() + entry.outputs];
                of_device.retain(|operator| operator.types != any);
                of_device.push(Operator::new(api, self, device, any, &taken.aliases));
            }
            operators.extend(of_device);
        }
        operators.into_iter().map(|operator| &*Box::leak(Box::new(operator))).collect()
    }
}

/// Whether this runtime has heard of a type.
fn is_known(api: Api, dtype: DataType) -> bool {
    match dtype {
        DataType::Int4 => api.version() >= 20,
        _ => true,
    }
}

impl Operator {
    fn new(
        api: Api,
        group: &'static Group,
        device: DeviceKind,
        types: Vec<c_int>,
        aliases: &[Option<usize>],
    ) -> Operator {
        let mut abi = OrtCustomOp {
            version: api.version(),
            create_kernel: ptr::null(),
            name,
            provider,
            input_type,
            inputs,
            output_type,
            outputs,
            compute: ptr::null(),
            destroy: kernel::destroy,
            input_characteristic: required,
            output_characteristic: optional,
            input_memory: default_memory,
            variadic: [none; 4],
            create_kernel_v2: kernel::create,
            compute_v2: kernel::compute,
            infer: shapes::infer,
            start_version,
            end_version,
            may_inplace: None,
            release_may_inplace: None,
            alias: ptr::null(),
            release_alias: ptr::null(),
        };
        in_place::allow(&mut abi, aliases);
        Operator { abi, api, group, device, types }
    }

    pub(super) fn raw(&'static self) -> *const OrtCustomOp {
        ptr::from_ref(self).cast()
    }

    /// # Safety
    /// `operator` is the start of one.
    #[expect(unsafe_code, reason = "takes a pointer that the runtime hands back")]
    pub(super) unsafe fn of(operator: *const OrtCustomOp) -> &'static Operator {
        // SAFETY: as the caller says; operators live for ever.
        unsafe { &*operator.cast() }
    }
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}::{} {:?} on {}", self.group.domain, self.group.name.to_string_lossy(), self.types, self.device)
    }
}

/// Functions that the runtime asks an operator by. None of them can fail.
macro_rules! answers {
    ($($name:ident($operator:ident $(, $index:ident)?) -> $ty:ty = $answer:expr;)*) => {$(
        #[expect(unsafe_code, reason = "called by the runtime")]
        unsafe extern "system" fn $name(operator: *const OrtCustomOp $(, $index: usize)?) -> $ty {
            // SAFETY: the runtime hands back what it was given.
            let $operator = unsafe { Operator::of(operator) };
            $answer
        }
    )*};
}

answers! {
    name(operator) -> *const c_char = operator.group.name.as_ptr();
    provider(operator) -> *const c_char = match operator.device {
        DeviceKind::Cpu => ptr::null(),
        DeviceKind::Cuda => c"CUDAExecutionProvider".as_ptr(),
    };
    input_type(operator, index) -> c_int = operator.types.get(index).copied().unwrap_or(ANY);
    inputs(operator) -> usize = operator.group.entry().inputs.len();
    output_type(operator, index) -> c_int = {
        operator.types.get(operator.group.entry().inputs.len().saturating_add(index)).copied().unwrap_or(ANY)
    };
    outputs(operator) -> usize = operator.group.entry().outputs;
    required(_operator, _index) -> c_int = 0;
    // Nodes may leave out their last outputs. Of those, versions before 1.29 infer types where there is no room for them.
    optional(operator, _index) -> c_int = c_int::from(operator.api.version() >= 29);
    default_memory(_operator, _index) -> c_int = 0;
    none(_operator) -> c_int = 0;
    start_version(operator) -> c_int = operator.group.start_version();
    end_version(_operator) -> c_int = c_int::MAX;
}
