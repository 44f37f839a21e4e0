//! A rule file read: head, page and logic in one value. Whether it is a good rule is asked in `problem.rs`.

use super::lines::lines;
use super::matcher::{Matcher, Words};
use super::page::{Example, Page};
use super::{CheckFn, Params, Problem, checks};
use crate::facts::secrets::SecretSpec;
use crate::model::{Confidence, Group, Level, RuleInfo, Severity};
use std::sync::Arc;

/// A rule, ready to run.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What reports may say about it.
    pub info: RuleInfo,
    /// Its name, as findings carry it.
    pub name: Arc<str>,
    /// How it looks.
    pub logic: Logic,
    /// Its parameters: the file's values, the user's over them.
    pub params: Params,
    /// Its examples, in order.
    pub examples: Vec<Example>,
    /// The name of its check, when it has one.
    pub check: Option<String>,
    /// Whether it came with the program.
    pub builtin: bool,
    /// Its file, for messages about the rule itself.
    pub file: String,
    /// The line of its title, for the same.
    pub title_line: u32,
    /// The file's text, for the digest of the rule set.
    pub(super) text: Arc<str>,
}

/// How a rule looks at an image.
#[derive(Clone, Debug)]
pub enum Logic {
    /// By the `[match]` table of its file.
    Match(Arc<Matcher>),
    /// By a function.
    Check(CheckFn),
    /// By the content scan, which knows what the `[match.secret]` table means; the rule hears its hits.
    Secret(toml::Table),
}

/// The head as it is written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    name: toml::Spanned<String>,
    severity: Severity,
    #[serde(default = "high")]
    confidence: Confidence,
    #[serde(default)]
    level: Level,
    since: String,
    #[serde(default)]
    aliases: Words,
    #[serde(default)]
    references: Words,
    check: Option<toml::Spanned<String>>,
    r#match: Option<toml::Spanned<MatchTable>>,
    #[serde(default)]
    params: Params,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct MatchTable {
    secret: Option<toml::Table>,
    file: Option<super::matcher::FileMatch>,
    config: Option<super::matcher::ConfigMatch>,
    label: Option<super::matcher::LabelMatch>,
    env: Option<super::matcher::EnvMatch>,
    port: Option<super::matcher::PortMatch>,
    history: Option<super::matcher::HistoryMatch>,
    package: Option<super::matcher::PackageMatch>,
}

/// The part of the head that the content scan reads, with the places of its mistakes.
#[derive(serde::Deserialize)]
struct SecretHead {
    r#match: SecretMatch,
}

#[derive(serde::Deserialize)]
struct SecretMatch {
    secret: SecretSpec,
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().trim().replace('\n', ", ")
}

fn high() -> Confidence {
    Confidence::High
}

impl Rule {
    /// Reads the rule file `file`, which lies in the folder `group` and whose text is `text`.
    pub fn read(file: &str, group: Group, text: &str) -> Result<Self, Problem> {
        let problem = |line: u32, what: String| Problem { file: file.to_owned(), line, what };
        let page = Page::read(text).map_err(|(line, what)| problem(line, what))?;
        let line_of = |offset: usize| page.head_line + line_in(&page.head, offset);
        let head: Head = toml::from_str(&page.head).map_err(|error| {
            let line = error.span().map_or(page.head_line, |span| line_of(span.start));
            problem(line, one_line(&error))
        })?;
        let name_line = line_of(head.name.span().start);
        let stem = file.rsplit(['/', '\\']).next().and_then(|last| last.strip_suffix(".md")).unwrap_or_default();
        if head.name.get_ref() != stem {
            return Err(problem(name_line, format!("name '{}' in a file named '{stem}.md'", head.name.get_ref())));
        }
        let logic = match (&head.check, head.r#match) {
            (Some(check), None) => Logic::Check(checks::find(check.get_ref()).ok_or_else(|| {
                problem(line_of(check.span().start), format!("check '{}': no such check", check.get_ref()))
            })?),
            (None, Some(table)) => {
                let line = line_of(table.span().start);
                let logic = table.into_inner().logic().map_err(|what| problem(line, what))?;
                if let Logic::Secret(_) = logic {
                    let spec = toml::from_str::<SecretHead>(&page.head).map_err(|error| {
                        problem(error.span().map_or(line, |span| line_of(span.start)), one_line(&error))
                    })?;
                    spec.r#match.secret.check().map_err(|what| problem(line, format!("[match.secret] {what}")))?;
                }
                logic
            }
            (Some(_), Some(_)) => return Err(problem(name_line, "both check and [match]: one of the two".to_owned())),
            (None, None) => return Err(problem(name_line, "neither check nor [match]: one of the two".to_owned())),
        };
        let name = head.name.into_inner();
        Ok(Self {
            name: Arc::from(name.as_str()),
            info: RuleInfo {
                name,
                group,
                severity: head.severity,
                confidence: head.confidence,
                level: head.level,
                aliases: head.aliases.0,
                references: head.references.0,
                since: head.since,
                title: page.title,
                summary: page.summary,
                fix: page.fix,
                page: page.body,
            },
            logic,
            params: head.params,
            examples: page.examples,
            check: head.check.map(toml::Spanned::into_inner),
            builtin: false,
            file: file.to_owned(),
            title_line: page.title_line,
            text: Arc::from(text),
        })
    }

    /// Lays `values` over the parameters. Every parameter stands in the rule's file with a default; a value for
    /// another, or of another type, is refused.
    pub fn set_params(&mut self, values: &Params) -> Result<(), String> {
        for (key, value) in values {
            match self.params.get_mut(key) {
                None => {
                    let known: Vec<&str> = self.params.keys().map(String::as_str).collect();
                    let known = if known.is_empty() { "it has none".to_owned() } else { known.join(", ") };
                    return Err(format!("rule {}: no parameter '{key}' ({known})", self.name));
                }
                Some(old) if old.type_str() != value.type_str() => {
                    return Err(format!(
                        "rule {}: parameter '{key}' is {} and must be {}",
                        self.name,
                        value.type_str(),
                        old.type_str()
                    ));
                }
                Some(old) => *old = value.clone(),
            }
        }
        Ok(())
    }
}

impl MatchTable {
    fn logic(self) -> Result<Logic, String> {
        let matcher = Matcher {
            file: self.file,
            config: self.config,
            label: self.label,
            env: self.env,
            port: self.port,
            history: self.history,
            package: self.package,
        };
        match (self.secret, matcher.is_empty()) {
            (Some(secret), true) => Ok(Logic::Secret(secret)),
            (Some(_), false) => Err("[match.secret] stands alone".to_owned()),
            (None, true) => Err("[match] without a table such as [match.file]".to_owned()),
            (None, false) => matcher.validate().map(|()| Logic::Match(Arc::new(matcher))),
        }
    }
}

/// Lines before `offset`.
pub(super) fn line_in(text: &str, offset: usize) -> u32 {
    lines(text.as_bytes().get(..offset).unwrap_or(text.as_bytes()))
}
