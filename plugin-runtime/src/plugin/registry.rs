//! The link-time entries, joined once into a sorted index.

/// Placeholder.
#[derive(Debug)]
pub struct Registry {}

/// Placeholder.
#[derive(Debug, Clone, thiserror::Error)]
#[error("registry")]
pub struct RegistryError {}
