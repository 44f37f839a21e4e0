//! Finds rules by the names people type, and says what they may have meant.

use crate::model::{Group, RuleInfo, visible_str};
use std::fmt;

/// A word that names no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRule {
    word: String,
    nearest: Vec<String>,
    what: &'static str,
}

impl UnknownRule {
    /// What to do about it; one line.
    #[must_use]
    pub fn advice(&self) -> String {
        match self.nearest.as_slice() {
            [] => "'plimsoll rules list' shows all rules".to_owned(),
            some => format!("did you mean {}? 'plimsoll rules list' shows all rules", some.join(" or ")),
        }
    }

    /// The same, where a group would have done too.
    pub(super) fn or_group(mut self) -> Self {
        let groups = Group::ALL.map(Group::name);
        self.what = "rule or group";
        for group in nearest(&self.word, groups.iter().copied()).into_iter().rev() {
            self.nearest.insert(0, group);
        }
        self.nearest.truncate(SUGGESTIONS);
        self
    }
}

impl fmt::Display for UnknownRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {} '{}'", self.what, visible_str(&self.word))
    }
}

impl std::error::Error for UnknownRule {}

/// More would be a list, not a suggestion.
const SUGGESTIONS: usize = 3;

/// A code of another linter that is known and names nothing in an image, so that no rule carries it.
#[derive(Debug, PartialEq, Eq)]
pub struct OutsideCode {
    /// The code.
    pub code: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// Why no rule of an image can answer to it.
    pub why: &'static str,
}

/// Those of Dockle's checkpoints that docs/dockle.md gives no rule.
const OUTSIDE: &[OutsideCode] = &[OutsideCode {
    code: "CIS-DI-0005",
    title: "Content trust",
    why: "Content trust is a setting of whoever pulls and pushes (DOCKER_CONTENT_TRUST in the environment of the \
          client), not a property of an image: two machines with the same image may differ in it. No rule looks for it, \
          and there is nothing to ignore.",
}];

/// The code that `word` is, when it is one that names nothing in an image; without case.
#[must_use]
pub fn outside_code(word: &str) -> Option<&'static OutsideCode> {
    OUTSIDE.iter().find(|outside| outside.code.eq_ignore_ascii_case(word))
}

/// The rules that `word` names: one by its name, or all that share an alias. Empty only for an [`outside_code`].
pub fn find_rules<'a>(rules: &'a [RuleInfo], word: &str) -> Result<Vec<&'a RuleInfo>, UnknownRule> {
    let found: Vec<&RuleInfo> = rules.iter().filter(|rule| rule.answers_to(word)).collect();
    if !found.is_empty() || outside_code(word).is_some() {
        return Ok(found);
    }
    let names = rules.iter().flat_map(|rule| std::iter::once(&rule.name).chain(&rule.aliases));
    Err(UnknownRule { word: word.to_owned(), nearest: nearest(word, names.map(String::as_str)), what: "rule" })
}

/// Up to three of `names` that `word` may have meant, likeliest first.
#[must_use]
pub fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    // Longer than any name: not a slip, and the distance costs its product.
    if length == 0 || length > 100 {
        return Vec::new();
    }
    let mut near: Vec<(usize, &str)> = names
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let distance = distance(&word, &lower);
            let part = length >= 4 && (lower.contains(&word) || word.contains(&lower));
            (part || distance * 3 <= length.max(3)).then_some((distance, name))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(SUGGESTIONS).map(|(_, name)| name.to_owned()).collect()
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = usize::from(a[i - 1] != b[j - 1]);
                let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_near_and_other_words_are_not() {
        let names = || ["setuid-file", "setgid-file", "runs-as-root", "CIS-DI-0001", "CIS-DI-0010"].into_iter();
        assert_eq!(nearest("setuid-flie", names()), ["setuid-file", "setgid-file"]);
        assert_eq!(nearest("setuid", names()), ["setuid-file"]);
        assert_eq!(nearest("root", names()), ["runs-as-root"]);
        assert_eq!(nearest("cis-di-001", names()), ["CIS-DI-0001", "CIS-DI-0010"]);
        assert_eq!(nearest("kubernetes", names()), [""; 0]);
        assert_eq!(nearest("", names()), [""; 0]);
        assert_eq!(nearest(&"x".repeat(100_000), names()), [""; 0]);
    }

    #[test]
    fn distances() {
        for (a, b, d) in [("", "", 0), ("a", "", 1), ("ab", "ba", 1), ("kitten", "sitting", 3), ("same", "same", 0)] {
            assert_eq!(distance(a, b), d, "{a} {b}");
        }
    }
}
