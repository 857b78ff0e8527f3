//! x
pub mod add; pub mod inplace_add; pub mod non_zero; pub mod circ_pad; pub mod reference;
