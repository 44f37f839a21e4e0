//! Sorts anchors into buckets so that a look at the halves of four bytes lets as few places through as can be.
//!
//! Each anchor is known by its rarest four bytes, its window. A bucket admits a byte at one of the four places when one of
//! its windows has a byte with that upper half there, and one of them a byte with that lower half.

use super::Anchor;

/// Bytes of a window.
pub(super) const WINDOW: usize = 4;

/// How common bytes are in images, by the thousand thousand; made from programs and text in equal parts. Only speed
/// depends on it.
fn share(byte: u8) -> f32 {
    match byte {
        0 => 200_000.0,
        b'e' | b't' | b' ' => 30_000.0,
        b'a'..=b'z' => 20_000.0,
        0xff => 15_000.0,
        b'\n' | b'H' => 12_000.0,
        b'0'..=b'9' | b'_' | b'-' | b'.' | b'=' => 6_000.0,
        b'A'..=b'Z' => 5_000.0,
        b'!'..=b'~' => 3_000.0,
        _ => 1_500.0,
    }
}

/// The bytes that an anchor is looked for by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window<'a> {
    /// Where in the anchor it begins.
    pub(super) offset: usize,
    /// Four bytes, or all of a shorter anchor.
    pub(super) bytes: &'a [u8],
    /// Whether letters of the other case are as good.
    any_case: bool,
}

impl<'a> Window<'a> {
    /// The rarest window of `anchor`.
    pub(super) fn of(anchor: &'a Anchor) -> Self {
        let Anchor { ref text, any_case } = *anchor;
        let all = text.windows(WINDOW.min(text.len()).max(1)).zip(0..);
        let all = all.map(|(bytes, offset)| Self { offset, bytes, any_case });
        let rarest = all.min_by(|a, b| a.chance().total_cmp(&b.chance()));
        rarest.unwrap_or(Self { offset: 0, bytes: text, any_case })
    }

    /// The bytes that may stand at `place` of it, one or two.
    fn at(&self, place: usize) -> Option<impl Iterator<Item = u8> + use<>> {
        let byte = *self.bytes.get(place)?;
        let other = (self.any_case && byte.is_ascii_alphabetic()).then_some(byte ^ 0x20);
        Some([byte].into_iter().chain(other))
    }

    fn chance(&self) -> f32 {
        (0..WINDOW).filter_map(|place| Some(self.at(place)?.map(share).sum::<f32>() / 1e6)).product()
    }
}

/// What one bucket admits: for each place of the window, the lower and upper halves, a bit each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    pub(super) lower: [u16; WINDOW],
    pub(super) upper: [u16; WINDOW],
}

impl Bucket {
    fn with(mut self, window: &Window<'_>) -> Self {
        for place in 0..WINDOW {
            let Some(bytes) = window.at(place) else {
                // Behind the end of a short window anything may stand.
                (self.lower[place], self.upper[place]) = (!0, !0);
                continue;
            };
            for byte in bytes {
                self.lower[place] |= 1 << (byte & 15);
                self.upper[place] |= 1 << (byte >> 4);
            }
        }
        self
    }

    /// The share of places that it admits.
    fn admits(&self, shares: &[[f32; 16]; 16]) -> f32 {
        let bits = |mask: u16| (0..16usize).filter(move |bit| mask >> bit & 1 == 1);
        let at = |place: usize| -> f32 {
            bits(self.upper[place])
                .map(|upper| bits(self.lower[place]).map(|lower| shares[upper][lower]).sum::<f32>())
                .sum()
        };
        (0..WINDOW).map(at).product()
    }
}

/// Puts each window into the bucket that it makes the least worse.
pub(super) fn fill<const COUNT: usize>(windows: &[Window<'_>]) -> [Bucket; COUNT] {
    let sum: f32 = (0..=255).map(share).sum();
    let shares = std::array::from_fn(|upper| std::array::from_fn(|lower| share((upper << 4 | lower) as u8) / sum));
    let mut buckets = [Bucket::default(); COUNT];
    let mut costs = [0f32; COUNT];
    for window in windows {
        let grown = |index: usize| {
            let bucket = buckets[index].with(window);
            let cost = bucket.admits(&shares);
            (cost - costs[index], index, bucket, cost)
        };
        if let Some((_, index, bucket, cost)) = (0..COUNT).map(grown).min_by(|a, b| a.0.total_cmp(&b.0)) {
            (buckets[index], costs[index]) = (bucket, cost);
        }
    }
    buckets
}
