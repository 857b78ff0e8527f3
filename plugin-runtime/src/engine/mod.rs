//! Building engines and running them.
