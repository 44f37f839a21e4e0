//! A value in figures: what it is made of, how much of it is chance, and whether it is written as names in code are. Knows
//! neither the name nor the line.

#![expect(clippy::cast_precision_loss, reason = "values are short")]

use super::wordiness::Surprise;

/// How names in code are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    Camel,
    Snake,
    Kebab,
    Dotted,
    Capitals,
}

/// A value in figures.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) length: usize,
    pub(super) lower: usize,
    pub(super) upper: usize,
    pub(super) digits: usize,
    pub(super) marks: usize,
    pub(super) blanks: usize,
    pub(super) distinct: usize,
    /// Changes between letters, digits and marks, and between cases.
    pub(super) turns: usize,
    pub(super) repeated: bool,
    pub(super) in_sequence: bool,
    pub(super) surprise: Surprise,
    /// Bits of chance that it may have: surprise of its letters, digits, marks and capitals; repeats and sequences have none.
    pub(super) bits: f32,
    pub(super) naming: Option<Naming>,
}

impl Shape {
    pub(super) fn of(value: &[u8]) -> Self {
        let count = |is: fn(&u8) -> bool| value.iter().filter(|byte| is(byte)).count();
        let (lower, upper, digits) =
            (count(u8::is_ascii_lowercase), count(u8::is_ascii_uppercase), count(u8::is_ascii_digit));
        let blanks = count(|byte| *byte == b' ');
        let marks = value.len() - lower - upper - digits - blanks;
        let mut seen = [false; 256];
        for &byte in value {
            seen[usize::from(byte)] = true;
        }
        let class = |byte: u8| match byte {
            b'a'..=b'z' => 0,
            b'A'..=b'Z' => 1,
            b'0'..=b'9' => 2,
            _ => 3,
        };
        let turns = value.windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count();
        let dull = dull(value);
        let surprise = Surprise::of(value);
        let capitals = if lower > 0 { upper.saturating_sub(1) as f32 } else { 0.0 };
        let all = surprise.all() + 3.3 * digits as f32 + 4.0 * marks as f32 + capitals;
        let bits = all * (1.0 - dull as f32 / value.len().max(1) as f32);
        Self {
            length: value.len(),
            lower,
            upper,
            digits,
            marks,
            blanks,
            distinct: seen.iter().filter(|yes| **yes).count(),
            turns,
            repeated: value.windows(4).any(|run| run.iter().all(|byte| *byte == run[0])),
            in_sequence: dull >= 4,
            surprise,
            bits,
            naming: naming(value, upper, lower, digits),
        }
    }

    pub(super) fn is(&self, naming: Naming) -> bool {
        self.naming == Some(naming)
    }
}

/// Bytes that follow from the one before: the same, the next, or its neighbour on a keyboard; in runs of three and more.
fn dull(value: &[u8]) -> usize {
    let follows = |pair: &[u8]| NEXT[usize::from(pair[0] & 127)] >> (pair[1] & 127) & 1 == 1 && pair.is_ascii();
    let (mut all, mut run) = (0, 0);
    for pair in value.windows(2) {
        if follows(pair) {
            run += 1;
        } else {
            all += if run >= 2 { run } else { 0 };
            run = 0;
        }
    }
    all + if run >= 2 { run } else { 0 }
}

/// For each character those that follow from it, a bit each.
const NEXT: [u128; 128] = {
    const ROWS: &[&[u8]] = &[b"qwertyuiop", b"asdfghjkl", b"zxcvbnm", b"1234567890", b"qazwsxedcrfvtgbyhn"];
    let mut next = [0; 128];
    let mut first = 0;
    while first < 128 {
        let a = (first as u8).to_ascii_lowercase();
        let mut second: usize = 0;
        while second < 128 && a.is_ascii_alphanumeric() {
            let b = (second as u8).to_ascii_lowercase();
            let mut follows = a == b || a + 1 == b || b + 1 == a;
            let mut row = 0;
            while row < ROWS.len() {
                let mut key = 1;
                while key < ROWS[row].len() {
                    follows |= ROWS[row][key - 1] == a && ROWS[row][key] == b;
                    key += 1;
                }
                row += 1;
            }
            next[first] |= (follows as u128) << second;
            second += 1;
        }
        first += 1;
    }
    next
};

/// The letter that a digit or mark stands for.
pub(super) fn letter(byte: u8) -> u8 {
    match byte {
        b'0' => b'o',
        b'1' | b'!' => b'i',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'7' => b't',
        other => other,
    }
}

/// Whether a value without marks is a word, or a name in code made of words.
pub(super) fn is_word_of_code(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_alphabetic() || b"._$>-".contains(byte)) && Surprise::of(value).mean() < 4.0
}

pub(super) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// How a value is written, when it is one that code could name something with.
fn naming(value: &[u8], upper: usize, lower: usize, digits: usize) -> Option<Naming> {
    if !value.first()?.is_ascii_alphabetic() && value[0] != b'_' || digits * 4 > value.len() {
        return None;
    }
    let only = |set: &[u8]| value.iter().all(|byte| byte.is_ascii_alphanumeric() || set.contains(byte));
    let has = |mark: u8| value.contains(&mark);
    let small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let humps = value.windows(2).filter(|pair| small(pair[0]) && pair[1].is_ascii_uppercase()).count();
    // Words are longer than what lies between the capitals of chance.
    let wordy = Surprise::of(value).mean() < 4.6;
    if !wordy {
        None
    } else if only(b"_") && has(b'_') {
        Some(if lower == 0 { Naming::Capitals } else { Naming::Snake })
    } else if only(b"-") && has(b'-') {
        Some(Naming::Kebab)
    } else if only(b"._-") && has(b'.') {
        Some(Naming::Dotted)
    } else if only(b"") && humps > 0 && value.len() >= 4 * humps && upper <= humps + 3 {
        Some(Naming::Camel)
    } else {
        None
    }
}
