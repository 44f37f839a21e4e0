//! Whether files that are made to hold credentials hold none. Reads held bodies of known clients, and only such as are
//! held whole.

use crate::facts::Body;

/// The keys of clients' files that are given a credential: folder (any when empty), base name, keys.
const KEYS: &[(&str, &str, &[&str])] = &[
    (
        ".kube",
        "config",
        &["token", "password", "client-key-data", "client-key", "id-token", "access-token", "refresh-token", "exec"],
    ),
    ("", ".my.cnf", &["password", "pass", "passwd"]),
    (".aws", "credentials", &["aws_secret_access_key", "aws_session_token", "aws_security_token"]),
];

/// Whether the file `name` is a client's, was read to its end, and gives no key that holds a credential a value.
pub(super) fn is_bare(name: &[u8], body: Option<&Body>) -> bool {
    let Some(text) = whole(body) else { return false };
    let mut parts = name.rsplit(|&byte| byte == b'/');
    let (base, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    if base == b".pgpass" {
        return !lines().any(|line| line.splitn(5, ':').nth(4).is_some_and(|password| !password.is_empty()));
    }
    let row = KEYS
        .iter()
        .find(|(parent, file, _)| base == file.as_bytes() && (parent.is_empty() || folder == parent.as_bytes()));
    // JSON is YAML, too: its keys may stand anywhere in a line.
    row.is_some_and(|(_, _, keys)| !text.contains('{') && !lines().any(|line| keys.iter().any(|key| gives(line, key))))
}

/// Whether `line` gives `key` a value, not AWS's documented example; a key with a block below it counts.
fn gives(line: &str, key: &str) -> bool {
    let line = line.trim_start_matches(['-', ' ']);
    let Some(rest) = line.strip_prefix(key).map(str::trim_start) else { return false };
    let Some(value) = rest.strip_prefix(['=', ':']).map(|value| value.trim().trim_matches(['"', '\''])) else {
        return false;
    };
    (!value.is_empty() || rest.starts_with(':')) && !value.ends_with("EXAMPLEKEY")
}

/// Whether a file that should hold `what`, an SSH private key, was read and is none.
pub(super) fn is_no_key(what: &str, body: Option<&Body>) -> bool {
    what == "an SSH private key"
        && whole(body).is_some_and(|text| !["PRIVATE KEY", "PuTTY"].iter().any(|word| text.contains(word)))
}

/// The text of a body that is held whole.
fn whole(body: Option<&Body>) -> Option<std::borrow::Cow<'_, str>> {
    body.filter(|body| body.whole).map(|body| String::from_utf8_lossy(&body.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str, whole: bool) -> Body {
        Body { entry: 0, bytes: text.as_bytes().into(), whole }
    }

    #[test]
    fn files_without_a_credential() {
        for (name, text, bare) in [
            ("root/.kube/config", "apiVersion: v1\nusers: []\n", true),
            ("root/.kube/config", "users:\n- name: a\n  user:\n    token: abc\n", false),
            ("root/.kube/config", "users:\n- user:\n    exec:\n      command: aws\n", false),
            ("root/.kube/config", "{\"users\": [{\"user\": {\"token\": \"abc\"}}]}", false),
            ("root/.pgpass", "# h:5432:d:u:password\n\n", true),
            ("root/.pgpass", "h:5432:d:u:\n", true),
            ("root/.pgpass", "h:5432:d:u:hush\n", false),
            ("root/.my.cnf", "[client]\nuser=x\n#password=hush\n", true),
            ("root/.my.cnf", "[client]\npassword = hush\n", false),
            ("root/.aws/credentials", "[default]\nrole_arn=arn:aws:iam::1:role/x\n", true),
            ("root/.aws/credentials", "[default]\naws_secret_access_key = x/y/EXAMPLEKEY\n", true),
            ("root/.aws/credentials", "[default]\naws_secret_access_key = abc\n", false),
            ("opt/credentials", "x", false),
        ] {
            assert_eq!(is_bare(name.as_bytes(), Some(&body(text, true))), bare, "{name} {text}");
            assert!(!is_bare(name.as_bytes(), Some(&body(text, false))), "{name} {text}");
        }
        assert!(!is_bare(b"root/.pgpass", None));
    }

    #[test]
    fn keys_that_are_none() {
        let what = "an SSH private key";
        assert!(is_no_key(what, Some(&body("x", true))));
        assert!(!is_no_key(what, Some(&body("x", false))) && !is_no_key(what, None));
        assert!(!is_no_key(what, Some(&body("-----BEGIN OPENSSH PRIVATE KEY-----", true))));
        assert!(!is_no_key("passwords", Some(&body("x", true))));
    }
}
