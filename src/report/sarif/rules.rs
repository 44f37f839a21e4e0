//! Rules as SARIF describes them.

use super::bag;
use crate::model::{RuleInfo, Severity, visible_str};
use crate::report::{markdown, place};
use sarif_rust::{MultiformatMessage, NotificationLevel, ReportingConfiguration, ReportingDescriptor};
use serde_json::json;

/// GitHub's bound on descriptions, in characters.
const DESCRIPTION: usize = 1024;
/// GitHub's bound on a rule's tags is 20, and it shows ten.
const TAGS: usize = 10;

/// A rule, with what a viewer needs to explain it without us.
pub(super) fn descriptor(rule: &RuleInfo) -> ReportingDescriptor {
    let mut descriptor = ReportingDescriptor::new(&rule.name).with_name(second_name(rule));
    descriptor.short_description = Some(MultiformatMessage::new(sentence(&rule.title, &rule.name)));
    descriptor.full_description = Some(MultiformatMessage::new(sentence(&rule.summary, &rule.title)));
    let text = [markdown::plain(&rule.page), rule.title.clone(), rule.name.clone()];
    let text = text.into_iter().find(|text| !text.trim().is_empty()).unwrap_or_default();
    let page = if rule.page.trim().is_empty() { text.clone() } else { rule.page.clone() };
    descriptor.help = Some(MultiformatMessage::new(text).with_markdown(page));
    descriptor.default_configuration = Some(ReportingConfiguration {
        enabled: None,
        level: Some(match rule.severity {
            Severity::Critical | Severity::High => NotificationLevel::Error,
            Severity::Medium => NotificationLevel::Warning,
            Severity::Low | Severity::Info => NotificationLevel::Note,
        }),
        parameters: None,
        properties: None,
    });

    let mut tags = vec!["security".to_owned(), rule.group.to_string(), format!("level/{}", rule.level)];
    for alias in &rule.aliases {
        if !tags.contains(alias) && tags.len() < TAGS {
            tags.push(alias.clone());
        }
    }
    let mut properties = json!({ "tags": tags, "precision": rule.confidence });
    match security_severity(rule.severity) {
        Some(score) => properties["security-severity"] = score.into(),
        None => properties["problem.severity"] = "recommendation".into(),
    }
    if !rule.references.is_empty() {
        properties["references"] = json!(rule.references);
    }
    descriptor.properties = Some(bag(properties));
    descriptor
}

/// A text, because GitHub refuses numbers here. Its bounds: critical above 9.0, high from 7.0, medium from 4.0.
fn security_severity(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::Critical => Some("9.5"),
        Severity::High => Some("8.0"),
        Severity::Medium => Some("5.5"),
        Severity::Low => Some("2.0"),
        Severity::Info => None,
    }
}

/// `text`, or `instead` when it is empty, within the bound and with a full stop.
fn sentence(text: &str, instead: &str) -> String {
    let text = if text.trim().is_empty() { instead } else { text };
    let text = visible_str(text.trim());
    let text = place::cut(text.trim_end_matches('.'), DESCRIPTION - 2);
    format!("{text}.")
}

/// SARIF wants a name that is not the id, whatever its case (SARIF1001): a rule of one word takes its group in front.
fn second_name(rule: &RuleInfo) -> String {
    let name = pascal_case(&rule.name);
    if name.eq_ignore_ascii_case(&rule.name) { pascal_case(rule.group.name()) + &name } else { name }
}

/// `runs-as-root` as `RunsAsRoot`.
fn pascal_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for word in name.split('-') {
        let mut chars = word.chars();
        out.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(chars.as_str());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(pascal_case("runs-as-root"), "RunsAsRoot");
        assert_eq!(pascal_case("x"), "X");
    }

    #[test]
    fn descriptions_keep_their_bound() {
        assert_eq!(sentence("", "name"), "name.");
        assert_eq!(sentence("One. Two.", ""), "One. Two.");
        assert_eq!(sentence(&"ä".repeat(3000), "").chars().count(), 1024);
    }
}
