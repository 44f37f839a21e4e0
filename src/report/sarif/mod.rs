//! SARIF 2.1.0 as GitHub code scanning takes it: one run an image, one result a finding that counts, one location a
//! result. Built with sarif_rust, whose types write `null` for what is unset and flatten property bags; [`tidy`] mends
//! the first, and bags are put under `properties` here. The official schema decides in the tests.

mod place;
mod rules;

use super::escape::write_pretty;
use super::place::{count, words};
use super::{ImageReport, Render, Report};
use crate::model::{Finding, Gap, STEP_TEXT, Severity, cut_middle, visible_str};
use crate::policy::Judged;
use sarif_rust::{
    ColumnKind, Invocation, Level, Message, MultiformatMessage, Notification, NotificationLevel, Run,
    RunAutomationDetails, SarifLog, Tool,
};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io;

/// The schema that the output follows.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// GitHub refuses files with more.
const RUNS: usize = 20;
/// GitHub shows no more of one run.
const RESULTS: usize = 5000;
/// Notifications of one run; the rest is counted.
const NOTIFICATIONS: usize = 100;

/// Writes SARIF.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sarif;

impl Render for Sarif {
    fn render(&self, report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
        let mut log = SarifLog::new("2.1.0");
        log.schema = Some(SCHEMA.to_owned());
        let categories = place::categories(&report.images);
        log.runs = report
            .images
            .iter()
            .zip(categories)
            .take(RUNS)
            .enumerate()
            .map(|(index, (image, category))| run(report, image, category, index == 0))
            .collect();
        let mut value = serde_json::to_value(&log)?;
        tidy(&mut value);
        write_pretty(&value, out)
    }
}

/// Drops what is unset, in property bags too: GitHub's own check takes no null anywhere.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, inner| !inner.is_null());
            map.values_mut().for_each(tidy);
        }
        Value::Array(list) => list.iter_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A property bag where SARIF wants it; sarif_rust flattens its map into the object.
fn bag(properties: Value) -> HashMap<String, Value> {
    HashMap::from([("properties".to_owned(), properties)])
}

fn run(report: &Report, image: &ImageReport, category: String, first: bool) -> Run {
    let mut tool = Tool::new("plimsoll");
    tool.driver.full_name = Some(format!("Plimsoll {}, a linter for container images", report.tool.version));
    tool.driver.organization = Some("Plimsoll".to_owned());
    tool.driver.short_description = Some(MultiformatMessage::new("Lints container images."));
    tool.driver.version = Some(report.tool.version.clone());
    tool.driver.semantic_version = Some(report.tool.version.clone());
    let repository = std::option_env!("CARGO_PKG_REPOSITORY").filter(|uri| !uri.is_empty());
    tool.driver.information_uri = repository.map(str::to_owned);
    tool.driver.rules = Some(report.rules.iter().map(rules::descriptor).collect());

    let counted: Vec<&Judged> = image.decision.findings.iter().filter(|judged| judged.suppressed.is_none()).collect();
    let indexes: HashMap<&str, usize> =
        report.rules.iter().enumerate().map(|(index, rule)| (rule.name.as_str(), index)).collect();
    let repository = place::repository(image);

    let mut run = Run::new(tool);
    run.results = Some(
        counted
            .iter()
            .take(RESULTS)
            .map(|judged| result(judged, image, &repository, indexes.get(&*judged.finding.rule).copied()))
            .collect(),
    );
    run.invocations = Some(vec![invocation(report, image, counted.len(), first)]);
    run.automation_details = Some(RunAutomationDetails::new().with_id(category));
    run.column_kind = Some(ColumnKind::UnicodeCodePoints);
    run.properties = Some(bag(about(image)));
    run
}

/// The scan came to its end, so it was successful, whatever it found: GitHub reads `false` as a broken tool. What was
/// not looked at is said in notifications.
fn invocation(report: &Report, image: &ImageReport, results: usize, first: bool) -> Invocation {
    let mut said: Vec<Notification> = Vec::new();
    if first {
        for error in &report.errors {
            // Most messages name the image already.
            let named = error.message.strip_prefix(&error.source).is_some_and(|rest| rest.starts_with(':'));
            let text = if named { error.message.clone() } else { format!("{}: {}", error.source, error.message) };
            said.push(notification(NotificationLevel::Error, &text));
        }
        if report.images.len() > RUNS {
            let left = count(report.images.len() - RUNS, "image");
            said.push(notification(
                NotificationLevel::Error,
                &format!("{left} left out: a file holds at most {RUNS} runs"),
            ));
        }
    }
    if results > RESULTS {
        let left = results - RESULTS;
        let text = format!("{left} results left out, the least severe: a run shows at most {RESULTS}");
        said.push(notification(NotificationLevel::Warning, &text));
    }
    for gap in image.decision.gaps.iter().take(NOTIFICATIONS) {
        said.push(notification(NotificationLevel::Warning, &format!("not looked at: {}", gap_text(gap))));
    }
    if image.decision.gaps.len() > NOTIFICATIONS {
        let left = image.decision.gaps.len() - NOTIFICATIONS;
        said.push(notification(NotificationLevel::Warning, &format!("not looked at: {left} more gaps")));
    }
    for note in image.decision.notes.iter().take(NOTIFICATIONS) {
        said.push(notification(NotificationLevel::Note, &gap_text(note)));
    }
    let mut invocation =
        Invocation::new().with_execution_successful(true).with_exit_code(i32::from(report.verdict.exit));
    invocation.exit_code_description = Some(
        match report.verdict.exit {
            0 => "nothing at or above the bar",
            1 => "findings at or above the bar",
            2 => "an image could not be linted",
            _ => "linted in part",
        }
        .to_owned(),
    );
    invocation.tool_execution_notifications = (!said.is_empty()).then_some(said);
    invocation
}

fn gap_text(gap: &Gap) -> String {
    format!("{} ({})", gap.reason.trim_end_matches('.'), words(&gap.at))
}

fn notification(level: NotificationLevel, text: &str) -> Notification {
    Notification {
        locations: None,
        message: Message::new(message_text(text)),
        level: Some(level),
        thread_id: None,
        time_utc: None,
        exception: None,
        descriptor: None,
        associated_rule: None,
        properties: None,
    }
}

fn result(judged: &Judged, image: &ImageReport, repository: &str, rule: Option<usize>) -> sarif_rust::Result {
    let finding = &judged.finding;
    let text = format!("{} (image '{repository}').", finding.message.trim_end_matches('.'));
    let mut result = sarif_rust::Result::new(message_text(&text));
    result.rule_id = Some(finding.rule.to_string());
    result.rule_index = rule.and_then(|index| i32::try_from(index).ok());
    result.level = Some(level(finding.severity));
    result.locations = Some(vec![place::location(finding, image, repository)]);

    let (id, number) = judged.fingerprint.split_once(':').unwrap_or((&judged.fingerprint, "1"));
    let hash = format!("{}:{number}", id.get(..16).unwrap_or(id));
    result.partial_fingerprints = Some(HashMap::from([("primaryLocationLineHash".to_owned(), hash)]));
    result.fingerprints = Some(HashMap::from([("plimsoll/v1".to_owned(), judged.fingerprint.clone())]));
    result.properties = Some(bag(details(finding, image)));
    result
}

/// What GitHub does not show and others may: all of it exact, nothing escaped but by JSON.
fn details(finding: &Finding, image: &ImageReport) -> Value {
    let layer = finding.at.layer().and_then(|index| image.layers.iter().find(|layer| layer.index == index));
    let mut details = json!({
        "message": finding.message,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "origin": finding.origin,
        "target": finding.target,
        "place": words(&finding.at),
        "locationSource": "image",
    });
    if !finding.also.is_empty() {
        // A result has one location; the JSON report has them all.
        details["also"] = finding.also.iter().take(100).map(words).collect();
        details["alsoCount"] = finding.also.len().into();
    }
    if let Some(layer) = layer {
        details["layer"] = json!({
            "index": layer.index,
            "digest": layer.digest.as_ref().map(ToString::to_string),
            "diffId": layer.diff_id.as_ref().map(ToString::to_string),
            "createdBy": layer.created_by.as_deref().map(|text| cut_middle(text, STEP_TEXT)),
        });
    }
    if let Some(secret) = &finding.secret {
        details["secret"] = json!({ "kind": secret.kind, "redacted": secret.redacted, "hash": secret.hash });
    }
    details
}

/// What changes from build to build stands here and nowhere else: in an id or a URI it would make every alert a new one.
fn about(image: &ImageReport) -> Value {
    let layers = image.layers.iter().map(|layer| {
        json!({
            "index": layer.index,
            "digest": layer.digest.as_ref().map(ToString::to_string),
            "diffId": layer.diff_id.as_ref().map(ToString::to_string),
            "size": layer.size,
        })
    });
    json!({
        "source": image.source,
        "names": image.names,
        "manifestDigest": image.manifest_digest.as_ref().map(ToString::to_string),
        "configDigest": image.config_digest.to_string(),
        "platform": image.platform.to_string(),
        "layers": layers.collect::<Vec<_>>(),
    })
}

/// Text that no viewer takes for more than text: no control characters, and no `[text](target)`, which SARIF reads as a
/// link (2.1.0, 3.11.6).
fn message_text(text: &str) -> String {
    visible_str(text).replace("](", "] (")
}

fn level(severity: Severity) -> Level {
    match severity {
        Severity::Critical | Severity::High => Level::Error,
        Severity::Medium => Level::Warning,
        Severity::Low | Severity::Info => Level::Note,
    }
}
