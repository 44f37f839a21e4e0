//! Package sources whose answers nobody verifies: settings of apt, dnf, pip, npm and the like that turn signatures or TLS
//! off. Reads the small files that are held; a table says which lines matter.

use super::super::quote::{quote, shown};
use crate::facts::{EntryKind, Facts};
use crate::model::ImagePath;
use crate::rule::{Params, Sink};

/// How a file is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// One-line sources of apt: `deb [trusted=yes] http://...`.
    AptList,
    /// deb822 sources of apt: paragraphs with `Trusted: yes`.
    AptSources,
    /// apt.conf: `Name::Space "value";`.
    AptConf,
    /// Sections with `name = value`; the sections of `enabled = 0` do not count.
    Repositories,
    /// `name = value` in sections.
    Ini,
    /// `name value` or `--name`.
    Words,
}

/// Which files: end of path, form.
const FILES: &[(&str, Form)] = &[
    ("/etc/apt/sources.list", Form::AptList),
    ("/etc/apt/sources.list.d/*.list", Form::AptList),
    ("/etc/apt/sources.list.d/*.sources", Form::AptSources),
    ("/etc/apt/apt.conf", Form::AptConf),
    ("/etc/apt/apt.conf.d/*", Form::AptConf),
    ("/etc/yum.conf", Form::Ini),
    ("/etc/dnf/dnf.conf", Form::Ini),
    ("/etc/yum.repos.d/*.repo", Form::Repositories),
    ("/etc/zypp/repos.d/*.repo", Form::Repositories),
    ("pip.conf", Form::Ini),
    (".npmrc", Form::Ini),
    (".gitconfig", Form::Ini),
    (".wgetrc", Form::Ini),
    ("/etc/wgetrc", Form::Ini),
    (".curlrc", Form::Words),
];

/// Settings that turn a check off: name without case, values without case (none: any), what they do.
const SETTINGS: &[(&str, &[&str], &str)] = &[
    ("trusted", &["yes", "1", "true", "on", "enable"], "takes packages without a valid signature"),
    ("allow-insecure", &["yes", "1", "true", "on", "enable"], "takes package lists without a valid signature"),
    ("apt::get::allowunauthenticated", YES, "takes packages without a valid signature"),
    ("acquire::allowinsecurerepositories", YES, "takes package lists without a valid signature"),
    ("acquire::allowdowngradetoinsecurerepositories", YES, "takes package lists that lost their signature"),
    ("acquire::https::verify-peer", NO, "takes every TLS certificate"),
    ("acquire::https::verify-host", NO, "takes a TLS certificate for another host"),
    ("gpgcheck", NO, "takes packages without a valid signature"),
    ("pkg_gpgcheck", NO, "takes packages without a valid signature"),
    ("sslverify", NO, "takes every TLS certificate"),
    ("trusted-host", &[], "takes every TLS certificate of that host"),
    ("strict-ssl", NO, "takes every TLS certificate"),
    ("check_certificate", &["off", "no", "false", "0", "quiet"], "takes every TLS certificate"),
    ("check-certificate", &["off", "no", "false", "0", "quiet"], "takes every TLS certificate"),
    ("insecure", &["", "true", "yes"], "takes every TLS certificate"),
    ("-k", &[""], "takes every TLS certificate"),
];

const YES: &[&str] = &["true", "yes", "1", "on", "with", "enable"];
const NO: &[&str] = &["false", "no", "0", "off", "without", "disable"];

/// Package sources from which anybody on the way can send anything.
pub fn untrusted_package_source(facts: &Facts, _: &Params, sink: &mut Sink) {
    for node in facts.tree.iter().filter(|node| node.kind() == EntryKind::File) {
        let Some(body) = facts.body_of(node) else {
            continue;
        };
        let path = node.path();
        let Some(form) = form_of(&path) else {
            continue;
        };
        let text = String::from_utf8_lossy(&body.bytes);
        for (number, name, trouble) in read(&text, form) {
            let message = format!("{}: {} {trouble}: delete the setting", shown(&path), quote(&name));
            sink.find(facts.at(node).at_line(number), format!("{path}:{name}"), message);
        }
    }
}

fn form_of(path: &ImagePath) -> Option<Form> {
    let whole = path.as_bytes();
    let name = path.file_name();
    let fits = |pattern: &str| match pattern.split_once('*') {
        Some((directory, ending)) => {
            whole.strip_prefix(directory.as_bytes()).is_some_and(|rest| rest == name)
                && name.ends_with(ending.as_bytes())
        }
        None if pattern.starts_with('/') => whole == pattern.as_bytes(),
        None => name == pattern.as_bytes(),
    };
    FILES.iter().find(|(pattern, _)| fits(pattern)).map(|(_, form)| *form)
}

/// The settings that turn a check off: line from 1, name, what it does.
fn read(text: &str, form: Form) -> Vec<(u32, String, &'static str)> {
    let mut out = Vec::new();
    let mut section: Vec<(u32, String, &'static str)> = Vec::new();
    let mut enabled = true;
    for (line, number) in text.lines().zip(1u32..) {
        let line = line.trim();
        let fresh_section = match form {
            Form::AptSources => line.is_empty(),
            Form::Repositories | Form::Ini => line.starts_with('['),
            Form::AptList | Form::AptConf | Form::Words => false,
        };
        if fresh_section {
            out.extend(section.drain(..).filter(|_| enabled));
            enabled = true;
        }
        if line.starts_with(['#', ';']) || line.starts_with("//") {
            continue;
        }
        for (name, value) in settings(line, form) {
            let value = value.trim().trim_matches('"').trim().to_ascii_lowercase();
            if name == "enabled" && NO.contains(&&*value) && matches!(form, Form::Repositories | Form::AptSources) {
                enabled = false;
            }
            let hit = SETTINGS.iter().find(|(known, values, _)| {
                *known == name && if values.is_empty() { !value.is_empty() } else { values.contains(&&*value) }
            });
            if let Some((_, _, trouble)) = hit {
                section.push((number, name, trouble));
            }
        }
    }
    out.extend(section.into_iter().filter(|_| enabled));
    out
}

/// Names (lower case) and values that a line sets.
fn settings(line: &str, form: Form) -> Vec<(String, String)> {
    let pair = |(name, value): (&str, &str)| (name.trim().to_ascii_lowercase(), value.to_owned());
    match form {
        Form::AptList => {
            let options = line.strip_prefix("deb").and_then(|rest| {
                let rest = rest.strip_prefix("-src").unwrap_or(rest).trim_start();
                rest.strip_prefix('[')?.split_once(']').map(|(options, _)| options)
            });
            options.unwrap_or("").split_whitespace().filter_map(|option| option.split_once('=')).map(pair).collect()
        }
        Form::AptSources => line.split_once(':').map(pair).into_iter().collect(),
        Form::AptConf => {
            let mut words = line.trim_end_matches(';').split_whitespace();
            let name = words.next().unwrap_or("");
            vec![pair((name, words.next().unwrap_or("")))]
        }
        Form::Repositories | Form::Ini => line.split_once('=').map(pair).into_iter().collect(),
        Form::Words => {
            let (name, value) = line.split_once([' ', '=', ':']).unwrap_or((line, ""));
            vec![pair((name.trim_start_matches("--"), value))]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, form: Form) -> Vec<(u32, String)> {
        read(text, form).into_iter().map(|(line, name, _)| (line, name)).collect()
    }

    #[test]
    fn what_is_off() {
        let one = |line: u32, name: &str| vec![(line, name.to_owned())];
        assert_eq!(names("# x\ndeb [arch=amd64 trusted=yes] http://h/ s main", Form::AptList), one(2, "trusted"));
        assert_eq!(names("Types: deb\nTrusted: yes\n", Form::AptSources), one(2, "trusted"));
        assert_eq!(
            names("APT::Get::AllowUnauthenticated \"true\";", Form::AptConf),
            one(1, "apt::get::allowunauthenticated")
        );
        assert_eq!(names("[a]\nenabled=1\ngpgcheck=0", Form::Repositories), one(3, "gpgcheck"));
        assert_eq!(names("[global]\ntrusted-host = h", Form::Ini), one(2, "trusted-host"));
        assert_eq!(names("[http]\n\tsslVerify = false", Form::Ini), one(2, "sslverify"));
        assert_eq!(names("insecure", Form::Words), one(1, "insecure"));
        assert_eq!(names("--insecure", Form::Words), one(1, "insecure"));
    }

    #[test]
    fn what_only_looks_like_it() {
        for (text, form) in [
            ("deb [signed-by=/k trusted=no] http://h/ s main", Form::AptList),
            ("# deb [trusted=yes] http://h/ s main", Form::AptList),
            ("deb http://h/trusted=yes s main", Form::AptList),
            ("Trusted: yes\nEnabled: no\n\nTypes: deb", Form::AptSources),
            ("//APT::Get::AllowUnauthenticated \"true\";", Form::AptConf),
            ("[a]\ngpgcheck=0\nenabled=0\n[b]\ngpgcheck=1", Form::Repositories),
            ("[a]\nrepo_gpgcheck=0", Form::Repositories),
            ("trusted-host =", Form::Ini),
            ("strict-ssl=true", Form::Ini),
        ] {
            assert_eq!(names(text, form), [], "{text}");
        }
    }
}
