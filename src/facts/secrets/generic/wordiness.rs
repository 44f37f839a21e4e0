//! How much a run of letters surprises one who knows words: little in `password`, much in `xkqzwv`. Knows no secrets.

#![expect(clippy::cast_precision_loss, reason = "values are short")]

/// Bits of surprise, in fourths, of a letter behind two others, as digits from `0`; made by tests/generic/trigrams.py
/// from the text of packages.
const TABLE: &[u8] = include_bytes!("trigrams.txt");
/// The 26 letters, and the end of a word.
const LETTERS: usize = 27;
const END: usize = 26;

/// The letters of a value as words or chance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Surprise {
    /// Bits of the letters in runs of three and more, and of the ends of runs.
    pub(super) bits: f32,
    /// Letters in such runs.
    pub(super) letters: usize,
    /// Letters in shorter runs, too short to tell.
    pub(super) others: usize,
}

impl Surprise {
    /// Of all runs of letters in `value`; a capital behind a small letter begins a new one.
    pub(super) fn of(value: &[u8]) -> Self {
        let mut all = Self::default();
        let mut start = 0;
        for at in 0..=value.len() {
            let byte = value.get(at).copied().unwrap_or(b' ');
            let rises = at > start && byte.is_ascii_uppercase() && value[at - 1].is_ascii_lowercase();
            if !byte.is_ascii_alphabetic() || rises {
                all.add(&value[start..at]);
                start = at + usize::from(!rises);
            }
        }
        all
    }

    /// Bits a letter.
    pub(super) fn mean(self) -> f32 {
        if self.letters == 0 { 0.0 } else { self.bits / self.letters as f32 }
    }

    /// Bits of all letters; those of short runs are as good as chance.
    pub(super) fn all(self) -> f32 {
        self.bits + 4.0 * self.others as f32
    }

    fn add(&mut self, run: &[u8]) {
        let (mut first, mut second) = (END, END);
        if run.len() < 3 {
            self.others += run.len();
            return;
        }
        for third in run.iter().map(|byte| usize::from(byte.to_ascii_lowercase() - b'a')).chain([END]) {
            self.bits += bits(first, second, third);
            (first, second) = (second, third);
        }
        self.letters += run.len();
    }
}

fn bits(first: usize, second: usize, third: usize) -> f32 {
    // A line of the table ends with a newline.
    let digit = TABLE.get((first * LETTERS + second) * (LETTERS + 1) + third).copied().unwrap_or(b'0');
    f32::from(digit.saturating_sub(b'0')) / 4.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert_eq!(TABLE.len(), LETTERS * LETTERS * (LETTERS + 1));
    }

    #[test]
    fn words_surprise_less_than_chance() {
        for word in ["password", "configuration", "Secret", "username", "getPasswordFromVault", "administrator"] {
            assert!(Surprise::of(word.as_bytes()).mean() < 4.2, "{word}: {:?}", Surprise::of(word.as_bytes()));
        }
        for chance in ["xkqzwvbj", "Qzjxkvwp", "hgfqwzxc", "tkjzvbnq"] {
            assert!(Surprise::of(chance.as_bytes()).mean() > 5.0, "{chance}: {:?}", Surprise::of(chance.as_bytes()));
        }
    }
}
