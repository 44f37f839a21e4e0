//! Credentials in the files that clients, servers and frameworks keep them in: which file is read how stands in one
//! table by file name, the syntaxes stand beside it. Reads bytes of one file; knows no layer, and judges values where all
//! of them are judged, in [`names`](super::names). What is no known file is not looked at.

mod ini;
mod json;
mod lines;
mod row;
mod rows;
mod source;
mod table;
mod text;
mod xml;
mod yaml;

use super::credentials::credentials;
use super::encode::from_base64;
use super::names::is_secret_name;
use super::redact::credential_info;
use super::values::{is_placeholder, is_reference, is_secret_value};
use crate::model::{Confidence, ImagePath, SecretInfo, Severity};
use row::{Carries, Row, Syntax};
use std::ops::Range;

/// Credentials of one file that are told; a file of nothing else costs no more.
const MOST: usize = 256;

/// What is told of a file with more of them.
pub const CUT: &str = "more than 256 credentials stand in it: the rest is not told";

/// A longer value is no password and no key.
const LONGEST: usize = 32 << 10;

/// A file of the table that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its entry in its layer.
    pub entry: u32,
    /// What it holds, by place.
    pub secrets: Vec<Configured>,
    /// Whether the file was understood to its end: without a credential found, there is none in it.
    pub certain: bool,
    /// Whether it holds more than are told.
    pub cut: bool,
}

/// A credential that a configuration file holds. Never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configured {
    /// The value's bytes in the file.
    pub at: Range<usize>,
    /// Line from 1.
    pub line: u32,
    /// Column from 1, in bytes.
    pub column: u32,
    /// The key that it is given to, or what stands for one.
    pub key: String,
    /// What it is, as part of a sentence: `a token of the npm registry`.
    pub what: &'static str,
    /// How it is written.
    pub form: Form,
    /// What may be said about it.
    pub secret: SecretInfo,
    /// By what it opens and how it is written.
    pub severity: Severity,
    /// How sure: keys that the table names are surer than such as promise a credential by their words.
    pub confidence: Confidence,
}

/// How a credential is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is, or in an encoding.
    Clear,
    /// Hidden by a method whose key everybody knows.
    Obscured,
    /// Encrypted with a key that lies elsewhere.
    Encrypted,
    /// A one-way hash of a password.
    Hash,
}

/// Bytes of a file of the table that are held.
pub const HELD: u64 = 512 << 10;

/// Whether the table names the file at `path`.
#[must_use]
pub fn is_known(path: &ImagePath) -> bool {
    !table::rows(path.as_bytes()).is_empty()
}

/// What the file at `path` with these bytes holds; `whole` tells that they are all of them. `None` when the table does
/// not name it, or it is no text, or says nothing of what it should.
#[must_use]
pub fn in_file(entry: u32, path: &[u8], bytes: &[u8], whole: bool) -> Option<ConfigFile> {
    let rows = table::rows(path);
    let text = if rows.is_empty() { None } else { text::of(bytes) }?;
    let row = rows.into_iter().find(|row| row.takes(&text))?;
    let mut reader = Reader { row, text: &text, found: Vec::new(), said: false, excused: false };
    reader.read();
    let Reader { mut found, said, excused, .. } = reader;
    let said = said || text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with(['#', ';']));
    found.sort_by_key(|found| (found.at.start, found.at.end));
    found.dedup_by(|a, b| a.at.start < b.at.end && a.secret.hash == b.secret.hash);
    let cut = found.len() > MOST;
    found.truncate(MOST);
    place(&text, &mut found);
    let found_none = found.is_empty();
    Some(ConfigFile { entry, secrets: found, certain: whole && (row.certain && said || excused && found_none), cut })
}

/// Gives every find its line and column.
fn place(text: &str, found: &mut [Configured]) {
    let (mut line, mut begin) = (1u32, 0);
    let mut ends = memchr::memchr_iter(b'\n', text.as_bytes()).peekable();
    for found in found {
        while let Some(end) = ends.next_if(|end| *end < found.at.start) {
            (line, begin) = (line.saturating_add(1), end + 1);
        }
        found.line = line;
        found.column = u32::try_from(found.at.start - begin + 1).unwrap_or(u32::MAX);
    }
}

/// One file that is read by its row.
struct Reader<'a> {
    row: &'static Row,
    text: &'a str,
    found: Vec<Configured>,
    /// Whether the text gave anything to judge.
    said: bool,
    /// Whether the value of a key that promises a credential was none.
    excused: bool,
}

/// A value and where it stands: the keys above it, its own last.
pub(super) struct Pair<'p> {
    path: &'p [String],
    value: &'p str,
    at: Range<usize>,
    /// Whether it is an item of a list, and its key the list's.
    listed: bool,
}

impl Reader<'_> {
    fn read(&mut self) {
        let (row, text) = (self.row, self.text);
        if let Syntax::Urls | Syntax::Commands = row.syntax {
            return self.lines();
        }
        let take = &mut |pair: Pair<'_>| self.pair(&pair);
        match row.syntax {
            Syntax::Ini(separators) => ini::read(text, separators, take),
            Syntax::Properties => ini::properties(text, take),
            Syntax::Dotenv => ini::dotenv(text, take),
            Syntax::Json => json::read(text, take),
            Syntax::Yaml if text.trim_start().starts_with('{') => json::read(text, take),
            Syntax::Yaml => {
                for (from, document) in yaml::documents(text) {
                    if row.takes(document) {
                        yaml::read(document, from, take);
                    }
                }
            }
            Syntax::Xml => xml::read(text, take),
            Syntax::Source => source::read(text, take),
            Syntax::Netrc => lines::netrc(text, take),
            Syntax::Colons(field, fields) => lines::colons(text, field, fields, take),
            Syntax::Blanks(field) => lines::blanks(text, field, take),
            Syntax::Words => lines::words(text, take),
            Syntax::Ipsec => lines::ipsec(text, take),
            Syntax::Urls | Syntax::Commands => {}
            Syntax::Whole => {
                let value = text.trim();
                let start = text.len() - text.trim_start().len();
                let plain = !value.contains(|c: char| c.is_whitespace() || c.is_control());
                if plain && value.len() >= 16 {
                    take(Pair { path: &[String::new()], value, at: start..start + value.len(), listed: false });
                }
            }
        }
    }

    /// URLs or commands, one a line.
    fn lines(&mut self) {
        for (at, line) in lines::plain(self.text) {
            self.said = true;
            let before = self.found.len();
            self.embedded("", line, &at, true);
            if self.row.syntax == Syntax::Commands && self.found.len() == before {
                lines::statement(line, at.start, &mut |pair| self.pair(&pair));
            }
        }
    }

    /// Looks at one value.
    fn pair(&mut self, pair: &Pair<'_>) {
        let Some(key) = pair.path.last() else { return };
        self.said = true;
        if pair.value.len() > LONGEST || self.found.len() > MOST {
            return;
        }
        let known = self.row.keys.iter().find(|(pattern, _)| table::is_key(pattern, pair.path));
        let carries = match known {
            Some((_, Carries::Nothing)) => return,
            Some((_, carries)) => *carries,
            None if self.row.judged && !pair.listed && is_secret_name(key) => Carries::Plain,
            None => return self.embedded(key, pair.value, &pair.at, pair.listed),
        };
        let confidence = if known.is_some() { Confidence::High } else { Confidence::Medium };
        // In files of variables the name is chosen for what it holds; elsewhere a `key` may be anything.
        let guessed = known.is_none() && self.row.syntax != Syntax::Dotenv;
        if pair.value.is_empty() || guessed && !is_telling(key, pair.value.trim()) {
            self.excused |= pair.value.is_empty();
            return;
        }
        self.carried(carries, key, pair, confidence);
    }

    fn carried(&mut self, carries: Carries, key: &str, pair: &Pair<'_>, confidence: Confidence) {
        let value = pair.value.trim();
        // Hashes begin with `$`, too.
        if carries != Carries::Hash && stands_for_another(value) {
            self.excused = true;
            return;
        }
        let at = || pair.at.clone();
        let decoded = || from_base64(value.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok());
        match carries {
            Carries::Nothing => {}
            Carries::Plain => self.clear(key, key, pair.value, at(), confidence),
            Carries::Secret => self.clear(key, "password", pair.value, at(), confidence),
            Carries::Salt => {
                // They are made and changed together.
                let told = self.found.iter().any(|found| found.key.ends_with("_KEY") || found.key.ends_with("_SALT"));
                if !told {
                    self.clear(key, "password", pair.value, at(), confidence);
                }
            }
            Carries::Community => {
                if !["public", "private"].contains(&value) {
                    self.clear(key, "password", value, at(), confidence);
                }
            }
            Carries::Base64 => match from_base64(value.as_bytes()).map(String::from_utf8) {
                Some(Ok(text)) => self.clear(key, "password", &text, at(), confidence),
                Some(Err(_)) => self.say(key, value, at(), Form::Clear, confidence),
                None => self.clear(key, "password", value, at(), confidence),
            },
            Carries::Pair => {
                let clear = decoded().filter(|text| text.contains(':'));
                match clear.as_deref().and_then(|text| text.split_once(':')) {
                    Some((_, password)) if is_credential("password", password) => {
                        self.say(key, password, at(), Form::Clear, confidence);
                    }
                    Some(_) => {}
                    // Not what it should be: still nothing else than a credential.
                    None if is_credential("token", value) => self.say(key, value, at(), Form::Clear, Confidence::Low),
                    None => {}
                }
            }
            Carries::Obscured => {
                if is_credential("password", value) {
                    self.say(key, value, at(), Form::Obscured, confidence);
                }
            }
            Carries::Braced => {
                let form = if value.starts_with('{') && value.ends_with('}') { Form::Encrypted } else { Form::Clear };
                if form == Form::Encrypted && value.len() > 10 || is_credential("password", value) {
                    self.say(key, value, at(), form, confidence);
                }
            }
            Carries::Hash => {
                if is_hash(value) {
                    self.say(key, value, at(), Form::Hash, confidence);
                }
            }
            Carries::Accounts => {
                // `user:password` of clients that write it so.
                let password = value.split_once(':').map_or(value, |(_, password)| password);
                if is_credential("password", password) {
                    let start = pair.at.end.saturating_sub(password.len()).max(pair.at.start);
                    self.say(key, password, start..pair.at.end, Form::Clear, confidence);
                }
            }
        }
    }

    /// A value that is written as it is, judged by the name `like`; a URL by what it holds.
    fn clear(&mut self, key: &str, like: &str, value: &str, at: Range<usize>, confidence: Confidence) {
        if value.contains("://") && !credentials(value).is_empty() {
            self.embedded(key, value, &at, false);
        } else if is_credential(like, value.trim()) {
            self.say(key, value.trim(), at, Form::Clear, confidence);
        }
    }

    /// Credentials inside a value: in URLs, connection strings, headers, commands.
    fn embedded(&mut self, key: &str, value: &str, at: &Range<usize>, named: bool) {
        if !value.contains([':', '=', ' ']) || stands_for_another(value.trim()) {
            return;
        }
        let same = self.text.get(at.clone()) == Some(value);
        for found in credentials(value) {
            let secret = value.get(found.range()).unwrap_or_default();
            if self.found.len() > MOST || !is_credential("password", secret) {
                continue;
            }
            let header = found.name.ends_with(" header");
            let clear = if header { basic(secret) } else { None };
            let place = if same { at.start + found.at.0..at.start + found.at.1 } else { at.clone() };
            let key = if named { found.name.as_str() } else { key };
            self.say(key, clear.as_deref().unwrap_or(secret), place, Form::Clear, Confidence::High);
        }
    }

    fn say(&mut self, key: &str, value: &str, at: Range<usize>, form: Form, confidence: Confidence) {
        if self.found.len() > MOST {
            return;
        }
        let severity = match form {
            Form::Clear if value.starts_with("django-insecure-") => Severity::Low,
            // In a program settings are constants; another name may be that of anything.
            Form::Clear | Form::Obscured
                if self.row.syntax == Syntax::Source
                    && confidence != Confidence::High
                    && key.bytes().any(|byte| byte.is_ascii_lowercase()) =>
            {
                self.row.severity.min(Severity::Medium)
            }
            Form::Clear | Form::Obscured => self.row.severity,
            Form::Encrypted => Severity::Low,
            Form::Hash => self.row.severity.min(Severity::Medium),
        };
        self.found.push(Configured {
            at,
            line: 0,
            column: 0,
            key: key.strip_suffix("@base64").unwrap_or(key).to_owned(),
            what: self.row.what,
            form,
            secret: credential_info(value),
            severity,
            confidence,
        });
    }
}

/// The password of a header's `user:password`.
fn basic(value: &str) -> Option<String> {
    let clear = String::from_utf8(from_base64(value.as_bytes())?).ok()?;
    clear.split_once(':').map(|(_, password)| password.to_owned()).filter(|password| !password.is_empty())
}

/// Whether the value of `name` is a credential, and none that documents write.
fn is_credential(name: &str, value: &str) -> bool {
    is_secret_value(name, value) && !is_placeholder(value)
}

/// Whether `value` looks like a credential by itself, where the words of `name` alone promise one: a password may be
/// anything, what else is called a key, a token or a secret is no plain word.
fn is_telling(name: &str, value: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let has = |what: fn(&u8) -> bool| value.bytes().any(|byte| what(&byte));
    let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    let plain = !value.contains(|c: char| c.is_whitespace());
    lower.contains("pass") || lower.contains("pwd") || plain && (value.len() >= 8 && mixed || value.len() >= 20)
}

/// Whether the value says where the credential is, or is encrypted with a key that lies elsewhere.
fn stands_for_another(value: &str) -> bool {
    let wrapped = |begin: &str, end: &str| {
        value.len() > begin.len() + end.len() && value.starts_with(begin) && value.ends_with(end)
    };
    is_reference(value)
        || wrapped("ENC(", ")")
        || wrapped("ENC[", "]")
        || wrapped("__", "__")
        || wrapped("#{", "}")
        || wrapped("#{", "}#")
        || wrapped("<%=", "%>")
        || value.starts_with("{cipher}")
        || value.starts_with("$ANSIBLE_VAULT")
        || value.starts_with("!vault")
        || value.starts_with("arn:aws:")
        || value.starts_with("file:")
        || value.starts_with("env:")
        || value.starts_with("op://")
        || value.starts_with("AutoGenerate")
}

/// Whether the value is a hash as crypt(3), Apache and mail servers write it: `$id$…`, `{SHA}…`, 13 characters of DES.
fn is_hash(value: &str) -> bool {
    let scheme = value.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    match scheme {
        Some((name, rest)) if name.eq_ignore_ascii_case("plain") => is_credential("password", rest),
        Some((name, rest)) => !name.is_empty() && rest.len() >= 8,
        None => {
            let crypt = value.strip_prefix('$').and_then(|rest| rest.split_once('$'));
            let des = value.len() == 13 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'/');
            crypt.is_some_and(|(id, rest)| !id.is_empty() && id.len() < 12 && rest.len() >= 8) || des
        }
    }
}

#[cfg(test)]
mod tests;
