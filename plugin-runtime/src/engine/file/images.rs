//! The images of an engine's kernels, each once, and the sets of them that hold the same kernels.

use std::sync::Arc;

use super::container::{self, Section};
use super::records::{EngineRecord, ImageRecord, ModuleRecord};
use crate::device::FileBytes;

use crate::device::cuda::{AotBinary, AotModule, LARGEST_IMAGE};
use crate::engine::EngineInner;
use crate::error::{Error, Result};

use super::wire::count;

/// Images of more bytes than this in all aren't read.
const MOST_IMAGE_BYTES: usize = 4 * LARGEST_IMAGE;

/// The images of an engine's kernels: those of its steps, in the order of first use, then those of the runtime's own.
#[derive(Default)]
pub(super) struct Images<'e> {
    pub(super) images: Vec<&'e AotBinary>,
    /// Each module with the indices of its images.
    modules: Vec<(&'e AotModule, Vec<usize>)>,
}

impl<'e> Images<'e> {
    pub(super) fn of(engine: &'e EngineInner) -> Self {
        let mut all = Images::default();
        let programs = engine.plans.iter().flat_map(|plan| plan.steps.iter().filter_map(|step| step.kernels()));
        let of_runtime = engine.runtime_kernels.iter().map(|kernels| kernels.module());
        for module in programs.map(|program| &*program.module).chain(of_runtime) {
            if all.modules.iter().all(|(known, _)| !std::ptr::eq(*known, module)) {
                let images = module.binaries().iter().map(|binary| all.image(binary)).collect();
                all.modules.push((module, images));
            }
        }
        all
    }

    fn image(&mut self, binary: &'e AotBinary) -> usize {
        let bytes = binary.image.bytes();
        let known = self.images.iter().position(|known| known.image.bytes() == bytes);
        known.unwrap_or_else(|| {
            self.images.push(binary);
            self.images.len() - 1
        })
    }

    /// Which module a program's is: the first with the same images.
    pub(super) fn module(&self, module: &AotModule) -> Result<u32> {
        let own = self.modules.iter().find(|(known, _)| std::ptr::eq(*known, module)).map(|(_, images)| images);
        let first = self.modules().iter().position(|images| Some(*images) == own.map(|images| &**images));
        count(first.ok_or_else(|| Error::invalid("its kernels have no image"))?)
    }

    /// Sets of images, each once.
    fn modules(&self) -> Vec<&[usize]> {
        let mut distinct: Vec<&[usize]> = Vec::new();
        for (_, images) in &self.modules {
            if !distinct.contains(&&**images) {
                distinct.push(images);
            }
        }
        distinct
    }

    pub(super) fn records(&self) -> Result<(Vec<ImageRecord>, Vec<ModuleRecord>)> {
        let images = self.images.iter().map(|binary| ImageRecord::of(binary)).collect();
        let modules = self.modules().into_iter().map(|images| {
            Ok(ModuleRecord { images: images.iter().map(|&image| count(image)).collect::<Result<_>>()? })
        });
        Ok((images, modules.collect::<Result<_>>()?))
    }
}

impl ImageRecord {
    fn of(binary: &AotBinary) -> Self {
        let architecture = binary.target.map(|target| target.architecture);
        ImageRecord {
            major: architecture.map_or(0, |architecture| architecture.major),
            minor: architecture.map_or(0, |architecture| architecture.minor),
        }
    }
}

/// The modules that a file holds.
pub(super) fn modules(file: &FileBytes, record: &EngineRecord, sections: &[Section]) -> Result<Vec<Arc<AotModule>>> {
    let (expected, found) = (record.images.len(), sections.len());
    if expected != found {
        return Err(Error::invalid(format_args!("its graph has {expected} images, but {found} sections hold one")));
    }
    let bytes = sections.iter().map(|section| section.range.len()).fold(0, usize::saturating_add);
    if bytes > MOST_IMAGE_BYTES {
        return Err(Error::invalid(format_args!("its images take {bytes} bytes; at most {MOST_IMAGE_BYTES} are read")));
    }
    let mut images = Vec::with_capacity(found);
    for (position, (record, section)) in record.images.iter().zip(sections).enumerate() {
        let loaded = image(file, record, section);
        images.push(loaded.map_err(|e| e.within(format_args!("image {position}")))?);
    }
    let module = |(position, record): (usize, &ModuleRecord)| {
        let image = |&index: &u32| {
            let image = images.get(index as usize).cloned();
            image.ok_or_else(|| Error::invalid(format_args!("there is no image {index}: there are {}", images.len())))
        };
        let module = record.images.iter().map(image).collect::<Result<_>>().and_then(AotModule::new);
        module.map(Arc::new).map_err(|e| e.within(format_args!("module {position}")))
    };
    record.modules.iter().enumerate().map(module).collect()
}

fn image(file: &FileBytes, record: &ImageRecord, section: &Section) -> Result<AotBinary> {
    let bytes = file.get(section.range.clone()).unwrap_or_default();
    container::compare("code", crc32fast::hash(bytes), section.checksum).map_err(Error::invalid)?;
    let binary = AotBinary::new(bytes)?;
    if ImageRecord::of(&binary) != *record {
        let made = binary.describe();
        let ImageRecord { major, minor } = record;
        return Err(Error::invalid(format_args!("it is a {made}, but was saved as of sm_{major}{minor}")));
    }
    Ok(binary)
}
