//! Environment variables that switch a protection off, whether an image sets them or a build step. A table; judges nothing.

/// A variable that switches a protection off.
pub(super) struct Switch {
    /// What it does, as the rest of a sentence that begins with the variable.
    pub(super) effect: &'static str,
    /// Whether the protection is the check of a signature, a checksum, a certificate or a host's key.
    pub(super) verification: bool,
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
    /// Names a host that is not the machine itself.
    Hosts,
    /// This word.
    Is(&'static str),
    /// Contains this.
    Holds(&'static str),
}
use When::{Filled, Holds, Hosts, Is, Off, On, Set};

/// Variables that turn the check of what comes over the network off: name (compared without case), when, what they do.
const VERIFICATION: &[(&str, When, &str)] = &[
    ("NODE_TLS_REJECT_UNAUTHORIZED", Off, "makes Node.js accept every TLS certificate"),
    ("PYTHONHTTPSVERIFY", Off, "makes Python accept every TLS certificate"),
    ("GIT_SSL_NO_VERIFY", Set, "makes git accept every TLS certificate, whatever the value"),
    ("NPM_CONFIG_STRICT_SSL", Off, "makes npm accept every TLS certificate"),
    ("YARN_ENABLE_STRICT_SSL", Off, "makes Yarn accept every TLS certificate"),
    ("YARN_STRICT_SSL", Off, "makes Yarn accept every TLS certificate"),
    ("PIP_TRUSTED_HOST", Hosts, "makes pip accept every TLS certificate of these hosts"),
    ("UV_INSECURE_HOST", Hosts, "makes uv accept every TLS certificate of these hosts"),
    ("CONDA_SSL_VERIFY", Off, "makes conda accept every TLS certificate"),
    ("PERL_LWP_SSL_VERIFY_HOSTNAME", Off, "makes Perl accept every TLS certificate"),
    ("BUNDLE_SSL_VERIFY_MODE", Off, "makes Bundler accept every TLS certificate"),
    ("COMPOSER_DISABLE_TLS", On, "makes Composer download without TLS"),
    ("VAULT_SKIP_VERIFY", On, "makes the Vault client accept every TLS certificate"),
    ("CONSUL_HTTP_SSL_VERIFY", Off, "makes the Consul client accept every TLS certificate"),
    ("ANSIBLE_HOST_KEY_CHECKING", Off, "makes Ansible accept every host key"),
    ("GOINSECURE", Filled, "makes go fetch these modules without TLS"),
    ("GONOSUMCHECK", On, "makes go skip the checksums of modules"),
    ("GOSUMDB", Is("off"), "makes go skip the database of modules' checksums"),
    ("GOFLAGS", Holds("-insecure"), "makes go fetch modules without TLS"),
    ("DOTNET_NUGET_SIGNATURE_VERIFICATION", Off, "makes .NET skip the signatures of packages"),
];

/// Variables that open something else.
const OTHER: &[(&str, When, &str)] = &[
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
            Off => is_off(&value),
            On => is_on(&value),
            Filled => !value.is_empty(),
            Hosts => value.split([' ', ',', '\t', '\n']).any(|host| !host.is_empty() && !is_loopback(host)),
            Is(word) => value == word,
            Holds(part) => value.contains(part),
        }
    }
}

/// The protection that `name=value` switches off.
pub(super) fn switched(name: &str, value: &str) -> Option<Switch> {
    let row = |rows: &[(&'static str, When, &'static str)], verification| {
        let row = rows.iter().find(|(known, when, _)| known.eq_ignore_ascii_case(name) && when.holds(value));
        row.map(|&(_, _, effect)| Switch { effect, verification })
    };
    row(VERIFICATION, true).or_else(|| row(OTHER, false))
}

/// Whether a switch with this value is off.
pub(super) fn is_off(value: &str) -> bool {
    ["0", "false", "no", "off", "none"].iter().any(|off| value.eq_ignore_ascii_case(off))
}

/// Whether a switch with this value is on.
pub(super) fn is_on(value: &str) -> bool {
    ["1", "true", "yes", "on"].iter().any(|on| value.eq_ignore_ascii_case(on))
}

/// Whether a URL, an address or a name of a host is the machine itself: nobody stands between.
pub(super) fn is_loopback(target: &str) -> bool {
    let rest = target.split_once("://").map_or(target, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(inside) => inside.split(']').next().unwrap_or_default(),
        None if host.matches(':').count() > 1 => host,
        None => host.split(':').next().unwrap_or_default(),
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_itself() {
        for target in [
            "localhost",
            "https://localhost:8443/x",
            "https://user@localhost/",
            "127.0.0.1:80",
            "http://127.1.2.3",
            "https://[::1]:8443/x",
            "::1",
            "https://a.localhost/",
            "LOCALHOST.",
            "0.0.0.0:1",
        ] {
            assert!(is_loopback(target), "{target}");
        }
        for target in [
            "https://localhost.example.com/",
            "https://x/localhost",
            "mylocalhost",
            "10.0.0.1",
            "",
            "$HOST",
            "https://localhost@x/",
        ] {
            assert!(!is_loopback(target), "{target}");
        }
    }

    #[test]
    fn values_that_switch() {
        for (name, value, verification) in [
            ("npm_config_strict_ssl", "false", Some(true)),
            ("GIT_SSL_NO_VERIFY", "", Some(true)),
            ("GOSUMDB", "off", Some(true)),
            ("UV_INSECURE_HOST", "a.example", Some(true)),
            ("PIP_TRUSTED_HOST", "localhost b.example", Some(true)),
            ("FLASK_DEBUG", "1", Some(false)),
            ("PIP_TRUSTED_HOST", "localhost", None),
            ("UV_INSECURE_HOST", "", None),
            ("GOSUMDB", "sum.golang.org", None),
            ("NPM_CONFIG_STRICT_SSL", "true", None),
        ] {
            assert_eq!(switched(name, value).map(|switch| switch.verification), verification, "{name}={value}");
        }
    }
}
