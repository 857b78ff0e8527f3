//! Registers, spills, stack and shared memory of compiled kernels.

use super::super::image::Image;
use super::super::{Architecture, KernelEntry, Source};
use crate::error::Result;

/// A source compiled for one architecture.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CompileReport {
    architecture: Architecture,
    kernels: Vec<KernelReport>,
    image: Image,
}

/// Registers, spills, stack and shared memory of a kernel, with the functions that it calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KernelReport {
    /// Its name.
    pub name: String,
    /// Registers per thread.
    pub registers: u32,
    /// Bytes of register spills per thread that are stored: 0 in a good kernel.
    pub spill_store_bytes: u32,
    /// Bytes of register spills per thread that are loaded back.
    pub spill_load_bytes: u32,
    /// Bytes of local memory per thread, for indexed arrays and spills.
    pub stack_bytes: u32,
    /// Bytes of static shared memory per block.
    pub shared_bytes: u32,
}

impl CompileReport {
    /// From the log of a compilation that was asked to be verbose.
    pub(super) fn new(source: &Source, architecture: Architecture, image: Image, log: &str) -> CompileReport {
        let mut kernels = kernels_in(log);
        for (name, symbol) in image.symbols(source) {
            kernels.iter_mut().filter(|kernel| kernel.name == symbol).for_each(|kernel| kernel.name = name.to_owned());
        }
        kernels.sort_by(|a, b| a.name.cmp(&b.name));
        CompileReport { architecture, kernels, image }
    }

    /// Whether there are kernels of which the compiler's log said nothing.
    pub(super) fn tells_nothing(&self) -> bool {
        self.kernels.is_empty() && self.image.kernel_names().is_some_and(|names| !names.is_empty())
    }

    /// The architecture that it was compiled for.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// Every kernel, sorted by name.
    pub fn kernels(&self) -> &[KernelReport] {
        &self.kernels
    }

    /// The kernel of a name.
    pub fn kernel(&self, name: &str) -> Option<&KernelReport> {
        self.kernels.iter().find(|kernel| kernel.name == name)
    }

    /// Compares a kernel's declaration with what was compiled.
    ///
    /// # Errors
    /// When there is no such kernel, or it takes other parameters.
    pub fn check(&self, declared: &KernelEntry) -> Result<()> {
        self.image.check(declared)
    }
}

/// A kernel's lines come together; functions that it calls follow it, with their own stack and spills.
fn kernels_in(log: &str) -> Vec<KernelReport> {
    let mut kernels: Vec<KernelReport> = Vec::new();
    for line in log.lines() {
        if let Some((_, rest)) = line.split_once("Compiling entry function '") {
            let name = rest.split('\'').next().unwrap_or_default().to_owned();
            kernels.push(KernelReport { name, ..Default::default() });
        }
        let Some(kernel) = kernels.last_mut() else { continue };
        let number = |unit| number_before(line, unit);
        kernel.registers = kernel.registers.max(number(" registers"));
        kernel.shared_bytes = kernel.shared_bytes.max(number(" bytes smem"));
        kernel.stack_bytes = kernel.stack_bytes.max(number(" bytes stack frame"));
        kernel.stack_bytes = kernel.stack_bytes.max(number(" bytes cumulative stack size"));
        kernel.spill_store_bytes = kernel.spill_store_bytes.saturating_add(number(" bytes spill stores"));
        kernel.spill_load_bytes = kernel.spill_load_bytes.saturating_add(number(" bytes spill loads"));
    }
    kernels.sort_by(|a, b| a.name.cmp(&b.name));
    kernels
}

/// The number before a text, or 0.
fn number_before(line: &str, text: &str) -> u32 {
    let Some((before, _)) = line.split_once(text) else { return 0 };
    let digits = before.len() - before.bytes().rev().take_while(u8::is_ascii_digit).count();
    before[digits..].parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'calls' for 'sm_90'
ptxas info    : Function properties for calls
ptxas         .     928 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads
ptxas info    : Used 32 registers, used 1 barriers, 936 bytes cumulative stack size, 364 bytes cmem[0]
ptxas info    : Compile time = 40.440 ms
ptxas info    : Function properties for _Z6helperPfi
    0 bytes stack frame, 1144 bytes spill stores, 1172 bytes spill loads
ptxas info    : Compiling entry function 'add' for 'sm_90'
ptxas info    : Function properties for add
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 10 registers, used 1 barriers, 256 bytes smem
";

    #[test]
    fn spills_of_called_functions_count() {
        let kernels = kernels_in(LOG);
        let add = KernelReport { name: "add".to_owned(), registers: 10, shared_bytes: 256, ..Default::default() };
        let calls = KernelReport {
            name: "calls".to_owned(),
            registers: 32,
            spill_store_bytes: 1152,
            spill_load_bytes: 1176,
            stack_bytes: 936,
            shared_bytes: 0,
        };
        assert_eq!(kernels, [add, calls]);
    }

    #[test]
    fn other_lines_tell_nothing() {
        assert_eq!(kernels_in("a.cu(3): warning #177-D\nUsed 3 registers\n"), []);
        assert_eq!(number_before("Used many registers", " registers"), 0);
        assert_eq!(number_before("99999999999 registers", " registers"), 0);
    }
}
