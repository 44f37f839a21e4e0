//! The JSON report, version 1: a contract. Fields are added, never renamed or removed; `plimsoll schema json` prints its
//! schema from these types. `docs/outputs.md` says it in words.

use super::escape::{hex_unless_utf8, write_pretty};
use super::{ImageReport, Render, Report};
use crate::model::{self, Confidence, Group, Level, Origin, Presence, RuleInfo, Severity};
use crate::policy::Judged;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use std::collections::HashMap;
use std::io;

/// Writes the JSON report.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Render for Json {
    fn render(&self, report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
        write_pretty(&document(report), out)
    }
}

/// The JSON schema of the report (draft 2020-12).
#[must_use]
pub fn schema() -> serde_json::Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Document>().to_value()
}

/// Writes a value as the program writes all its JSON: two spaces of indent, a final newline, safe to print.
pub fn write(value: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    write_pretty(value, out)
}

/// The rule index, for `plimsoll rules list -o json`.
#[must_use]
pub fn rules(rules: &[RuleInfo]) -> Vec<Rule> {
    rules
        .iter()
        .map(|rule| Rule {
            name: rule.name.clone(),
            aliases: rule.aliases.clone(),
            group: rule.group,
            severity: rule.severity,
            confidence: rule.confidence,
            level: rule.level,
            since: rule.since.clone(),
            title: rule.title.clone(),
            references: rule.references.clone(),
        })
        .collect()
}

/// A Plimsoll report.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Document {
    /// Always "plimsoll.report/1".
    #[schemars(extend("const" = "plimsoll.report/1"))]
    pub schema: String,
    /// Who says it.
    pub tool: Tool,
    /// The images in the order asked for.
    pub images: Vec<Image>,
    /// What was asked for and could not be looked at.
    pub errors: Vec<Failure>,
    /// What the pipeline is told.
    pub verdict: Verdict,
}

/// The program.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Tool {
    /// Always "plimsoll".
    pub name: String,
    /// Its version.
    pub version: String,
    /// Digest over the rules.
    pub rules: String,
}

/// Something that could not be looked at.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Failure {
    /// As given.
    pub source: String,
    /// Why.
    pub message: String,
}

/// One image.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Image {
    /// As given, normalised.
    pub source: String,
    /// Its tags.
    pub names: Vec<String>,
    /// Null where no manifest exists.
    pub manifest_digest: Option<String>,
    /// Of the config's bytes.
    pub config_digest: String,
    /// Such as linux/amd64.
    pub platform: String,
    /// As the config has it.
    pub created: Option<String>,
    /// Who it runs as.
    pub user: User,
    /// From the base up.
    pub layers: Vec<Layer>,
    /// By severity (worst first), rule, location.
    pub findings: Vec<Finding>,
    /// What was not looked at. A report with gaps is no pass.
    pub gaps: Vec<Gap>,
    /// Oddities that changed nothing that was looked at.
    pub notes: Vec<Gap>,
    /// What runs; null until it is built.
    pub runtime: Option<serde_json::Value>,
}

/// The config's user.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct User {
    /// As the config has it; empty when unset.
    pub config: String,
    /// Null when it cannot be known.
    pub uid: Option<u32>,
    /// Null when it cannot be known.
    pub gid: Option<u32>,
}

/// A layer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Layer {
    /// Counts from 0 at the base.
    pub index: u32,
    /// Of the stored blob; null where the source has none.
    pub digest: Option<String>,
    /// Of the decompressed layer, as the config promises.
    pub diff_id: Option<String>,
    /// Whether the decompressed layer was held against it; of a large layer the blob's digest alone is checked.
    pub diff_id_checked: bool,
    /// Bytes as stored.
    pub size: u64,
    /// The history's text, secrets redacted.
    pub created_by: Option<String>,
    /// Whose it is.
    pub origin: Origin,
}

/// A defect.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// The rule's name.
    pub rule: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// Its group.
    pub group: Group,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// Who hears it.
    pub level: Level,
    /// One sentence.
    pub message: String,
    /// Where.
    pub at: Location,
    /// Other places of the same defect.
    pub also: Vec<Location>,
    /// Whose layer it stands in.
    pub origin: Origin,
    /// Same defect, same value, over rebuilds.
    pub fingerprint: String,
    /// For secrets only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// Why it does not count; null when it does.
    pub suppressed: Option<Suppressed>,
}

/// What may be said about a secret.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Secret {
    /// Its type.
    pub kind: String,
    /// Prefix and length.
    pub redacted: String,
    /// The first 16 hex digits of its SHA-256.
    pub hash: String,
}

/// Why a finding does not count.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Suppressed {
    /// By what.
    #[schemars(extend("enum" = ["ignore", "waiver", "baseline"]))]
    pub by: &'static str,
    /// In the user's words.
    pub reason: String,
    /// The last day on which it holds, YYYY-MM-DD.
    pub until: Option<String>,
}

/// Something that was not looked at, or an oddity.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Gap {
    /// Where.
    pub at: Location,
    /// What and why.
    pub reason: String,
}

/// What the pipeline is told.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Verdict {
    /// The exit code.
    pub exit: u8,
    /// A severity, or "never".
    #[schemars(extend("enum" = ["critical", "high", "medium", "low", "info", "never"]))]
    pub fail_on: &'static str,
    /// Findings that count and are at or above it.
    pub failing: usize,
}

/// A place in an image.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Location {
    /// The image as a whole.
    Image,
    /// A value of the image config.
    Config {
        /// JSON pointer.
        pointer: String,
    },
    /// An entry of the history.
    History {
        /// Counts from 0.
        step: u32,
        /// The layer it made.
        layer: Option<u32>,
        /// Its text, secrets redacted; of a long one the beginning and what stands around the place, with `[…N bytes…]`
        /// for the rest.
        created_by: String,
    },
    /// A file.
    File {
        /// Absolute; foreign bytes as \xHH.
        path: String,
        /// The path's bytes in hex, when it is not UTF-8.
        #[serde(skip_serializing_if = "Option::is_none")]
        path_bytes: Option<String>,
        /// The layer that holds it.
        layer: u32,
        /// Whether a container sees it.
        #[schemars(extend("enum" = ["visible", "removed", "overwritten"]))]
        presence: &'static str,
        /// The layer that deleted or replaced it.
        removed_by: Option<u32>,
        /// From 1.
        line: Option<u32>,
        /// From 1, in characters.
        column: Option<u32>,
        /// Members of archives, outermost first.
        inside: Vec<String>,
    },
    /// An annotation.
    Annotation {
        /// Its key.
        key: String,
    },
}

/// A rule of the index.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Rule {
    /// Its id.
    pub name: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// Its group.
    pub group: Group,
    /// Of its findings, unless they say otherwise.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// Who hears it.
    pub level: Level,
    /// The release that brought it.
    pub since: String,
    /// One line.
    pub title: String,
    /// Benchmarks and documents.
    pub references: Vec<String>,
}

fn document(report: &Report) -> Document {
    let rules: HashMap<&str, &RuleInfo> = report.rules.iter().map(|rule| (rule.name.as_str(), rule)).collect();
    let failure = |error: &super::Failure| Failure { source: error.source.clone(), message: error.message.clone() };
    Document {
        schema: "plimsoll.report/1".to_owned(),
        tool: Tool {
            name: "plimsoll".to_owned(),
            version: report.tool.version.clone(),
            rules: report.tool.rules_digest.clone(),
        },
        images: report.images.iter().map(|image| self::image(image, &rules)).collect(),
        errors: report.errors.iter().map(failure).collect(),
        verdict: Verdict {
            exit: report.verdict.exit,
            fail_on: report.verdict.fail_on.map_or("never", Severity::name),
            failing: report.verdict.failing,
        },
    }
}

fn image(image: &ImageReport, rules: &HashMap<&str, &RuleInfo>) -> Image {
    let layers = image.layers.iter().map(|layer| Layer {
        index: layer.index,
        digest: layer.digest.as_ref().map(ToString::to_string),
        diff_id: layer.diff_id.as_ref().map(ToString::to_string),
        diff_id_checked: layer.diff_id_checked,
        size: layer.size,
        created_by: layer.created_by.clone(),
        origin: layer.origin,
    });
    let gap = |gap: &model::Gap| Gap { at: location(&gap.at), reason: gap.reason.clone() };
    Image {
        source: image.source.clone(),
        names: image.names.clone(),
        manifest_digest: image.manifest_digest.as_ref().map(ToString::to_string),
        config_digest: image.config_digest.to_string(),
        platform: image.platform.to_string(),
        created: image.created.clone(),
        user: User { config: image.user.config.clone(), uid: image.user.uid, gid: image.user.gid },
        layers: layers.collect(),
        findings: image.decision.findings.iter().map(|judged| finding(judged, rules)).collect(),
        gaps: image.decision.gaps.iter().map(gap).collect(),
        notes: image.decision.notes.iter().map(gap).collect(),
        runtime: None,
    }
}

fn finding(judged: &Judged, rules: &HashMap<&str, &RuleInfo>) -> Finding {
    let finding = &judged.finding;
    let rule = rules.get(&*finding.rule);
    Finding {
        rule: finding.rule.to_string(),
        aliases: rule.map_or_else(Vec::new, |rule| rule.aliases.clone()),
        group: rule.map_or(Group::Config, |rule| rule.group),
        severity: finding.severity,
        confidence: finding.confidence,
        level: rule.map_or(Level::Regular, |rule| rule.level),
        message: finding.message.clone(),
        at: location(&finding.at),
        also: finding.also.iter().map(location).collect(),
        origin: finding.origin,
        fingerprint: judged.fingerprint.clone(),
        secret: finding.secret.as_ref().map(|secret| Secret {
            kind: secret.kind.clone(),
            redacted: secret.redacted.clone(),
            hash: secret.hash.clone(),
        }),
        suppressed: judged.suppressed.as_ref().map(|aside| Suppressed {
            by: aside.by.name(),
            reason: aside.reason.clone(),
            until: aside.until.map(|day| day.to_string()),
        }),
    }
}

fn location(at: &model::Location) -> Location {
    match at {
        model::Location::Image => Location::Image,
        model::Location::Config { pointer } => Location::Config { pointer: pointer.clone() },
        model::Location::History { step, layer, created_by } => {
            Location::History { step: *step, layer: *layer, created_by: created_by.as_str().to_owned() }
        }
        model::Location::File { path, layer, presence, line, column, inside } => {
            let (presence, removed_by) = match presence {
                Presence::Visible => ("visible", None),
                Presence::Removed { by } => ("removed", Some(*by)),
                Presence::Overwritten { by } => ("overwritten", Some(*by)),
            };
            Location::File {
                path: path.to_string(),
                path_bytes: hex_unless_utf8(path.as_bytes()),
                layer: *layer,
                presence,
                removed_by,
                line: *line,
                column: *column,
                inside: inside.clone(),
            }
        }
        model::Location::Annotation { key } => Location::Annotation { key: key.clone() },
    }
}
