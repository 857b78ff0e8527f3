//! Tensors in a GPU's memory.

use std::mem::ManuallyDrop;
use std::ptr::{NonNull, without_provenance_mut};

use super::abi::{CUDA, DLDevice, DLManagedTensor, DLManagedTensorVersioned};
use super::exported::{Form, export};
use super::managed::{Managed, device_name};
use crate::device::cuda::{DeviceTensor, Lent};
use crate::device::{FOREIGN_ALIGNMENT, Stream};
use crate::error::{Error, ErrorKind, Result};
use crate::shape::Dims;

impl DeviceTensor {
    /// Another library's tensor in the memory of the GPU of `stream`, which is the stream that the capsule was asked for: in
    /// Python, `tensor.__dlpack__(stream=..)`. It isn't copied; its address is a multiple of [`FOREIGN_ALIGNMENT`].
    ///
    /// The other library may free the memory, or use it for something else, as soon as the capsule's deleter returns, so
    /// dropping the tensor waits until the runs and functions that use it are done, and calls the deleter then. It is also
    /// called before an error is returned here. Where a tensor is lent read-only, what would write it is refused.
    ///
    /// # Safety
    /// `raw` is null or a capsule as `dlpack.h` describes it, which nobody else uses from now on, and whose deleter may be
    /// called by any thread. What was put into `stream` before includes, or waits for, what writes the data. As long as the
    /// tensor lives, others write the memory, and use it while this tensor is written, only in an order that they see to
    /// themselves: in that of `stream`, or after waiting.
    ///
    /// # Errors
    /// When `raw` is null or of another version than 1; when the tensor isn't in that GPU's memory, isn't row-major, isn't
    /// aligned, or has a type or a shape that this crate doesn't; on a stream of the CPU.
    #[expect(unsafe_code, reason = "takes a capsule on trust")]
    pub unsafe fn from_dlpack(stream: &Stream, raw: *mut DLManagedTensorVersioned) -> Result<DeviceTensor> {
        // SAFETY: as the caller says.
        #[expect(unsafe_code, reason = "takes a capsule on trust")]
        lent(stream, unsafe { Managed::versioned(raw) })
    }

    /// As [`DeviceTensor::from_dlpack`], from a capsule from before DLPack's version 1.
    ///
    /// # Safety
    /// As there.
    ///
    /// # Errors
    /// As there.
    #[expect(unsafe_code, reason = "takes a capsule on trust")]
    pub unsafe fn from_dlpack_legacy(stream: &Stream, raw: *mut DLManagedTensor) -> Result<DeviceTensor> {
        // SAFETY: as the caller says.
        #[expect(unsafe_code, reason = "takes a capsule on trust")]
        lent(stream, unsafe { Managed::legacy(raw) })
    }

    /// Gives the tensor to another library, which uses it in the order of `stream`: that is ordered after what uses it now.
    /// Whoever has the capsule owns it: its deleter frees it, and has to be called once. The memory is used again after what
    /// is in `stream` when the deleter is called, so that this needn't be done by then.
    ///
    /// A borrowed stream lives until the deleter was called, which for 2 is done by the thread whose stream it is; work
    /// that is captured in it isn't waited for.
    ///
    /// # Errors
    /// For INT4, of which DLPack doesn't say which half of a byte is first; on the stream of another device, or when the driver can't
    /// order the stream.
    pub fn into_dlpack(mut self, stream: &Stream) -> Result<NonNull<DLManagedTensorVersioned>> {
        self.hand_over(stream)?;
        let ordinal = stream.cuda()?.gpu().ordinal() as i32;
        let device = DLDevice { device_type: CUDA, device_id: ordinal };
        let dims = Dims::new(self.shape()).unwrap_or_default();
        let form = Form { dtype: self.dtype(), dims, device, read_only: self.is_read_only() };
        let address = self.address() as usize;
        let given = Given { tensor: ManuallyDrop::new(self), stream: stream.clone() };
        export(given, &form, |_| without_provenance_mut(address))
    }
}

/// A tensor that another library uses in the order of a stream.
struct Given {
    tensor: ManuallyDrop<DeviceTensor>,
    stream: Stream,
}

impl Drop for Given {
    fn drop(&mut self) {
        let marked = self.stream.bind().and_then(|_bound| self.stream.ran(self.stream.is_captured()?));
        if marked.is_err_and(|error| error.kind() != ErrorKind::DeviceLost) {
            // Work may still use it that can't be waited for.
            return;
        }
        // SAFETY: it isn't used afterwards.
        #[expect(unsafe_code, reason = "drops what is kept if that can't be known to be unused")]
        unsafe {
            ManuallyDrop::drop(&mut self.tensor);
        }
    }
}

fn lent(stream: &Stream, managed: Result<Managed>) -> Result<DeviceTensor> {
    let take = |managed: Managed| {
        let queue = stream.cuda()?;
        let tensor = managed.described()?;
        let wanted = DLDevice { device_type: CUDA, device_id: queue.gpu().ordinal() as i32 };
        if tensor.device != wanted {
            return Err(Error::invalid(format_args!(
                "it lies in {}, and the stream is one of `{}`",
                device_name(tensor.device),
                stream.device()
            )));
        }
        if tensor.len > 0 && !tensor.start.addr().is_multiple_of(FOREIGN_ALIGNMENT) {
            return Err(Error::invalid(format_args!(
                "it is at {:#x}, which isn't a multiple of {FOREIGN_ALIGNMENT}: copy it to where it is",
                tensor.start.addr()
            )));
        }
        let lent = Lent {
            address: tensor.start.addr() as u64,
            len: tensor.len,
            read_only: managed.is_read_only(),
            owner: Box::new(managed),
        };
        DeviceTensor::lent(stream, tensor.dtype, tensor.dims, lent)
    };
    managed.and_then(take).map_err(|error| error.within("a tensor from DLPack"))
}
