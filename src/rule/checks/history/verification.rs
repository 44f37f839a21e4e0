//! Words of a command that turn the check of a signature, a certificate or a host's key off. Tables of programs, and how
//! their options look; knows nothing of where the bytes go.

use super::steps;
use crate::facts::{Command, Effective, Facts, InstructionKind, Word};
use crate::model::visible_str;
use crate::rule::checks::variables::{is_loopback, is_off, is_on, switched};
use crate::rule::{Params, Sink};
use std::collections::BTreeMap;

/// A switch that turns the check of a signature or certificate off.
pub fn verification_disabled(facts: &Facts, _: &Params, sink: &mut Sink) {
    for step in steps(facts, InstructionKind::Run) {
        let mut times: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for said in step.instruction.commands.iter().filter_map(|command| skips_verification(command, 0)) {
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

/// How an option turns a check off.
#[derive(Clone, Copy)]
enum Form {
    /// By standing there, or with a value that says yes.
    Flag,
    /// With a value that says no (or wget's `quiet`), behind `=` or in the next word.
    Off,
    /// By naming a host that is not the machine itself.
    Host,
}
use Form::{Flag, Host, Off};

const APT: &[&str] = &["apt", "apt-get", "aptitude"];
const YUM: &[&str] =
    &["yum", "dnf", "dnf5", "microdnf", "tdnf", "yum-config-manager", "yumdownloader", "dnf4", "dnf-3"];
const PIP: &[&str] = &["pip", "pip2", "pip3", "uv", "uvx", "poetry", "pdm", "pipx", "pipenv"];
const NPM: &[&str] = &["npm", "npx", "yarn", "pnpm"];
const CONDA: &[&str] = &["conda", "mamba", "micromamba"];
const SSH: &[&str] = &["ssh", "scp", "sftp", "autossh", "sshfs", "slogin"];
const CLUSTER: &[&str] = &["kubectl", "oc", "helm", "k9s", "kubeadm", "flux", "argo"];
const REGISTRY: &[&str] = &["skopeo", "podman", "buildah", "cri-o"];

/// Programs and their options, with the dashes.
const OPTIONS: &[(&[&str], &[&str], Form)] = &[
    (APT, &["--allow-unauthenticated", "--force-yes", "--allow-insecure-repositories"], Flag),
    (YUM, &["--nogpgcheck", "--no-gpgchecks", "--no-gpg-checks"], Flag),
    (&["rpm"], &["--nosignature", "--nogpgcheck", "--nodigest"], Flag),
    (
        &["zypper"],
        &[
            "--no-gpg-checks",
            "--no-gpgcheck",
            "--gpgcheck-allow-unsigned",
            "--gpgcheck-allow-unsigned-repo",
            "--gpgcheck-allow-unsigned-package",
            "--allow-unsigned-rpm",
        ],
        Flag,
    ),
    (&["apk"], &["--allow-untrusted", "--no-check-certificate"], Flag),
    (&["wget", "wget2", "rclone", "opkg"], &["--no-check-certificate"], Flag),
    (&["wget", "wget2", "aria2c"], &["--check-certificate"], Off),
    (&["curl"], &["--insecure", "--proxy-insecure", "--doh-insecure"], Flag),
    (&["axel", "mc", "crane", "oras", "argocd", "hg"], &["--insecure"], Flag),
    (&["http", "https", "xh"], &["--verify"], Off),
    (&["fetch"], &["--no-verify-peer", "--no-verify-hostname"], Flag),
    (PIP, &["--trusted-host", "--allow-insecure-host"], Host),
    (NPM, &["--no-strict-ssl"], Flag),
    (NPM, &["--strict-ssl"], Off),
    (&["gem", "bundle", "aws"], &["--no-verify-ssl"], Flag),
    (CONDA, &["--insecure"], Flag),
    (CONDA, &["--ssl-verify"], Off),
    (CLUSTER, &["--insecure-skip-tls-verify"], Flag),
    (REGISTRY, &["--tls-verify", "--src-tls-verify", "--dest-tls-verify"], Off),
    (REGISTRY, &["--insecure-policy"], Flag),
    (&["vault"], &["-tls-skip-verify"], Flag),
    (&["grpcurl"], &["-insecure"], Flag),
    (&["go"], &["-insecure"], Flag),
    (&["svn"], &["--trust-server-cert"], Flag),
    (&["debootstrap", "cdebootstrap"], &["--no-check-gpg", "--allow-unauthenticated"], Flag),
    (&["flatpak", "ostree"], &["--no-gpg-verify"], Flag),
    (&["ansible-galaxy"], &["--ignore-certs", "--disable-gpg-verify"], Flag),
    (&["mvn", "mvnw"], &["-Dmaven.wagon.http.ssl.insecure", "-Dmaven.wagon.http.ssl.allowall"], Flag),
    (&["nix", "nix-env", "nix-build"], &["--no-require-sigs"], Flag),
];

/// Programs, short options in clusters, and words of which one must stand before (or none).
const LETTERS: &[(&[&str], char, &str, &[&str])] = &[
    (&["curl"], 'k', CURL_LETTERS, &[]),
    (&["axel"], 'k', "nsoTUH", &[]),
    (CONDA, 'k', "npcr", &["install", "create", "update", "remove"]),
    (&["zypper"], 'G', "rtnp", &["ar", "addrepo", "mr", "modifyrepo"]),
    (&["ansible-galaxy"], 'c', "rpsn", &["install", "download"]),
];

/// What the name of a setting must be, in small letters.
#[derive(Clone, Copy)]
enum Named {
    Whole(&'static str),
    /// What stands behind the last point, whatever section it is of.
    Last(&'static str),
    /// Begins and ends so; between them stands a host, a URL, a repository.
    Around(&'static str, &'static str),
}
use Named::{Around, Last, Whole};

/// Programs, a setting that some option or command of theirs gives by name and value, and whether on turns the check off.
const SETTINGS: &[(&[&str], Named, bool)] = &[
    (NPM, Whole("strict-ssl"), false),
    (NPM, Whole("enablestrictssl"), false),
    (&["git"], Whole("http.sslverify"), false),
    (&["git"], Around("http.", ".sslverify"), false),
    (CONDA, Whole("ssl_verify"), false),
    (SSH, Whole("stricthostkeychecking"), false),
    (YUM, Last("gpgcheck"), false),
    (YUM, Last("pkg_gpgcheck"), false),
    (YUM, Last("repo_gpgcheck"), false),
    (YUM, Last("sslverify"), false),
    (APT, Whole("apt::get::allowunauthenticated"), true),
    (APT, Whole("acquire::allowinsecurerepositories"), true),
    (APT, Whole("acquire::allowdowngradetoinsecurerepositories"), true),
    (APT, Around("acquire::https::", "verify-peer"), false),
    (APT, Around("acquire::https::", "verify-host"), false),
    (&["bundle"], Whole("ssl_verify_mode"), false),
    (&["composer"], Whole("disable-tls"), true),
    (&["composer"], Whole("secure-http"), false),
    (&["poetry"], Around("certificates.", ".cert"), false),
    (&["pdm"], Last("verify_ssl"), false),
    (&["nix", "nix-env", "nix-build"], Whole("require-sigs"), false),
];

/// Settings that name hosts whose certificates nobody checks.
const HOST_SETTINGS: &[(&[&str], Named)] = &[(PIP, Last("trusted-host"))];

/// Variables and settings whose value is a command.
const COMMANDS: &[&str] = &["git_ssh_command", "rsync_rsh", "core.sshcommand"];

/// Commands in variables in commands.
const DEEPEST: usize = 3;

impl Named {
    fn is(self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        match self {
            Whole(known) => name == known,
            Last(known) => name.rsplit('.').next() == Some(known),
            // What is switched off for the machine itself is nobody's way in.
            Around(begin, end) => {
                let between = name.strip_prefix(begin).and_then(|rest| rest.strip_suffix(end));
                between.is_some_and(|between| !is_loopback(between))
            }
        }
    }
}

/// The program and the switch.
fn skips_verification(command: &Command, depth: usize) -> Option<(&str, String)> {
    let effective = command.effective();
    let program = effective.map_or("the shell", |effective| effective.program);
    let before = command.words.len().saturating_sub(effective.map_or(0, |effective| effective.arguments.len() + 1));
    // `NAME=value program`, `env NAME=value program`, `export NAME=value`, `go env -w NAME=value`.
    let assigned = command.assignments.iter().map(|(name, value)| (name.as_str(), value.text.as_str()));
    let by_wrapper = command.words.iter().take(before).filter_map(|word| word.text.split_once('='));
    let sets = effective.filter(|effective| sets_variables(effective));
    let by_builtin = sets.iter().flat_map(|sets| sets.arguments).filter_map(|word| word.text.split_once('='));
    for (name, value) in assigned.chain(by_wrapper).chain(by_builtin) {
        if switched(name, value).is_some_and(|switch| switch.verification) {
            return Some((program, format!("{name}={value}")));
        }
        if let Some(switch) = in_command(name, value, depth) {
            return Some((program, switch));
        }
    }
    let effective = effective?;
    let words = options_first(program, effective.arguments);
    let has = |names: &[&str]| names.contains(&program);
    if !is_for_itself(program, &words) {
        if let Some(word) = by_option(&has, &words) {
            return Some((program, word));
        }
        let letters = LETTERS.iter().filter(|(names, ..)| has(names));
        for (_, letter, valued, verbs) in letters.filter(|(.., verbs)| verbs.is_empty() || stands(verbs, &words)) {
            let behind = words.iter().skip_while(|word| !verbs.is_empty() && !verbs.contains(word));
            if behind.into_iter().any(|word| short_flag(word, *letter, valued)) {
                return Some((program, format!("-{letter}")));
            }
        }
        if let Some(setting) = by_setting(&has, &words, depth) {
            return Some((program, setting));
        }
    }
    None
}

fn stands(verbs: &[&str], words: &[&str]) -> bool {
    words.iter().any(|word| verbs.contains(word))
}

/// Whether the program puts `NAME=value` into the environment of what comes later.
fn sets_variables(effective: &Effective<'_>) -> bool {
    match effective.program {
        "export" | "declare" | "typeset" | "readonly" | "local" => true,
        "go" => effective.arguments.first().is_some_and(|word| word.text == "env"),
        _ => false,
    }
}

/// A switch in the command that a variable or a setting holds.
fn in_command(name: &str, value: &str, depth: usize) -> Option<String> {
    if depth >= DEEPEST || !COMMANDS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return None;
    }
    let commands = Command::list(value);
    commands.iter().find_map(|command| skips_verification(command, depth + 1)).map(|(_, switch)| switch)
}

fn by_option(has: &impl Fn(&[&str]) -> bool, words: &[&str]) -> Option<String> {
    for (_, options, form) in OPTIONS.iter().filter(|(names, ..)| has(names)) {
        for (at, word) in words.iter().enumerate() {
            let (option, value) = word.split_once('=').map_or((*word, None), |(name, value)| (name, Some(value)));
            if !options.contains(&option) {
                continue;
            }
            let next = words.get(at + 1).copied().unwrap_or_default();
            let skips = match form {
                Flag => value.is_none_or(is_on),
                Off => is_off(value.unwrap_or(next)) || value == Some("quiet"),
                Host => !is_loopback(value.unwrap_or(next)),
            };
            if skips {
                return Some((*word).to_owned());
            }
        }
    }
    None
}

/// A setting, wherever it stands: `config set NAME VALUE`, `-c NAME=VALUE`, `-oNAME=VALUE`, `--setopt=NAME=VALUE`.
fn by_setting(has: &impl Fn(&[&str]) -> bool, words: &[&str], depth: usize) -> Option<String> {
    let settings = || SETTINGS.iter().filter(|(names, ..)| has(names));
    let hosts = || HOST_SETTINGS.iter().filter(|(names, _)| has(names));
    let git = has(&["git"]);
    if settings().next().is_none() && hosts().next().is_none() {
        return None;
    }
    for (at, word) in words.iter().enumerate() {
        let carried = ["--setopt=", "--option=", "--config=", "-o=", "-o"]
            .iter()
            .find_map(|option| word.strip_prefix(option).filter(|rest| !rest.is_empty()));
        let text = carried.unwrap_or(word).trim_start();
        // A URL in the name may have a `=`, and so may a command in the value; ssh takes blanks for it.
        let splits = [text.rsplit_once('='), text.split_once('='), text.split_once(' ')];
        let alone = (text, words.get(at + 1).copied().unwrap_or_default());
        for (name, value) in splits.into_iter().flatten().chain([alone]) {
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            let off = |on: bool| if on { is_on(value) } else { is_off(value) };
            if settings().any(|(_, named, on)| off(*on) && named.is(name))
                || hosts().any(|(_, named)| named.is(name) && !value.is_empty() && !is_loopback(value))
            {
                return Some(format!("{name}={value}"));
            }
            if git && let Some(switch) = in_command(name, value, depth) {
                return Some(switch);
            }
        }
    }
    None
}

/// Whether all that the command asks is on the machine itself: nobody stands between.
fn is_for_itself(program: &str, words: &[&str]) -> bool {
    if SSH.contains(&program) {
        let mut operands = Vec::new();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            match word.strip_prefix('-') {
                None => operands.push(*word),
                Some(letters) if letters.len() == 1 && SSH_LETTERS.contains(letters) => {
                    rest.next();
                }
                Some(_) => {}
            }
        }
        // ssh has one host, and a command behind it; the others have files and hosts.
        return match program {
            "scp" | "sftp" => {
                let mut remote = operands.iter().filter(|word| word.contains(':')).peekable();
                remote.peek().is_some() && remote.all(|word| is_loopback(word))
            }
            _ => operands.first().is_some_and(|host| is_loopback(host)),
        };
    }
    let mut itself = false;
    for word in words {
        let target = if word.starts_with('-') { word.split_once('=').map_or("", |(_, value)| value) } else { word };
        if is_loopback(target) {
            itself = true;
        } else if target.contains("://") {
            return false;
        }
    }
    itself
}

/// Short options of ssh, scp and sftp with a value.
const SSH_LETTERS: &str = "BbcDEeFIiJLlmOopPQRSWwX";

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

/// The arguments before `--`, without those that are values of a downloader's options: a header may say anything.
fn options_first<'a>(program: &str, arguments: &'a [Word]) -> Vec<&'a str> {
    let words = arguments.iter().map(|word| word.text.as_str());
    let letters = match program {
        "curl" => CURL_LETTERS,
        "wget" | "wget2" => "aBDeIloOPQRtTUwX",
        _ => return words.take_while(|word| *word != "--").collect(),
    };
    let mut kept = Vec::new();
    let mut only_operands = false;
    let mut words = words;
    while let Some(word) = words.next() {
        // Operands behind `--` still tell where the command goes.
        if only_operands {
            kept.extend((!word.starts_with('-')).then_some(word));
            continue;
        }
        if word == "--" {
            only_operands = true;
            continue;
        }
        kept.push(word);
        let takes = match word.strip_prefix("--") {
            Some("url") => false, // where the command goes
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

#[cfg(test)]
#[path = "verification_tests.rs"]
mod tests;
