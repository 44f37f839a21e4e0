//! Which names of variables, options and keys promise a credential. Which values keep the promise stands in `values.rs`.

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
    let words = words(name);
    // A number at the end counts credentials: PASSWORD_2, PASSWORD2.
    let counted = |word: &'_ str| word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let stems: Vec<&str> = words.iter().map(|word| &word[..counted(word)]).filter(|stem| !stem.is_empty()).collect();
    let Some(&last) = stems.last() else { return Promise::Nothing };
    let any = |set: &[&str]| stems.iter().any(|stem| set.contains(stem));
    let public = words.iter().any(|word| PUBLIC.contains(&word.as_str()));
    let act = stems.windows(2).any(|pair| ACTS.contains(&pair[0]) && pair[1].starts_with("pass"));
    if any(SWITCH) || any(PUBLIC) || public || act || BESIDE.contains(&last) {
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

/// The words of a name in lower case: cut at everything that is no letter or digit, and where the case rises.
pub(super) fn words(name: &str) -> Vec<String> {
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
