//! Which input an output may take the memory of, as the runtime asks: by a function that isn't told of which operator.

use std::ffi::c_int;
use std::sync::{Mutex, PoisonError};

use super::abi::OrtCustomOp;

/// How many different answers there can be; a plugin beyond that is given separate memory, and copies.
const SLOTS: usize = 16;

/// (inputs, outputs), paired by position.
type Pairs = (Vec<c_int>, Vec<c_int>);

/// The answers, each for ever.
static ANSWERS: Mutex<Vec<&'static Pairs>> = Mutex::new(Vec::new());

type MayInPlace = unsafe extern "system" fn(*mut *mut c_int, *mut *mut c_int) -> usize;

/// # Safety
/// Both are room for a pointer.
#[expect(unsafe_code, reason = "called by the runtime")]
unsafe extern "system" fn answer<const SLOT: usize>(inputs: *mut *mut c_int, outputs: *mut *mut c_int) -> usize {
    let answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(pairs) = answers.get(SLOT) else { return 0 };
    // SAFETY: the runtime gives room for both, and only reads what is there.
    unsafe {
        inputs.write(pairs.0.as_ptr().cast_mut());
        outputs.write(pairs.1.as_ptr().cast_mut());
    }
    pairs.0.len()
}

#[expect(unsafe_code, reason = "called by the runtime")]
unsafe extern "system" fn release(_inputs: *mut c_int, _outputs: *mut c_int) {}

macro_rules! each_slot {
    ($($slot:literal)*) => { [$(answer::<$slot>),*] };
}

const FUNCTIONS: [MayInPlace; SLOTS] = each_slot!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);

/// Lets an operator's outputs take the memory of these inputs.
pub(super) fn allow(operator: &mut OrtCustomOp, aliases: &[Option<usize>]) {
    let pairs = aliases
        .iter()
        .enumerate()
        .filter_map(|(output, input)| Some((c_int::try_from((*input)?).ok()?, c_int::try_from(output).ok()?)));
    let pairs: Pairs = pairs.unzip();
    if pairs.0.is_empty() {
        return;
    }
    let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
    let slot = answers.iter().position(|known| **known == pairs).or_else(|| {
        let is_room = answers.len() < SLOTS;
        is_room.then(|| answers.push(Box::leak(Box::new(pairs))))?;
        Some(answers.len() - 1)
    });
    if let Some(slot) = slot {
        operator.may_inplace = Some(FUNCTIONS[slot]);
        operator.release_may_inplace = Some(release);
    }
}
