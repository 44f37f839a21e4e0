//! Keys that a package made for itself when it was installed: in an image, whoever pulls it has the same. Known by where
//! they lie; the content scan says whether a key is there.

use super::super::quote::shown;
use super::super::shipped::files;
use super::{is_showcase, place};
use crate::facts::{Facts, Hit, Record};
use crate::model::{Confidence, ImagePath, LayerIndex, Location, Presence, Severity};
use crate::rule::{Params, Sink};

/// How a row names files.
#[derive(Clone, Copy)]
enum Files {
    /// This very path.
    At(&'static str),
    /// Files in this directory whose name ends so.
    Ending(&'static str, &'static str),
}
use Files::{At, Ending};

/// What proves that a file holds what its row says.
#[derive(Clone, Copy)]
enum Proof {
    /// A private key that the content scan found.
    Key,
    /// This word with a value behind it.
    Says(&'static str),
    /// Any content.
    Content,
}
use Proof::{Content, Key, Says};

/// The table: which files, what they are, what proves it.
const FILES: &[(Files, &str, Proof)] = &[
    (At("/etc/ssl/private/ssl-cert-snakeoil.key"), "the stand-in that Debian's package 'ssl-cert' makes", Key),
    (At("/etc/pki/tls/private/localhost.key"), "the key that the web server's package makes for 'localhost'", Key),
    (At("/etc/exim4/exim.key"), "the key that the mail server's package makes", Key),
    (At("/etc/exim/exim.key"), "the key that the mail server's package makes", Key),
    (At("/etc/ssl/private/exim.pem"), "the key that the mail server's package makes", Key),
    (At("/etc/pki/tls/private/exim.pem"), "the key that the mail server's package makes", Key),
    (At("/etc/pki/tls/private/postfix.key"), "the key that the mail server's package makes", Key),
    (Ending("/etc/postfix", ".key"), "the key that the mail server's package makes", Key),
    (Ending("/etc/postfix", ".pem"), "the key that the mail server's package makes", Key),
    (Ending("/etc/dovecot/private", ""), "the key that the mail server's package makes", Key),
    (Ending("/etc/pki/dovecot/private", ""), "the key that the mail server's package makes", Key),
    (Ending("/etc/ssl/dovecot", ""), "the key that the mail server's package makes", Key),
    (At("/etc/ssl/private/dovecot.pem"), "the key that the mail server's package makes", Key),
    (Ending("/etc/courier", ".pem"), "the key that the mail server's package makes", Key),
    (At("/etc/ssl/private/pure-ftpd.pem"), "the key that the FTP server's package makes", Key),
    (At("/etc/ssl/private/vsftpd.pem"), "the key that the FTP server's package makes", Key),
    (At("/etc/ssl/private/proftpd.key"), "the key that the FTP server's package makes", Key),
    (At("/etc/stunnel/stunnel.pem"), "the key that stunnel's package makes", Key),
    (At("/etc/webmin/miniserv.pem"), "the key that Webmin's package makes", Key),
    (Ending("/etc/cups/ssl", ".key"), "the key that the print server makes", Key),
    (Ending("/etc/cockpit/ws-certs.d", ".key"), "the key that Cockpit makes", Key),
    (Ending("/etc/unbound", "_control.key"), "the key that the name server's package makes", Key),
    (Ending("/etc/unbound", "_server.key"), "the key that the name server's package makes", Key),
    (Ending("/var/lib/mysql", "key.pem"), "the key that the database makes", Key),
    (Ending("/etc/ipsec.d/private", ""), "the key that the VPN's package makes", Key),
    (Ending("/etc/salt/pki/minion", ".pem"), "the key that the Salt minion makes", Key),
    (Ending("/var/lib/puppet/ssl/private_keys", ".pem"), "the key that the Puppet agent makes", Key),
    (Ending("/etc/puppetlabs/puppet/ssl/private_keys", ".pem"), "the key that the Puppet agent makes", Key),
    (At("/etc/mysql/debian.cnf"), "the password that the database's package makes", Says("password")),
    (At("/etc/bind/rndc.key"), "the control key that the name server's package makes", Says("secret")),
    (At("/etc/rndc.key"), "the control key that the name server's package makes", Says("secret")),
    (At("/var/lib/rabbitmq/.erlang.cookie"), "the cookie by which nodes of RabbitMQ trust each other", Content),
    (At("/var/lib/couchdb/.erlang.cookie"), "the cookie by which nodes of CouchDB trust each other", Content),
    (At("/root/.erlang.cookie"), "the cookie by which nodes of Erlang trust each other", Content),
    (At("/etc/munge/munge.key"), "the key by which hosts of a cluster trust each other", Content),
    (At("/etc/corosync/authkey"), "the key by which hosts of a cluster trust each other", Content),
];

/// Dropbear's host keys are binary, and nothing but a name tells them.
const DROPBEAR: &[&str] =
    &["dropbear_rsa_host_key", "dropbear_dss_host_key", "dropbear_ecdsa_host_key", "dropbear_ed25519_host_key"];

/// Whether a private key at `path` is told by one of the rules here, not as any private key.
pub fn is_of_own_kind(path: &ImagePath) -> bool {
    is_host_key(path) || matches!(row(path), Some((_, Key)))
}

fn is_host_key(path: &ImagePath) -> bool {
    let name = path.file_name();
    let inner = name.strip_prefix(b"ssh_host_").and_then(|rest| rest.strip_suffix(b"_key"));
    inner.is_some_and(|inner| !inner.is_empty()) && !is_showcase(path)
}

fn row(path: &ImagePath) -> Option<(&'static str, Proof)> {
    let whole = path.as_bytes();
    FILES.iter().find_map(|(files, what, proof)| {
        let hit = match files {
            At(at) => whole == at.as_bytes(),
            Ending(directory, end) => {
                let name = whole.strip_prefix(directory.as_bytes()).and_then(|rest| rest.strip_prefix(b"/"));
                name.is_some_and(|name| !name.contains(&b'/') && name.ends_with(end.as_bytes()))
            }
        };
        hit.then_some((*what, *proof))
    })
}

/// The private key that the content scan found in an entry.
fn key_of(hits: &[Hit], entry: u32) -> Option<&Hit> {
    let first = hits.partition_point(|hit| hit.entry < entry);
    hits[first..].iter().take_while(|hit| hit.entry == entry).find(|hit| hit.rule == "private-key")
}

/// An SSH server's key lies in a layer.
pub fn ssh_host_key(facts: &Facts, _: &Params, sink: &mut Sink) {
    for (layer, index) in facts.layers.iter().zip(0..) {
        for record in files(layer).filter(|record| record.size > 0) {
            let name = record.name.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
            let dropbear = DROPBEAR.iter().any(|known| name == known.as_bytes());
            if !dropbear && !name.starts_with(b"ssh_host_") {
                continue;
            }
            let path = record.path();
            let hit = key_of(&layer.hits, record.index);
            if is_host_key(&path) && hit.is_some() || dropbear {
                say(facts, (index, &record), "an SSH host key", hit, sink);
            }
        }
    }
}

/// A key or password that a package made for itself lies in a layer.
pub fn generated_at_install(facts: &Facts, _: &Params, sink: &mut Sink) {
    for (layer, index) in facts.layers.iter().zip(0..) {
        for record in files(layer).filter(|record| record.size > 0) {
            let path = record.path();
            let Some((what, proof)) = row(&path) else { continue };
            let hit = key_of(&layer.hits, record.index);
            let body = layer.body(record.index).map_or(&[][..], |body| &body.bytes);
            let proven = match proof {
                Key => hit.is_some(),
                Says(word) => has_value(&String::from_utf8_lossy(body), word),
                Content => true,
            };
            if proven {
                say(facts, (index, &record), what, hit, sink);
            }
        }
    }
}

/// Whether a line gives `word` a value.
fn has_value(text: &str, word: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim();
        let value = line.strip_prefix(word).map(|rest| rest.trim_start_matches([' ', '\t', '=', '"']));
        value.is_some_and(|value| value.trim_end_matches(['"', ';', ' ']).len() >= 4)
    })
}

fn say(facts: &Facts, (layer, record): (LayerIndex, &Record<'_>), what: &str, hit: Option<&Hit>, sink: &mut Sink) {
    let mut at = facts.at_entry(layer, record.index);
    if let (Location::File { line, .. }, Some(hit)) = (&mut at, hit) {
        *line = (hit.line > 0).then_some(hit.line);
    }
    let about = hit.map(|hit| format!(" ({})", hit.detail)).unwrap_or_default();
    // What was deleted no container has, but everybody who pulls the image.
    let shared = match &at {
        Location::File { presence: Presence::Visible, .. } => ": every container of this image shares it",
        _ => "",
    };
    let message = format!("{what}{about} lies {}{shared}", place(facts, &at));
    let found = sink.find(at, shown(&record.path()), message);
    found.secret = hit.map(|hit| hit.secret.clone());
    // What is no secret elsewhere is none here: an encrypted key, a key that everybody has.
    if facts.packages.owner(&record.path()).is_some() {
        (found.severity, found.confidence) = (Some(Severity::Info), Some(Confidence::Low));
    } else if let Some(hit) = hit.filter(|hit| hit.severity < Severity::Medium) {
        found.severity = Some(hit.severity);
        found.confidence = Some(hit.confidence);
    } else if hit.is_none() {
        found.confidence = Some(Confidence::Medium);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_their_own_kind() {
        let own = |path: &str| is_of_own_kind(&ImagePath::from(path));
        for path in ["/etc/ssh/ssh_host_rsa_key", "/opt/sshd/ssh_host_ed25519_key", "/etc/dovecot/private/dovecot.key"]
        {
            assert!(own(path), "{path}");
        }
        for path in [
            "/etc/ssh/ssh_host_rsa_key.pub",
            "/etc/ssh/ssh_host_key",
            "/usr/share/doc/ssh/examples/ssh_host_rsa_key",
            "/etc/dovecot/private/more/dovecot.key",
            "/etc/ssl/private/app.key",
        ] {
            assert!(!own(path), "{path}");
        }
    }

    #[test]
    fn values() {
        assert!(has_value("[client]\npassword = Xyzzy123\n", "password"));
        assert!(has_value("key \"rndc-key\" {\n\tsecret \"abcdefgh==\";\n};", "secret"));
        assert!(!has_value("[client]\npassword =\n", "password"));
    }
}
