//! `[match.config]`, `[match.label]`, `[match.env]`, `[match.port]`: values of the image config.

use super::words::{Pattern, Template, Words};
use crate::facts::{Facts, ImageConfig};
use crate::model::Location;
use crate::rule::Sink;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// A value by JSON pointer. Exactly one of the four conditions.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::rule) struct ConfigMatch {
    key: Words,
    /// There is no such value, or it is empty.
    #[serde(default)]
    missing: bool,
    equals: Option<Value>,
    /// One of its texts matches.
    matches: Option<Pattern>,
    /// One of its texts does not.
    differs: Option<Pattern>,
    message: Template,
}

/// A label by name; the conditions of [`ConfigMatch`].
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::rule) struct LabelMatch {
    key: Words,
    #[serde(default)]
    missing: bool,
    matches: Option<Pattern>,
    differs: Option<Pattern>,
    message: Template,
}

/// An environment variable. Of several entries with one name the last is the one that counts.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::rule) struct EnvMatch {
    name: Pattern,
    value: Option<Pattern>,
    message: Template,
}

/// An exposed port.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::rule) struct PortMatch {
    port: Vec<PortRange>,
    protocol: Option<String>,
    message: Template,
}

/// `22` or `"8000-8100"`.
#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize)]
#[serde(try_from = "toml::Value")]
struct PortRange(u16, u16);

impl ConfigMatch {
    pub(super) fn validate(&self) -> Result<(), String> {
        if let Some(key) = self.key.0.iter().find(|key| !key.starts_with('/')) {
            return Err(format!("key '{key}': a JSON pointer such as /config/StopSignal"));
        }
        one_of(&self.key, self.missing, &[self.equals.is_some(), self.matches.is_some(), self.differs.is_some()])?;
        self.message.validate(&["key", "value"])
    }

    pub(super) fn run(&self, facts: &Facts, sink: &mut Sink) {
        let config = view(&facts.config);
        for key in &self.key.0 {
            let value = config.pointer(key).filter(|value| !is_empty(value));
            let hit = match (value, &self.equals, &self.matches, &self.differs) {
                (None, ..) => self.missing,
                (Some(value), Some(equals), ..) => value == equals,
                (Some(value), _, Some(pattern), _) => texts(value).iter().any(|text| pattern.matches(text.as_bytes())),
                (Some(value), _, _, Some(pattern)) => texts(value).iter().any(|text| !pattern.matches(text.as_bytes())),
                (Some(_), None, None, None) => false,
            };
            if hit {
                let shown = value.map(texts).unwrap_or_default().join(" ");
                let message = self.message.render(&[("key", key), ("value", &shown)]);
                sink.find(Location::config(key.as_str()), key.as_str(), message);
            }
        }
    }
}

impl LabelMatch {
    pub(super) fn validate(&self) -> Result<(), String> {
        one_of(&self.key, self.missing, &[self.matches.is_some(), self.differs.is_some()])?;
        self.message.validate(&["key", "value"])
    }

    pub(super) fn run(&self, facts: &Facts, sink: &mut Sink) {
        for key in &self.key.0 {
            let value = facts.config.config.labels.get(key).map(String::as_str).filter(|value| !value.is_empty());
            let hit = match (value, &self.matches, &self.differs) {
                (None, ..) => self.missing,
                (Some(value), Some(pattern), _) => pattern.matches(value.as_bytes()),
                (Some(value), _, Some(pattern)) => !pattern.matches(value.as_bytes()),
                (Some(_), None, None) => false,
            };
            if hit {
                let pointer = match value {
                    Some(_) => format!("/config/Labels/{}", escaped(key)),
                    None => "/config/Labels".to_owned(),
                };
                let message = self.message.render(&[("key", key), ("value", value.unwrap_or_default())]);
                sink.find(Location::config(pointer), key.as_str(), message);
            }
        }
    }
}

impl EnvMatch {
    /// A variable's value is not for messages: it may be a secret.
    pub(super) fn validate(&self) -> Result<(), String> {
        self.message.validate(&["name"])
    }

    pub(super) fn run(&self, facts: &Facts, sink: &mut Sink) {
        let env = &facts.config.config.env;
        let last: HashMap<&str, usize> =
            env.iter().zip(0..).map(|(entry, index)| (assignment(entry).0, index)).collect();
        for (index, entry) in env.iter().enumerate() {
            let (name, value) = assignment(entry);
            if !self.name.matches(name.as_bytes()) || last.get(name) != Some(&index) {
                continue;
            }
            if self.value.as_ref().is_none_or(|pattern| pattern.matches(value.as_bytes())) {
                let message = self.message.render(&[("name", name)]);
                sink.find(Location::config(format!("/config/Env/{index}")), name, message);
            }
        }
    }
}

impl PortMatch {
    pub(super) fn validate(&self) -> Result<(), String> {
        if self.port.is_empty() {
            return Err("port: an empty list".to_owned());
        }
        self.message.validate(&["port"])
    }

    pub(super) fn run(&self, facts: &Facts, sink: &mut Sink) {
        for exposed in &facts.config.config.exposed_ports {
            let (range, protocol) = exposed.split_once('/').unwrap_or((exposed, "tcp"));
            let Some(PortRange(first, last)) = PortRange::read(range) else { continue };
            let fits = self.port.iter().any(|port| first <= port.1 && port.0 <= last);
            if fits && self.protocol.as_ref().is_none_or(|wanted| protocol.eq_ignore_ascii_case(wanted)) {
                let message = self.message.render(&[("port", exposed)]);
                let pointer = format!("/config/ExposedPorts/{}", escaped(exposed));
                sink.find(Location::config(pointer), exposed.as_str(), message);
            }
        }
    }
}

impl PortRange {
    fn read(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Some(Self(first.parse().ok()?, last.parse().ok()?))
    }
}

impl TryFrom<toml::Value> for PortRange {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        let text = match &value {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Self::read(&text).ok_or_else(|| format!("port {text}: neither a port nor a range such as \"8000-8100\""))
    }
}

/// An entry of `Env` as name and value.
fn assignment(entry: &str) -> (&str, &str) {
    entry.split_once('=').unwrap_or((entry, ""))
}

fn one_of(keys: &Words, missing: bool, others: &[bool]) -> Result<(), String> {
    if keys.0.is_empty() {
        return Err("key: an empty list".to_owned());
    }
    match usize::from(missing) + others.iter().filter(|given| **given).count() {
        1 => Ok(()),
        _ => Err("give one condition: missing = true, equals, matches or differs".to_owned()),
    }
}

/// A key as a component of a JSON pointer (RFC 6901, section 3).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The texts of a value: itself, its items, or its keys.
fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Value::Array(items) => items.iter().map(text).collect(),
        Value::Object(members) => members.keys().cloned().collect(),
        scalar => vec![text(scalar)],
    }
}

/// The config as JSON again, names as the specification writes them. What is unset is empty or null.
fn view(image: &ImageConfig) -> Value {
    let config = &image.config;
    let keys =
        |names: &[String]| Value::Object(names.iter().map(|name| (name.clone(), json!({}))).collect::<Map<_, _>>());
    json!({
        "os": image.platform.os,
        "architecture": image.platform.architecture,
        "variant": image.platform.variant,
        "created": image.created,
        "author": image.author,
        "config": {
            "User": config.user,
            "Env": config.env,
            "Entrypoint": config.entrypoint,
            "Cmd": config.cmd,
            "WorkingDir": config.working_dir,
            "Volumes": keys(&config.volumes),
            "ExposedPorts": keys(&config.exposed_ports),
            "Labels": config.labels,
            "StopSignal": config.stop_signal,
            "StopTimeout": config.stop_timeout,
            "Healthcheck": config.healthcheck.as_ref().map(|check| json!({
                "Test": check.test,
                "Interval": check.interval,
                "Timeout": check.timeout,
                "StartPeriod": check.start_period,
                "Retries": check.retries,
            })),
            "OnBuild": config.on_build,
            "Shell": config.shell,
        },
    })
}
