//! What quick plugins alone are asked.

#![expect(unsafe_code, reason = "calls plugins by their tables")]

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use super::{Desc, Dims, DynamicDesc, Expr, Exprs, Launch, Launches, Plugin, RawExprs, call, dims};

/// A kernel as a plan keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kernel {
    /// Its name in the image.
    pub name: String,
    /// PTX, with the 0 that ends it, or a cubin.
    pub image: Vec<u8>,
}

impl Plugin {
    /// Types of the outputs for types and ranks of the inputs.
    ///
    /// # Errors
    /// What was returned, where it isn't 0.
    pub fn types_of_ranks(&self, inputs: &[i32], ranks: &[i32]) -> Result<Vec<i32>, i32> {
        let mut types = vec![-7; self.outputs().max(0) as usize];
        let room = (types.as_mut_ptr(), types.len() as i32);
        match self.types_of_ranks_raw(room, inputs.as_ptr(), ranks.as_ptr(), inputs.len() as i32) {
            0 => Ok(types),
            code => Err(code),
        }
    }

    /// The same with whatever pointers and numbers.
    #[expect(clippy::not_unsafe_ptr_arg_deref, reason = "what isn't there has to be refused")]
    pub fn types_of_ranks_raw(
        &self,
        (out, out_count): (*mut i32, i32),
        inputs: *const i32,
        ranks: *const i32,
        count: i32,
    ) -> i32 {
        assert!(self.is_quick());
        // SAFETY: it is a quick plugin's build; tests give room, or pointers that are refused.
        unsafe {
            call!(
                self.interface(1),
                4,
                fn(*mut i32, i32, *const i32, *const i32, i32) -> i32,
                out,
                out_count,
                inputs,
                ranks,
                count
            )
        }
    }

    /// Types and layouts that it takes, each as many as there are tensors.
    ///
    /// # Errors
    /// What was returned, where that says that it failed.
    pub fn combinations(
        &self,
        tensors: &[DynamicDesc],
        (inputs, outputs): (i32, i32),
    ) -> Result<Vec<Vec<(i32, i32)>>, i32> {
        let count = self.combination_count_raw(tensors.as_ptr(), (inputs, outputs));
        if count < 0 {
            return Err(count);
        }
        let mut room = vec![Desc::new(-7, &[]); count as usize * tensors.len()];
        match self.combinations_raw(tensors.as_ptr(), (inputs, outputs), room.as_mut_ptr(), count) {
            0 => Ok(room
                .chunks(tensors.len())
                .map(|c| c.iter().map(|desc| (desc.dtype, desc.format)).collect())
                .collect()),
            code => Err(code),
        }
    }

    /// How many combinations there are, of whatever pointer and numbers.
    #[expect(clippy::not_unsafe_ptr_arg_deref, reason = "what isn't there has to be refused")]
    pub fn combination_count_raw(&self, tensors: *const DynamicDesc, (inputs, outputs): (i32, i32)) -> i32 {
        assert!(self.is_quick());
        // SAFETY: it is a quick plugin's build; tests give descs, or pointers that are refused.
        unsafe { call!(self.interface(1), 7, fn(*const DynamicDesc, i32, i32) -> i32, tensors, inputs, outputs) }
    }

    /// Writes combinations, with whatever pointers and numbers.
    #[expect(clippy::not_unsafe_ptr_arg_deref, reason = "what isn't there has to be refused")]
    pub fn combinations_raw(
        &self,
        tensors: *const DynamicDesc,
        (inputs, outputs): (i32, i32),
        room: *mut Desc,
        count: i32,
    ) -> i32 {
        // SAFETY: as above.
        unsafe {
            call!(
                self.interface(1),
                8,
                fn(*const DynamicDesc, i32, i32, *mut Desc, i32) -> i32,
                tensors,
                inputs,
                outputs,
                room,
                count
            )
        }
    }

    /// Whether some combination has the types and layouts up to a position.
    pub(super) fn supports_quick(&self, position: i32, tensors: &[DynamicDesc], counts: (i32, i32)) -> bool {
        let given: Vec<(i32, i32)> = tensors.iter().map(|tensor| (tensor.desc.dtype, tensor.desc.format)).collect();
        let listed = self.combinations(tensors, counts).unwrap_or_default();
        listed.iter().any(|combination| combination.starts_with(&given[..=position as usize]))
    }

    /// Slot 5 of the runtime.
    ///
    /// # Safety
    /// As [`Plugin::enqueue`].
    pub(super) unsafe fn enqueue_quick(
        &self,
        (input_descs, output_descs): (&[Desc], &[Desc]),
        inputs: &[*const c_void],
        outputs: &[*mut c_void],
        stream: *mut c_void,
    ) -> i32 {
        let (input_strides, output_strides) = (strides(input_descs), strides(output_descs));
        // SAFETY: as the caller says.
        unsafe {
            call!(
                self.interface(2),
                5,
                fn(
                    *const Desc,
                    *const Desc,
                    *const *const c_void,
                    *const *mut c_void,
                    *const Dims,
                    *const Dims,
                    i32,
                    i32,
                    *mut c_void,
                ) -> i32,
                input_descs.as_ptr(),
                output_descs.as_ptr(),
                inputs.as_ptr(),
                outputs.as_ptr(),
                input_strides.as_ptr(),
                output_strides.as_ptr(),
                input_descs.len() as i32,
                output_descs.len() as i32,
                stream
            )
        }
    }

    /// The launch of its kernel for extents of the inputs.
    ///
    /// # Errors
    /// What was returned, where it isn't 0.
    pub fn launch(
        &self,
        exprs: &Exprs,
        inputs: &[Vec<Expr>],
        tensors: &[DynamicDesc],
        counts: (i32, i32),
    ) -> Result<Launch, i32> {
        let given: Vec<RawExprs> = inputs.iter().map(|input| RawExprs::new(exprs, input)).collect();
        let launches = Launches::new();
        match self.launch_raw((given.as_ptr(), tensors.as_ptr()), counts, launches.raw(), exprs.raw()) {
            0 => Ok(launches.read(exprs)),
            code => Err(code),
        }
    }

    /// The same with whatever pointers and numbers.
    #[expect(clippy::not_unsafe_ptr_arg_deref, reason = "what isn't there has to be refused")]
    pub fn launch_raw(
        &self,
        (inputs, tensors): (*const RawExprs, *const DynamicDesc),
        (input_count, output_count): (i32, i32),
        (params, arguments): (*mut c_void, *mut c_void),
        builder: *mut c_void,
    ) -> i32 {
        assert!(self.is_aot());
        // SAFETY: it is a plugin's build, for AOT kernels; tests give what is there, or pointers that are refused.
        unsafe {
            call!(
                self.interface(1),
                15,
                fn(*const RawExprs, *const DynamicDesc, i32, i32, *mut c_void, *mut c_void, *mut c_void) -> i32,
                inputs,
                tensors,
                input_count,
                output_count,
                params,
                arguments,
                builder
            )
        }
    }

    /// Its kernel for these tensors.
    ///
    /// # Errors
    /// What was returned, where it isn't 0.
    pub fn kernel(&self, inputs: &[Desc], outputs: &[Desc]) -> Result<Kernel, i32> {
        let (mut name, mut image, mut bytes) = (ptr::null(), ptr::null_mut(), 0);
        let descs = ((inputs.as_ptr(), inputs.len() as i32), (outputs.as_ptr(), outputs.len() as i32));
        match self.kernel_raw(descs, &raw mut name, &raw mut image, &raw mut bytes) {
            0 => Ok(()),
            code => Err(code),
        }?;
        // SAFETY: a name that ends with 0 and as many bytes were lent, as long as the plugin lives.
        unsafe {
            let image = std::slice::from_raw_parts(image.cast::<u8>(), bytes as usize).to_vec();
            Ok(Kernel { name: CStr::from_ptr(name).to_str().expect("UTF-8").to_owned(), image })
        }
    }

    /// The same with whatever pointers and numbers.
    #[expect(clippy::not_unsafe_ptr_arg_deref, reason = "what isn't there has to be refused")]
    pub fn kernel_raw(
        &self,
        ((inputs, input_count), (outputs, output_count)): ((*const Desc, i32), (*const Desc, i32)),
        name: *mut *const c_char,
        image: *mut *mut c_char,
        bytes: *mut i32,
    ) -> i32 {
        assert!(self.is_aot());
        // SAFETY: as above.
        unsafe {
            call!(
                self.interface(1),
                16,
                fn(*const Desc, i32, *const Desc, i32, *mut *const c_char, *mut *mut c_char, *mut i32) -> i32,
                inputs,
                input_count,
                outputs,
                output_count,
                name,
                image,
                bytes
            )
        }
    }
}

/// The most tensors of a plugin of the tests.
const MOST: usize = 16;

/// Strides of tensors whose elements lie one after another.
fn strides(descs: &[Desc]) -> [Dims; MOST] {
    let mut all = [dims(&[]); MOST];
    for (strides, desc) in all.iter_mut().zip(descs) {
        *strides = desc.dims;
        let mut stride = 1;
        for axis in (0..desc.dims.count as usize).rev() {
            strides.extents[axis] = stride;
            stride *= desc.dims.extents[axis].max(1);
        }
    }
    all
}
