use std::ptr::null_mut;
use std::sync::Arc;

use super::abi::{CPU, DLDevice};
use super::exported::{Form, export};
use crate::shape::Dims;
use crate::tensor::DataType;

struct Owner(#[expect(dead_code, reason = "counted")] Arc<()>, bool);

impl Drop for Owner {
    fn drop(&mut self) {
        assert!(!self.1, "an owner that can't be dropped in peace");
    }
}

fn form(dtype: DataType) -> Form {
    let device = DLDevice { device_type: CPU, device_id: 0 };
    Form { dtype, dims: Dims::new(&[2]).unwrap(), device, read_only: true }
}

#[test]
fn the_deleter_drops_the_owner_and_lets_no_panic_out() {
    for panics in [false, true] {
        let count = Arc::new(());
        let owner = Owner(count.clone(), panics);
        let capsule = export(owner, &form(DataType::Int8), |_| null_mut()).unwrap().as_ptr();
        assert_eq!(Arc::strong_count(&count), 2);
        // SAFETY: it was just made, and isn't used afterwards.
        #[expect(unsafe_code, reason = "calls the deleter, as C does")]
        unsafe {
            assert_eq!((*capsule).flags, 1);
            (*capsule).deleter.unwrap()(capsule);
        }
        assert_eq!(Arc::strong_count(&count), 1);
    }
}

#[test]
fn what_can_not_be_given_is_dropped() {
    let count = Arc::new(());
    assert!(export(Owner(count.clone(), false), &form(DataType::Int4), |_| null_mut()).is_err());
    assert_eq!(Arc::strong_count(&count), 1);
}
