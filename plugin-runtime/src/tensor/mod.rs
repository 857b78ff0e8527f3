//! Tensors: element types, layouts, symbolic descriptions and borrowed views of data.

mod arrangement;
mod desc;
mod device_slice;
mod dtype;
mod element_type_error;
mod format;
mod host;
mod representation;
mod view;

pub use arrangement::Arrangement;
pub use desc::{IntoOutputs, OutputDesc, SizeTensorDesc, TensorDesc, size_tensor};
pub use device_slice::{DeviceSlice, DeviceSliceMut};
#[doc(hidden)]
pub use dtype::{Chosen, is_element, no_such_element};
pub use dtype::{DataClass, DataType, Element};
pub use element_type_error::ElementTypeError;
pub use format::Format;
pub(crate) use host::HostBytes;
pub use host::HostTensor;
pub(crate) use representation::Representation;
pub(crate) use view::{Data, DataMut, laid_out};
pub use view::{Tensor, TensorInfo, TensorMut, Workspace};
