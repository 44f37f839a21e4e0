//! Files that are made to hold credentials, known by name, some of them by what they say. Reads held bodies, no others.

mod content;

use super::super::quote::shown;
use super::{is_showcase, place};
use crate::facts::{Body, EntryKind, Facts, Record};
use crate::model::{Confidence, ImagePath, LayerIndex, Presence, Severity};
use crate::rule::checks::shipped;
use crate::rule::{Params, Sink};
use foldhash::HashMap;
use std::sync::LazyLock;

/// How a row names files.
#[derive(Clone, Copy)]
enum Files {
    /// This base name.
    Named(&'static str),
    /// This base name in a folder of that name.
    In(&'static str, &'static str),
    /// Base names with this ending, and something before it.
    Ending(&'static str),
    /// Every file in this folder of that folder, but what such a folder holds that is public.
    Mounted(&'static str, &'static str),
}
use Files::{Ending, In, Mounted, Named};

/// What proves that the file holds a credential.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// Its name is enough.
    Name,
    /// Its name, where the file could not be read to its end: what it holds is told by `secret-in-config-file`.
    Unread,
    /// A JSON web token.
    Token,
}
use Proof::{Name, Token, Unread};

const HIGH: Severity = Severity::High;
const MEDIUM: Severity = Severity::Medium;
const LOW: Severity = Severity::Low;

/// What `/run/secrets` holds; a link there leads to nothing of the image.
const MOUNTED: &str = "a secret that a running container is given";

/// The table: which files, what they hold, what proves it, how bad.
const FILES: &[(Files, &str, Proof, Severity)] = &[
    (Named("id_rsa"), "an SSH private key", Name, HIGH),
    (Named("id_dsa"), "an SSH private key", Name, HIGH),
    (Named("id_ecdsa"), "an SSH private key", Name, HIGH),
    (Named("id_ed25519"), "an SSH private key", Name, HIGH),
    (Named("id_ecdsa_sk"), "an SSH key handle", Name, LOW),
    (Named("id_ed25519_sk"), "an SSH key handle", Name, LOW),
    (Ending(".ppk"), "a PuTTY private key", Name, HIGH),
    (Named(".env"), "variables of an environment, passwords among them", Name, MEDIUM),
    (Named(".envrc"), "variables of an environment", Name, MEDIUM),
    (Named("credentials"), "credentials of AWS or another client", Name, MEDIUM),
    (Named("credential"), "credentials", Name, MEDIUM),
    (Named("credentials.json"), "credentials of a client", Name, MEDIUM),
    (Named("credential.json"), "credentials of a client", Name, MEDIUM),
    (Named("credentials.xml"), "credentials of Jenkins", Name, MEDIUM),
    (Named("credentials.toml"), "the token of a package registry", Name, MEDIUM),
    (Named("credentials.tfrc.json"), "a Terraform token", Name, MEDIUM),
    (Named("application_default_credentials.json"), "credentials of Google Cloud", Name, HIGH),
    (Named("secrets.yml"), "secrets of an application", Name, MEDIUM),
    (Named("secrets.yaml"), "secrets of an application", Name, MEDIUM),
    (Named("secrets.json"), "secrets of an application", Name, MEDIUM),
    (Named("secret_token.rb"), "the secret of a Rails application", Name, MEDIUM),
    (In("config", "master.key"), "the master key of a Rails application", Name, HIGH),
    (Named("password.txt"), "passwords", Name, MEDIUM),
    (Named("passwords.txt"), "passwords", Name, MEDIUM),
    (Named(".npmrc"), "a token of the npm registry", Unread, HIGH),
    (Named(".yarnrc.yml"), "a token of the npm registry", Unread, HIGH),
    (Named(".pypirc"), "a password of a Python index", Unread, HIGH),
    (Named("pip.conf"), "a password of a Python index", Unread, HIGH),
    (Named(".netrc"), "passwords by host", Unread, HIGH),
    (Named("_netrc"), "passwords by host", Unread, HIGH),
    (Named(".git-credentials"), "passwords of Git hosts", Name, HIGH),
    (In(".docker", "config.json"), "passwords of container registries", Unread, HIGH),
    (Named(".dockercfg"), "passwords of container registries", Unread, HIGH),
    (In("containers", "auth.json"), "passwords of container registries", Unread, HIGH),
    (Named("kubeconfig"), "access to a Kubernetes cluster", Name, HIGH),
    (In(".kube", "config"), "access to a Kubernetes cluster", Name, HIGH),
    (Named(".htpasswd"), "password hashes of a web server", Name, MEDIUM),
    (Named(".pgpass"), "PostgreSQL passwords", Name, HIGH),
    (Named(".my.cnf"), "a MySQL password", Name, MEDIUM),
    (Named(".mylogin.cnf"), "a MySQL password", Name, HIGH),
    (
        Named("credentials-config.json"),
        "passwords of databases, encrypted with a key that every copy of DBeaver has",
        Name,
        HIGH,
    ),
    (Named("logins.json"), "passwords of a browser", Name, MEDIUM),
    (Named(".s3cfg"), "keys of an object store", Name, HIGH),
    (Named(".boto"), "keys of a cloud", Name, MEDIUM),
    (Named("rclone.conf"), "keys of object stores", Name, MEDIUM),
    (Named(".vault-token"), "a Vault token", Name, HIGH),
    (Named(".terraformrc"), "a Terraform token", Name, MEDIUM),
    (Named("terraform.tfstate"), "Terraform's state, secrets included", Name, MEDIUM),
    (Named(".databrickscfg"), "a Databricks token", Name, HIGH),
    (In("gh", "hosts.yml"), "a GitHub token", Name, HIGH),
    (Named("secring.gpg"), "OpenPGP private keys", Name, HIGH),
    (Ending(".jks"), "a Java key store", Name, MEDIUM),
    (Ending(".keystore"), "a Java key store", Name, MEDIUM),
    (Ending(".p12"), "a PKCS#12 key store", Name, MEDIUM),
    (Ending(".pfx"), "a PKCS#12 key store", Name, MEDIUM),
    (Ending(".kdbx"), "a password safe", Name, MEDIUM),
    (Ending(".kdb"), "a password safe", Name, MEDIUM),
    (Ending(".psafe3"), "a password safe", Name, MEDIUM),
    (Ending(".agilekeychain"), "a password safe", Name, MEDIUM),
    (Ending(".1password"), "an entry of a password safe", Name, MEDIUM),
    (Ending(".opvault"), "a password safe", Name, MEDIUM),
    (Ending(".keychain"), "a password safe of macOS", Name, MEDIUM),
    (Ending(".keychain-db"), "a password safe of macOS", Name, MEDIUM),
    (Ending(".secret"), "a secret", Name, MEDIUM),
    (Named(".secret"), "a secret", Name, MEDIUM),
    (Ending(".private_key"), "a private key", Name, HIGH),
    (Named(".private_key"), "a private key", Name, HIGH),
    (Ending(".bek"), "the key of a disk that BitLocker encrypted", Name, HIGH),
    (Ending(".fve"), "BitLocker's data on how to open a disk", Name, MEDIUM),
    (Ending(".tpm"), "the owner's password of a TPM", Name, MEDIUM),
    (Ending(".rdp"), "a remote desktop connection, its password at times", Name, LOW),
    (Ending(".cscfg"), "settings of an Azure cloud service, connection strings among them at times", Name, LOW),
    (Ending(".mdf"), "a database of SQL Server", Name, LOW),
    (Ending(".gnucash"), "somebody's accounts", Name, LOW),
    (Ending(".gnucache"), "somebody's accounts", Name, LOW),
    (Ending(".pcap"), "recorded traffic, passwords among it at times", Name, LOW),
    (Ending(".pcapng"), "recorded traffic, passwords among it at times", Name, LOW),
    (Ending(".ovpn"), "a VPN profile, often with its key", Name, MEDIUM),
    (In("serviceaccount", "token"), "the token of a Kubernetes service account", Token, HIGH),
    (Mounted("run", "secrets"), MOUNTED, Name, MEDIUM),
    (In("etc", "shadow.bak"), "password hashes", Name, MEDIUM),
    (In("etc", "shadow.old"), "password hashes", Name, MEDIUM),
    (In("etc", "shadow~"), "password hashes", Name, MEDIUM),
    (Named(".bash_history"), "commands that somebody typed, passwords among them at times", Name, LOW),
    (Named(".zsh_history"), "commands that somebody typed, passwords among them at times", Name, LOW),
    (Named(".ash_history"), "commands that somebody typed, passwords among them at times", Name, LOW),
    (Named(".psql_history"), "statements that somebody typed, passwords among them at times", Name, LOW),
    (Named(".mysql_history"), "statements that somebody typed, passwords among them at times", Name, LOW),
];

/// Numbers of rows, since every file of an image is asked for: by base name, or by the ending of names from the last dot
/// on, and those that stand under neither.
#[derive(Default)]
struct Index {
    by_name: HashMap<&'static str, Vec<usize>>,
    others: Vec<usize>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index::default();
    for (number, (files, ..)) in FILES.iter().enumerate() {
        match files {
            Named(name) | In(_, name) | Ending(name) => index.by_name.entry(*name).or_default().push(number),
            Mounted(..) => index.others.push(number),
        }
    }
    index
});

/// What comes behind `.env.` when the file is a pattern for people to copy.
const PATTERNS: &[&str] =
    &["example", "sample", "template", "tmpl", "dist", "defaults", "default", "schema", "md", "test", "ci"];

/// A file that is made to hold credentials lies in a layer, whether a container sees it or not.
pub fn sensitive_file(facts: &Facts, _: &Params, sink: &mut Sink) {
    for (layer, index) in facts.layers.iter().zip(0..) {
        for record in layer.entries.iter() {
            let Some((what, proof, severity)) = row(record.name) else { continue };
            // What stands in it has a rule of its own, which says more.
            let first = layer.hits.partition_point(|hit| hit.entry < record.index);
            let mut hits = layer.hits[first..].iter().take_while(|hit| hit.entry == record.index);
            if hits.any(|hit| hit.severity >= severity) {
                continue;
            }
            // A file that was understood is told by what it holds, or holds nothing.
            let known = super::configs::of_entry(facts, index, record.index);
            if known.is_some_and(|file| file.certain || !file.secrets.is_empty()) {
                continue;
            }
            let body = layer.body(record.index);
            match record.kind() {
                EntryKind::File if record.size > 0 && holds(proof, body) => {}
                EntryKind::Symlink if proof == Name && what != MOUNTED => {
                    say_link(facts, index, &record, sink);
                    continue;
                }
                _ => continue,
            }
            let path = record.path();
            let bare = content::is_bare(record.name, body) || content::is_no_key(what, body);
            let severity = if bare { LOW } else { severity };
            let at = facts.at_entry(index, record.index);
            let owner = facts.packages.owner(&path);
            let library = shipped::is_in_library(&path);
            let severity = match (owner, proof == Name && (library || is_showcase(&path))) {
                (Some(_), _) => Severity::Info,
                (None, true) => severity.min(Severity::Low),
                (None, false) => severity,
            };
            let message = match owner {
                Some(package) => format!("{} may hold {what}, shipped by package '{}'", shown(&path), package.name),
                None if proof == Token => format!("a file with {what} lies {}", place(facts, &at)),
                None => format!("a file that is made to hold {what} lies {}", place(facts, &at)),
            };
            let found = sink.find(at, path.display(), message);
            found.severity = Some(severity);
            found.confidence = Some(if proof == Token { Confidence::High } else { Confidence::Medium });
        }
    }
}

/// A link by such a name: what it leads to is the question.
fn say_link(facts: &Facts, layer: LayerIndex, record: &Record<'_>, sink: &mut Sink) {
    let path = record.path();
    let at = facts.at_entry(layer, record.index);
    if facts.tree.presence(layer, record.index) != Presence::Visible || facts.packages.owner(&path).is_some() {
        return;
    }
    let target = path.parent().unwrap_or_else(ImagePath::root).join(record.link);
    let message = format!("{} is a link to {}, by a name that credentials have", shown(&path), shown(&target));
    let found = sink.find(at, path.display(), message);
    found.severity = Some(Severity::Low);
    found.confidence = Some(Confidence::Low);
}

/// Whether a file of this name is one that [`sensitive_file`] looks at.
pub fn has_sensitive_name(path: &ImagePath) -> bool {
    row(path.as_bytes()).is_some()
}

/// The row for an entry, by the last two components of its name.
fn row(name: &[u8]) -> Option<(&'static str, Proof, Severity)> {
    let mut parts = name.rsplit(|&byte| byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
    let name = std::str::from_utf8(parts.next()?).ok()?;
    if let Some(kind) = name.strip_prefix(".env.") {
        let pattern = kind.split(['.', '-', '_']).any(|word| PATTERNS.contains(&word));
        return (!pattern && !kind.is_empty()).then_some((
            "variables of an environment, passwords among them",
            Name,
            MEDIUM,
        ));
    }
    let (folder, above_folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Index { by_name, others } = &*INDEX;
    let ending = name.rfind('.').map_or("", |dot| &name[dot..]);
    let rows = [by_name.get(name), by_name.get(ending).filter(|_| ending != name), Some(others)];
    let hits = |number: &&usize| {
        FILES.get(**number).is_some_and(|(files, ..)| match files {
            Named(wanted) => name == *wanted,
            Mounted(above, parent) => {
                let public = [".crt", ".repo", ".conf"].iter().any(|end| name.ends_with(end));
                folder == parent.as_bytes() && above_folder == above.as_bytes() && !public
            }
            In(parent, wanted) => name == *wanted && folder == parent.as_bytes(),
            Ending(end) => name.len() > end.len() && name.ends_with(end),
        })
    };
    let first = rows.into_iter().flatten().flatten().filter(hits).min()?;
    FILES.get(*first).map(|(_, what, proof, severity)| (*what, *proof, *severity))
}

/// Whether the body holds what the row says. A body that is not held is no proof.
fn holds(proof: Proof, body: Option<&Body>) -> bool {
    let Some(body) = body else { return proof == Name };
    match proof {
        Name => true,
        Unread => !body.whole || memchr::memchr(0, &body.bytes).is_some(),
        Token => is_web_token(String::from_utf8_lossy(&body.bytes).trim()),
    }
}

/// Whether `text` has the form of a JSON web token (RFC 7519): three parts, the first one of them `{"` in base64.
fn is_web_token(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let encoded =
        |part: &&str| part.len() > 8 && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=".contains(&b));
    let signature =
        |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=".contains(&b));
    matches!(&parts[..], [head, claims, sign] if head.starts_with("eyJ") && encoded(head) && encoded(claims) && signature(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_tokens() {
        let token = format!("eyJ{}.eyJ{}.{}", "hbGciOiJub25l", "zdWIiOiJhIn0x", "c2lnbmF0dXJl");
        assert!(is_web_token(&token));
        assert!(!is_web_token(&token.replace('.', "/")) && !is_web_token("eyJ.eyJ.x") && !is_web_token(""));
    }
}
