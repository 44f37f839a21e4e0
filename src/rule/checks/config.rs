//! The image config itself: health check, stop signal, environment, ports. What it starts stands in `process.rs`.

use super::privilege::{may_bind_low_ports, open_to_others};
use super::process::{find_program, first_trouble, is_builtin};
use super::quote::{quote, shown};
use crate::facts::{Command, EntryKind, Facts, Start};
use crate::model::{ImagePath, Location, Severity};
use crate::rule::{Params, Sink};

/// No HEALTHCHECK, or one that is turned off.
pub fn no_healthcheck(facts: &Facts, _: &Params, sink: &mut Sink) {
    let test = facts.config.config.healthcheck.as_ref().map(|check| &check.test[..]);
    let why = match test {
        None => "there is no HEALTHCHECK",
        Some([]) => "HEALTHCHECK is empty, and there is none to inherit",
        Some([first, ..]) if first == "NONE" => "HEALTHCHECK NONE turns the check off",
        Some(_) => return,
    };
    let message = format!("{why}: write one that asks the application whether it serves");
    sink.find(Location::config("/config/Healthcheck"), "HEALTHCHECK", message);
}

/// The program that the health check runs is not in the image, or cannot be started: every container is unhealthy.
pub fn healthcheck_unresolvable(facts: &Facts, _: &Params, sink: &mut Sink) {
    let Some(start) = Start::read_healthcheck(&facts.config, &facts.tree, &facts.layers, &facts.accounts) else {
        return;
    };
    let told = first_trouble(&start).map(|(program, trouble)| (program.name.clone(), trouble));
    let missing = || missing_in_script(facts).map(|name| (name, "it is not in the image".to_owned()));
    let Some((name, trouble)) = told.or_else(missing) else {
        return;
    };
    let at = Location::config("/config/Healthcheck/Test");
    if !facts.incomplete.is_empty() {
        sink.gap(at, format!("health check: {} may lie in a part not read", quote(&name)));
        return;
    }
    let message = format!(
        "the health check runs {}, but {trouble}: put it there, or let the application check itself",
        quote(&name)
    );
    sink.find(at, name, message);
}

/// The first program of a shell-form check when it is not there. What follows may be a fallback that never runs.
fn missing_in_script(facts: &Facts) -> Option<String> {
    let test = &facts.config.config.healthcheck.as_ref().filter(|_| facts.platform.os != "windows")?.test;
    let script = test.get(1).filter(|_| test[0] == "CMD-SHELL")?;
    let commands = Command::split(script);
    let first = commands.first()?;
    let name = first.effective()?.program;
    let whole = first.words.iter().map(|word| &*word.text).find(|word| word.rsplit('/').next() == Some(name))?;
    let known = first.words.iter().any(|word| word.expands && word.text.ends_with(name))
        || is_builtin(name)
        || find_program(facts, whole).is_some();
    (!known && !name.is_empty()).then(|| whole.to_owned())
}

/// Signals that no process can act upon, and those that most ignore.
const POINTLESS: &[(&str, i64, &str)] = &[
    ("KILL", 9, "kills the application without letting it finish: delete STOPSIGNAL, or write SIGTERM"),
    ("STOP", 19, "suspends the application instead of ending it: delete STOPSIGNAL, or write SIGTERM"),
    ("TSTP", 20, "suspends the application instead of ending it: delete STOPSIGNAL, or write SIGTERM"),
    ("CONT", 18, "is ignored by most programs, which are then killed: delete STOPSIGNAL, or write SIGTERM"),
    ("CHLD", 17, "is ignored by most programs, which are then killed: delete STOPSIGNAL, or write SIGTERM"),
    ("URG", 23, "is ignored by most programs, which are then killed: delete STOPSIGNAL, or write SIGTERM"),
];

/// The other signals of Linux, by number from 1.
const SIGNALS: &[&str] = &[
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS", "IOT", "POLL", "CLD", "UNUSED",
];

/// STOPSIGNAL that ends nothing, or ends it badly.
pub fn odd_stop_signal(facts: &Facts, _: &Params, sink: &mut Sink) {
    let signal = facts.config.config.stop_signal.trim();
    if signal.is_empty() {
        return;
    }
    let upper = signal.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let number = name.parse::<i64>().ok();
    let pointless = POINTLESS.iter().find(|(known, value, _)| *known == name || number == Some(*value));
    let trouble = match (pointless, number) {
        (Some((.., trouble)), _) => *trouble,
        (None, Some(1..=64)) => return,
        (None, None) if SIGNALS.contains(&name) || is_real_time(name) => return,
        _ => "is no signal, so that the container cannot be stopped: delete it, or write SIGTERM",
    };
    let message = format!("STOPSIGNAL {} {trouble}", quote(signal));
    sink.find(Location::config("/config/StopSignal"), "STOPSIGNAL", message);
}

/// `RTMIN`, `RTMIN+3`, `RTMAX-2`.
fn is_real_time(name: &str) -> bool {
    let offset = |sign: char, rest: &str| {
        rest.is_empty() || rest.strip_prefix(sign).is_some_and(|n| n.parse::<u8>().is_ok_and(|n| n < 31))
    };
    name.strip_prefix("RTMIN").is_some_and(|rest| offset('+', rest))
        || name.strip_prefix("RTMAX").is_some_and(|rest| offset('-', rest))
}

/// What a variable's value must be to do harm.
#[derive(Clone, Copy)]
enum When {
    /// Whatever it is, even empty.
    Set,
    /// `0`, `false`, `no`, `off`, `none`.
    Off,
    /// `1`, `true`, `yes`, `on`.
    On,
    /// Not empty.
    Filled,
    /// Contains this.
    Holds(&'static str),
}
use When::{Filled, Holds, Off, On, Set};

/// Variables that switch a protection off: name (compared without case), when, what they do.
const SWITCHES: &[(&str, When, &str)] = &[
    ("NODE_TLS_REJECT_UNAUTHORIZED", Off, "makes Node.js accept every TLS certificate"),
    ("PYTHONHTTPSVERIFY", Off, "makes Python accept every TLS certificate"),
    ("GIT_SSL_NO_VERIFY", Set, "makes git accept every TLS certificate, whatever the value"),
    ("NPM_CONFIG_STRICT_SSL", Off, "makes npm accept every TLS certificate"),
    ("YARN_ENABLE_STRICT_SSL", Off, "makes Yarn accept every TLS certificate"),
    ("YARN_STRICT_SSL", Off, "makes Yarn accept every TLS certificate"),
    ("PIP_TRUSTED_HOST", Filled, "makes pip accept every TLS certificate of these hosts"),
    ("PERL_LWP_SSL_VERIFY_HOSTNAME", Off, "makes Perl accept every TLS certificate"),
    ("BUNDLE_SSL_VERIFY_MODE", Off, "makes Bundler accept every TLS certificate"),
    ("COMPOSER_DISABLE_TLS", On, "makes Composer download without TLS"),
    ("VAULT_SKIP_VERIFY", On, "makes the Vault client accept every TLS certificate"),
    ("CONSUL_HTTP_SSL_VERIFY", Off, "makes the Consul client accept every TLS certificate"),
    ("ANSIBLE_HOST_KEY_CHECKING", Off, "makes Ansible accept every host key"),
    ("GOINSECURE", Filled, "makes go fetch these modules without TLS"),
    ("GONOSUMCHECK", On, "makes go skip the checksums of modules"),
    ("GOFLAGS", Holds("-insecure"), "makes go fetch modules without TLS"),
    ("NODE_OPTIONS", Holds("--inspect"), "opens Node.js' debugger, which runs any code"),
    ("JAVA_TOOL_OPTIONS", Holds("jdwp"), "opens Java's debugger, which runs any code"),
    ("JDK_JAVA_OPTIONS", Holds("jdwp"), "opens Java's debugger, which runs any code"),
    ("_JAVA_OPTIONS", Holds("jdwp"), "opens Java's debugger, which runs any code"),
    ("JAVA_OPTS", Holds("jdwp"), "opens Java's debugger, which runs any code"),
    ("FLASK_DEBUG", On, "opens Flask's debugger, which runs any code"),
    ("WERKZEUG_DEBUG_PIN", Off, "opens Werkzeug's debugger, which runs any code, without its PIN"),
];

impl When {
    fn holds(self, value: &str) -> bool {
        let value = value.trim().to_ascii_lowercase();
        match self {
            Set => true,
            Off => matches!(&*value, "0" | "false" | "no" | "off" | "none"),
            On => matches!(&*value, "1" | "true" | "yes" | "on"),
            Filled => !value.is_empty(),
            Holds(part) => value.contains(part),
        }
    }
}

/// Lists of directories or libraries from which code is loaded.
const LOADED: &[&str] = &["LD_LIBRARY_PATH", "PYTHONPATH", "PERL5LIB", "RUBYLIB", "NODE_PATH"];

/// Environment variables that weaken every process of the container.
pub fn dangerous_env(facts: &Facts, _: &Params, sink: &mut Sink) {
    for (index, entry) in facts.config.config.env.iter().enumerate() {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        let at = || Location::config(format!("/config/Env/{index}"));
        let switch = SWITCHES.iter().find(|(known, when, _)| known.eq_ignore_ascii_case(name) && when.holds(value));
        if let Some((_, _, trouble)) = switch {
            sink.find(at(), name, format!("ENV {} {trouble}: delete it", quote(name)));
        } else if name == "LD_PRELOAD" {
            preload(facts, value, &at(), sink);
        } else if LOADED.contains(&name) {
            for element in value.split(':') {
                if let Some(trouble) = loads_from(facts, name, element) {
                    let message =
                        format!("ENV {} loads code from {trouble}: name only directories of root", quote(name));
                    sink.find(at(), format!("{name}:{element}"), message);
                }
            }
        } else if is_proxy(name) && has_password(value) {
            let message =
                format!("ENV {} holds a user and password: give the proxy when the container starts", quote(name));
            sink.find(at(), name, message);
        }
    }
}

/// A library before all others. One that only root can replace is a choice; another is a way in.
fn preload(facts: &Facts, value: &str, at: &Location, sink: &mut Sink) {
    for library in value.split([':', ' ']).filter(|library| !library.is_empty()) {
        let path = ImagePath::from(library);
        let trouble = match facts.tree.resolve(&path) {
            Ok(node) if node.mode() & 0o002 != 0 => Some(format!("every user may rewrite {}", shown(&path))),
            Ok(_) => path.parent().and_then(|directory| open_to_others(facts, &directory)),
            Err(_) if library.starts_with('/') => path.parent().and_then(|directory| open_to_others(facts, &directory)),
            Err(_) => None, // a bare name is looked for in the system's directories
        };
        let message = match &trouble {
            Some(trouble) => {
                format!("ENV 'LD_PRELOAD' loads {} into every program, and {trouble}: delete it", quote(library))
            }
            None => format!(
                "ENV 'LD_PRELOAD' loads {} into every program: link it into the one that needs it",
                quote(library)
            ),
        };
        let found = sink.find(at.clone(), format!("LD_PRELOAD:{library}"), message);
        if trouble.is_none() {
            found.severity = Some(Severity::Low);
        }
    }
}

/// What is wrong with an element of a list of directories; `None` when only root may put files there.
fn loads_from(facts: &Facts, name: &str, element: &str) -> Option<String> {
    if element.contains('$') {
        return None;
    }
    if !element.starts_with('/') {
        // An empty element is the working directory for the loader, and nothing for the interpreters.
        let current = !element.is_empty() || name == "LD_LIBRARY_PATH";
        return current.then(|| "the working directory, whichever that is".to_owned());
    }
    let path = ImagePath::from(element);
    let real = facts.tree.resolve(&path).map_or(path, |node| node.path());
    if let Some(why) = open_to_others(facts, &real).filter(|trouble| trouble.starts_with("every user")) {
        return Some(format!("{}, and {why}", quote(element)));
    }
    (name == "LD_LIBRARY_PATH" && runtime_may_write(facts, &real))
        .then(|| format!("{}, which the container's own user may write to", quote(element)))
}

/// Whether the user that containers run as, if not root, may put files into the directory at `path`. For the loader's list
/// that matters, which every program follows; the folders of an interpreter's modules are often the application's own.
fn runtime_may_write(facts: &Facts, path: &ImagePath) -> bool {
    let start = &facts.start;
    let (uid, gid) = match &start.drops {
        Some(drop) => (drop.uid, None),
        None => (start.uid, start.gid),
    };
    let Some(uid) = uid.filter(|uid| *uid != 0) else { return false };
    facts.tree.get(path).filter(|node| node.kind() == EntryKind::Dir && node.layer().is_some()).is_some_and(|node| {
        let owns = node.uid() == uid && node.mode() & 0o200 != 0;
        owns || gid == Some(node.gid()) && node.mode() & 0o020 != 0
    })
}

/// Whether a variable names a proxy.
pub(super) fn is_proxy(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("_proxy")
}

/// Whether a URL has `user:password@`.
pub(super) fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    authority
        .rsplit_once('@')
        .and_then(|(user, _)| user.split_once(':'))
        .is_some_and(|(_, password)| !password.is_empty() && !password.starts_with('$'))
}

/// Ports of remote shells, debuggers, container engines and data stores: number, what listens there, programs for which
/// it is the very purpose.
const ADMIN: &[(u16, &str, &[&str])] = &[
    (22, "SSH", &[]),
    (23, "Telnet", &[]),
    (512, "rexec", &[]),
    (513, "rlogin", &[]),
    (514, "rsh", &["rsyslogd", "syslog-ng"]),
    (873, "rsync", &["rsync"]),
    (2375, "the Docker API without TLS", &["dockerd"]),
    (2376, "the Docker API", &["dockerd"]),
    (2379, "etcd", &["etcd"]),
    (3306, "MySQL", &["mysqld", "mariadbd"]),
    (3389, "remote desktop", &["xrdp"]),
    (5005, "Java's debugger", &[]),
    (5432, "PostgreSQL", &["postgres"]),
    (5678, "Python's debugger", &["n8n"]),
    (5900, "VNC", &["Xvnc", "x11vnc"]),
    (5901, "VNC", &["Xvnc", "x11vnc"]),
    (6379, "Redis", &["redis-server", "valkey-server", "keydb-server"]),
    (9200, "Elasticsearch", &["elasticsearch", "opensearch"]),
    (9229, "Node.js' debugger", &[]),
    (10250, "the kubelet", &["kubelet"]),
    (11211, "memcached", &["memcached"]),
    (27017, "MongoDB", &["mongod", "mongos"]),
];

/// EXPOSE of a port for administration, debugging or data beside what the image is for.
pub fn admin_port_exposed(facts: &Facts, _: &Params, sink: &mut Sink) {
    let runs = |program: &str| {
        let in_word = |word: &String| word.rsplit('/').next().is_some_and(|base| base == program);
        facts.start.argv.iter().any(in_word) || facts.start.programs.iter().any(|started| in_word(&started.name))
    };
    for (written, first, last) in ports(facts) {
        let hit = ADMIN.iter().find(|(port, _, own)| (first..=last).contains(port) && !own.iter().any(|own| runs(own)));
        if let Some((port, service, _)) = hit.filter(|_| last - first < 1000) {
            let message = format!(
                "EXPOSE {} is the port of {service}: leave {port} out, and reach it from outside the image",
                quote(written)
            );
            sink.find(port_location(written), port.to_string(), message);
        }
    }
}

/// EXPOSE below 1024 although the user is not root and the program has no capability for it.
pub fn privileged_port_exposed(facts: &Facts, _: &Params, sink: &mut Sink) {
    let Some(uid) = facts.start.uid.filter(|uid| *uid != 0) else {
        return;
    };
    let started = facts.start.programs.iter().filter_map(|program| program.path.as_ref());
    let real = |path: &ImagePath| facts.tree.resolve(path).map_or_else(|_| path.clone(), |node| node.path());
    let able = started.map(real).any(|path| may_bind_low_ports(facts, &path));
    for (written, first, _) in ports(facts).into_iter().filter(|(_, first, _)| *first < 1024 && !able) {
        let message = format!(
            "EXPOSE {} cannot be opened by uid {uid} where the runtime reserves ports below 1024 for root: listen on {}",
            quote(written),
            u32::from(first) + 8000
        );
        sink.find(port_location(written), written, message);
    }
}

/// Exposed ports as written, with their first and last number. `80`, `80/tcp`, `8000-8010/udp`.
fn ports(facts: &Facts) -> Vec<(&str, u16, u16)> {
    facts
        .config
        .config
        .exposed_ports
        .iter()
        .filter_map(|written| {
            let numbers = written.split('/').next().unwrap_or("");
            let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
            let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            (first <= last).then_some((&**written, first, last))
        })
        .collect()
}

fn port_location(written: &str) -> Location {
    Location::config(format!("/config/ExposedPorts/{}", written.replace('~', "~0").replace('/', "~1")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_with_passwords() {
        let secret = "s".repeat(4);
        assert!(has_password(&format!("http://user:{secret}@proxy:3128/")));
        assert!(has_password(&format!("user:{secret}@proxy")));
        for plain in
            ["http://proxy:3128", "http://user@proxy", "http://user:@proxy", "http://u:$P@proxy", "", "http://h/a:b@c"]
        {
            assert!(!has_password(plain), "{plain}");
        }
    }

    #[test]
    fn real_time_signals() {
        assert!(["RTMIN", "RTMIN+3", "RTMAX-2"].into_iter().all(is_real_time));
        assert!(!["RTMIN-1", "RTMIN+99", "RT", "RTMIN+"].into_iter().any(is_real_time));
    }
}
