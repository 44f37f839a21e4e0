//! How names of files and ways to values lead to rows of the table of configuration files, which stands in
//! [`rows`](super::rows).

use super::row::Row;
use super::rows;
use foldhash::HashMap;
use std::sync::LazyLock;

/// What comes behind `.env.`, or in another name, when the file is a pattern for people to copy.
const PATTERNS: &[&str] = &[
    "example", "examples", "sample", "template", "tmpl", "tpl", "dist", "defaults", "default", "schema", "md", "test",
    "ci", "j2", "erb", "skel", "stub",
];

/// Every row, in order.
static ROWS: LazyLock<Vec<&'static Row>> = LazyLock::new(|| rows::ROWS.into_iter().flatten().collect());

/// A row and the pattern by which it names files.
type Named = (usize, &'static str);

/// Rows by what a name must have, since every path of an image is asked for, when caches are full of other things: few
/// places in memory are touched. A pattern's last component may have a `*`; then it stands by what comes behind the
/// last dot, or else by the component above; few have neither.
#[derive(Default)]
struct Index {
    named: HashMap<String, Vec<Named>>,
    extension: HashMap<String, Vec<Named>>,
    above: HashMap<String, Vec<Named>>,
    anywhere: Vec<Named>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index::default();
    for (number, row) in ROWS.iter().enumerate() {
        for pattern in row.files {
            let lower = pattern.trim_start_matches('~').to_ascii_lowercase();
            let (above, last) = lower.rsplit_once('/').unwrap_or(("", &lower));
            let end = last.rsplit_once('*').map(|(_, end)| extension(end));
            let rows = match (end, above.rsplit('/').next().unwrap_or(above)) {
                (None, _) => index.named.entry(last.to_owned()).or_default(),
                (Some(""), "") => &mut index.anywhere,
                (Some(""), above) => index.above.entry(above.to_owned()).or_default(),
                (Some(extension), _) => index.extension.entry(extension.to_owned()).or_default(),
            };
            rows.push((number, pattern));
        }
    }
    index
});

/// What comes behind the last dot.
fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// The rows for the file at `path`, in order; which one it is may hang on what the file says.
pub(super) fn rows(path: &[u8]) -> Vec<&'static Row> {
    let Ok(path) = std::str::from_utf8(path) else { return Vec::new() };
    let mut parts = path.rsplit('/').filter(|part| !part.is_empty() && *part != ".");
    let Some(lower) = parts.next().map(str::to_ascii_lowercase) else { return Vec::new() };
    let above = parts.next().map(str::to_ascii_lowercase).unwrap_or_default();
    let exact = INDEX.named.get(&lower).into_iter().flatten().filter(|(_, pattern)| is_file(pattern, path));
    let open = [INDEX.extension.get(extension(&lower)), INDEX.above.get(&above), Some(&INDEX.anywhere)];
    let open =
        open.into_iter().flatten().flatten().filter(|(_, pattern)| is_file(pattern, path) && !is_pattern(&lower));
    let mut numbers: Vec<usize> = exact.chain(open).map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into_iter().filter_map(|number| ROWS.get(number).copied()).collect()
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
