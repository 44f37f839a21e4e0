//! What stands before the payload of an rpm package: a lead, the signatures, the header.

use super::{Stored, ends_within, wrong};
use std::io;

/// Bytes of the lead.
pub(super) const LEAD: usize = 96;

/// Goes to the payload.
pub(super) fn skip_headers(stored: &mut Stored<'_>) -> io::Result<()> {
    stored.skip(LEAD as u64)?;
    for is_signature in [true, false] {
        let Some(&[0x8e, 0xad, 0xe8, 1, _, _, _, _, i0, i1, i2, i3, s0, s1, s2, s3]) = stored.peek(16)?.first_chunk()
        else {
            return Err(wrong("a header of rpm is wrong"));
        };
        let (index, store) = (u32::from_be_bytes([i0, i1, i2, i3]), u32::from_be_bytes([s0, s1, s2, s3]));
        let length = 16 + 16 * u64::from(index) + u64::from(store);
        let length = if is_signature { length.next_multiple_of(8) } else { length };
        if stored.skip(length)? < length {
            return Err(ends_within("a header of rpm"));
        }
    }
    Ok(())
}
