//! bzip2 streams that are short: read from memory, with tables no larger than what a block holds. The library takes and clears
//! the room of the largest block for each stream, which costs more than a thousand short ones; it reads the long ones.

use super::{Stored, ends_within, wrong};
use std::io::{self, Read};

/// What a block begins with.
const BLOCK: u64 = 0x3141_5926_5359;
/// What stands behind the last one.
const END: u64 = 0x1772_4538_5090;

/// Symbols that share a table.
const GROUP: usize = 50;
/// The longest code, bits.
const LONGEST: usize = 20;

/// Begins to read `stored`: here when all of it is at hand, else by the library. `most` bytes fit into its buffer.
pub(super) fn open<'a>(stored: &'a mut Stored<'_>, most: usize) -> io::Result<Box<dyn Read + 'a>> {
    let at_hand = stored.peek(most)?;
    if at_hand.len() >= most {
        return Ok(Box::new(::bzip2::read::MultiBzDecoder::new(stored)));
    }
    let short = Short::new(at_hand.to_vec());
    Ok(Box::new(AtHand { stored, short, taken: false }))
}

/// Reads what is at hand, and leaves what stands behind the streams.
struct AtHand<'a, 'b> {
    stored: &'a mut Stored<'b>,
    short: Short,
    taken: bool,
}

impl Read for AtHand<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.short.read(out);
        if self.short.over && !std::mem::replace(&mut self.taken, true) {
            self.stored.consume(self.short.bits.at.div_ceil(8));
        }
        read
    }
}

/// Reads streams one behind another.
struct Short {
    bits: Bits,
    /// Bytes of the largest block of this stream; none between streams.
    largest: Option<usize>,
    /// For each byte of the block its place in the block before it, and the byte.
    block: Vec<u32>,
    /// The place of the next byte, and how many are left.
    next: u32,
    left: usize,
    /// The last byte, how often it came in a row, and how often it still comes.
    last: Option<u8>,
    row: usize,
    again: usize,
    over: bool,
}

/// Bits, the highest of a byte first.
struct Bits {
    bytes: Vec<u8>,
    /// In bits.
    at: usize,
}

impl Bits {
    /// The next `count` bits, at most 48.
    fn take(&mut self, count: usize) -> io::Result<u64> {
        let bits = self.peek(count);
        if self.at + count > 8 * self.bytes.len() {
            return Err(ends_within("a block"));
        }
        self.at += count;
        Ok(bits)
    }

    /// The same, not taken; zeros behind the end.
    fn peek(&self, count: usize) -> u64 {
        let first = self.at / 8;
        let rest = self.bytes.get(first..).unwrap_or_default();
        let word = rest.first_chunk::<8>().map_or_else(
            || (0..8).fold(0, |word, at| word << 8 | u64::from(rest.get(at).copied().unwrap_or(0))),
            |bytes| u64::from_be_bytes(*bytes),
        );
        if count == 0 { 0 } else { word << (self.at % 8) >> (64 - count) }
    }
}

/// The codes of one table: canonical, the shorter ones first.
struct Codes {
    /// For each length: the first code behind those of that length, as if it had the longest, and what leads from a code to
    /// its symbol's place.
    limits: [(u32, i32); LONGEST + 1],
    symbols: Vec<u16>,
    shortest: usize,
}

impl Codes {
    fn of(lengths: &[u8]) -> Self {
        let mut symbols: Vec<u16> = (0..).take(lengths.len()).collect();
        symbols.sort_by_key(|symbol| lengths[usize::from(*symbol)]);
        let mut limits = [(0, 0); LONGEST + 1];
        let (mut code, mut place) = (0u32, 0i32);
        for (length, limit) in limits.iter_mut().enumerate().skip(1) {
            let count = lengths.iter().filter(|other| usize::from(**other) == length).count() as u32;
            let first = code;
            code += count;
            *limit = (code << (LONGEST - length), place - first.cast_signed());
            place += count.cast_signed();
            code <<= 1;
        }
        let shortest = lengths.iter().copied().min().unwrap_or(1);
        Self { limits, symbols, shortest: usize::from(shortest) }
    }

    fn symbol(&self, bits: &mut Bits) -> io::Result<u16> {
        let code = bits.peek(LONGEST) as u32;
        let length = (self.shortest..=LONGEST).find(|length| code < self.limits[*length].0);
        let length = length.ok_or_else(|| wrong("a code of the bzip2 stream is none"))?;
        bits.take(length)?;
        let place = (code >> (LONGEST - length)).cast_signed() + self.limits[length].1;
        let symbol = usize::try_from(place).ok().and_then(|place| self.symbols.get(place));
        symbol.copied().ok_or_else(|| wrong("a code of the bzip2 stream is none"))
    }
}

impl Short {
    fn new(bytes: Vec<u8>) -> Self {
        let bits = Bits { bytes, at: 0 };
        Self { bits, largest: None, block: Vec::new(), next: 0, left: 0, last: None, row: 0, again: 0, over: false }
    }

    /// Goes to the next block; `false` behind the last stream.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            let Some(largest) = self.largest else {
                if self.bits.at >= 8 * self.bits.bytes.len() {
                    return Ok(false);
                }
                let head = self.bits.peek(32) as u32;
                let [b'B', b'Z', b'h', digit @ b'1'..=b'9'] = head.to_be_bytes() else {
                    return Err(wrong("what follows the bzip2 stream is none"));
                };
                self.bits.take(32)?;
                self.largest = Some(usize::from(digit - b'0') * 100_000);
                continue;
            };
            match self.bits.take(48)? {
                BLOCK => {
                    self.read_block(largest)?;
                    return Ok(true);
                }
                END => {
                    self.bits.take(32)?;
                    self.bits.at = self.bits.at.next_multiple_of(8);
                    self.largest = None;
                }
                _ => return Err(wrong("a block of the bzip2 stream is none")),
            }
        }
    }

    fn read_block(&mut self, largest: usize) -> io::Result<()> {
        let bits = &mut self.bits;
        bits.take(32)?;
        if bits.take(1)? == 1 {
            let what = "a bzip2 stream of before 1997 is not unpacked";
            return Err(io::Error::new(io::ErrorKind::Unsupported, what));
        }
        let origin = bits.take(24)? as usize;
        let rows = bits.take(16)?;
        let mut order: Vec<u8> = Vec::new();
        for row in (0..16).filter(|row| rows >> (15 - row) & 1 == 1) {
            let columns = bits.take(16)?;
            order.extend((0..16).filter(|column| columns >> (15 - column) & 1 == 1).map(|column| row << 4 | column));
        }
        let tables = bits.take(3)? as usize;
        let groups = bits.take(15)? as usize;
        if order.is_empty() || !(2..=6).contains(&tables) || groups == 0 {
            return Err(wrong("a block of the bzip2 stream has no codes"));
        }
        let mut front: Vec<u8> = (0..6).take(tables).collect();
        let mut selectors: Vec<u8> = Vec::new();
        for _ in 0..groups {
            let mut place = 0;
            while bits.take(1)? == 1 {
                place += 1;
            }
            let chosen = *front.get(place).ok_or_else(|| wrong("a table of the bzip2 stream is none"))?;
            front.copy_within(..place, 1);
            front[0] = chosen;
            selectors.push(chosen);
        }
        let codes: Vec<Codes> = (0..tables)
            .map(|_| lengths(bits, order.len() + 2).map(|lengths| Codes::of(&lengths)))
            .collect::<Result<_, _>>()?;
        self.block.clear();
        let mut counts = [0u32; 256];
        let end = order.len() as u16 + 1;
        // How often the first byte comes, written in ones and twos.
        let (mut run, mut unit) = (0usize, 1usize);
        let mut at = 0;
        loop {
            let table = selectors.get(at / GROUP).and_then(|table| codes.get(usize::from(*table)));
            let symbol = table.ok_or_else(|| wrong("a block of the bzip2 stream does not end"))?.symbol(bits)?;
            at += 1;
            if symbol < 2 {
                run += unit << symbol;
                unit <<= 1;
                if run > largest {
                    return Err(wrong("a block of the bzip2 stream is too long"));
                }
                continue;
            }
            if self.block.len() + run + 1 > largest && symbol != end || self.block.len() + run > largest {
                return Err(wrong("a block of the bzip2 stream is too long"));
            }
            if run > 0 {
                self.block.resize(self.block.len() + run, u32::from(order[0]));
                counts[usize::from(order[0])] += run as u32;
                (run, unit) = (0, 1);
            }
            if symbol == end {
                break;
            }
            let place = usize::from(symbol) - 1;
            let byte = *order.get(place).ok_or_else(|| wrong("a symbol of the bzip2 stream is none"))?;
            order.copy_within(..place, 1);
            order[0] = byte;
            self.block.push(u32::from(byte));
            counts[usize::from(byte)] += 1;
        }
        if origin >= self.block.len() {
            return Err(wrong("a block of the bzip2 stream begins outside of it"));
        }
        // Where each byte stands when they are sorted leads to the next one.
        let mut sum = 0;
        for count in &mut counts {
            sum += std::mem::replace(count, sum);
        }
        for at in 0..self.block.len() {
            let count = &mut counts[(self.block[at] & 0xff) as usize];
            if let Some(slot) = self.block.get_mut(*count as usize) {
                *slot |= (at as u32) << 8;
            }
            *count += 1;
        }
        self.next = self.block[origin] >> 8;
        self.left = self.block.len();
        (self.last, self.row, self.again) = (None, 0, 0);
        Ok(())
    }

    /// The next byte of the block.
    fn byte(&mut self) -> Option<u8> {
        self.left = self.left.checked_sub(1)?;
        let word = *self.block.get(self.next as usize)?;
        self.next = word >> 8;
        Some((word & 0xff) as u8)
    }
}

/// The lengths of the codes of a table, each told by how it differs from the one before.
fn lengths(bits: &mut Bits, count: usize) -> io::Result<Vec<u8>> {
    let mut length = bits.take(5)?;
    let mut lengths = Vec::with_capacity(count);
    for _ in 0..count {
        loop {
            if !(1..=LONGEST as u64).contains(&length) {
                return Err(wrong("a code of the bzip2 stream has no length"));
            }
            if bits.take(1)? == 0 {
                break;
            }
            length = if bits.take(1)? == 0 { length + 1 } else { length - 1 };
        }
        lengths.push(length as u8);
    }
    Ok(lengths)
}

impl Read for Short {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut count = 0;
        while count < out.len() && !self.over {
            if self.again > 0 {
                let now = self.again.min(out.len() - count);
                out[count..count + now].fill(self.last.unwrap_or(0));
                self.again -= now;
                count += now;
                continue;
            }
            let Some(byte) = self.byte() else {
                // What is out is given before an error is told.
                if count > 0 {
                    break;
                }
                match self.begin() {
                    Ok(more) => self.over = !more,
                    Err(error) => {
                        self.over = true;
                        return Err(error);
                    }
                }
                continue;
            };
            // Behind four of the same byte stands how often it comes still.
            if self.row == 4 {
                (self.again, self.row) = (usize::from(byte), 0);
                continue;
            }
            self.row = if self.last == Some(byte) { self.row + 1 } else { 1 };
            self.last = Some(byte);
            out[count] = byte;
            count += 1;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write as _;

    fn packed(bytes: &[u8], level: u32) -> Vec<u8> {
        let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::new(level));
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    fn unpacked(bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut out = Vec::new();
        let right = Short::new(bytes.to_vec()).read_to_end(&mut out).is_ok();
        (out, right)
    }

    fn by_library(bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut out = Vec::new();
        let right = ::bzip2::read::MultiBzDecoder::new(bytes).read_to_end(&mut out).is_ok();
        (out, right)
    }

    #[test]
    fn what_was_packed_comes_out() {
        let mut texts: Vec<Vec<u8>> = vec![b"x".to_vec(), b"abracadabra".repeat(3000), vec![b'a'; 1_000_000]];
        texts.extend((0..12).map(|length| vec![7; length]));
        texts.extend([3, 4, 5, 255, 256, 258, 259, 260, 263, 264].map(|length| vec![0; length]));
        texts.push((0..200_000u32).map(|at| (at.wrapping_mul(at) >> 9) as u8).collect());
        for text in texts {
            for level in [1, 9] {
                assert!(unpacked(&packed(&text, level)) == (text.clone(), true), "{} bytes", text.len());
            }
        }
    }

    #[test]
    fn streams_stand_one_behind_another() {
        let both = [packed(b"one ", 1), packed(b"", 5), packed(b"two", 9)].concat();
        assert_eq!(unpacked(&both), (b"one two".to_vec(), true));
        let text = b"some text ".repeat(40);
        let stream = packed(&text, 9);
        assert!((0..stream.len()).skip(1).all(|end| !unpacked(&stream[..end]).1), "a stream that is cut is wrong");
        let (out, right) = unpacked(&[&stream[..], b"more"].concat());
        assert!(out == text && !right);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        #[test]
        fn the_library_reads_the_same(
            pieces in prop::collection::vec((any::<u8>(), 0usize..600, 0usize..4), 0..40),
            wrong in prop::option::of((any::<prop::sample::Index>(), 1u8..)),
        ) {
            let mut text = Vec::new();
            for (byte, length, kind) in pieces {
                match kind {
                    0 => text.extend(std::iter::repeat_n(byte, length)),
                    1 => text.extend((0..length).map(|at| (at as u8).wrapping_mul(byte))),
                    _ => text.extend(std::iter::repeat_n(&b"words and "[..], length / 10).flatten()),
                }
            }
            let mut stream = packed(&text, 1);
            prop_assert_eq!(unpacked(&stream), (text, true));
            if let Some((at, flip)) = wrong {
                let at = at.index(stream.len());
                stream[at] ^= flip;
                let (out, right) = by_library(&stream);
                // The library also tells a wrong checksum; what it reads to the end is read here.
                if right {
                    prop_assert_eq!(unpacked(&stream), (out, true));
                } else {
                    unpacked(&stream);
                }
            }
        }
    }
}
