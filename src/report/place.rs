//! Places and sizes in words, the same in every format for people.

use crate::model::{Location, Presence, StepText, visible_str};
use std::fmt::Write as _;

/// Characters of a `created_by` that are shown; the JSON report has more.
const CREATED_BY: usize = 120;

/// Where `at` is, in words; safe to print.
pub(super) fn words(at: &Location) -> String {
    match at {
        Location::Image => "the image as a whole".to_owned(),
        Location::Config { pointer } => format!("config {}", visible_str(pointer)),
        Location::Annotation { key } => format!("annotation {}", visible_str(key)),
        Location::History { step, layer, created_by } => {
            let layer = layer.map_or(String::new(), |layer| format!(", layer {layer}"));
            format!("history step {step}{layer}: {}", around(created_by))
        }
        Location::File { layer, presence, .. } => {
            let mut text = file(at);
            let _ = write!(text, ", layer {layer}");
            match presence {
                Presence::Visible => {}
                // Behind the archive's end or in a whiteout's body: nobody deleted it, and nobody sees it.
                Presence::Removed { by } if by == layer => text.push_str(", not visible"),
                Presence::Removed { by } => {
                    let _ = write!(text, ", deleted in layer {by}");
                }
                Presence::Overwritten { by } => {
                    let _ = write!(text, ", overwritten in layer {by}");
                }
            }
            text
        }
    }
}

/// The path of a file with the members inside it and its line, such as `/app/a.jar!b.properties:7`; safe to print.
/// Empty for other places.
pub(super) fn file(at: &Location) -> String {
    let Location::File { path, line, column, inside, .. } = at else {
        return String::new();
    };
    let mut text = visible_str(&path.display()).into_owned();
    for member in inside {
        text.push('!');
        text.push_str(&visible_str(member));
    }
    for number in [*line, line.and(*column)].into_iter().flatten() {
        let _ = write!(text, ":{number}");
    }
    text
}

/// One line of a step's text: its beginning, or what stands around its place when that is further on.
fn around(text: &StepText) -> String {
    let (whole, place) = (text.as_str(), text.place());
    let before = one_line(&whole[..place]);
    let length = before.chars().count();
    if length < CREATED_BY * 2 / 3 || one_line(whole).chars().count() <= CREATED_BY {
        return cut(&visible_str(&one_line(whole)), CREATED_BY);
    }
    let skipped = before.char_indices().nth(length - CREATED_BY / 4).map_or(0, |(at, _)| at);
    let blank = if whole[..place].ends_with(char::is_whitespace) { " " } else { "" };
    let line = format!("…{}{blank}{}", &before[skipped..], one_line(&whole[place..]));
    cut(&visible_str(&line), CREATED_BY)
}

/// `text` with every run of blanks and newlines as one blank.
pub(super) fn one_line(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first `most` characters of `text`, with an ellipsis when there were more.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// `1 gap`, `2 gaps`.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ImagePath;

    #[test]
    fn places_in_words() {
        let file = Location::file(ImagePath::from("/opt/a.jar"), 2);
        assert_eq!(words(&file), "/opt/a.jar, layer 2");
        let removed = file.clone().at_line(7).with_presence(Presence::Removed { by: 5 });
        assert_eq!(words(&removed), "/opt/a.jar:7, layer 2, deleted in layer 5");
        let unseen = file.clone().with_presence(Presence::Removed { by: 2 });
        assert_eq!(words(&unseen), "/opt/a.jar, layer 2, not visible");
        let Location::File { path, layer, .. } = file else { unreachable!("a file") };
        let inside = Location::File {
            path,
            layer,
            presence: Presence::Overwritten { by: 3 },
            line: Some(1),
            column: Some(4),
            inside: vec!["lib/b.jar".to_owned(), "c.properties".to_owned()],
        };
        assert_eq!(words(&inside), "/opt/a.jar!lib/b.jar!c.properties:1:4, layer 2, overwritten in layer 3");
        let step = Location::History { step: 4, layer: None, created_by: "RUN  a\n\t&& b".into() };
        assert_eq!(words(&step), "history step 4: RUN a && b");
        let text = format!("RUN {} NEEDLE{}", "a; ".repeat(500), " z".repeat(500));
        let created_by = StepText::from(text.as_str()).at(text.find("NEEDLE").expect("there"));
        let far = words(&Location::History { step: 4, layer: None, created_by });
        assert!(far.contains("…") && far.contains(" a; NEEDLE z z") && far.chars().count() < 160, "{far}");
        assert_eq!(words(&Location::config("/config/User")), "config /config/User");
    }

    #[test]
    fn cutting_counts_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöü", 2), "äö…");
    }
}
