//! Foreign text in messages: quoted, and unable to move a terminal's cursor. Knows no rule.

use crate::model::{ImagePath, visible_str};

/// `text` in '…'.
pub(super) fn quote(text: &str) -> String {
    format!("'{}'", visible_str(text))
}

/// `path` for a message. Paths stand without quotes unless a character in them would mislead.
pub(super) fn shown(path: &ImagePath) -> String {
    let text = path.display();
    let safe = visible_str(&text);
    if text.contains(char::is_whitespace) || safe != text { format!("'{safe}'") } else { safe.into_owned() }
}

/// `'a', 'b' and 'c'`; the rest behind `most` is a count.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>, most: usize) -> String {
    let quoted: Vec<String> = names.map(quote).collect();
    if quoted.len() > most {
        return format!("{} and {} more", quoted[..most].join(", "), quoted.len() - most);
    }
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_a_sentence() {
        assert_eq!(listed(["a"].into_iter(), 3), "'a'");
        assert_eq!(listed(["a", "b", "c"].into_iter(), 3), "'a', 'b' and 'c'");
        assert_eq!(listed(["a", "b", "c"].into_iter(), 2), "'a', 'b' and 1 more");
        assert_eq!(shown(&ImagePath::from("/a b\u{1b}")), "'/a b\\u{1b}'");
        assert_eq!(shown(&ImagePath::from("/usr/bin/sudo")), "/usr/bin/sudo");
    }
}
