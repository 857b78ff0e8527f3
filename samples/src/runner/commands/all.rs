//! `samples all`: every sample in one go.

use super::add::add_dynamic;
use super::circ_pad::{Tactics, circ_pad_of};
use super::inplace_add::inplace_add_dynamic;
use super::non_zero::non_zero_of;
use crate::runner::cli::AllArgs;
use crate::runner::data::{self, Fill};
use crate::runner::failure::Result;
use crate::runner::output::Output;
use crate::runner::session::Session;

/// The smallest, the usual and the largest shape of the additions.
const SHAPES: [[i64; 3]; 3] = [[1, 1, 1], [3, 4, 5], [6, 8, 10]];

/// Runs them all.
///
/// # Errors
/// The first one that fails or is wrong.
pub(in crate::runner) fn all(args: &AllArgs, out: &mut Output) -> Result<()> {
    let dtype = args.dtype.data_type();
    let mut session = Session::new(&args.build, out)?;
    add_dynamic(&mut session, dtype, SHAPES)?;
    inplace_add_dynamic(&mut session, dtype, SHAPES)?;
    let image = data::made_up(dtype, &[10, 3, 32, 32], args.build.seed, Fill::Values)?;
    circ_pad_of(&mut session, &image, &[1, 1, 1, 1], Tactics::One)?;
    circ_pad_of(&mut session, &image, &[1, 1, 1, 1], Tactics::All)?;
    let matrix = data::made_up(dtype, &[128, 128], args.build.seed, Fill::HalfZeros)?;
    non_zero_of(&mut session, &matrix)?;
    Ok(())
}
