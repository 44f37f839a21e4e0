//! The image config, read as Go's encoding/json reads it, Docker's own fields included. Judges nothing.

use super::json::{Field, Json, Notes};
use super::{Digest, Platform};
use crate::model::Limits;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The image config (OCI image-spec, "config.md", and Docker's image spec v1.2).
#[derive(Clone, Debug, Default)]
pub struct ImageConfig {
    /// `os`, `architecture`, `variant`, by the names that runtimes give them.
    pub platform: Platform,
    /// `created`, as written; `None` when it is no date.
    pub created: Option<String>,
    /// `author`.
    pub author: Option<String>,
    /// `config`.
    pub config: ContainerConfig,
    /// `rootfs.diff_ids`.
    pub diff_ids: Vec<Digest>,
    /// `history`, as written.
    pub history: Vec<HistoryEntry>,
    /// Oddities that did not stop the reading: (JSON pointer, what).
    pub notes: Vec<(String, String)>,
    /// The whole document, with what no field here holds; null for a config that was not read from one.
    pub document: Arc<Json>,
}

/// The execution parameters, `config` in the image config.
#[derive(Clone, Debug, Default)]
pub struct ContainerConfig {
    /// `User`; empty when unset.
    pub user: String,
    /// `Env`, each `NAME=value` (or without `=`).
    pub env: Vec<String>,
    /// `Entrypoint`; `None` when unset or null.
    pub entrypoint: Option<Vec<String>>,
    /// `Cmd`.
    pub cmd: Option<Vec<String>>,
    /// `WorkingDir`; empty when unset.
    pub working_dir: String,
    /// Keys of `Volumes`, sorted.
    pub volumes: Vec<String>,
    /// Keys of `ExposedPorts`, sorted.
    pub exposed_ports: Vec<String>,
    /// `Labels`.
    pub labels: BTreeMap<String, String>,
    /// `StopSignal`; empty when unset.
    pub stop_signal: String,
    /// `Healthcheck` (Docker).
    pub healthcheck: Option<Healthcheck>,
    /// `OnBuild` (Docker).
    pub on_build: Vec<String>,
    /// `Shell` (Docker).
    pub shell: Option<Vec<String>>,
    /// `StopTimeout` (Docker), in seconds.
    pub stop_timeout: Option<i64>,
}

/// `Healthcheck` of Docker's image config; durations in nanoseconds.
#[derive(Clone, Debug, Default)]
pub struct Healthcheck {
    /// `Test`: `["NONE"]`, `["CMD", ...]`, `["CMD-SHELL", "..."]`, or empty (inherit).
    pub test: Vec<String>,
    /// `Interval`.
    pub interval: i64,
    /// `Timeout`.
    pub timeout: i64,
    /// `StartPeriod`.
    pub start_period: i64,
    /// `Retries`.
    pub retries: i64,
}

/// One entry of `history`.
#[derive(Clone, Debug, Default)]
pub struct HistoryEntry {
    /// `created`; `None` when it is no date.
    pub created: Option<String>,
    /// `created_by`.
    pub created_by: Arc<str>,
    /// `author`.
    pub author: Option<String>,
    /// `comment`.
    pub comment: Option<String>,
    /// `empty_layer`.
    pub empty_layer: bool,
}

impl ImageConfig {
    /// Reads a config. Keys match without regard to case and duplicates merge, as in Go; every such oddity is noted.
    /// Fields that are not used are not looked at, `null` is allowed everywhere, a missing `rootfs` gives no diff ids.
    /// Errors when the document is larger than `limits.config`, is no JSON object, or a used field has another type:
    /// `/config/Env: expected an array of strings, got an object`. History beyond `limits.history` is left out, with a
    /// note.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, String> {
        if bytes.len() as u64 > limits.config {
            return Err(format!("{} bytes, more than the limit of {}", bytes.len(), limits.config));
        }
        let document = Json::parse(bytes, limits.json_depth)?;
        if !matches!(document, Json::Object(_)) {
            return Err(format!("expected an object, got {}", document.kind()));
        }
        let mut notes = Notes::default();
        let mut read = Self::read(&Field::root(&document), limits, &mut notes)?;
        read.notes = notes.into_list();
        read.document = Arc::new(document);
        Ok(read)
    }

    fn read(root: &Field, limits: &Limits, notes: &mut Notes) -> Result<Self, String> {
        let rootfs = root.field("rootfs", notes)?;
        let kind = rootfs.field("type", notes)?;
        if let Some(text) = kind.string()?.filter(|text| text != "layers") {
            notes.add(kind.pointer(), format!("'{text}', not 'layers'"));
        }
        let diff_ids = rootfs.field("diff_ids", notes)?;
        let texts = diff_ids.strings()?.unwrap_or_default();
        let diff_ids = texts.iter().zip(0..).map(|(text, index): (_, usize)| {
            Digest::parse(text).map_err(|trouble| format!("{}/{index}: {trouble}", diff_ids.pointer()))
        });
        Ok(Self {
            platform: Platform::named(
                &string(root, "os", notes)?.unwrap_or_default(),
                &string(root, "architecture", notes)?.unwrap_or_default(),
                &string(root, "variant", notes)?.unwrap_or_default(),
            ),
            created: date(root, notes)?,
            author: string(root, "author", notes)?,
            config: ContainerConfig::read(&root.field("config", notes)?, notes)?,
            diff_ids: diff_ids.collect::<Result<_, _>>()?,
            history: history(&root.field("history", notes)?, limits, notes)?,
            notes: Vec::new(),
            document: Arc::default(),
        })
    }
}

fn string(object: &Field, name: &str, notes: &mut Notes) -> Result<Option<String>, String> {
    object.field(name, notes)?.string()
}

/// `created`, as written; what is no date (RFC 3339) is noted and left out, not refused: nothing depends on it.
fn date(object: &Field, notes: &mut Notes) -> Result<Option<String>, String> {
    let field = object.field("created", notes)?;
    let text = match field.string() {
        Ok(text) => text,
        Err(trouble) => {
            notes.add(field.pointer(), trouble.trim_start_matches(field.pointer()).trim_start_matches(": "));
            None
        }
    };
    if text.as_deref().is_some_and(|text| !is_date(text)) {
        notes.add(field.pointer(), "not a date (RFC 3339); runtimes refuse it");
        return Ok(None);
    }
    Ok(text)
}

/// Whether Go's time.Time takes this.
fn is_date(text: &str) -> bool {
    let shape = text.bytes().take(11).map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    shape.eq(*b"0000-00-00T") && text.parse::<jiff::Timestamp>().is_ok()
}

fn history(field: &Field, limits: &Limits, notes: &mut Notes) -> Result<Vec<HistoryEntry>, String> {
    let elements = field.elements()?.unwrap_or_default();
    if elements.len() > limits.history {
        notes.add(field.pointer(), format!("{} entries, only the first {} are read", elements.len(), limits.history));
    }
    let read = |element: &Field| {
        Ok(HistoryEntry {
            created: date(element, notes)?,
            created_by: string(element, "created_by", notes)?.unwrap_or_default().into(),
            author: string(element, "author", notes)?,
            comment: string(element, "comment", notes)?,
            empty_layer: element.field("empty_layer", notes)?.boolean()?.unwrap_or_default(),
        })
    };
    elements.iter().take(limits.history).map(read).collect()
}

impl Healthcheck {
    fn read(field: &Field, notes: &mut Notes) -> Result<Option<Self>, String> {
        if !field.is_set() {
            return Ok(None);
        }
        Ok(Some(Self {
            test: field.field("Test", notes)?.strings()?.unwrap_or_default(),
            interval: duration(field, "Interval", notes)?,
            timeout: duration(field, "Timeout", notes)?,
            start_period: duration(field, "StartPeriod", notes)?,
            retries: duration(field, "Retries", notes)?,
        }))
    }
}

/// A number of a health check; what is no integer, or is negative, is noted.
fn duration(object: &Field, name: &str, notes: &mut Notes) -> Result<i64, String> {
    let field = object.field(name, notes)?;
    match field.integer() {
        Ok(number) => {
            let number = number.unwrap_or_default();
            if number < 0 {
                notes.add(field.pointer(), "negative");
            }
            Ok(number)
        }
        Err(trouble) => {
            notes.add(field.pointer(), trouble.trim_start_matches(field.pointer()).trim_start_matches(": "));
            Ok(0)
        }
    }
}

impl ContainerConfig {
    fn read(field: &Field, notes: &mut Notes) -> Result<Self, String> {
        Ok(Self {
            user: string(field, "User", notes)?.unwrap_or_default(),
            env: field.field("Env", notes)?.strings()?.unwrap_or_default(),
            entrypoint: field.field("Entrypoint", notes)?.strings_or_bare(notes)?,
            cmd: field.field("Cmd", notes)?.strings_or_bare(notes)?,
            working_dir: string(field, "WorkingDir", notes)?.unwrap_or_default(),
            volumes: field.field("Volumes", notes)?.keys()?,
            exposed_ports: field.field("ExposedPorts", notes)?.keys()?,
            labels: field.field("Labels", notes)?.text_map()?,
            stop_signal: string(field, "StopSignal", notes)?.unwrap_or_default(),
            healthcheck: Healthcheck::read(&field.field("Healthcheck", notes)?.since_null(), notes)?,
            on_build: field.field("OnBuild", notes)?.strings()?.unwrap_or_default(),
            shell: field.field("Shell", notes)?.strings_or_bare(notes)?,
            stop_timeout: field.field("StopTimeout", notes)?.integer()?,
        })
    }

    /// The value of the last `name=...` in `Env`, as runtimes take it.
    #[must_use]
    pub fn env_value(&self, name: &str) -> Option<&str> {
        self.env.iter().rev().find_map(|entry| entry.strip_prefix(name)?.strip_prefix('='))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ImageConfig, String> {
        ImageConfig::parse(text.as_bytes(), &Limits::default())
    }

    /// Reads `{"config": ...}`.
    fn container(text: &str) -> Result<(ContainerConfig, Vec<String>), String> {
        let read = parse(&format!("{{\"config\":{text}}}"))?;
        Ok((read.config, read.notes.into_iter().map(|(pointer, what)| format!("{pointer}: {what}")).collect()))
    }

    #[test]
    fn a_whole_config() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let text = format!(
            r#"{{"architecture":"arm64","os":"linux","variant":"v8","created":"2026-01-01T00:00:00.5Z","author":"me",
            "container_config":{{"User":7}},"docker_version":1e999,
            "config":{{"User":"app","Env":["A=1","B","A=2"],"Entrypoint":["/e"],"Cmd":["c","d"],"WorkingDir":"/w",
              "Volumes":{{"/v":{{}},"/a":{{}}}},"ExposedPorts":{{"80/tcp":{{}}}},"Labels":{{"l":"x"}},"StopSignal":"SIGQUIT",
              "Healthcheck":{{"Test":["CMD","x"],"Interval":30000000000,"Timeout":1,"StartPeriod":2,"Retries":3}},
              "OnBuild":["RUN x"],"Shell":["/bin/bash","-c"],"StopTimeout":5,"ArgsEscaped":"whatever"}},
            "rootfs":{{"type":"layers","diff_ids":["{digest}"]}},
            "history":[{{"created":"2026-01-01T00:00:00+01:00","created_by":"x","author":"a","comment":"c"}},
              {{"created_by":"y","empty_layer":true}},null]}}"#
        );
        let read = parse(&text).unwrap();
        assert_eq!(read.platform.to_string(), "linux/arm64/v8");
        assert_eq!(read.config.env_value("A"), Some("2"));
        assert_eq!(read.config.volumes, ["/a", "/v"]);
        assert_eq!(read.config.cmd.as_deref(), Some(&["c".to_owned(), "d".to_owned()][..]));
        assert_eq!(
            read.config.healthcheck.as_ref().map(|check| (check.interval, check.retries)),
            Some((30_000_000_000, 3))
        );
        assert_eq!(read.config.stop_timeout, Some(5));
        assert_eq!(read.diff_ids.len(), 1);
        assert_eq!(read.history.len(), 3);
        assert!(read.history[1].empty_layer && !read.history[2].empty_layer);
        assert!(read.notes.is_empty(), "{:?}", read.notes);
    }

    #[test]
    fn what_is_no_config() {
        for (text, error) in [
            ("", "byte 0: expected a value, got the end"),
            ("null", "expected an object, got null"),
            ("[]", "expected an object, got an array"),
            ("{}garbage", "byte 2: unexpected 'g' behind the document"),
            (r#"{"config":[]}"#, "/config: expected an object, got an array"),
            (r#"{"config":{"Env":{"A":"b"}}}"#, "/config/Env: expected an array of strings, got an object"),
            (r#"{"config":{"env":"A=b"}}"#, "/config/Env: expected an array of strings, got a string"),
            (r#"{"config":{"User":0}}"#, "/config/User: expected a string, got a number"),
            (r#"{"config":{"StopTimeout":1e400}}"#, "/config/StopTimeout: 1e400 is not an integer of 64 bits"),
            (r#"{"config":{"Labels":{"a":1}}}"#, "/config/Labels/a: expected a string, got a number"),
            (r#"{"history":{}}"#, "/history: expected an array, got an object"),
            (r#"{"history":[{},{"empty_layer":"x"}]}"#, "/history/1/empty_layer: expected a boolean, got a string"),
            (r#"{"rootfs":{"diff_ids":["md5:x"]}}"#, "/rootfs/diff_ids/0: digest 'md5:x': not sha256 or sha512"),
        ] {
            assert_eq!(parse(text).map(|_| ()), Err(error.to_owned()), "{text}");
        }
        let limits = Limits { config: 5, ..Limits::default() };
        assert_eq!(ImageConfig::parse(b"{    }", &limits).unwrap_err(), "6 bytes, more than the limit of 5");
        assert!(parse(&format!("{{\"x\":{}", "[".repeat(500_000))).unwrap_err().ends_with("nested deeper than 10000"));
    }

    #[test]
    fn null_is_nothing() {
        let text = r#"{"os":null,"created":null,"config":{"Cmd":null,"Env":null,"Labels":null,"User":null,"Volumes":null,
            "Healthcheck":null},"rootfs":null,"history":null}"#;
        let read = parse(text).unwrap();
        assert!(read.config.cmd.is_none() && read.config.env.is_empty() && read.config.healthcheck.is_none());
        assert!(read.diff_ids.is_empty() && read.history.is_empty() && read.notes.is_empty());
        assert!(parse(r#"{"config":null,"rootfs":{"diff_ids":null}}"#).is_ok());
        assert!(parse("{}").unwrap().notes.is_empty());
    }

    #[test]
    fn keys_as_runtimes_read_them() {
        let (config, notes) = container(r#"{"user":"root","env":["X=1"],"\u017fhell":["/x"]}"#).unwrap();
        assert_eq!((config.user.as_str(), config.env.len(), config.shell.is_some()), ("root", 1, true));
        assert_eq!(notes.len(), 3);
        let read = parse(r#"{"config":{"User":"1000","Env":["A=1"]},"Config":{"Cmd":["/x"],"Env":["B=1"]}}"#).unwrap();
        assert_eq!((read.config.user.as_str(), read.config.env.as_slice()), ("1000", &["B=1".to_owned()][..]));
        assert!(read.config.cmd.is_some());
        assert_eq!(read.notes.len(), 3, "{:?}", read.notes);
        let (config, _) = container(r#"{"User":"1000","user":"root"}"#).unwrap();
        assert_eq!(config.user, "root");
    }

    #[test]
    fn oddities_are_notes() {
        for (text, pointer) in [
            (r#"{"config":{"Cmd":"/bin/sh"}}"#, "/config/Cmd"),
            (r#"{"config":{"Healthcheck":{"Test":[],"Interval":-5}}}"#, "/config/Healthcheck/Interval"),
            (r#"{"config":{"Healthcheck":{"Interval":"30s"}}}"#, "/config/Healthcheck/Interval"),
            (r#"{"config":{"Healthcheck":{"Retries":1e99}}}"#, "/config/Healthcheck/Retries"),
            (r#"{"created":"yesterday"}"#, "/created"),
            (r#"{"created":"2026-01-01 00:00:00Z"}"#, "/created"),
            (r#"{"created":17}"#, "/created"),
            (r#"{"history":[{"created":"x"}]}"#, "/history/0/created"),
            (r#"{"rootfs":{"type":"layers+base"}}"#, "/rootfs/type"),
        ] {
            let notes = parse(text).unwrap().notes;
            assert_eq!(notes.iter().map(|(pointer, _)| pointer.as_str()).collect::<Vec<_>>(), [pointer], "{text}");
        }
        assert_eq!(parse(r#"{"created":"yesterday"}"#).unwrap().created.as_deref(), None);
        assert_eq!(parse(r#"{"created":17}"#).unwrap().notes[0].1, "expected a string, got a number");
    }

    #[test]
    fn odd_values_stay_as_written() {
        let (config, _) = container(r#"{"Env":["FOO","=x","A=b=c",""],"User":"0:0\nroot"}"#).unwrap();
        assert_eq!(config.env.len(), 4);
        assert_eq!(config.env_value("A"), Some("b=c"));
        assert_eq!(config.env_value("FOO"), None);
        assert_eq!(config.user, "0:0\nroot");
        let text = [&br#"{"history":[{"created_by":""#[..], b"\xff\xfe", br#""}]}"#].concat();
        let read = ImageConfig::parse(&text, &Limits::default()).unwrap();
        assert_eq!(&*read.history[0].created_by, "\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_long_history_is_cut() {
        let entries = vec![r#"{"created_by":"x","empty_layer":true}"#; 100_000].join(",");
        let read = parse(&format!("{{\"history\":[{entries}]}}")).unwrap();
        assert_eq!(read.history.len(), Limits::default().history);
        assert_eq!(read.notes.len(), 1);
    }
}
