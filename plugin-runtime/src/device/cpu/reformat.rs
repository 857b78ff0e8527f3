//! Stand-in.
use crate::error::Result;
use crate::tensor::{DataType, Format};
#[expect(clippy::too_many_arguments, reason = "stand-in")]
pub(crate) fn reformat(
    src: &[u8],
    _: DataType,
    _: Format,
    _: f32,
    dst: &mut [u8],
    _: DataType,
    _: Format,
    _: f32,
    _: &[i64],
) -> Result<()> {
    dst.copy_from_slice(src);
    Ok(())
}
