//! Credentials that a command line hands to a program: `--password x`, `mysql -px`, `curl -u user:x`,
//! `htpasswd -b file user x`. What programs read from their input, and how words are cut, is for others.

use super::credential::{Credential, is_secret};
use super::names::is_secret_name;
use super::shell_input::{fed, piped, says};
use super::shell_words::{Line, Lines, Word, base, unquoted};
use std::ops::Range;

/// How an option carries its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carries {
    /// In the next word, or attached.
    Value,
    /// Attached only: alone the option asks for it.
    Attached,
    /// `user:password` with this mark between them, in the next word or attached.
    UserAndPassword(char),
    /// In the next word behind `pass:`.
    Pass,
}
use Carries::{Attached, Pass, UserAndPassword, Value};

/// Programs, a word that must stand in the command (or nothing), the option, how.
const OPTIONS: &[(&[&str], &str, &str, Carries)] = &[
    (
        &["mysql", "mysqladmin", "mysqldump", "mysqlimport", "mysqlshow", "mariadb", "mariadb-admin", "mariadb-dump"],
        "",
        "-p",
        Attached,
    ),
    (&["sshpass", "twine"], "", "-p", Value),
    (
        &["docker", "podman", "buildah", "skopeo", "nerdctl", "oras", "crane", "az", "helm", "cf", "oc"],
        "login",
        "-p",
        Value,
    ),
    (&["redis-cli", "redis-benchmark"], "", "-a", Value),
    (&["mongo", "mongosh", "mongodump", "mongorestore", "mongoimport", "mongoexport"], "", "-p", Value),
    (&["curl"], "", "-u", UserAndPassword(':')),
    (&["curl"], "", "--user", UserAndPassword(':')),
    (&["curl"], "", "-U", UserAndPassword(':')),
    (&["curl"], "", "--proxy-user", UserAndPassword(':')),
    (&["http", "https", "xh"], "", "-a", UserAndPassword(':')),
    (&["smbclient", "smbget", "rpcclient", "smbcacls", "smbtree"], "", "-U", UserAndPassword('%')),
    (&["smbclient", "smbget", "rpcclient", "smbcacls", "smbtree"], "", "--user", UserAndPassword('%')),
    (&["lftp"], "", "-u", UserAndPassword(',')),
    (&["useradd", "usermod", "groupadd"], "", "-p", Value),
    (&["unzip", "zip"], "", "-P", Value),
    (&["7z", "7za", "7zr"], "", "-p", Attached),
    (&["ldapsearch", "ldapadd", "ldapmodify", "ldapdelete", "ldapwhoami"], "", "-w", Value),
    (&["sqlcmd", "bcp"], "", "-P", Value),
    (&["openssl"], "", "-passin", Pass),
    (&["openssl"], "", "-passout", Pass),
    (&["openssl"], "", "-pass", Pass),
    (&["openssl"], "enc", "-k", Value),
    (&["keytool", "jarsigner"], "", "-storepass", Value),
    (&["keytool", "jarsigner"], "", "-keypass", Value),
    (&["keytool"], "", "-srcstorepass", Value),
    (&["keytool"], "", "-deststorepass", Value),
    (&["keytool"], "", "-destkeypass", Value),
];

/// Ports that everybody knows. Behind an option of one letter such a number is one, meant for another program's `-p`.
const PORTS: &[&str] = &[
    "22", "80", "389", "443", "636", "1433", "1521", "2222", "3000", "3306", "5000", "5432", "5672", "6379", "8000",
    "8080", "8443", "8888", "9000", "9090", "9200", "11211", "27017",
];

/// Words behind which a program's setting and its value stand: `npm config set NAME VALUE`, `git config NAME VALUE`.
const SETTERS: &[&str] = &["set", "config", "configure", "setx"];

/// Words of long options that ask for a credential, or say what to do with it, and take no value.
const ASKS: &[&str] = &["ask", "with", "without", "store", "show", "prompt", "generate", "save", "print", "hide"];

/// Where a password stands among the words that are no options.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// So many words behind the verb; options between them do not count.
    Behind(usize),
    /// The last, when an option of one letter, alone or among others, asks for it.
    LastWith(char),
}
use Place::{Behind, LastWith};

/// Programs, the beginning of the word behind which operands count (the program when it is empty), the options that take
/// the next word, and where the password stands.
const OPERANDS: &[(&[&str], &str, &[&str], Place)] = &[
    (&["htpasswd", "mosquitto_passwd"], "", &[], LastWith('b')),
    (&["openssl"], "passwd", &["-salt", "-in"], Behind(1)),
    (&["mysqladmin", "mariadb-admin"], "password", &[], Behind(1)),
    (&["rabbitmqctl"], "add_user", &[], Behind(2)),
    (&["rabbitmqctl"], "change_password", &[], Behind(2)),
    (&["composer", "poetry"], "http-basic.", &[], Behind(2)),
];

/// Commands stand in strings and substitutions of others so deep.
const DEEP: usize = 6;

/// Adds what the commands in `text` hand over.
pub(super) fn options(text: &str, found: &mut Vec<Credential>) {
    stretch(text, 0..text.len(), 0, found);
}

fn stretch(text: &str, range: Range<usize>, depth: usize, found: &mut Vec<Credential>) {
    // The commands of the open group that say something, and those whose output the next command reads.
    let (mut group, mut before): (Vec<Line>, Vec<Line>) = (Vec::new(), Vec::new());
    for mut line in Lines::new(text, range) {
        command(text, &line, found);
        operands(text, &line, found);
        for said in &before {
            piped(text, said, &line, found);
        }
        if let Some(input) = &line.input {
            fed(text, input.inner, &line, found);
        }
        for inside in std::mem::take(&mut line.inside) {
            if depth < DEEP {
                stretch(text, inside, depth + 1, found);
            }
        }
        if line.opens {
            group.clear();
        }
        let (pipes, closes) = (line.pipes, line.closes);
        let speaks = says(text, &line);
        before.clear();
        match (speaks, closes) {
            (true, false) if pipes => before.push(line),
            (true, _) if group.len() < GROUP => group.push(line),
            _ => {}
        }
        if closes {
            before = std::mem::take(&mut group);
            if !pipes {
                before.clear();
            }
        }
    }
}

/// Commands of a group that are kept for the one that reads them.
const GROUP: usize = 16;

/// The place without quotes around it.
fn bare(text: &str, (from, to): (usize, usize)) -> (usize, usize) {
    unquoted(text.as_bytes(), from, to)
}

fn operands(text: &str, line: &Line, found: &mut Vec<Credential>) {
    let of = |word: &Word| &text[word.inner.0..word.inner.1];
    for (programs, verb, taking, place) in OPERANDS {
        let Some(at) = line.words.iter().position(|word| programs.contains(&base(text, word))) else { continue };
        let program = base(text, &line.words[at]);
        let mut rest = &line.words[at + 1..];
        if !verb.is_empty() {
            let begins = |word: &Word| of(word).starts_with(verb) && (verb.ends_with('.') || of(word) == *verb);
            let Some(at) = rest.iter().position(begins) else { continue };
            rest = &rest[at + 1..];
        }
        let short = |word: &Word| of(word).starts_with('-') && !of(word).starts_with("--");
        let mut plain = (0..rest.len()).filter(|&at| {
            let taken = at > 0 && taking.contains(&of(&rest[at - 1]));
            !taken && !of(&rest[at]).starts_with('-')
        });
        let password = match *place {
            Behind(count) => plain.nth(count - 1),
            LastWith(letter) if rest.iter().any(|word| short(word) && of(word).contains(letter)) => {
                plain.next().and(plain.next_back())
            }
            LastWith(_) => None,
        };
        if let Some(password) = password.map(|at| &rest[at])
            && is_secret("password", of(password))
        {
            found.push(Credential { at: password.inner, name: format!("{program} {verb}").trim_end().to_owned() });
        }
    }
}

fn command(text: &str, line: &Line, found: &mut Vec<Credential>) {
    let text_of = |word: &Word| &text[word.inner.0..word.inner.1];
    // Asked once: a line may have a million words.
    let mut needed: Vec<&str> = OPTIONS.iter().map(|(_, needs, ..)| *needs).filter(|needs| !needs.is_empty()).collect();
    needed.retain(|needs| line.words.iter().any(|word| text_of(word) == *needs));
    let has = |needs: &str| needs.is_empty() || needed.contains(&needs);
    let mut sets = false;
    let mut say = |at: (usize, usize), name: &str| {
        if is_secret("password", &text[at.0..at.1]) {
            found.push(Credential { at, name: name.to_owned() });
        }
    };
    let mut program = "";
    for (at, word) in line.words.iter().enumerate() {
        let option = text_of(word);
        let base = base(text, word);
        let next = line.words.get(at + 1).filter(|next| !text_of(next).starts_with("--"));
        if OPTIONS.iter().any(|(programs, ..)| programs.contains(&base)) {
            program = base;
        }
        for (_, _, name, carries) in
            OPTIONS.iter().filter(|(programs, needs, ..)| programs.contains(&program) && has(needs))
        {
            let attached = option.strip_prefix(name).filter(|rest| !rest.is_empty());
            let value = match (attached, *carries) {
                (Some(rest), Value | Attached | UserAndPassword(_)) if name.len() == 2 || rest.starts_with('=') => {
                    let rest = rest.trim_start_matches('=');
                    Some((word.inner.1 - rest.len(), word.inner.1))
                }
                (None, Value | UserAndPassword(_) | Pass) if option == *name => next.map(|next| next.inner),
                _ => None,
            };
            let Some(value) = value.map(|value| bare(text, value)) else { continue };
            let whole = &text[value.0..value.1];
            let password = match carries {
                Value | Attached if name.len() == 2 && PORTS.contains(&whole) => continue,
                Value | Attached => Some(whole),
                UserAndPassword(mark) => whole.split_once(*mark).map(|(_, password)| password),
                Pass => whole.strip_prefix("pass:"),
            };
            if let Some(password) = password {
                say(bare(text, (value.1 - password.len(), value.1)), &format!("{program} {name}"));
            }
        }
        let long = option.strip_prefix("--").filter(|name| !name.contains('=') && !name.is_empty());
        if let (Some(name), Some(next)) = (long, next)
            && is_secret_name(name)
            && !ASKS.contains(&name.split('-').next().unwrap_or(name))
            && !["id=", "type=", "src="].iter().any(|begin| text_of(next).starts_with(begin))
            && !text_of(next).starts_with('-')
            && is_secret(name, text_of(next))
        {
            say(next.inner, option);
        }
        sets = sets || SETTERS.contains(&option);
        if sets
            && let Some(value) = next
            && option.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || b"/_".contains(&first))
            && !option.contains('=')
            && !text_of(value).starts_with('-')
            && is_secret_name(option)
            && is_secret(option, text_of(value))
        {
            say(value.inner, option);
        }
    }
}
