//! Which names of variables, options and keys promise a credential. Which values keep the promise stands in `values.rs`.

use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Words that make a name a credential's wherever they stand.
const STRONG: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "pwd",
    "pass",
    "secret",
    "secrets",
    "token",
    "authtoken",
    "apikey",
    "apitoken",
    "accesskey",
    "secretkey",
    "privatekey",
    "credential",
    "credentials",
    "creds",
    "authkey",
    "accesstoken",
    "clientsecret",
    "dbpass",
    "dbpassword",
    "dbpasswd",
    "rootpassword",
    "userpass",
    "rootpw",
    "pgpassword",
    "sshpass",
    "mysqlpwd",
];

/// Ends of words that are written without a mark before them: `MYPASS`, `pgpassword`, `requirepass`.
const ENDS: &[&str] = &["pass", "password", "passwd", "passphrase", "pwd", "secret", "token", "apikey", "secretkey"];

/// Words with such an end that mean another thing.
const OTHER_SENSE: &[&str] = &[
    "bypass",
    "compass",
    "encompass",
    "trespass",
    "surpass",
    "overpass",
    "underpass",
    "multipass",
    "oldpwd",
    "libsecret",
];

/// Words that make a credential of the `key` behind them.
const OF_KEYS: &[&str] =
    &["api", "access", "private", "encryption", "master", "signing", "license", "auth", "jwt", "hmac", "aes"];

/// Words that do so at the end of a name when the value looks like it: each has other senses.
const LAST: &[&str] = &["key", "auth", "authorization", "pat"];

/// Words before `key` that make it the place of something in a set.
const INDEX: &[&str] = &[
    "partition",
    "sort",
    "routing",
    "lookup",
    "cache",
    "translation",
    "header",
    "idempotency",
    "index",
    "shard",
    "range",
    "dict",
    "message",
    "object",
    "bucket",
];

/// Words before `key` that make it one which every visitor of a page is sent.
const CLIENT: &[&str] = &["site", "anon", "instrumentation", "measurement"];

/// Words before a credential's that make it an object of an orchestrator, which has a name: `K8S_SECRET=app-secret`.
const ORCHESTRATED: &[&str] = &["k8s", "kube", "kubernetes", "openshift", "swarm", "pull", "imagepull", "tls"];

/// Words that such objects are called by.
pub(super) const OBJECTS: &[&str] = &["secret", "secrets", "credential", "credentials", "creds"];

/// Words that tell of something beside the credential. At the end of a name they say what the value is.
const BESIDE: &[&str] = &[
    "file",
    "files",
    "path",
    "paths",
    "dir",
    "directory",
    "folder",
    "name",
    "names",
    "id",
    "ids",
    "url",
    "urls",
    "uri",
    "host",
    "hostname",
    "port",
    "server",
    "endpoint",
    "version",
    "release",
    "length",
    "len",
    "size",
    "bits",
    "ttl",
    "timeout",
    "expiry",
    "expires",
    "expiration",
    "lifetime",
    "age",
    "enabled",
    "enable",
    "disabled",
    "required",
    "allowed",
    "type",
    "kind",
    "algorithm",
    "alg",
    "policy",
    "mode",
    "format",
    "encoding",
    "fingerprint",
    "fingerprints",
    "checksum",
    "digest",
    "count",
    "limit",
    "min",
    "max",
    "prefix",
    "suffix",
    "header",
    "field",
    "param",
    "issuer",
    "audience",
    "scope",
    "scopes",
    "provider",
    "backend",
    "manager",
    "store",
    "method",
    "hint",
    "stdin",
    "prompt",
    "command",
    "cmd",
    "helper",
    "plugin",
    "dummy",
    "rotation",
    "interval",
    "attempts",
    "class",
    "driver",
    "service",
    "env",
    "var",
    "arn",
    "region",
    "location",
    "ring",
    "rings",
    "ref",
    "reference",
    "mount",
    "volume",
    "hasher",
    "hashers",
    "encoder",
    "encoders",
    "generator",
    "validator",
    "validators",
    "validation",
    "verifier",
    "verification",
    "resolver",
    "handler",
    "factory",
    "strategy",
    "strength",
    "complexity",
    "rounds",
    "iterations",
    "cost",
    "source",
    "engine",
    "regex",
    "pattern",
    "charset",
    "label",
    "template",
    "selector",
    "cookie",
    "domain",
    "realm",
    "role",
    "user",
    "username",
    "email",
    "namespace",
    "alias",
    "duration",
    "seconds",
    "minutes",
    "hours",
    "days",
    "period",
    "validity",
    "leeway",
    "grace",
    "threshold",
    "retries",
    "window",
    "budget",
    "through",
    "status",
    "support",
    "change",
    "reset",
];

/// Words before a password's that make of a name what is done, such as a page or how often it may be asked for.
const ACTS: &[&str] = &["change", "reset", "forgot", "forgotten"];

/// Words that tell of something public anywhere in a name.
const PUBLIC: &[&str] = &[
    "public",
    "publishable",
    "pub",
    "gpg",
    "pgp",
    "gpgkey",
    "gpgkeys",
    "sha",
    "sha1",
    "sha256",
    "sha512",
    "md5",
    "keyserver",
    "keyring",
    "apt",
    "signing-key",
    "sentinel",
    "tokenizer",
    "tokenizers",
    "primary",
    "foreign",
    "hot",
    "host-key",
    "monkey",
    "keyboard",
    "shortcut",
    "nvidia",
];

/// Words of names whose value is a switch.
const SWITCH: &[&str] = &["allow", "empty", "random", "disable", "disabled", "skip", "no", "without", "lock"];

/// How much a name promises.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    Nothing,
    /// It ends with this word, which has other senses: the value has to look like a credential.
    Some(&'static str),
    /// Any value is one.
    Credential,
}

/// Whether a variable, option or key of this name holds a credential: `DB_PASSWORD`, `apiKey`, `npm-token`; not
/// `DB_PASSWORD_FILE`, `GPG_KEY`, `COMPASS_VERSION`, `KEYCLOAK_HOME`.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    promise(name) != Promise::Nothing
}

pub(super) fn promise(name: &str) -> Promise {
    let lower = in_lower_case(name);
    let words: Vec<&str> = lower.split_ascii_whitespace().collect();
    // A number at the end counts credentials: PASSWORD_2, PASSWORD2.
    let counted = |word: &&'_ str| word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let stems = || words.iter().map(|word| &word[..counted(word)]).filter(|stem| !stem.is_empty());
    let Some(last) = stems().next_back() else { return Promise::Nothing };
    let all = stems().fold(0, |all, stem| all | kinds(stem));
    let full = words.iter().fold(0, |all, word| all | kinds(word));
    let any = |kind: u16| all & kind != 0;
    let pairs = || stems().zip(stems().skip(1));
    let act = any(ACT) && pairs().any(|(act, word)| kinds(act) & ACT != 0 && word.starts_with("pass"));
    if any(SWITCHES | OPEN) || full & OPEN != 0 || act || kinds(last) & ASIDE != 0 {
        return Promise::Nothing;
    }
    let object = OBJECTS.iter().find(|word| **word == last);
    if let Some(object) = object.filter(|_| full & CLUSTER != 0) {
        return Promise::Some(object);
    }
    // A hash, or how to make one: --with-password-hash=bcrypt.
    if last == "hash" && any(SURE) {
        return Promise::Some("key");
    }
    if any(SURE)
        || stems().any(ends_so)
        || any(BEFORE_KEY) && pairs().any(|(before, key)| key == "key" && kinds(before) & BEFORE_KEY != 0)
        || (last == "pw" && words.len() > 1)
    {
        return Promise::Credential;
    }
    match LAST.iter().find(|word| **word == last) {
        Some(&"key") if any(PLACES) => Promise::Nothing,
        Some(word) => Promise::Some(word),
        None => Promise::Nothing,
    }
}

/// Kinds of words, a bit each.
const SURE: u16 = 1;
const SWITCHES: u16 = 1 << 1;
const OPEN: u16 = 1 << 2;
const ACT: u16 = 1 << 3;
const ASIDE: u16 = 1 << 4;
const CLUSTER: u16 = 1 << 5;
const BEFORE_KEY: u16 = 1 << 6;
const PLACES: u16 = 1 << 7;

/// Every word of the lists, and its kinds.
static KINDS: LazyLock<HashMap<&str, u16, FixedState>> = LazyLock::new(|| {
    let lists = [
        (SURE, STRONG),
        (SWITCHES, SWITCH),
        (OPEN, PUBLIC),
        (ACT, ACTS),
        (ASIDE, BESIDE),
        (CLUSTER, ORCHESTRATED),
        (BEFORE_KEY, OF_KEYS),
        (PLACES, INDEX),
        (PLACES, CLIENT),
    ];
    let mut kinds = HashMap::default();
    for (kind, words) in lists {
        for word in words {
            *kinds.entry(*word).or_default() |= kind;
        }
    }
    kinds
});

fn kinds(word: &str) -> u16 {
    KINDS.get(word).copied().unwrap_or(0)
}

fn ends_so(word: &str) -> bool {
    ENDS.iter().any(|end| word.ends_with(end)) && !OTHER_SENSE.contains(&word)
}

/// The words of a name in lower case: cut at everything that is no letter or digit, and where the case rises.
pub(super) fn words(name: &str) -> Vec<String> {
    in_lower_case(name).split_ascii_whitespace().map(str::to_owned).collect()
}

/// The same with blanks between them.
pub(super) fn in_lower_case(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 8);
    let mut before = b' ';
    for byte in name.bytes() {
        if byte.is_ascii_uppercase() && before.is_ascii_lowercase() {
            words.push(' ');
        }
        words.push(if byte.is_ascii_alphanumeric() { char::from(byte.to_ascii_lowercase()) } else { ' ' });
        before = byte;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in [
            "DB_PASSWORD",
            "api_secret",
            "API_TOKEN",
            "TOKEN",
            "apiKey",
            "SECRET_KEY_BASE",
            "npm-token",
            "MYSQL_PWD",
            "PASSWORD_2",
            "AWS_SECRET_ACCESS_KEY",
            "REDIS_AUTH",
            "_authToken",
            "KEY",
            "ENCRYPTION_KEY",
            "PGPASSWORD",
            "ROOT_PASS",
            "clientSecret",
            "changelog_password",
            "RESET_TOKEN",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "DB_PASSWORD_FILE",
            "GPG_KEY",
            "GPG_KEYS",
            "RECAPTCHA_SITE_KEY",
            "SUPABASE_ANON_KEY",
            "COMPASS_VERSION",
            "PASSENGER_APP_ENV",
            "keyutils-libs",
            "PATH",
            "PYTHON_SHA256",
            "SSH_AUTH_SOCK",
            "TOKEN_URL",
            "SECRET_NAME",
            "MAX_TOKENS",
            "PUBLIC_KEY",
            "KEYCLOAK_HOME",
            "AWS_ACCESS_KEY_ID",
            "PARTITION_KEY",
            "PASSWORD_HASHER",
            "PASSWORD_FILE_2",
            "NGINX_GPGKEY",
            "TOKEN_TTL",
            "BYPASS",
            "",
            "=",
            "XAUTHORITY",
            "change_password",
            "resetPasswordFromKey",
            "PASSWORD_RESET",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
