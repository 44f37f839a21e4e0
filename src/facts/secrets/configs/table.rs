//! How names of files and ways to values lead to rows of the table of configuration files, which stands in
//! [`rows`](super::rows).

use super::row::Row;
use super::rows::ROWS;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What comes behind `.env.`, or in another name, when the file is a pattern for people to copy.
const PATTERNS: &[&str] = &[
    "example", "examples", "sample", "template", "tmpl", "tpl", "dist", "defaults", "default", "schema", "md", "test",
    "ci", "j2", "erb", "skel", "stub",
];

/// Rows by the last component of their names, and those whose last component has a `*`.
struct Index {
    named: HashMap<String, Vec<(usize, &'static str)>>,
    open: Vec<Open>,
}

/// A name with a `*`: what stands before its first and behind its last one, in lower case.
struct Open {
    begin: String,
    end: String,
    /// The first byte of `begin` and the last one of `end`: nearly every name is passed over by them.
    outer: (Option<u8>, Option<u8>),
    row: (usize, &'static str),
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index { named: HashMap::new(), open: Vec::new() };
    for (number, row) in ROWS.iter().enumerate() {
        for pattern in row.files {
            let last = pattern.trim_start_matches('~').rsplit('/').next().unwrap_or(pattern);
            let lower = last.to_ascii_lowercase();
            if let (Some((begin, _)), Some((_, end))) = (lower.split_once('*'), lower.rsplit_once('*')) {
                let outer = (begin.bytes().next(), end.bytes().next_back());
                index.open.push(Open { begin: begin.to_owned(), end: end.to_owned(), outer, row: (number, pattern) });
            } else {
                index.named.entry(lower).or_default().push((number, pattern));
            }
        }
    }
    index
});

/// The rows for the file at `path`, in order; which one it is may hang on what the file says.
pub(super) fn rows(path: &[u8]) -> Vec<&'static Row> {
    let Ok(path) = std::str::from_utf8(path) else { return Vec::new() };
    let Some(name) = path.rsplit('/').find(|part| !part.is_empty() && *part != ".") else { return Vec::new() };
    let lower = name.to_ascii_lowercase();
    let exact = INDEX.named.get(&lower).into_iter().flatten();
    let open = INDEX.open.iter().filter(|open| open.may_fit(&lower) && !is_pattern(&lower)).map(|open| &open.row);
    let all = exact.chain(open).filter(|(_, pattern)| is_file(pattern, path));
    let mut numbers: Vec<usize> = all.map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into_iter().filter_map(|number| ROWS.get(number)).collect()
}

impl Open {
    /// A first look.
    fn may_fit(&self, lower: &str) -> bool {
        let (first, last) = self.outer;
        first.is_none_or(|first| lower.as_bytes().first() == Some(&first))
            && last.is_none_or(|last| lower.as_bytes().last() == Some(&last))
            && lower.len() >= self.begin.len() + self.end.len()
            && lower.starts_with(&self.begin)
            && lower.ends_with(&self.end)
    }
}

/// Whether a name says that people are to copy the file.
fn is_pattern(lower: &str) -> bool {
    let words: Vec<&str> = lower.split(['.', '-', '_']).filter(|word| !word.is_empty()).collect();
    words.len() > 1 && words.iter().skip(1).any(|word| PATTERNS.contains(word))
}

/// Whether the last components of `path` are those of `pattern`.
fn is_file(pattern: &str, path: &str) -> bool {
    let (pattern, fold) = match pattern.strip_prefix('~') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = path.rsplit('/').filter(|part| !part.is_empty() && *part != ".");
    pattern.rsplit('/').all(|wanted| parts.next().is_some_and(|part| fits(wanted, part, fold)))
}

/// Whether the last steps of the way to a value are those of `pattern`.
pub(super) fn is_key(pattern: &str, path: &[String]) -> bool {
    let mut steps = path.iter().rev();
    pattern.rsplit('/').all(|wanted| steps.next().is_some_and(|step| fits(wanted, step, true)))
}

/// Whether `text` is `pattern`, in which `*` stands for any bytes.
fn fits(pattern: &str, text: &str, fold: bool) -> bool {
    let same = |a: u8, b: u8| if fold { a.eq_ignore_ascii_case(&b) } else { a == b };
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where the last star stood, and how far it reached: going back there is enough.
    let mut star: Option<(usize, usize)> = None;
    while let Some(&byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&wanted) if same(wanted, byte) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, reached)) => {
                    star = Some((at, reached + 1));
                    p = at + 1;
                    t = reached + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_rows() {
        let what = |path: &str| rows(path.as_bytes()).first().map(|row| row.what);
        assert_eq!(what("root/.npmrc"), Some("a token of the npm registry"));
        assert_eq!(what("/root/.docker/config.json"), Some("a password of a container registry"));
        assert_eq!(what("/app/config.json"), Some("a secret of an application"));
        assert_eq!(what("/x/NUGET.config"), Some("the password of a NuGet feed"));
        assert_eq!(what("./root/.aws/credentials"), Some("a key of AWS"));
        assert_eq!(what("/srv/application-prod.YML"), Some("a secret of an application"));
        for path in [
            "/root/.NPMRC",
            "/app/.env.example",
            "/app/appsettings.sample.json",
            "/x/awscredentials",
            "/",
            "",
            "/a/.env/b",
        ] {
            assert_eq!(what(path), None, "{path}");
        }
    }

    #[test]
    fn stars() {
        assert!(fits("a*b*c", "a-b-b-c", false) && fits("*", "", false) && fits("*", "x", false));
        assert!(!fits("a*b", "a-c", false) && !fits("A", "a", false) && fits("A", "a", true));
    }
}
