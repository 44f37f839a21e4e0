//! Credentials that a command line hands to a program: `--password x`, `mysql -px`, `curl -u user:x`,
//! `echo user:x | chpasswd`. Cuts text into words tolerantly; a quote that never closes is a letter.

use super::credential::Credential;
use super::names::{is_secret_name, is_secret_value};

/// How an option carries its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carries {
    /// In the next word, or attached.
    Value,
    /// Attached only: alone the option asks for it.
    Attached,
    /// `user:password`, in the next word or attached.
    UserAndPassword,
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
    (&["curl"], "", "-u", UserAndPassword),
    (&["curl"], "", "--user", UserAndPassword),
    (&["curl"], "", "-U", UserAndPassword),
    (&["curl"], "", "--proxy-user", UserAndPassword),
    (&["http", "https", "xh"], "", "-a", UserAndPassword),
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

/// A word of a command line: its place with and without the quotes around it.
#[derive(Clone, Debug)]
struct Word {
    outer: (usize, usize),
    inner: (usize, usize),
}

/// A simple command: its words, and whether its output goes into the next.
#[derive(Clone, Debug, Default)]
struct Line {
    words: Vec<Word>,
    pipes: bool,
}

/// Adds what the commands in `text` hand over.
pub(super) fn options(text: &str, found: &mut Vec<Credential>) {
    stretch(text, 0, text.len(), 0, found);
}

fn stretch(text: &str, from: usize, to: usize, depth: usize, found: &mut Vec<Credential>) {
    let (mut at, mut before) = (from, Line::default());
    // One command at a time: a text may have a million.
    while let Some(line) = next_line(text, &mut at, to) {
        command(text, &line, found);
        if before.pipes {
            piped(text, &before, &line, found);
        }
        for word in &line.words {
            let quoted = word.inner != word.outer;
            if quoted && depth < 3 && text[word.inner.0..word.inner.1].contains([' ', '\t', '\n']) {
                stretch(text, word.inner.0, word.inner.1, depth + 1, found);
            }
        }
        before = line;
    }
}

fn command(text: &str, line: &Line, found: &mut Vec<Credential>) {
    let text_of = |word: &Word| &text[word.inner.0..word.inner.1];
    // Asked once: a line may have a million words.
    let mut needed: Vec<&str> = OPTIONS.iter().map(|(_, needs, ..)| *needs).filter(|needs| !needs.is_empty()).collect();
    needed.retain(|needs| line.words.iter().any(|word| text_of(word) == *needs));
    let has = |needs: &str| needs.is_empty() || needed.contains(&needs);
    let last_plain = line.words.iter().rposition(|word| !text_of(word).starts_with('-'));
    let rabbit = line.words.iter().any(|word| text_of(word).ends_with("rabbitmqctl"));
    let (mut htpasswd, mut here, mut sets) = (false, false, false);
    let mut say = |at: (usize, usize), name: &str| {
        if is_secret_value("password", &text[at.0..at.1]) {
            found.push(Credential { at, name: name.to_owned() });
        }
    };
    let mut program = "";
    for (at, word) in line.words.iter().enumerate() {
        let option = text_of(word);
        let base = option.rsplit('/').next().unwrap_or(option);
        let next = line.words.get(at + 1).filter(|next| !text_of(next).starts_with("--"));
        if OPTIONS.iter().any(|(programs, ..)| programs.contains(&base)) {
            program = base;
        }
        for (_, _, name, carries) in
            OPTIONS.iter().filter(|(programs, needs, ..)| programs.contains(&program) && has(needs))
        {
            let attached = option.strip_prefix(name).filter(|rest| !rest.is_empty() && !name.starts_with("--"));
            let value = match (attached, *carries) {
                (Some(rest), Value | Attached | UserAndPassword) if name.len() == 2 => {
                    let rest = rest.trim_start_matches('=');
                    Some((word.inner.1 - rest.len(), word.inner.1))
                }
                (None, Value | UserAndPassword | Pass) if option == *name => next.map(|next| next.inner),
                _ => None,
            };
            let Some((start, end)) = value else { continue };
            let whole = &text[start..end];
            match carries {
                Value | Attached if name.len() == 2 && PORTS.contains(&whole) => {}
                Value | Attached => say((start, end), &format!("{program} {name}")),
                UserAndPassword => {
                    if let Some((user, _)) = whole.split_once(':') {
                        say((start + user.len() + 1, end), &format!("{program} {name}"));
                    }
                }
                Pass => {
                    if whole.starts_with("pass:") {
                        say((start + 5, end), &format!("{program} {name}"));
                    }
                }
            }
        }
        let long = option.strip_prefix("--").filter(|name| !name.contains('=') && !name.is_empty());
        if let (Some(name), Some(next)) = (long, next)
            && is_secret_name(name)
            && !["id=", "type=", "src="].iter().any(|begin| text_of(next).starts_with(begin))
            && !text_of(next).starts_with('-')
            && is_secret_value(name, text_of(next))
        {
            say(next.inner, option);
        }
        if base == "htpasswd" && !std::mem::replace(&mut htpasswd, true) {
            let rest = &line.words[at + 1..];
            let batch = rest.iter().any(|word| {
                text_of(word).starts_with('-') && !text_of(word).starts_with("--") && text_of(word).contains('b')
            });
            let plain = rest.iter().filter(|word| !text_of(word).starts_with('-')).take(2).count();
            if let (true, Some(last)) = (batch && plain == 2, last_plain) {
                say(line.words[last].inner, "htpasswd -b");
            }
        }
        if rabbit
            && matches!(option, "add_user" | "change_password")
            && let Some(password) = line.words.get(at + 2)
        {
            say(password.inner, "rabbitmqctl");
        }
        sets = sets || SETTERS.contains(&option);
        if sets
            && let Some(value) = next
            && option.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || b"/_".contains(&first))
            && !option.contains('=')
            && !text_of(value).starts_with('-')
            && is_secret_name(option)
            && is_secret_value(option, text_of(value))
        {
            say(value.inner, option);
        }
        if (matches!(base, "chpasswd" | "passwd") || option == "--password-stdin")
            && !std::mem::replace(&mut here, true)
        {
            for said in here_string(text, &line.words[at + 1..]) {
                match base {
                    "chpasswd" => accounts(text, said, &mut say),
                    _ => say(said, "standard input"),
                }
            }
        }
    }
}

/// The words behind `<<<`, which the shell gives to the command as its input.
fn here_string(text: &str, words: &[Word]) -> Vec<(usize, usize)> {
    let begins = |word: &Word| text[word.outer.0..word.outer.1].starts_with("<<<");
    let Some((first, rest)) = words.iter().position(begins).and_then(|at| words[at..].split_first()) else {
        return Vec::new();
    };
    let (from, to) = (first.outer.0 + 3, first.outer.1);
    if from < to { vec![unquoted(text.as_bytes(), from, to)] } else { rest.iter().map(|word| word.inner).collect() }
}

/// `echo user:password | chpasswd`, `echo password | passwd --stdin user`, `echo token | docker login --password-stdin`.
fn piped(text: &str, line: &Line, next: &Line, found: &mut Vec<Credential>) {
    let text_of = |word: &Word| &text[word.inner.0..word.inner.1];
    let echo = line.words.iter().position(|word| matches!(text_of(word).rsplit('/').next(), Some("echo" | "printf")));
    let Some(echo) = echo else { return };
    let runs = |name: &str| next.words.iter().any(|word| text_of(word).rsplit('/').next() == Some(name));
    let (chpasswd, passwd) =
        (runs("chpasswd"), runs("passwd") || next.words.iter().any(|word| text_of(word) == "--password-stdin"));
    let said =
        line.words[echo + 1..].iter().filter(|word| !text_of(word).starts_with('-') && !text_of(word).starts_with('%'));
    let mut say = |at: (usize, usize), name: &str| {
        if is_secret_value("password", &text[at.0..at.1]) {
            found.push(Credential { at, name: name.to_owned() });
        }
    };
    for word in said {
        if chpasswd {
            accounts(text, word.inner, &mut say);
        } else if passwd {
            say(word.inner, "standard input");
        }
    }
}

/// Lines of `user:password`.
fn accounts(text: &str, (from, to): (usize, usize), say: &mut impl FnMut((usize, usize), &str)) {
    let mut at = from;
    for line in text[from..to].split_inclusive('\n').flat_map(|line| line.split_inclusive("\\n")) {
        let end = at + line.len();
        let bare = line.trim_end_matches('\n').trim_end_matches("\\n");
        if let Some((user, password)) = bare.split_once(':') {
            let start = at + user.len() + 1;
            say((start, start + password.len()), "chpasswd");
        }
        at = end;
    }
}

/// The words of the command that begins at or after `at` of `text[..to]`; `at` goes behind it.
fn next_line(text: &str, at: &mut usize, to: usize) -> Option<Line> {
    let bytes = &text.as_bytes()[..to];
    let mut line = Line::default();
    while *at < to {
        match bytes[*at] {
            b' ' | b'\t' | b'\r' => *at += 1,
            b'\\' if bytes.get(*at + 1) == Some(&b'\n') => *at += 2,
            b'\n' | b';' | b'&' | b'|' | b'(' | b')' => {
                line.pipes =
                    bytes[*at] == b'|' && bytes.get(*at + 1) != Some(&b'|') && bytes[at.saturating_sub(1)] != b'|';
                *at += 1;
                if !line.words.is_empty() {
                    return Some(line);
                }
            }
            _ => {
                let end = word(bytes, *at);
                if text.is_char_boundary(end) {
                    line.words.push(Word { outer: (*at, end), inner: unquoted(bytes, *at, end) });
                }
                *at = end;
            }
        }
    }
    (!line.words.is_empty()).then_some(line)
}

/// The word without the quotes around it, and without the brackets and commas of a JSON list around those.
fn unquoted(bytes: &[u8], from: usize, to: usize) -> (usize, usize) {
    let begin = from + usize::from(bytes[from] == b'[' && to - from > 2);
    let mut end = to;
    while end > begin && matches!(bytes[end - 1], b',' | b']') {
        end -= 1;
    }
    match bytes[begin] {
        quote @ (b'"' | b'\'') if end - begin >= 2 && bytes[end - 1] == quote => (begin + 1, end - 1),
        _ => (from, to),
    }
}

/// Where the word that begins at `from` ends.
fn word(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')'
                if at > from || !byte.is_ascii_punctuation() =>
            {
                break;
            }
            b'\\' => at += 1,
            b'"' | b'\'' => {
                let close = |end: &usize| byte == b'\'' || bytes[end - 1] != b'\\';
                let mut ends = memchr::memchr_iter(byte, &bytes[at + 1..]).map(|end| at + 1 + end);
                if let Some(end) = ends.find(close) {
                    at = end;
                }
            }
            _ => {}
        }
        at += 1;
    }
    at.min(bytes.len()).max(from + 1)
}
