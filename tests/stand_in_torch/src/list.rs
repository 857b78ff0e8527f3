//! Lists and texts.

use std::ffi::c_char;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::Handle;

static HANDLES: AtomicI64 = AtomicI64::new(0);

/// How many lists, texts and optionals weren't given back.
#[unsafe(no_mangle)]
extern "C-unwind" fn stand_in_values() -> i64 {
    HANDLES.load(Ordering::SeqCst)
}

fn kept<T>(value: T) -> Handle {
    HANDLES.fetch_add(1, Ordering::SeqCst);
    Box::into_raw(Box::new(value)).cast()
}

/// # Safety
/// It came from [`kept`], with this type.
unsafe fn given_back<T>(raw: Handle) -> i32 {
    HANDLES.fetch_sub(1, Ordering::SeqCst);
    // SAFETY: as the caller says.
    drop(unsafe { Box::from_raw(raw.cast::<T>()) });
    0
}

/// # Safety
/// There are so many words.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn stand_in_list(words: *const u64, len: usize) -> Handle {
    // SAFETY: as the caller says.
    kept(unsafe { std::slice::from_raw_parts(words, len) }.to_vec())
}

/// # Safety
/// There are so many bytes.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn stand_in_string(bytes: *const u8, len: usize) -> Handle {
    // SAFETY: as the caller says.
    let mut text = unsafe { std::slice::from_raw_parts(bytes, len) }.to_vec();
    text.push(0);
    kept(text)
}

/// An optional that holds a word.
#[unsafe(no_mangle)]
extern "C-unwind" fn stand_in_optional(word: u64) -> Handle {
    kept(word)
}

/// # Safety
/// As PyTorch's header says.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn torch_delete_stable_ivalue(word: *mut u64) -> i32 {
    // SAFETY: as the caller says.
    unsafe { given_back::<u64>(word.cast()) }
}

/// # Safety
/// As PyTorch's header says.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn torch_list_size(list: Handle, out: *mut usize) -> i32 {
    // SAFETY: as the caller says.
    unsafe { out.write((*list.cast::<Vec<u64>>()).len()) };
    0
}

/// # Safety
/// As PyTorch's header says.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn torch_list_get_item(list: Handle, index: usize, out: *mut u64) -> i32 {
    // SAFETY: as the caller says.
    unsafe { out.write((&*list.cast::<Vec<u64>>())[index]) };
    0
}

/// # Safety
/// As PyTorch's header says.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn torch_delete_list(list: Handle) -> i32 {
    // SAFETY: as the caller says.
    unsafe { given_back::<Vec<u64>>(list) }
}

/// # Safety
/// As PyTorch's header says.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn torch_string_length(text: Handle, out: *mut usize) -> i32 {
    // SAFETY: as the caller says.
    unsafe { out.write((*text.cast::<Vec<u8>>()).len() - 1) };
    0
}

/// # Safety
/// As PyTorch's header says.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn torch_string_c_str(text: Handle, out: *mut *const c_char) -> i32 {
    // SAFETY: as the caller says.
    unsafe { out.write((*text.cast::<Vec<u8>>()).as_ptr().cast()) };
    0
}

/// # Safety
/// As PyTorch's header says.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn torch_delete_string(text: Handle) -> i32 {
    // SAFETY: as the caller says.
    unsafe { given_back::<Vec<u8>>(text) }
}
