//! Which names of variables, options and keys promise a credential, and which values are one. Reads words, not bytes of
//! files.

use super::looks::{is_authorization, is_public, is_stored, looks_random};

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
const OBJECTS: &[&str] = &["secret", "secrets", "credential", "credentials", "creds"];

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
];

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

/// Values that say something about a credential and are none.
const SETTINGS: &[&str] = &[
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "null",
    "nil",
    "none",
    "undefined",
    "unset",
    "auto",
    "required",
    "optional",
    "disabled",
    "enabled",
    "prompt",
    "ask",
    "stdin",
    "env",
    "file",
    "basic",
    "bearer",
    "trust",
    "md5",
    "scram-sha-256",
    "default",
    "0",
    "1",
    "y",
    "n",
];

/// How much a name promises.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Promise {
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

fn promise(name: &str) -> Promise {
    let words = words(name);
    // A number at the end counts credentials: PASSWORD_2, PASSWORD2.
    let counted = |word: &'_ str| word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let stems: Vec<&str> = words.iter().map(|word| &word[..counted(word)]).filter(|stem| !stem.is_empty()).collect();
    let Some(&last) = stems.last() else { return Promise::Nothing };
    let any = |set: &[&str]| stems.iter().any(|stem| set.contains(stem));
    let public = words.iter().any(|word| PUBLIC.contains(&word.as_str()));
    if any(SWITCH) || any(PUBLIC) || public || BESIDE.contains(&last) {
        return Promise::Nothing;
    }
    let object = OBJECTS.iter().find(|word| **word == last);
    if let Some(object) = object.filter(|_| words.iter().any(|word| ORCHESTRATED.contains(&word.as_str()))) {
        return Promise::Some(object);
    }
    // A hash, or how to make one: --with-password-hash=bcrypt.
    if last == "hash" && any(STRONG) {
        return Promise::Some("key");
    }
    let key = |pair: &[&str]| pair[1] == "key" && OF_KEYS.contains(&pair[0]);
    if any(STRONG)
        || stems.iter().any(|stem| ends_so(stem))
        || stems.windows(2).any(key)
        || (last == "pw" && words.len() > 1)
    {
        return Promise::Credential;
    }
    match LAST.iter().find(|word| **word == last) {
        Some(&"key") if any(INDEX) || any(CLIENT) => Promise::Nothing,
        Some(word) => Promise::Some(word),
        None => Promise::Nothing,
    }
}

fn ends_so(word: &str) -> bool {
    !OTHER_SENSE.contains(&word) && ENDS.iter().any(|end| word.ends_with(end))
}

/// Whether `value`, given to `name`, is a credential: something written out, not a reference, a path, a switch, a
/// version or a mask.
#[must_use]
pub fn is_secret_value(name: &str, value: &str) -> bool {
    let value = value.trim();
    let lower = value.to_ascii_lowercase();
    let password =
        words(name).iter().any(|word| word.contains("pass") || word.contains("pwd") || word.starts_with("pw"));
    let only = |set: &str| value.chars().all(|c| set.contains(c));
    !(value.is_empty()
        || is_masked(value)
        || SETTINGS.contains(&lower.as_str())
        || only("*xX.•-_ ?!")
        || is_reference(value)
        || is_path(value)
        || is_plain_url(value)
        || is_stored(value)
        || !keeps(promise(name), value)
        || (!password && value.len() < 12 && value.bytes().all(|b| b.is_ascii_digit()))
        || (!password && is_version(value))
        || (!password && is_fingerprint(value))
        || (!password && is_public(value)))
}

/// Whether `value` is what the name promises; a name that promises nothing was asked for by one who knows better.
fn keeps(promise: Promise, value: &str) -> bool {
    match promise {
        Promise::Some("pat") => value.len() >= 16 && looks_random(value),
        Promise::Some(word) if word == "key" || OBJECTS.contains(&word) => looks_random(value),
        // REDIS_AUTH=hunter2, HTTP_AUTH=user:hunter2, and not AUTH_TYPE's oauth2.
        Promise::Some(_) => {
            let mixed = value.len() >= 7
                && !value.contains(char::is_whitespace)
                && value.bytes().any(|byte| byte.is_ascii_digit())
                && value.bytes().any(|byte| byte.is_ascii_alphabetic());
            is_authorization(value) || mixed && !value.to_ascii_lowercase().starts_with("oauth")
        }
        Promise::Nothing | Promise::Credential => true,
    }
}

/// Whether it was masked before: a prefix, an ellipsis and the length.
fn is_masked(value: &str) -> bool {
    value.split_once("…(").is_some_and(|(_, rest)| {
        rest.strip_suffix(')').is_some_and(|length| !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Whether the value stands for nothing in particular: `changeme`, `<your password>`.
#[must_use]
pub fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let bare = lower.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let whole = [
        "changeme",
        "change-me",
        "change_me",
        "changeit",
        "example",
        "placeholder",
        "redacted",
        "secret",
        "password",
        "todo",
        "dummy",
        "fixme",
        "notset",
        "unused",
        "insecure",
    ];
    let said = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    whole.contains(&bare)
        || said(&["changeme", "change-me", "change_me", "change this", "changethis", "replaceme", "put your", "xxxxxx"])
        || ["here", "here!"].iter().any(|end| lower.ends_with(end))
            && said(&["your", "password", "token", "secret", "key", "insert", "enter", "paste"])
        || lower.ends_with("examplekey")
        || (lower.starts_with('<') && lower.ends_with('>'))
        || ["my-", "my_"].iter().any(|begin| lower.starts_with(begin))
            && lower.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_".contains(&byte))
            && ["secret", "password", "token", "key"].iter().any(|end| lower.ends_with(end))
        || [
            "your-",
            "your_",
            "your ",
            "enter-",
            "enter_",
            "enter ",
            "my-secret",
            "replace-",
            "replace_",
            "insert-",
            "insert_",
        ]
        .iter()
        .any(|begin| lower.starts_with(begin))
}

/// Whether the password of a URL is what documents write.
pub(super) fn is_placeholder_in_url(value: &str) -> bool {
    ["password", "pass", "passwd", "pwd", "user", "token", "secret", "x-oauth-basic"]
        .contains(&value.to_ascii_lowercase().as_str())
}

/// `$NAME`, `${...}`, `$(...)`, `{{ ... }}`, `%NAME%`, `@name@`, backquotes, and names between marks as in
/// `__NAME__`.
pub(super) fn is_reference(value: &str) -> bool {
    let bytes = value.as_bytes();
    if is_slot(value) {
        return true;
    }
    match bytes {
        [b'$', next, ..] => {
            next.is_ascii_alphabetic() || matches!(next, b'{' | b'(' | b'_' | b'@' | b'*' | b'?' | b'#' | b'1'..=b'9')
        }
        [b'`', ..] | [b'{', b'{', ..] => true,
        [b'%', .., b'%'] | [b'@', .., b'@'] => bytes.len() > 2,
        _ => false,
    }
}

/// Marks between which a template names what is to be put there.
const SLOTS: &[(&str, &str)] = &[("__", "__"), ("<", ">"), ("[[", "]]"), ("%%", "%%"), ("##", "##"), ("{", "}")];

/// Whether a name that promises a credential, or one in capitals, is all that stands between the marks of a template.
fn is_slot(value: &str) -> bool {
    SLOTS.iter().any(|(open, close)| {
        let inner = value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).unwrap_or_default().trim();
        let begins = inner.bytes().next().is_some_and(|first| first.is_ascii_alphabetic());
        let named = inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-. ".contains(&byte));
        begins && named && (is_secret_name(inner) || !inner.bytes().any(|byte| byte.is_ascii_lowercase()))
    })
}

fn is_path(value: &str) -> bool {
    let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-+~@:$*{}%".contains(&b));
    let rooted = value.starts_with('/')
        && (value.matches('/').count() > 1 || !value.bytes().any(|b| b.is_ascii_digit()) || value.len() < 20);
    let mixed =
        value.len() >= 40 && value.bytes().any(|b| b.is_ascii_uppercase()) && value.bytes().any(|b| b.is_ascii_digit());
    let file = [
        ".pem", ".key", ".crt", ".cer", ".gpg", ".asc", ".json", ".txt", ".yml", ".yaml", ".conf", ".jks", ".p12",
        ".pub",
    ];
    let named = file.iter().any(|end| value.ends_with(end)) && value.len() > 5;
    plain
        && !mixed
        && (rooted || named || value.starts_with("./") || value.starts_with("../") || value.starts_with("~/"))
}

/// A URL without a user's password in it; those with one are found as URLs.
fn is_plain_url(value: &str) -> bool {
    value.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
    })
}

/// `1.6.3-r3`, `2:8.2.3995-1ubuntu2`, `v1.2`.
fn is_version(value: &str) -> bool {
    let value = value.trim_start_matches(['v', '=', '~', '>', '<']);
    let value = value
        .split_once(':')
        .filter(|(epoch, _)| epoch.bytes().all(|b| b.is_ascii_digit()))
        .map_or(value, |(_, rest)| rest);
    let Some((major, rest)) = value.split_once('.') else { return false };
    !major.is_empty()
        && major.len() < 9
        && major.bytes().all(|b| b.is_ascii_digit())
        && rest.bytes().next().is_some_and(|b| b.is_ascii_digit() || b == b'*')
        && rest.len() < 40
        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b".+~-_*".contains(&b))
}

/// Key fingerprints of OpenPGP, alone or several: 40 upper-case hex digits, or `0x...`.
fn is_fingerprint(value: &str) -> bool {
    value.split([' ', ',']).filter(|part| !part.is_empty()).all(|part| {
        let hex = part.strip_prefix("0x").unwrap_or(part);
        matches!(hex.len(), 8 | 16 | 40) && hex.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b))
    })
}

/// The words of a name in lower case: cut at everything that is no letter or digit, and where the case rises.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let rises = c.is_ascii_uppercase() && before.is_ascii_lowercase();
        if !c.is_ascii_alphanumeric() || rises {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric() {
            words.last_mut().expect("never empty").push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod table;

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
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn values() {
        for value in [
            "hunter2example",
            "E",
            "abcd1234=efgh5678",
            "hunter2\\$example",
            "s3cr3t",
            "12345",
            "p@ss/word",
            "changeme",
            "$ecret",
        ] {
            let name = if value == "12345" { "DB_PASSWORD" } else { "API_TOKEN" };
            let right = is_secret_value(name, value);
            assert_eq!(right, value != "$ecret", "{value}");
        }
        for value in [
            "",
            "true",
            "${TOKEN}",
            "$(cat /run/x)",
            "/run/secrets/db",
            "1.6.3-r3",
            "********",
            "https://x.example/token",
            "4096",
            "E3FF2839C048B25C084DEBE9B26995E310250568",
            "{{ token }}",
            "none",
        ] {
            assert!(!is_secret_value("API_TOKEN", value), "{value}");
        }
    }

    #[test]
    fn slots_of_templates_are_no_values() {
        for value in ["__REDIS_PASSWORD__", "@@X@@", "%X%", "<X>", "{{X}}", "%%DB%%", "[[ db-password ]]", "__token__"]
        {
            assert!(!is_secret_value("REDIS_PASSWORD", value), "{value}");
        }
        for value in ["__hunter2example__", "<tr0ub4dor&3>", "____hunter2", "<>hunter2"] {
            assert!(is_secret_value("REDIS_PASSWORD", value), "{value}");
        }
    }

    #[test]
    fn names_of_objects_and_public_tokens_are_no_values() {
        for (name, value) in [
            ("K8S_SECRET", "my-app-secret"),
            ("IMAGE_PULL_SECRET", "registry-credentials"),
            ("TLS_SECRET", "wildcard-tls"),
            ("MAPBOX_TOKEN", "pk.eyJ1IjoiYSIsImEiOiJiIn0.x"),
            ("PAYMENT_TOKEN", "pk_live_abcd1234efgh"),
        ] {
            assert!(is_secret_name(name) && !is_secret_value(name, value), "{name}");
        }
        for (name, value) in [
            ("K8S_SECRET", "a8d7f6g5h4j3k2l1"),
            ("API_SECRET", "my-app-secret"),
            ("K8S_TOKEN", "hunter2example"),
            ("MAPBOX_TOKEN", "sk.eyJ1IjoiYSIsImEiOiJiIn0.x"),
            ("DB_PASSWORD", "pk.hunter2example"),
        ] {
            assert!(is_secret_name(name) && is_secret_value(name, value), "{name}");
        }
        assert!(is_placeholder("my-app-secret") && !is_placeholder("my-4pp-s3cret-key"));
    }
}
