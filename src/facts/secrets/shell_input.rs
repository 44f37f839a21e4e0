//! Credentials that programs read from their input: `echo user:x | chpasswd`, `passwd --stdin <<< x`,
//! `(echo x; echo x) | smbpasswd -s`. How commands are cut is for others.

use super::credential::{Credential, is_secret};
use super::shell_words::{Line, Word, base};

/// Programs that say their words.
const SPEAKERS: &[&str] = &["echo", "printf", "yes"];

/// Programs that read a password from their input, and the option that makes them (any, when it is empty). An option of
/// one letter may stand among others.
const READERS: &[(&[&str], &str)] = &[
    (&["passwd", "adduser", "kpasswd"], ""),
    (&["smbpasswd"], "-s"),
    (&["pdbedit"], "-t"),
    (&["sudo"], "-S"),
    (&["htpasswd"], "-i"),
    (&["vncpasswd"], "-f"),
    (&["saslpasswd2"], "-p"),
    (&["kinit"], ""),
    (&["gpg", "gpg2"], "--passphrase-fd"),
    (&["gh", "glab"], "--with-token"),
    (&["glab"], "--stdin"),
];

/// Options that make any program read one.
const STDIN: &[&str] = &["--password-stdin", "--pass-stdin"];

/// Options with which nothing is asked.
const SILENT: &[&str] = &["--disabled-password", "--disabled-login", "-D", "-l", "-d", "-S"];

/// A password is asked for at most twice.
const TWICE: usize = 2;

/// Whether the command says its words.
pub(super) fn says(text: &str, line: &Line) -> bool {
    line.words.iter().any(|word| SPEAKERS.contains(&base(text, word)))
}

/// What `line` says goes into `next`.
pub(super) fn piped(text: &str, line: &Line, next: &Line, found: &mut Vec<Credential>) {
    let Some(speaker) = line.words.iter().position(|word| SPEAKERS.contains(&base(text, word))) else { return };
    for word in &line.words[speaker + 1..] {
        if !text[word.inner.0..word.inner.1].starts_with(['-', '%']) {
            fed(text, word.inner, next, found);
        }
    }
}

/// What stands at `said` is the input of `line`.
pub(super) fn fed(text: &str, said: (usize, usize), line: &Line, found: &mut Vec<Credential>) {
    let of = |word: &Word| &text[word.inner.0..word.inner.1];
    let runs = |programs: &[&str]| line.words.iter().any(|word| programs.contains(&base(text, word)));
    let has = |option: &str| {
        let letter = option.strip_prefix('-').filter(|letter| letter.len() == 1);
        option.is_empty()
            || line.words.iter().map(of).any(|word| {
                let among = |letter| word.starts_with('-') && !word.starts_with("--") && word.contains(letter);
                word == option || letter.is_some_and(among)
            })
    };
    let accounts = runs(&["chpasswd"]);
    let silent = !runs(&["sudo"]) && line.words.iter().any(|word| SILENT.contains(&of(word)));
    let reads = line.words.iter().any(|word| STDIN.contains(&of(word)))
        || READERS.iter().any(|(programs, option)| runs(programs) && has(option) && !(option.is_empty() && silent));
    if !accounts && !reads {
        return;
    }
    let mut say = |at: (usize, usize), name: &str| {
        if is_secret("password", &text[at.0..at.1]) {
            found.push(Credential { at, name: name.to_owned() });
        }
    };
    let mut at = said.0;
    let lines = text[said.0..said.1].split_inclusive('\n').flat_map(|line| line.split_inclusive("\\n"));
    for (count, line) in lines.enumerate() {
        let end = at + line.len();
        let bare = line.trim_end_matches('\n').trim_end_matches("\\n");
        if accounts {
            if let Some((user, password)) = bare.split_once(':') {
                let start = at + user.len() + 1;
                say((start, start + password.len()), "chpasswd");
            }
        } else if count < TWICE {
            say((at, at + bare.len()), "standard input");
        }
        at = end;
    }
}
