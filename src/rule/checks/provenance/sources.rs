//! Package sources whose answers nobody verifies: settings of apt, dnf, pip, npm and the like that turn signatures or TLS
//! off. Reads the small files that are held; a table says which lines matter.

mod apt_conf;

use super::super::quote::{quote, shown};
use crate::facts::{EntryKind, Facts};
use crate::model::ImagePath;
use crate::rule::{Params, Sink};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// One-line sources of apt: `deb [trusted=yes] http://...`.
    AptList,
    /// deb822 sources of apt: paragraphs with `Trusted: yes`.
    AptSources,
    /// apt.conf(5).
    AptConf,
    /// Sections with `name = value`; the sections of `enabled = 0` do not count.
    Repositories,
    /// `name = value` in sections; the value may stand in lines of its own, with blanks before them.
    Ini,
    /// The same, of which only the sections `[http]` and `[http "..."]` count; a name alone is true.
    Git,
    /// `name = word word` in sections; the words count one by one, and the last of a kind holds.
    Pacman,
    /// `name: value`, also with quotes around the name.
    Yaml,
    /// `name value` or `--name`.
    Words,
}

/// Which files: the whole path, a folder with `*` and the end of names, a path's end that begins with `~`, a name.
const FILES: &[(&str, Form)] = &[
    ("/etc/apt/sources.list", Form::AptList),
    ("/etc/apt/sources.list.d/*.list", Form::AptList),
    ("/etc/apt/sources.list.d/*.sources", Form::AptSources),
    ("/etc/apt/apt.conf", Form::AptConf),
    ("/etc/apt/apt.conf.d/*", Form::AptConf),
    ("/etc/yum.conf", Form::Ini),
    ("/etc/dnf/dnf.conf", Form::Ini),
    ("/etc/tdnf/tdnf.conf", Form::Ini),
    ("/etc/zypp/zypp.conf", Form::Ini),
    ("/etc/yum.repos.d/*.repo", Form::Repositories),
    ("/etc/zypp/repos.d/*.repo", Form::Repositories),
    ("/etc/pacman.conf", Form::Pacman),
    ("/etc/pacman.d/*.conf", Form::Pacman),
    ("pip.conf", Form::Ini),
    (".npmrc", Form::Ini),
    ("npmrc", Form::Ini),
    (".yarnrc", Form::Words),
    (".yarnrc.yml", Form::Yaml),
    (".condarc", Form::Yaml),
    ("condarc", Form::Yaml),
    (".gemrc", Form::Yaml),
    ("/etc/gemrc", Form::Yaml),
    ("~/.bundle/config", Form::Yaml),
    (".gitconfig", Form::Git),
    ("/etc/gitconfig", Form::Git),
    ("~/.config/git/config", Form::Git),
    ("~/.git/config", Form::Git),
    (".wgetrc", Form::Ini),
    ("/etc/wgetrc", Form::Ini),
    (".curlrc", Form::Words),
    ("~/.config/curlrc", Form::Words),
];

/// Settings that turn a check off: name without case, values without case (none: any), what they do.
const SETTINGS: &[(&str, &[&str], &str)] = &[
    ("trusted", &["yes", "1", "true", "on", "enable"], "takes packages without a valid signature"),
    ("allow-insecure", &["yes", "1", "true", "on", "enable"], "takes package lists without a valid signature"),
    ("apt::get::allowunauthenticated", YES, "takes packages without a valid signature"),
    ("apt::get::force-yes", YES, "takes packages without a valid signature"),
    ("acquire::allowinsecurerepositories", YES, "takes package lists without a valid signature"),
    ("acquire::allowweakrepositories", YES, "takes package lists with a signature that can be forged"),
    ("acquire::allowdowngradetoinsecurerepositories", YES, "takes package lists that lost their signature"),
    ("acquire::https::verify-peer", NO, "takes every TLS certificate"),
    ("acquire::https::verify-host", NO, "takes a TLS certificate for another host"),
    ("gpgcheck", NO, "takes packages without a valid signature"),
    ("pkg_gpgcheck", NO, "takes packages without a valid signature"),
    ("siglevel", &["never"], "takes packages without a valid signature"),
    ("siglevel", &["optional"], "takes packages without a signature"),
    ("siglevel", &["trustall"], "takes packages that anybody signed"),
    ("sslverify", NO, "takes every TLS certificate"),
    ("trusted-host", &[], "takes every TLS certificate of that host"),
    ("strict-ssl", NO, "takes every TLS certificate"),
    ("enablestrictssl", NO, "takes every TLS certificate"),
    ("ssl_verify", NO, "takes every TLS certificate"),
    (":ssl_verify_mode", &["0"], "takes every TLS certificate"),
    ("ssl_verify_mode", &["0"], "takes every TLS certificate"),
    ("bundle_ssl_verify_mode", &["0", "none"], "takes every TLS certificate"),
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
        None => match pattern.strip_prefix('~') {
            Some(end) => whole.ends_with(end.as_bytes()),
            None => name == pattern.as_bytes(),
        },
    };
    let (_, form) = FILES.iter().find(|(pattern, _)| fits(pattern))?;
    let by_apt = path.is_within(&ImagePath::from("/etc/apt")) && path.parent() != Some(ImagePath::from("/etc/apt"));
    (!by_apt || apt_reads(name, *form)).then_some(*form)
}

/// Whether apt reads a file of this name in a folder of such files (apt.conf(5), sources.list(5)): letters, digits and
/// `-_.:` alone, no dot in front, and for its configuration no ending but `.conf`.
fn apt_reads(name: &[u8], form: Form) -> bool {
    let plain = name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte));
    let ending = name.rsplit(|&byte| byte == b'.').next().filter(|ending| *ending != name);
    let ends = form != Form::AptConf || ending.is_none_or(|ending| ending == b"conf");
    plain && !name.starts_with(b".") && ends
}

/// The settings that turn a check off: line from 1, name, what it does.
fn read(text: &str, form: Form) -> Vec<(u32, String, &'static str)> {
    if form == Form::AptConf {
        let all = apt_conf::settings(text).into_iter();
        let mut off: Vec<_> =
            all.filter_map(|(name, (line, value))| Some((line, trouble(&name, &value)?, name))).collect();
        off.sort_unstable();
        return off.into_iter().map(|(line, trouble, name)| (line, name, trouble)).collect();
    }
    let mut out = Vec::new();
    let mut section: Vec<(u32, String, &'static str)> = Vec::new();
    let mut counts = form != Form::Git;
    // The name whose value may stand in the lines that follow.
    let mut open: Option<String> = None;
    for (raw, number) in text.lines().zip(1u32..) {
        let mut line = raw.trim();
        let fresh_section = match form {
            Form::AptSources => line.is_empty(),
            Form::Repositories | Form::Ini | Form::Git | Form::Pacman => line.starts_with('['),
            Form::AptList | Form::AptConf | Form::Yaml | Form::Words => false,
        };
        if fresh_section {
            out.extend(section.drain(..).filter(|_| counts));
            let head = line.trim_start_matches('[').trim_start().to_ascii_lowercase();
            let is_http = head.strip_prefix("http").is_some_and(|rest| rest.starts_with([']', ' ', '\t', '"', '.']));
            counts = form != Form::Git || is_http;
            // Git allows a setting behind the head of its section.
            line = if form == Form::Git { line.rsplit_once(']').map_or("", |(_, rest)| rest.trim()) } else { line };
            open = None;
        }
        if line.starts_with(['#', ';']) || line.starts_with("//") {
            continue;
        }
        let continued = open.clone().filter(|_| raw.starts_with([' ', '\t']) && !line.is_empty());
        let found = match continued {
            Some(name) => vec![(name, line.to_owned())],
            None => settings(line, form),
        };
        open = None;
        for (name, value) in found {
            let value = plain(&value);
            if form == Form::Ini && value.is_empty() {
                open = Some(name.clone());
            }
            if name == "enabled" && NO.contains(&&*value) && matches!(form, Form::Repositories | Form::AptSources) {
                counts = false;
            }
            let value = if form == Form::Git && value.is_empty() && line.contains('=') { "false" } else { &*value };
            if let Some(trouble) = trouble(&name, value) {
                section.push((number, name, trouble));
            }
        }
    }
    out.extend(section.into_iter().filter(|_| counts));
    out
}

/// A value in lower case, without quotes and the comment behind it.
fn plain(value: &str) -> String {
    let value = value.trim();
    let comment = value.match_indices(['#', ';']).map(|(at, _)| at);
    let mut comment = comment.filter(|&at| at == 0 || value[..at].ends_with([' ', '\t']));
    let value = comment.next().map_or(value, |at| &value[..at]);
    value.trim().trim_matches(['"', '\'']).trim().to_ascii_lowercase()
}

/// What this setting turns off.
fn trouble(name: &str, value: &str) -> Option<&'static str> {
    // apt knows its settings for TLS host by host as well.
    let of_host = |known: &str| {
        let (space, last) = known.rsplit_once("::").unwrap_or(("", known));
        space == "acquire::https"
            && name.strip_prefix("acquire::https::").is_some_and(|rest| rest.split("::").nth(1) == Some(last))
    };
    let value = value.to_ascii_lowercase();
    let hit = SETTINGS.iter().find(|(known, values, _)| {
        (*known == name || of_host(known))
            && if values.is_empty() { !value.is_empty() } else { values.contains(&&*value) }
    });
    hit.map(|(_, _, trouble)| *trouble)
}

/// Names (lower case) and values that a line sets.
fn settings(line: &str, form: Form) -> Vec<(String, String)> {
    let bare = |name: &str| name.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    let pair = |(name, value): (&str, &str)| (bare(name), value.to_owned());
    match form {
        Form::AptList => {
            let options = line.strip_prefix("deb").and_then(|rest| {
                let rest = rest.strip_prefix("-src").unwrap_or(rest).trim_start();
                rest.strip_prefix('[')?.split_once(']').map(|(options, _)| options)
            });
            options.unwrap_or("").split_whitespace().filter_map(|option| option.split_once('=')).map(pair).collect()
        }
        Form::AptConf => Vec::new(),
        Form::AptSources => line.split_once(':').map(pair).into_iter().collect(),
        // A name of Ruby's begins with a colon.
        Form::Yaml => {
            let after = usize::from(line.starts_with(':'));
            let split = line.get(after..).and_then(|rest| rest.split_once(':'));
            let named = |(name, value): (&str, &str)| (format!("{}{}", &line[..after], bare(name)), value.to_owned());
            split.map(named).into_iter().collect()
        }
        Form::Repositories | Form::Ini | Form::Git => line.split_once('=').map(pair).into_iter().collect(),
        Form::Pacman => line.split_once('=').map(levels).into_iter().flatten().collect(),
        Form::Words => {
            let (name, value) = line.split_once([' ', '\t', '=', ':']).unwrap_or((line, ""));
            vec![pair((name.trim_start_matches("--"), value))]
        }
    }
}

/// What a line of pacman.conf(5) sets: of the words of `SigLevel` those that hold for packages in the end.
fn levels((name, words): (&str, &str)) -> Vec<(String, String)> {
    const WHEN: &[&str] = &["never", "optional", "required"];
    const WHOM: &[&str] = &["trustall", "trustedonly"];
    let name = name.trim().to_ascii_lowercase();
    let words: Vec<String> = words.split_whitespace().map(str::to_ascii_lowercase).collect();
    let bare = |word: &String| word.strip_prefix("package").unwrap_or(word).to_owned();
    let last = |kind: &[&str]| words.iter().map(bare).rfind(|word| kind.contains(&&**word));
    [WHEN, WHOM].into_iter().filter_map(last).map(|word| (name.clone(), word)).collect()
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
        assert_eq!(names("[http]\n\tsslVerify = false", Form::Git), one(2, "sslverify"));
        assert_eq!(names("[core]\nx\n[http \"https://h/\"] sslVerify = no # x", Form::Git), one(3, "sslverify"));
        assert_eq!(names("APT {\n Get {\n AllowUnauthenticated 1; }; };", Form::AptConf).len(), 1);
        assert_eq!(
            names("Acquire::https { a.example::Verify-Peer \"false\"; };", Form::AptConf),
            one(1, "acquire::https::a.example::verify-peer")
        );
        assert_eq!(names("[global]\ntrusted-host =\n    a.example\n    b\n", Form::Ini), one(3, "trusted-host"));
        assert_eq!(names("[options]\nSigLevel = Never", Form::Pacman), one(2, "siglevel"));
        assert_eq!(names("SigLevel = Required TrustAll", Form::Pacman), one(1, "siglevel"));
        assert_eq!(names("SigLevel = PackageOptional", Form::Pacman), one(1, "siglevel"));
        assert_eq!(names("channels:\n  - x\nssl_verify: false # x", Form::Yaml), one(3, "ssl_verify"));
        assert_eq!(names("strict-ssl false", Form::Words), one(1, "strict-ssl"));
        assert_eq!(names("\"strict-ssl\" false", Form::Words), one(1, "strict-ssl"));
        assert_eq!(names("enableStrictSsl: false", Form::Yaml), one(1, "enablestrictssl"));
        assert_eq!(names("---\n:ssl_verify_mode: 0\n", Form::Yaml), one(2, ":ssl_verify_mode"));
        assert_eq!(names("BUNDLE_SSL_VERIFY_MODE: \"0\"", Form::Yaml), one(1, "bundle_ssl_verify_mode"));
        assert_eq!(names("insecure", Form::Words), one(1, "insecure"));
        assert_eq!(names("--insecure", Form::Words), one(1, "insecure"));
    }

    #[test]
    fn which_files_are_read() {
        let form = |path: &str| form_of(&ImagePath::from(path));
        for path in ["/etc/apt/apt.conf", "/etc/apt/apt.conf.d/99x", "/etc/apt/apt.conf.d/99-x_y.a.conf"] {
            assert_eq!(form(path), Some(Form::AptConf), "{path}");
        }
        for path in [
            "/etc/apt/apt.conf.d/99x.bak",
            "/etc/apt/apt.conf.d/99x.conf.dpkg-old",
            "/etc/apt/apt.conf.d/.99x",
            "/etc/apt/apt.conf.d/99x~",
            "/etc/apt/apt.conf.d/99 x",
            "/etc/apt/sources.list.d/x.list.save",
            "/etc/apt/sources.list.d/x y.list",
            "/etc/apt/sources.list.d/x.conf",
            "/etc/git/config",
        ] {
            assert_eq!(form(path), None, "{path}");
        }
        assert_eq!(form("/etc/apt/sources.list.d/x-1.list"), Some(Form::AptList));
        assert_eq!(form("/home/app/.config/git/config"), Some(Form::Git));
        assert_eq!(form("/etc/gitconfig"), Some(Form::Git));
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
            ("trusted-host =\nindex-url = x", Form::Ini),
            ("trusted-host =\n    # a.example", Form::Ini),
            ("[https]\nsslVerify = false\n[http]\nsslVerify", Form::Git),
            ("[http]\nproxy = x\n[alias]\nsslVerify = false", Form::Git),
            ("APT { Get { AllowUnauthenticated \"false\"; }; };", Form::AptConf),
            ("APT::Get::AllowUnauthenticated 1;\n#clear APT::Get;", Form::AptConf),
            ("Acquire::http::Verify-Peer \"false\";", Form::AptConf),
            ("SigLevel = Required DatabaseOptional\nLocalFileSigLevel = Optional", Form::Pacman),
            ("SigLevel = Never Required", Form::Pacman),
            ("# SigLevel = Never", Form::Pacman),
            ("ssl_verify: /etc/ca.pem", Form::Yaml),
            (":ssl_verify_mode: 1", Form::Yaml),
        ] {
            assert_eq!(names(text, form), [], "{text}");
        }
    }
}
