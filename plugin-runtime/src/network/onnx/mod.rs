//! Networks from ONNX models, and models from networks: [`Network::from_onnx`], [`Network::to_onnx`].
//!
//! A node is a plugin's if its operator is the plugin's name, and its attribute `plugin_namespace`, or else its domain,
//! is the plugin's namespace; or if these two are ones that the plugin's `#[register]` names with `onnx = ..`. The
//! attribute `plugin_version` says which version; without it 1 is meant, or the only one that names itself so. `aot` = 1
//! insists on ahead-of-time kernels, 0 on an impl; with `aot_preferred` = 1, an attribute of ours that other readers
//! pass over, it is a preference only. All other attributes are the plugin's, in the types it registered: one without a
//! value is zero or empty, and an integer is taken as a float that holds it exactly.
//!
//! Identity, Cast and Constant nodes and calls of the model's own functions are understood too; a Cast between integers
//! gives the nearest value that the new type has, where ONNX would drop the upper bits. Initializers that nothing uses
//! are left out. Symbolic dimensions of inputs are dynamic ones, with one extent wherever they have one name; so is an
//! extent of -1.

mod attribute;
mod declared;
mod element_type;
mod elements;
mod export;
mod external;
mod flatten;
mod import;
mod order;
pub mod proto;
mod recognize;
mod text;
mod weight;

#[cfg(any(feature = "onnxruntime", feature = "tensorrt", feature = "python"))]
pub(crate) use attribute::Given;
#[cfg(any(feature = "onnxruntime", feature = "tensorrt"))]
pub(crate) use attribute::converted;
#[cfg(feature = "python")]
pub(crate) use attribute::converted_from;
#[cfg(feature = "onnxruntime")]
pub(crate) use element_type::name as type_name;
#[cfg(any(feature = "onnxruntime", feature = "tensorrt"))]
pub(crate) use element_type::{code as type_code, data_type};
#[cfg(any(feature = "onnxruntime", feature = "tensorrt"))]
pub(crate) use recognize::insisted;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use prost::Message;
use prost::bytes::Buf;

use crate::error::{Error, Result};
use crate::network::Network;
use external::Origin;
use proto::{Bytes, ModelProto};

/// The most bytes of a protobuf message.
const LARGEST_MODEL: u64 = (1 << 31) - 1;

impl Network {
    /// Reads a model. Constants whose data is in files of their own are read from the model's folder; where the model
    /// is a link, also from the folder that it leads to; and from nowhere else. Files of data may be links too, if they
    /// lead into one of these folders, as in the cache of the Hugging Face hub.
    ///
    /// # Errors
    /// When the file can't be read or isn't a model; when it has operators that aren't plugins, each of which is named;
    /// when its nodes, types or values contradict each other or the plugins.
    pub fn from_onnx(path: impl AsRef<Path>) -> Result<Network> {
        let path = path.as_ref();
        let model = read(path).and_then(decode);
        let network = model.and_then(|model| import::import(&model, Origin::File(path)));
        network.map_err(|e| text::at(path.display(), e))
    }

    /// The same from bytes in memory. `folder` is where the data lies that is in files of its own; without a folder a
    /// model that has such data is refused.
    ///
    /// # Errors
    /// As [`Network::from_onnx`].
    pub fn from_onnx_bytes(model: &[u8], folder: Option<&Path>) -> Result<Network> {
        import::import(&decode(model)?, folder.map_or(Origin::Memory, Origin::Folder))
    }

    /// A model of this network, as a file holds it: plugins are nodes in the domain of their namespace, also those that
    /// were read under another name. A [`cast`](Network::cast) is a Cast node, which drops the upper bits of an integer that
    /// the new type can't keep.
    ///
    /// # Errors
    /// When it would be larger than the 2 GiB that a model can have, or a plugin has an attribute called
    /// `plugin_namespace`, `plugin_version`, `aot` or `aot_preferred`.
    pub fn to_onnx(&self) -> Result<Vec<u8>> {
        let too_large = |bytes: usize| {
            Error::invalid(format_args!("the model would have {bytes} bytes; {LARGEST_MODEL} are the most"))
        };
        let constants = self.constants.iter().map(|c| c.bytes().len()).fold(0usize, usize::saturating_add);
        if constants as u64 > LARGEST_MODEL {
            return Err(too_large(constants));
        }
        let model = export::export(self)?;
        match model.encoded_len() {
            bytes if bytes as u64 > LARGEST_MODEL => Err(too_large(bytes)),
            _ => Ok(model.encode_to_vec()),
        }
    }
}

fn read(path: &Path) -> Result<Bytes> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST_MODEL + 1).read_to_end(&mut bytes));
    read.map_err(|e| Error::invalid(format_args!("it can't be read: {e}")))?;
    Ok(bytes.into())
}

fn decode(model: impl Buf + AsRef<[u8]>) -> Result<ModelProto> {
    if model.remaining() as u64 > LARGEST_MODEL {
        return Err(Error::invalid(format_args!("it has more than {LARGEST_MODEL} bytes, which no model can have")));
    }
    weight::check(model.as_ref())?;
    ModelProto::decode(model).map_err(|e| Error::invalid(format_args!("it isn't an ONNX model, or a damaged one: {e}")))
}
