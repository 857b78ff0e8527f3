//! Engine files: a built engine, to be loaded and run without building again.
//!
//! A file is a [`container`] of checked sections: one that holds the [graph](records), one for each constant, used where
//! it lies when the file is mapped, and one for each image of kernels. What a file says is checked when it is loaded; a
//! file can make loading or running fail, but nothing worse. Sizes are bounded by the file's own: the arena by what the
//! steps write.

mod attributes;
mod container;
mod graph;
mod images;
mod kernels;
mod load;
mod load_graph;
mod load_plan;
mod records;
mod runtime_kernels;
mod save;
mod symbols;
#[cfg(test)]
mod tests;
mod wire;

use std::path::Path;

use prost::Message;

use super::{Engine, EngineInner};
use crate::device::{Constant, Device, FileBytes};

use crate::device::cuda::AotBinary;
use crate::error::{Error, ErrorKind, Result};
use crate::whole_file;
use container::{Part, SectionKind};
use images::Images;

/// The most bytes that the graph of an engine takes in a file, which are some hundred thousand layers. To read it takes
/// up to a hundred times as much memory where nobody wrote it in earnest.
const LARGEST_GRAPH: usize = 16 << 20;

/// Constants of up to so many bytes in all are compared with their checksums when a file is loaded.
const VERIFIED_CONSTANTS: usize = 4 << 20;

impl Engine {
    /// Saves the engine to a file, for [`Engine::load`]. The file is written whole or not at all: what was at `path`
    /// before stays until all is on the disk, and then is replaced at once.
    ///
    /// Kept are the steps with their chosen types, layouts and tactics, shapes, profiles, the memory plan, constants,
    /// and of the plugins' attributes those that an impl names; of layers that run AOT kernels the kernels, and where
    /// all layers do, the runtime's own kernels for what is between them. Times aren't: engines that were built alike
    /// give the same bytes.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let written = self
            .0
            .graph_bytes()
            .and_then(|graph| Ok(whole_file::write(path, |out| container::write(&self.0.parts(&graph), out))?));
        written.map_err(|e| e.within(format_args!("engine file `{}` can't be written", path.display())))
    }

    /// Loads an engine that [`Engine::save`] wrote. The plugins whose impls it runs have to be linked, at the versions
    /// that it was built with; autotune functions aren't needed, and never called. Layers that run AOT kernels need
    /// neither plugin nor compiler, but an image that the device runs. Where all layers do, neither does the engine, if
    /// it was built by this version of the runtime; else conversions and size tensors need the compiler.
    ///
    /// The file is mapped, and constants are used where they lie: they take no memory of the process, and no time before
    /// they are used. Until the engine and its contexts are gone, the file may not be written to or cut short in place;
    /// it may be replaced, as [`Engine::save`] does, or deleted.
    ///
    /// All but large constants is compared with its checksums: from 4 MiB of constants on, see [`Engine::verify`].
    ///
    /// # Errors
    /// When the file can't be read, is damaged, was built for another device or written in another format version, or
    /// when a plugin isn't linked: then the kind is [`ErrorKind::Registry`].
    pub fn load(path: impl AsRef<Path>) -> Result<Engine> {
        load_file(path.as_ref(), &str::parse::<Device>)
    }

    /// As [`Engine::load`], for this device in place of the first of its kind.
    ///
    /// # Errors
    /// As [`Engine::load`], and when the engine was built for another kind of device.
    pub fn load_on(path: impl AsRef<Path>, device: &Device) -> Result<Engine> {
        load_file(path.as_ref(), &|name| of_kind(device, name))
    }

    /// The bytes that [`Engine::save`] would write to a file.
    ///
    /// # Errors
    /// When the engine has more layers than a file can hold, or memory lacks.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let saved = || {
            let graph = self.0.graph_bytes()?;
            let (parts, mut bytes) = (self.0.parts(&graph), Vec::new());
            bytes.try_reserve_exact(container::len(&parts)).map_err(|e| Error::new(ErrorKind::OutOfMemory, e))?;
            container::write(&parts, &mut bytes)?;
            Ok(bytes)
        };
        saved().map_err(|e: Error| e.within("the engine can't be saved"))
    }

    /// As [`Engine::load`], from a copy of what a file holds.
    ///
    /// # Errors
    /// As [`Engine::load`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Engine> {
        load_bytes(bytes, &str::parse::<Device>)
    }

    /// As [`Engine::load_on`], from a copy of what a file holds.
    ///
    /// # Errors
    /// As [`Engine::load_on`].
    pub fn from_bytes_on(bytes: &[u8], device: &Device) -> Result<Engine> {
        load_bytes(bytes, &|name| of_kind(device, name))
    }

    /// Compares the constants of an engine that was loaded with the checksums in its file: reads all of them. An engine
    /// that was built has nothing to be compared with.
    ///
    /// # Errors
    /// When a constant isn't as it was saved.
    pub fn verify(&self) -> Result<()> {
        for (position, constant) in self.0.constants.iter().enumerate() {
            constant.verify().map_err(|e| e.within(format_args!("constant {position}")))?;
        }
        Ok(())
    }
}

impl EngineInner {
    fn graph_bytes(&self) -> Result<Vec<u8>> {
        check_byte_order()?;
        let graph = save::graph(self)?.encode_to_vec();
        if graph.len() > LARGEST_GRAPH {
            let len = graph.len();
            return Err(Error::invalid(format_args!(
                "its layers, shapes and attributes take {len} bytes; at most {LARGEST_GRAPH} are possible: make large \
                 attributes constants"
            )));
        }
        Ok(graph)
    }

    fn parts<'e>(&'e self, graph: &'e [u8]) -> Vec<Part<'e>> {
        let graph = Part { kind: SectionKind::Graph, checksum: crc32fast::hash(graph), bytes: graph };
        let constant = |constant: &'e Constant| Part {
            kind: SectionKind::Constant,
            checksum: constant.checksum(),
            bytes: constant.bytes(),
        };
        let image = |image: &'e AotBinary| {
            let bytes = image.image.bytes();
            Part { kind: SectionKind::Image, checksum: crc32fast::hash(bytes), bytes }
        };
        let images = Images::of(self).images;
        let constants = self.constants.iter().map(constant);
        std::iter::once(graph).chain(constants).chain(images.into_iter().map(image)).collect()
    }
}

/// Finds the device for an engine, given the name of the kind that it was built for.
type FindDevice<'f> = &'f dyn Fn(&str) -> Result<Device>;

fn of_kind(device: &Device, kind: &str) -> Result<Device> {
    if device.kind().name() == kind {
        return Ok(device.clone());
    }
    Err(Error::invalid(format_args!(
        "it can't be loaded on `{device}`: load it without naming a device, or name another"
    )))
}

fn load_file(path: &Path, find: FindDevice<'_>) -> Result<Engine> {
    let loaded = FileBytes::map(path).map_err(Error::from).and_then(|file| load_from(file, find));
    loaded.map_err(|e| e.within(format_args!("engine file `{}` can't be loaded", path.display())))
}

fn load_bytes(bytes: &[u8], find: FindDevice<'_>) -> Result<Engine> {
    load_from(FileBytes::copy(bytes)?, find).map_err(|e| e.within("the engine can't be loaded"))
}

fn load_from(file: FileBytes, find: FindDevice<'_>) -> Result<Engine> {
    check_byte_order()?;
    let engine = load::engine(file, find)?;
    engine.0.load_kernels()?;
    Ok(engine)
}

/// Constants and attributes lie in files as they do in a little-endian machine's memory.
fn check_byte_order() -> Result<()> {
    if cfg!(target_endian = "little") {
        return Ok(());
    }
    Err(Error::invalid("engine files need a little-endian machine"))
}
