//! Masks secrets in texts that reports show: every credential that the rules about metadata would name, every typed
//! token, and every value that the image's own variables hold.

use super::credentials::credentials;
use super::names::{is_secret_name, is_secret_value};
use super::pattern::Patterns;
use super::verify::{hash, shown};
use crate::image::ImageConfig;
use crate::model::SecretInfo;

/// Values shorter than this are masked where they are named, not wherever their letters stand.
const LEAST: usize = 6;

/// What may be said of a credential without a type: a password, a token that names none.
#[must_use]
pub fn credential_info(value: &str) -> SecretInfo {
    SecretInfo { kind: "credential".to_owned(), redacted: shown("", value.len()), hash: hash(value.as_bytes()) }
}

impl Patterns {
    /// `text` with every secret masked that it shows by itself; a [`Redactor`] also knows the image's values.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        Redactor::new(self).redact(text)
    }
}

/// Masks secrets in any text about one image.
#[derive(Clone, Debug)]
pub struct Redactor<'a> {
    patterns: &'a Patterns,
    /// Values known from variables and history, sorted.
    known: Vec<String>,
}

impl<'a> Redactor<'a> {
    /// A redactor that knows no image.
    #[must_use]
    pub fn new(patterns: &'a Patterns) -> Self {
        Self { patterns, known: Vec::new() }
    }

    /// One that also knows what the config's variables and history hold: such values are masked wherever they stand.
    #[must_use]
    pub fn of_image(config: &ImageConfig, patterns: &'a Patterns) -> Self {
        let mut known = Vec::new();
        for entry in &config.config.env {
            if let Some((name, value)) = entry.split_once('=')
                && is_secret_name(name)
                && is_secret_value(name, value)
            {
                known.push(value.to_owned());
            }
        }
        for entry in &config.history {
            known.extend(credentials(&entry.created_by).iter().map(|found| entry.created_by[found.range()].to_owned()));
        }
        known.retain(|value| value.len() >= LEAST && !super::names::is_placeholder(value));
        known.sort();
        known.dedup();
        Self { patterns, known }
    }

    /// The length of the longest known value that stands in `text` at byte `start`. Narrows the sorted values byte by byte:
    /// an image may have a hundred thousand of them.
    fn known_at(&self, text: &str, start: usize) -> Option<usize> {
        let mut rest = self.known.as_slice();
        let mut longest = None;
        for (depth, byte) in text.as_bytes().get(start..)?.iter().enumerate() {
            let from = rest.partition_point(|value| value.as_bytes().get(depth) < Some(byte));
            let to = rest.partition_point(|value| value.as_bytes().get(depth) <= Some(byte));
            rest = rest.get(from..to)?;
            // What ends here sorts first.
            match rest.first() {
                None => break,
                Some(value) if value.len() == depth + 1 => longest = Some(depth + 1),
                Some(_) => {}
            }
        }
        longest
    }

    /// `text` with every secret replaced by its public prefix, an ellipsis and its length.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let mut masks: Vec<(usize, usize, String)> = Vec::new();
        for found in self.patterns.scan_text(text.as_bytes()) {
            masks.push((found.start as usize, (found.start + found.length) as usize, found.redacted));
        }
        let at = |(start, end): (usize, usize)| (start, end, shown("", end - start));
        masks.extend(credentials(text).into_iter().map(|found| at(found.at)));
        masks.extend((0..text.len()).filter_map(|start| Some(at((start, start + self.known_at(text, start)?)))));
        // Of overlapping masks the first one's words stand, over the whole stretch.
        masks.sort_by(|a, b| (a.0, std::cmp::Reverse(a.1), &a.2).cmp(&(b.0, std::cmp::Reverse(b.1), &b.2)));
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        let mut masks = masks.into_iter().peekable();
        while let Some((start, mut end, mut word)) = masks.next() {
            while let Some((_, further, _)) = masks.next_if(|next| next.0 < end) {
                if further > end {
                    end = further;
                    word = shown("", end - start);
                }
            }
            out.push_str(text.get(done..start).unwrap_or_default());
            out.push_str(&word);
            done = end;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No eight bytes of what is hidden are left.
    #[test]
    fn canaries_do_not_survive() {
        let patterns = Patterns::new(&[]).expect("no rules");
        for (text, hidden) in [
            ("ENV DB_PASSWORD=hunter2example API_TOKEN=abcd1234efgh", &["hunter2example", "abcd1234efgh"][..]),
            ("ENV API_TOKEN=abcd1234=efgh5678", &["abcd1234=efgh5678"]),
            ("ENV DB_PASSWORD=hunter2\\$example", &["hunter2\\$example"]),
            ("ENV DB_PASSWORD=\"hunter2 example\"", &["hunter2 example"]),
            ("ENV DB_PASSWORD=hunter2 example # buildkit", &["hunter2 example"]),
            ("/bin/sh -c echo it's fine && DB_PASSWORD=hunter2example ./x", &["hunter2example"]),
            ("RUN PASSWORD=ab\"cd efgh\"ij'kl mnop' x", &["ab\"cd efgh\"ij'kl mnop'"]),
            ("RUN PASSWORD=\"never closed, and long", &["never closed, and long"]),
        ] {
            let clean = patterns.redact(text);
            for piece in hidden.iter().flat_map(|hidden| hidden.as_bytes().windows(8)) {
                let piece = String::from_utf8_lossy(piece);
                assert!(!clean.contains(&*piece), "{piece} of {text} in {clean}");
            }
        }
        assert_eq!(patterns.redact("ENV TOKEN=E"), "ENV TOKEN=…(1)");
        assert_eq!(patterns.redact("RUN make"), "RUN make");
    }

    #[test]
    fn values_of_variables_are_masked_wherever_they_stand() {
        let patterns = Patterns::new(&[]).expect("no rules");
        let mut config = ImageConfig::default();
        config.config.env.push("DB_PASSWORD=hunter2example".to_owned());
        let clean = Redactor::of_image(&config, &patterns).redact("RUN ./setup hunter2example --fast");
        assert_eq!(clean, "RUN ./setup …(14) --fast");
    }

    #[test]
    fn of_many_values_the_longest_is_masked() {
        let patterns = Patterns::new(&[]).expect("no rules");
        let mut config = ImageConfig::default();
        for value in ["hunter2exa", "hunter2example", "example-Zebra9", "zebra-Quagga77", "hunter2example-Zeb4"] {
            config.config.env.push(format!("DB_PASSWORD={value}"));
        }
        let redactor = Redactor::of_image(&config, &patterns);
        assert_eq!(redactor.redact("x hunter2example y"), "x …(14) y");
        assert_eq!(redactor.redact("x hunter2exam y"), "x …(10)m y");
        assert_eq!(redactor.redact("hunter2example-Zebra9 zebra-Quagga7"), "…(21) zebra-Quagga7");
    }
}
