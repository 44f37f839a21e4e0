//! How the image was built, by its own account.

mod fetched;
mod programs;

use super::manager::{Task, asked};
use super::quote::quote;
use crate::facts::{Command, Facts, InstructionKind, Step};
use crate::model::{Severity, visible_str};
use crate::rule::{Params, Sink};
use fetched::Run;
use std::collections::BTreeMap;

/// An `ADD` of something that `COPY` would have copied.
pub fn add_instead_of_copy(facts: &Facts, _: &Params, sink: &mut Sink) {
    for step in steps(facts, InstructionKind::Add) {
        let Some((destination, sources)) = step.instruction.operands.split_last() else { continue };
        if is_base_root(step, destination) || sources.iter().any(|source| is_remote(source)) {
            continue;
        }
        let text = format!("ADD {}", step.instruction.operands.join(" "));
        let message = format!("'{}' where COPY would do", visible_str(&text));
        let found = sink.find(step.location(), text, message);
        if !sources.is_empty() && sources.iter().all(|source| is_archive(source)) {
            found.severity = Some(Severity::Info);
        }
    }
}

/// An `ADD` of a URL or repository without a checksum.
pub fn remote_add(facts: &Facts, _: &Params, sink: &mut Sink) {
    for step in steps(facts, InstructionKind::Add) {
        if step.instruction.flags.iter().any(|flag| flag.starts_with("--checksum=")) {
            continue;
        }
        let sources = step.instruction.operands.split_last().map_or(&[][..], |(_, sources)| sources);
        for source in sources.iter().filter(|source| is_remote(source)) {
            // A commit pins a repository as a checksum pins a file.
            if source
                .rsplit_once('#')
                .is_some_and(|(_, rev)| rev.len() >= 40 && rev.bytes().all(|b| b.is_ascii_hexdigit()))
            {
                continue;
            }
            let shown = without_credentials(source);
            let message = format!("ADD fetches '{}' without --checksum", visible_str(&shown));
            sink.find(step.location(), shown, message);
        }
    }
}

/// Package lists refreshed in a step that installs nothing.
pub fn update_alone(facts: &Facts, _: &Params, sink: &mut Sink) {
    for step in steps(facts, InstructionKind::Run) {
        let tasks: Vec<_> = step.instruction.commands.iter().filter_map(asked).collect();
        let uses = |task| matches!(task, Task::Install | Task::UpgradeAll | Task::UpgradeSome);
        if tasks.iter().any(|asked| uses(asked.task)) || may_install_after(&step.instruction.commands) {
            continue;
        }
        if let Some(refresh) = tasks.iter().find(|asked| asked.task == Task::Refresh) {
            let program = refresh.as_written();
            let message = format!("{program} stands in a step of its own: the cache keeps the lists while they age");
            sink.find(step.location(), program, message);
        }
    }
}

/// Programs that install no package of the distribution, whatever they are told.
const NO_INSTALLERS: &[&str] = &[
    "",
    ":",
    "[",
    "[[",
    "add-apt-repository",
    "apk",
    "apt",
    "apt-cache",
    "apt-get",
    "apt-key",
    "apt-mark",
    "aptitude",
    "awk",
    "break",
    "cat",
    "cd",
    "chmod",
    "chown",
    "continue",
    "cp",
    "curl",
    "date",
    "declare",
    "dnf",
    "dnf5",
    "dpkg",
    "echo",
    "exit",
    "export",
    "false",
    "find",
    "gpg",
    "grep",
    "gunzip",
    "gzip",
    "head",
    "id",
    "install",
    "ldconfig",
    "ln",
    "local",
    "ls",
    "microdnf",
    "mkdir",
    "mv",
    "pacman",
    "printf",
    "pwd",
    "readonly",
    "return",
    "rm",
    "rmdir",
    "sed",
    "set",
    "sha256sum",
    "shift",
    "shopt",
    "sleep",
    "sort",
    "tail",
    "tar",
    "tdnf",
    "tee",
    "test",
    "touch",
    "tr",
    "trap",
    "true",
    "umask",
    "uname",
    "unset",
    "unzip",
    "useradd",
    "groupadd",
    "adduser",
    "addgroup",
    "usermod",
    "wait",
    "wc",
    "wget",
    "xargs",
    "yum",
    "zypper",
    "emerge",
    "dpkg-reconfigure",
    "update-ca-certificates",
];

/// Whether a program runs behind the last refresh that may install from the lists: a script, a build, another tool's
/// installer. What it does cannot be seen here.
fn may_install_after(commands: &[Command]) -> bool {
    let refresh = commands.iter().rposition(|command| asked(command).is_some_and(|asked| asked.task == Task::Refresh));
    let behind = refresh.and_then(|at| commands.get(at + 1..)).unwrap_or_default();
    let programs = behind.iter().filter_map(Command::effective).map(|effective| effective.program);
    programs.into_iter().any(|program| !NO_INSTALLERS.contains(&program))
}

/// Something fetched from the network and run without a check.
pub fn pipe_to_shell(facts: &Facts, _: &Params, sink: &mut Sink) {
    for step in steps(facts, InstructionKind::Run) {
        let Some(Run { fetcher, by, file }) = fetched::run(&step.instruction.commands) else { continue };
        let (target, how) = match (&by, &file) {
            (Some(by), Some(file)) => (by, format!("{fetcher} fetches {}, which {by} runs unverified", quote(file))),
            (None, Some(file)) => (file, format!("{fetcher} fetches {}, which is started unverified", quote(file))),
            (Some(by), None) => (by, format!("{fetcher} feeds {by}")),
            (None, None) => continue,
        };
        let target = format!("{fetcher} | {target}");
        sink.find(step.location(), target, format!("{how}: whatever the server sends is run"));
    }
}

/// A switch that turns the check of a signature or certificate off.
pub fn verification_disabled(facts: &Facts, _: &Params, sink: &mut Sink) {
    for step in steps(facts, InstructionKind::Run) {
        let mut times: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for said in step.instruction.commands.iter().filter_map(skips_verification) {
            *times.entry(said).or_default() += 1;
        }
        for ((program, switch), times) in times {
            let times = if times > 1 { format!(" ({times} times)") } else { String::new() };
            let message =
                format!("{program} runs with '{}'{times}, which turns verification off", visible_str(&switch));
            sink.find(step.location_of(&switch), format!("{program} {switch}"), message);
        }
    }
}

fn steps(facts: &Facts, kind: InstructionKind) -> impl Iterator<Item = &Step> {
    facts.history.steps.iter().filter(move |step| step.instruction.kind == kind)
}

/// The root file system that a base image begins with: the first thing added to `/`.
fn is_base_root(step: &Step, destination: &str) -> bool {
    step.index == 0 && destination == "/"
}

fn is_remote(source: &str) -> bool {
    ["http://", "https://", "git://", "ftp://", "ssh://", "git@"].iter().any(|scheme| source.starts_with(scheme))
}

fn is_archive(source: &str) -> bool {
    [".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst"]
        .iter()
        .any(|ending| source.to_ascii_lowercase().ends_with(ending))
}

/// A URL without user and password.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{}", &rest[authority.len()..]),
        None => url.to_owned(),
    }
}

/// Programs and the words that turn their checks off; a word that ends in `=` or stands with a value is matched whole.
const SWITCHES: &[(&[&str], &[&str])] = &[
    (&["apt", "apt-get", "aptitude"], &["--allow-unauthenticated", "--force-yes", "--allow-insecure-repositories"]),
    (
        &["yum", "dnf", "dnf5", "microdnf", "tdnf"],
        &["--nogpgcheck", "--no-gpgchecks", "--setopt=sslverify=0", "--setopt=sslverify=false", "--setopt=gpgcheck=0"],
    ),
    (&["rpm"], &["--nosignature", "--nogpgcheck", "--nodigest"]),
    (&["zypper"], &["--no-gpg-checks"]),
    (&["apk"], &["--allow-untrusted"]),
    (&["wget", "wget2"], &["--no-check-certificate", "--no-hsts-check"]),
    (&["curl"], &["--insecure", "--proxy-insecure", "--doh-insecure"]),
    (&["pip", "pip2", "pip3", "uv", "poetry"], &["--trusted-host", "--allow-insecure-host"]),
    (&["npm", "yarn", "pnpm"], &["--strict-ssl=false", "--no-strict-ssl"]),
    (&["gem", "bundle"], &["--no-verify-ssl"]),
    (&["helm"], &["--insecure-skip-tls-verify"]),
];

const SSH: &[&str] = &["ssh", "scp", "sftp", "autossh", "sshfs"];

/// Settings by two words: name and value.
const SETTINGS: &[(&[&str], &str, &[&str])] = &[
    (&["npm", "yarn", "pnpm"], "strict-ssl", &["false"]),
    (&["git"], "http.sslverify", &["false", "0"]),
    (&["conda", "mamba"], "ssl_verify", &["false", "no"]),
    (SSH, "stricthostkeychecking", &["no", "off"]),
];

/// apt's own options (`-o NAME=VALUE`) that turn a check off.
const APT_SETTINGS: &[(&str, &str)] = &[
    ("apt::get::allowunauthenticated", "true"),
    ("acquire::allowinsecurerepositories", "true"),
    ("acquire::https::verify-peer", "false"),
    ("acquire::https::verify-host", "false"),
];

const VARIABLES: &[(&str, &[&str])] = &[
    ("GIT_SSL_NO_VERIFY", &["1", "true"]),
    ("npm_config_strict_ssl", &["false"]),
    ("NODE_TLS_REJECT_UNAUTHORIZED", &["0"]),
    ("PYTHONHTTPSVERIFY", &["0"]),
    ("GOINSECURE", &["*"]),
];

fn skips_verification(command: &Command) -> Option<(&str, String)> {
    let is_off = |name: &str, value: &str| VARIABLES.iter().any(|(known, off)| *known == name && off.contains(&value));
    for (name, value) in &command.assignments {
        if is_off(name, &value.text) {
            return Some((
                command.effective().map_or("", |effective| effective.program),
                format!("{name}={}", value.text),
            ));
        }
    }
    let effective = command.effective()?;
    let program = effective.program;
    let words: Vec<&str> = without_values(program, effective.arguments.iter().map(|word| word.text.as_str()));
    if matches!(program, "export" | "declare" | "typeset") {
        let set = words.iter().find(|word| word.split_once('=').is_some_and(|(name, value)| is_off(name, value)));
        return set.map(|set| (program, (*set).to_owned()));
    }
    if program.starts_with("pip") && words.first() == Some(&"config") {
        let at = words.iter().position(|word| *word == "set")?;
        let (name, value) = (words.get(at + 1)?, words.get(at + 2)?);
        let is_host = name.rsplit('.').next() == Some("trusted-host") && !value.is_empty();
        return is_host.then(|| (program, format!("{name} {value}")));
    }
    let has = |names: &[&str]| names.contains(&program);
    for (names, switches) in SWITCHES {
        if has(names)
            && let Some(word) = words
                .iter()
                .find(|word| switches.contains(word) || switches.contains(&word.split('=').next().unwrap_or_default()))
        {
            return Some((program, (*word).to_owned()));
        }
    }
    for (names, setting, values) in SETTINGS {
        if !has(names) {
            continue;
        }
        for (at, word) in words.iter().enumerate() {
            let word = if has(SSH) { word.strip_prefix("-o").unwrap_or(word) } else { word };
            let (name, value) = word.split_once('=').unwrap_or((word, words.get(at + 1).copied().unwrap_or_default()));
            if name.eq_ignore_ascii_case(setting) && values.contains(&value) {
                return Some((program, format!("{name}={value}")));
            }
        }
    }
    if has(&["apt", "apt-get", "aptitude"]) {
        for word in &words {
            let text = word.strip_prefix("-o").unwrap_or(word);
            let Some((name, value)) = text.split_once('=') else { continue };
            if APT_SETTINGS
                .iter()
                .any(|(known, off)| name.eq_ignore_ascii_case(known) && value.eq_ignore_ascii_case(off))
            {
                return Some((program, text.to_owned()));
            }
        }
    }
    if program == "curl" && words.iter().any(|word| short_flag(word, 'k', CURL_LETTERS)) {
        return Some((program, "-k".to_owned()));
    }
    None
}

/// curl's short options with a value.
const CURL_LETTERS: &str = "AbcCdDeEFhHKmoPQrtTuUwxXyYz";

/// Long options of curl and wget with a value in the next word.
const DOWNLOAD_OPTIONS: &[&str] = &[
    "body-data",
    "cacert",
    "capath",
    "cert",
    "cert-type",
    "ciphers",
    "config",
    "connect-timeout",
    "connect-to",
    "cookie",
    "cookie-jar",
    "data",
    "data-ascii",
    "data-binary",
    "data-raw",
    "data-urlencode",
    "directory-prefix",
    "dump-header",
    "form",
    "form-string",
    "header",
    "http-password",
    "http-user",
    "interface",
    "json",
    "key",
    "limit-rate",
    "max-time",
    "method",
    "netrc-file",
    "oauth2-bearer",
    "output",
    "output-dir",
    "output-document",
    "output-file",
    "pass",
    "password",
    "pinnedpubkey",
    "post-data",
    "post-file",
    "proto",
    "proxy",
    "proxy-header",
    "proxy-user",
    "quote",
    "range",
    "referer",
    "request",
    "resolve",
    "retry",
    "retry-delay",
    "retry-max-time",
    "socks5",
    "speed-limit",
    "speed-time",
    "stderr",
    "time-cond",
    "timeout",
    "tries",
    "unix-socket",
    "upload-file",
    "url",
    "user",
    "user-agent",
    "variable",
    "write-out",
];

/// The arguments without those that are values of a downloader's options: a header may say anything.
fn without_values<'a>(program: &str, words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let letters = match program {
        "curl" => CURL_LETTERS,
        "wget" | "wget2" => "aBDeIloOPQRtTUwX",
        _ => return words.collect(),
    };
    let mut kept = Vec::new();
    let mut words = words;
    while let Some(word) = words.next() {
        kept.push(word);
        let takes = match word.strip_prefix("--") {
            Some(long) => DOWNLOAD_OPTIONS.contains(&long),
            // The first letter with a value has the rest of the word, or the next.
            None => word.strip_prefix('-').is_some_and(|cluster| {
                cluster.find(|letter| letters.contains(letter)).is_some_and(|at| at + 1 == cluster.len())
            }),
        };
        if takes {
            words.next();
        }
    }
    kept
}

/// Whether a cluster of short options has `flag`; options in `valued` take the rest of the cluster.
fn short_flag(word: &str, flag: char, valued: &str) -> bool {
    let Some(cluster) = word.strip_prefix('-').filter(|rest| !rest.starts_with('-')) else { return false };
    cluster.chars().take_while(|c| !valued.contains(*c)).any(|c| c == flag)
}
