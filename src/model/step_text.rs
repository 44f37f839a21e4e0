//! The text of a build step as locations carry it: shared, however many findings stand in it, and cut around the place
//! that one of them means. Masks nothing.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Bytes of a step's text that a location shows whole.
pub const STEP_TEXT: usize = 4 << 10;

/// A step's text, and where in it something stands. Two are equal when their texts are; the place is a hint for readers.
#[derive(Clone, Debug)]
pub struct StepText {
    text: Arc<str>,
    place: usize,
}

impl StepText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where in the text, in bytes; always at a character.
    #[must_use]
    pub fn place(&self) -> usize {
        self.place
    }

    /// The same text with the place at byte `place`, or at the last character before it.
    #[must_use]
    pub fn at(mut self, place: usize) -> Self {
        self.place = floor(&self.text, place);
        self
    }

    /// The whole text when it has at most `most` bytes; else its beginning and what stands around the place, some `most`
    /// bytes together, with `[…N bytes…]` for what is left out.
    #[must_use]
    pub fn excerpt(&self, most: usize) -> Self {
        let text = self.as_str();
        if text.len() <= most {
            return self.clone();
        }
        let from = if self.place < most / 2 { 0 } else { floor(text, self.place - most / 4) };
        let to = floor(text, from + most * 3 / 4);
        let mut out = String::with_capacity(most + 64);
        if from > 0 {
            let head = floor(text, most / 8);
            out.push_str(&text[..head]);
            out.push_str(&left_out(from - head));
        }
        let place = out.len() + self.place.clamp(from, to) - from;
        out.push_str(&text[from..to]);
        if to < text.len() {
            out.push_str(&left_out(text.len() - to));
        }
        Self::from(out).at(place)
    }
}

/// `text` when it has at most `most` bytes; else its beginning and its end, some `most` bytes together, with
/// `[…N bytes…]` between them.
#[must_use]
pub fn cut_middle(text: &str, most: usize) -> std::borrow::Cow<'_, str> {
    if text.len() <= most {
        return text.into();
    }
    let (head, tail) = (floor(text, most * 2 / 3), floor(text, text.len() - most / 3));
    format!("{}{}{}", &text[..head], left_out(tail - head), &text[tail..]).into()
}

/// The first `most` characters of `text`, with an ellipsis when there were more. A word that would be cut in two is left
/// out: half of a secret is not known for one any more, and is too much to show.
#[must_use]
pub fn cut_end(text: &str, most: usize) -> std::borrow::Cow<'_, str> {
    let Some((end, next)) = text.char_indices().nth(most) else { return text.into() };
    let part = |c: char| c.is_ascii_alphanumeric() || "_-.+=~".contains(c);
    let kept = if part(next) { text[..end].trim_end_matches(part) } else { &text[..end] };
    format!("{kept}…").into()
}

fn left_out(bytes: usize) -> String {
    format!("[…{bytes} bytes…]")
}

/// The last boundary of a character at or before `place`.
fn floor(text: &str, place: usize) -> usize {
    (0..=place.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

impl From<Arc<str>> for StepText {
    fn from(text: Arc<str>) -> Self {
        Self { text, place: 0 }
    }
}

impl From<String> for StepText {
    fn from(text: String) -> Self {
        Self { text: text.into(), place: 0 }
    }
}

impl From<&str> for StepText {
    fn from(text: &str) -> Self {
        Self { text: text.into(), place: 0 }
    }
}

impl PartialEq for StepText {
    fn eq(&self, other: &Self) -> bool {
        // Most are the same text, which may have megabytes.
        Arc::ptr_eq(&self.text, &other.text) || self.text == other.text
    }
}

impl Eq for StepText {}

impl Ord for StepText {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.text, &other.text) { Ordering::Equal } else { self.text.cmp(&other.text) }
    }
}

impl PartialOrd for StepText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for StepText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.len().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_cut_around_its_place() {
        let text = format!("RUN {}NEEDLE{}", "é; ".repeat(5000), " x".repeat(5000));
        let needle = text.find("NEEDLE").expect("there");
        let cut = StepText::from(text.as_str()).at(needle).excerpt(STEP_TEXT);
        assert!(cut.as_str().len() < STEP_TEXT + 64, "{}", cut.as_str().len());
        assert!(cut.as_str().starts_with("RUN é; ") && cut.as_str()[cut.place()..].starts_with("NEEDLE"));
        assert_eq!(cut.as_str().matches(" bytes…]").count(), 2);
        let early = StepText::from(text.as_str()).excerpt(STEP_TEXT);
        assert_eq!((early.place(), early.as_str().matches(" bytes…]").count()), (0, 1));
        let short = StepText::from("RUN x").at(4);
        assert_eq!(short.excerpt(STEP_TEXT), short);
        assert_eq!(short, StepText::from("RUN x"));
    }

    #[test]
    fn no_word_is_cut_in_two() {
        assert_eq!(cut_end("/a/secret", 9), "/a/secret");
        assert_eq!(cut_end("/a/secret", 8), "/a/…");
        assert_eq!(cut_end("äöü/x", 3), "äöü…");
    }

    #[test]
    fn both_ends_of_what_is_long_stay() {
        assert_eq!(cut_middle("short", 5), "short");
        assert_eq!(cut_middle(&format!("begin{}end", "ü".repeat(50)), 12), "beginü[…96 bytes…]üend");
    }
}
