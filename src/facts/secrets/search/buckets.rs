//! Sorts anchors into buckets so that a look at the halves of four bytes lets as few places through as can be.
//!
//! Each anchor is known by four of its bytes, its window. A bucket admits a byte at one of the four places when one of its
//! windows has a byte with that upper half there, and one of them a byte with that lower half.

use super::Anchor;

/// Bytes of a window.
pub(super) const WINDOW: usize = 4;

/// How much dearer a place is where a window stands than one that a bucket admits in vain.
const CANDIDATE: f32 = 30.0;

/// Windows of an anchor, the rarest, that are tried in each bucket: all of them would take most of the start.
const CHOICES: usize = 4;

/// How common bytes are in images, by the thousand thousand; made from programs and text in equal parts. Only speed
/// depends on it.
fn share(byte: u8) -> f32 {
    match byte {
        b' ' => 150_000.0,
        0 => 100_000.0,
        b'e' | b't' => 50_000.0,
        b'a' | b'i' | b'n' | b'o' | b'r' | b's' => 31_000.0,
        b'\n' => 20_000.0,
        b'c' | b'd' | b'f' | b'l' | b'm' | b'p' | b'u' => 17_000.0,
        b'.' | b'"' | b',' | b':' | b'_' => 14_000.0,
        0xff => 10_000.0,
        b'b' | b'g' | b'h' | b'v' | b'x' | b'y' => 8_000.0,
        b'0'..=b'9' | b'/' | b'-' | b'(' | b')' | b'=' | b'H' => 6_000.0,
        b'k' | b'w' => 3_500.0,
        b'j' | b'q' | b'z' => 1_200.0,
        b'!'..=b'~' => 2_200.0,
        _ => 1_000.0,
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
    pub(super) any_case: bool,
}

impl<'a> Window<'a> {
    /// Every window of `anchor`.
    fn all(anchor: &'a Anchor) -> impl Iterator<Item = Self> {
        let Anchor { ref text, any_case, .. } = *anchor;
        let all = text.windows(WINDOW.min(text.len()).max(1)).zip(0..);
        all.map(move |(bytes, offset)| Self { offset, bytes, any_case })
    }

    /// The bytes that may stand at `place` of it, one or two.
    fn at(&self, place: usize) -> Option<impl Iterator<Item = u8> + use<>> {
        let byte = *self.bytes.get(place)?;
        let other = (self.any_case && byte.is_ascii_alphabetic()).then_some(byte ^ 0x20);
        Some([byte].into_iter().chain(other))
    }

    /// The share of places where it stands.
    fn chance(&self) -> f32 {
        (0..WINDOW).filter_map(|place| Some(self.at(place)?.map(share).sum::<f32>() / 1e6)).product()
    }
}

/// What one bucket admits: for each place of the window, the lower and upper halves, a bit each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    pub(super) lower: [u16; WINDOW],
    pub(super) upper: [u16; WINDOW],
    /// The share of bytes that it admits at each place.
    admits: [f32; WINDOW],
}

impl Bucket {
    fn with(mut self, window: &Window<'_>, shares: &Shares) -> Self {
        for place in 0..WINDOW {
            let (mut lower, mut upper) = (self.lower[place], self.upper[place]);
            if let Some(bytes) = window.at(place) {
                for byte in bytes {
                    lower |= 1 << (byte & 15);
                    upper |= 1 << (byte >> 4);
                }
            } else {
                // Behind the end of a short window anything may stand.
                (lower, upper) = (!0, !0);
            }
            if (lower, upper) != (self.lower[place], self.upper[place]) {
                (self.lower[place], self.upper[place]) = (lower, upper);
                self.admits[place] = shares.of(lower, upper);
            }
        }
        self
    }

    /// The share of places that it admits.
    fn admits(&self) -> f32 {
        self.admits.iter().product()
    }
}

/// For each upper half, and each set of the lower halves 0 to 7 or 8 to 15, the share of bytes.
struct Shares(Vec<[[f32; 256]; 2]>);

impl Shares {
    fn new() -> Self {
        let sum: f32 = (0..=255).map(share).sum();
        let row = |upper: u8| {
            let of = |half: usize, set: usize| -> f32 {
                let bits = (0..8usize).filter(|bit| set >> bit & 1 == 1);
                bits.map(|bit| share(upper << 4 | (8 * half + bit) as u8) / sum).sum()
            };
            std::array::from_fn(|half| std::array::from_fn(|set| of(half, set)))
        };
        Self((0..16).map(row).collect())
    }

    fn of(&self, lower: u16, upper: u16) -> f32 {
        let [low, high] = lower.to_le_bytes().map(usize::from);
        let rows = self.0.iter().enumerate().filter(|(bit, _)| upper >> bit & 1 == 1);
        rows.map(|(_, [first, second])| first[low] + second[high]).sum()
    }
}

/// Chooses a window for each anchor and puts it into one of `count` buckets, so that this bucket gets the least worse.
/// Those in any case come first, as they are of common letters, and those with few windows before others.
pub(super) fn fill<'a>(anchors: &[(u32, &'a Anchor)], count: usize) -> (Vec<Bucket>, Vec<Window<'a>>) {
    let shares = Shares::new();
    let mut buckets = vec![Bucket::default(); count];
    let mut order: Vec<(usize, &Anchor)> = anchors.iter().map(|(_, anchor)| *anchor).enumerate().collect();
    order.sort_by_key(|(at, anchor)| (!anchor.any_case, anchor.text.len(), *at));
    let mut chosen = Vec::new();
    for (at, anchor) in order {
        let mut windows: Vec<Window<'_>> = Window::all(anchor).collect();
        windows.sort_by(|a, b| a.chance().total_cmp(&b.chance()));
        let choices = windows.into_iter().take(CHOICES).flat_map(|window| {
            let candidates = window.chance() * CANDIDATE;
            (0..count).map(move |index| (window, index, candidates))
        });
        let grown = choices.map(|(window, index, candidates)| {
            let bucket = buckets[index].with(&window, &shares);
            (bucket.admits() - buckets[index].admits() + candidates, window, index, bucket)
        });
        if let Some((_, window, index, bucket)) = grown.min_by(|a, b| a.0.total_cmp(&b.0)) {
            buckets[index] = bucket;
            chosen.push((at, window));
        }
    }
    chosen.sort_unstable_by_key(|(at, _)| *at);
    (buckets, chosen.into_iter().map(|(_, window)| window).collect())
}
