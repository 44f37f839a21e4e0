//! Reads DER (ITU-T X.690), element by element: strict about lengths, bounded by its input, never recursive. Also writes
//! the few elements that a public key needs.

/// Tags of elements.
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// The elements of a piece of DER, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements<'a> {
    rest: &'a [u8],
    /// Whether the bytes were cut off, so that an element may be longer than what is left of it.
    cut: bool,
}

impl<'a> Elements<'a> {
    /// The elements in `bytes`; with `cut`, the last one may lack its end.
    pub(super) fn new(bytes: &'a [u8], cut: bool) -> Self {
        Self { rest: bytes, cut }
    }

    /// The elements of the one SEQUENCE that `bytes` is, from its first byte to its last.
    pub(super) fn of_sequence(bytes: &'a [u8], cut: bool) -> Option<Self> {
        let mut outer = Self::new(bytes, cut);
        let inner = outer.sequence()?;
        outer.is_done().then_some(inner)
    }

    /// Whether nothing is left.
    pub(super) fn is_done(self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next element.
    pub(super) fn peek(self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element: its tag and content.
    pub(super) fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.rest.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            // The shortest form of a length, as DER demands; four digits are far more than any key has.
            let length = digits.iter().fold(0u64, |length, &digit| (length << 8 | u64::from(digit)).min(1 << 40));
            let shortest = match digits {
                [] | [0, ..] => false,
                [only] => *only >= 0x80,
                digits => digits.len() <= 4,
            };
            (usize::try_from(length).ok().filter(|_| shortest)?, rest)
        };
        let length = if self.cut { length.min(rest.len()) } else { length };
        let (content, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some((tag, content))
    }

    /// The content of the next element, which has `tag`.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let (found, content) = ahead.next()?;
        (found == tag).then(|| {
            *self = ahead;
            content
        })
    }

    /// The elements of the next element, a SEQUENCE.
    pub(super) fn sequence(&mut self) -> Option<Self> {
        let content = self.take(SEQUENCE)?;
        Some(Self::new(content, self.cut))
    }

    /// The next element, a small number that is not negative.
    pub(super) fn small(&mut self) -> Option<u32> {
        let digits = self.take(INTEGER)?;
        let fits = matches!(digits, [0..=0x7f] | [_, _, ..]) && digits.len() <= 4 && digits[0] < 0x80;
        fits.then(|| digits.iter().fold(0, |number, &digit| number << 8 | u32::from(digit)))
    }

    /// Every INTEGER that comes next.
    pub(super) fn integers(&mut self, most: usize) -> Vec<&'a [u8]> {
        std::iter::from_fn(|| self.take(INTEGER)).take(most).collect()
    }
}

/// The size of a number in bits.
pub(super) fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    let number = &number[zeros..];
    number.len() * 8 - number.first().map_or(0, |first| first.leading_zeros() as usize)
}

/// An element: tag, length, content.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    if content.len() < 0x80 {
        out.push(content.len() as u8);
    } else {
        let length = content.len().to_be_bytes();
        let zeros = length.iter().take_while(|&&digit| digit == 0).count();
        out.push(0x80 | (length.len() - zeros) as u8);
        out.extend_from_slice(&length[zeros..]);
    }
    out.extend_from_slice(content);
    out
}

/// An INTEGER that is not negative, whatever zeros `number` begins with.
pub(super) fn unsigned(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    let number = &number[zeros..];
    let sign: &[u8] = if number.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    element(INTEGER, &[sign, number].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for length in [0, 1, 127, 128, 255, 256, 65535, 65536] {
            let whole = element(SEQUENCE, &element(OCTETS, &vec![7; length]));
            let mut inner = Elements::of_sequence(&whole, false).expect("a sequence");
            assert_eq!(inner.take(OCTETS).map(<[u8]>::len), Some(length));
            assert!(inner.is_done());
        }
        assert_eq!(unsigned(&[0, 0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!((bits(&[0, 1, 0]), bits(&[]), bits(&[0x80])), (9, 0, 8));
    }

    #[test]
    fn lengths_are_strict() {
        for bad in [
            &[0x30][..],
            &[0x30, 1],
            &[0x30, 0, 0],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x81, 1, 0],
            &[0x30, 0x82, 0, 0x80],
            &[0x30, 0x85, 0, 0, 0, 0, 0],
            &[0x30, 0xff],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0],
        ] {
            assert!(Elements::of_sequence(bad, false).is_none(), "{bad:?}");
        }
        assert!(Elements::of_sequence(&[0x30, 0x82, 0xff, 0xff, 1], true).is_some());
        assert_eq!(Elements::new(&[2, 1, 0x80], false).small(), None);
        assert_eq!(Elements::new(&[2, 2, 1, 0], false).small(), Some(256));
    }
}
