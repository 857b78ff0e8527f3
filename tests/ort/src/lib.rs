//! Every case of the suite in sessions of the crate `ort`, with the plugins of this program: no library of them is loaded.

#[cfg(test)]
mod sessions;
