//! How a value looks: random as keys are, an authorization as headers carry it, or only the name of a place where a
//! credential is kept. Knows no names of variables.

use super::encode::from_base64;

/// Beginnings of values that name a secret in a store, or that are encrypted.
const STORED: &[&str] = &[
    "vault:",
    "op:",
    "bw:",
    "ref+",
    "secretref:",
    "awssm:",
    "awsssm:",
    "ssm:",
    "sm:",
    "secretsmanager:",
    "secretmanager:",
    "gcpsm:",
    "gcp:secretmanager:",
    "keyvault:",
    "azurekeyvault:",
    "akv:",
    "@microsoft.keyvault(",
    "arn:aws",
    "doppler:",
    "conjur:",
    "keyring:",
    "kms:",
    "k8s:",
    "file:",
    "env:",
    "enc(",
    "enc[",
    "encrypted(",
    "{cipher}",
    "{{",
    "<%=",
    "#{",
    "%(",
    "!vault",
    "$ansible_vault",
];

/// Beginnings of keys and tokens that are made to be shown to everybody: Mapbox' and Stripe's for browsers, public keys
/// and certificates.
const PUBLIC: &[&str] = &[
    "pk.",
    "pk_live_",
    "pk_test_",
    "sb_publishable_",
    "ssh-rsa ",
    "ssh-ed25519 ",
    "ecdsa-sha2-",
    "age1",
    "-----BEGIN CERTIFICATE",
    "-----BEGIN PUBLIC",
    "-----BEGIN RSA PUBLIC",
];

/// Words before a space that say how a header authorizes.
const SCHEMES: &[&str] = &["basic", "bearer", "token", "apikey", "bot", "ssws"];

/// Marks of templates, patterns and shells: no key has them.
const TEMPLATE: &str = "{}<>[]()|\\*%`\"'";

/// Whether `value` is a reference to a secret that lies elsewhere, or is encrypted with a key that does.
pub(super) fn is_stored(value: &str) -> bool {
    let begins = |begin: &&str| {
        value.get(..begin.len()).is_some_and(|start| start.eq_ignore_ascii_case(begin)) && value.len() > begin.len()
    };
    // Google's Secret Manager.
    let mut parts = value.split('/');
    let mut resource = || parts.next() == Some("projects") && parts.nth(1) == Some("secrets");
    // Every one of the beginnings holds such a mark.
    let marked = value.bytes().any(|byte| b":+([{<#%!$}".contains(&byte));
    marked && STORED.iter().any(begins) || resource()
}

/// Whether `value` says by its beginning that everybody may know it.
pub(super) fn is_public(value: &str) -> bool {
    PUBLIC.iter().any(|begin| value.len() > begin.len() && value.starts_with(begin))
}

/// Whether `user`, alone before the `@` of a URL whose host ends before `rest`, is the public half of a Sentry DSN: 32 hex
/// digits, and a project's number at the end of the path.
pub(super) fn is_client_dsn(user: &str, rest: &str) -> bool {
    let path = rest.strip_prefix('/').unwrap_or_default();
    let path = path.split(|c: char| c.is_whitespace() || "\"'?#,;".contains(c)).next().unwrap_or_default();
    let project = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    user.len() == 32
        && user.bytes().all(|byte| byte.is_ascii_hexdigit())
        && !project.is_empty()
        && project.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `value` authorizes as a header does: `Basic` or `Bearer` and what follows, or `user:password` in base64.
pub(super) fn is_authorization(value: &str) -> bool {
    match value.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("basic") => is_pair(rest.trim()),
        Some((scheme, rest)) if SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
            looks_random(rest.trim())
        }
        Some(_) => false,
        None => is_pair(value),
    }
}

/// Whether `value` is `user:password` in base64.
fn is_pair(value: &str) -> bool {
    let clear = from_base64(value.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok());
    clear.is_some_and(|clear| {
        let password = clear.split_once(':').map_or("", |(_, password)| password);
        !password.is_empty() && !password.starts_with(['$', '<', '{']) && !clear.contains(char::is_control)
    })
}

/// Whether `value` is neither words nor an identifier, a path, a number, a date or a pattern: at least a part of it has
/// the letters and digits of chance.
pub(super) fn looks_random(value: &str) -> bool {
    if value.len() < 8 || value.contains(|c: char| c.is_whitespace() || TEMPLATE.contains(c)) {
        return false;
    }
    let has = |is: fn(&u8) -> bool| value.bytes().any(|byte| is(&byte));
    let (letters, digits) = (has(u8::is_ascii_alphabetic), has(u8::is_ascii_digit));
    let hex = value.bytes().filter(u8::is_ascii_hexdigit).count();
    // A digest, a UUID, a key in hex.
    let hexadecimal = hex >= 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let padded = value.ends_with('=') && value.len() >= 16 && !value.contains(['&', ':', ',']);
    let marked = letters && digits && value.contains(['!', '#', '$', '^', '&', '?']);
    let pieces = || value.split(|c: char| !c.is_alphanumeric()).filter(|piece| !piece.is_empty());
    (letters && hexadecimal) || padded || marked || pieces().any(|piece| !is_identifier(piece))
}

/// Whether letters and digits are what people name things with: `orders`, `userId`, `log4j`, `v1beta1`, `20240131`.
fn is_identifier(piece: &str) -> bool {
    let bytes = piece.as_bytes();
    let turns = bytes.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
    let letters = piece.split(|c: char| c.is_ascii_digit()).filter(|run| !run.is_empty());
    match turns {
        0 if bytes.iter().all(u8::is_ascii_digit) => bytes.len() <= 14,
        0 => is_word(piece),
        1 => bytes.iter().filter(|byte| byte.is_ascii_digit()).count() <= 8 && letters.into_iter().all(is_word),
        2 | 3 => bytes.len() <= 8,
        _ => false,
    }
}

/// Whether letters are a word, or several with capitals at their beginnings.
fn is_word(letters: &str) -> bool {
    let rises = |pair: &&[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
    let humps = 1 + letters.as_bytes().windows(2).filter(rises).count();
    // Words of a name are longer than what lies between the capitals of chance.
    if humps > 2 && letters.len() < humps * 4 {
        return false;
    }
    if letters.len() < 8 {
        return true;
    }
    let is_vowel = |byte: &u8| matches!(byte.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    let ascii = letters.is_ascii();
    let vowels = letters.bytes().filter(is_vowel).count();
    let run = letters.as_bytes().split(is_vowel).map(<[u8]>::len).max().unwrap_or(0);
    !ascii || (letters.len() <= 24 && vowels * 6 >= letters.len() && run < 6)
}

#[cfg(test)]
mod tests {
    use super::super::encode::base64;
    use super::*;

    #[test]
    fn what_looks_random() {
        for value in [
            "a8d7f6g5h4j3k2l1",
            "abcd1234efgh5678",
            "0123456789abcdef0123456789abcdef",
            "3e0c4f4e-1b2d-4c8a-9f57-0a1b2c3d4e5f",
            "Zm9vYmFyYmF6cXV4",
            "xKqTzWbNpLrMvJhG",
            "tr0ub4dor&3",
            "s3cr3tk3y",
        ] {
            assert!(looks_random(value), "{value}");
        }
        for value in [
            "user_id",
            "orders.new",
            "home.title",
            "logs/app.tar.gz",
            "assets-v1",
            "X-Request-Id",
            "app/config/prod",
            "userProfileId",
            "2024-01-31",
            "1700000000",
            "v1beta1.apps",
            "log4j-config",
            "orders.*.created",
            "user:{id}",
            "internationalization",
            "x86_64-linux-gnu",
            "[a-z0-9]{8,16}",
            "sid",
        ] {
            assert!(!looks_random(value), "{value}");
        }
    }

    #[test]
    fn authorizations_and_references() {
        let pair = base64(b"robot:hunter2example");
        for value in [pair.clone(), format!("Basic {pair}"), "Bearer abcd1234efgh5678".to_owned()] {
            assert!(is_authorization(&value), "{value}");
        }
        for value in
            ["basic", "Basic realm", "Bearer token", "Bearer ${TOKEN}", "plain", "session cookie", "c2Vzc2lvbg=="]
        {
            assert!(!is_authorization(value), "{value}");
        }
        for value in [
            "vault:secret/x#y",
            "op://vault/item/field",
            "awssm:prod/db",
            "projects/p/secrets/db/versions/1",
            "ENC(9fK2)",
            "arn:aws:secretsmanager:eu-west-1:1:secret:x",
            "ref+vault://x/y",
        ] {
            assert!(is_stored(value), "{value}");
        }
        let key = "0123456789abcdef".repeat(2);
        for rest in ["/2", "/sentry/42/", "/7\" next"] {
            assert!(is_client_dsn(&key, rest), "{rest}");
        }
        assert!(!is_client_dsn(&key, "/org/repo") && !is_client_dsn(&key, "") && !is_client_dsn(&key[1..], "/2"));
        for value in ["vaulted", "vault:", "encode", "projects/p/x", "hunter2:x"] {
            assert!(!is_stored(value), "{value}");
        }
    }
}
