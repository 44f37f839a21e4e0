//! Words: quotes, escapes and expansions of POSIX and bash, and where an expansion ends. Knows no commands.

use super::{Expansion, Word};

/// A word as read, with what its parser needs to know besides.
#[derive(Default)]
pub(super) struct Read {
    /// Its text so far.
    pub(super) text: Vec<u8>,
    /// See [`Word::expands`].
    pub(super) expands: bool,
    /// The length of `text` at the first quoted part.
    pub(super) quoted_at: Option<usize>,
    /// The commands inside its substitutions.
    pub(super) nested: Vec<String>,
}

impl Read {
    /// Whether it is exactly `word`, unquoted.
    pub(super) fn is(&self, word: &str) -> bool {
        self.quoted_at.is_none() && self.text == word.as_bytes()
    }

    /// The word without its parser's knowledge.
    pub(super) fn into_word(self) -> (Word, Vec<String>) {
        let word = Word { text: lossy(&self.text), expands: self.expands, quoted: self.quoted_at.is_some() };
        (word, self.nested)
    }

    /// The name when this is an assignment `NAME=value`, `NAME+=value` or `NAME[i]=value`, and where the value begins.
    pub(super) fn assignment(&self) -> Option<(String, usize)> {
        let equals = self.text.iter().position(|&byte| byte == b'=')?;
        if self.quoted_at.is_some_and(|at| at <= equals) {
            return None;
        }
        let left = self.text.get(..equals)?;
        let left = left.strip_suffix(b"+").unwrap_or(left);
        let name = match left.iter().position(|&byte| byte == b'[') {
            Some(open) if left.ends_with(b"]") => left.get(..open)?,
            _ => left,
        };
        is_name(name).then(|| (lossy(name), equals + 1))
    }

    fn quoted(&mut self) {
        self.quoted_at.get_or_insert(self.text.len());
    }

    fn push_raw(&mut self, bytes: &[u8], from: usize, to: usize) {
        self.text.extend_from_slice(bytes.get(from..to).unwrap_or_default());
    }
}

/// Reads a word from `at`; gives it and the place behind it. Ends at blanks and operators.
pub(super) fn read(bytes: &[u8], mut at: usize) -> (Read, usize) {
    let mut word = Read::default();
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\r' if matches!(bytes.get(at + 1), None | Some(b'\n')) => break,
            b'<' | b'>' if bytes.get(at + 1) == Some(&b'(') && word.text.is_empty() => {
                let end = close(bytes, at + 2, Inside::Paren(0));
                word.nested.push(lossy(bytes.get(at + 2..end).unwrap_or_default()));
                word.expands = true;
                at = past(bytes, &mut word, at, end);
            }
            b'(' if word.assignment().is_some_and(|(_, value)| value == word.text.len()) => {
                let end = close(bytes, at + 1, Inside::Paren(0));
                word.nested.extend(substitutions(bytes.get(at + 1..end).unwrap_or_default()));
                word.expands = true;
                at = past(bytes, &mut word, at, end);
            }
            // A glob of bash (extglob) such as !(a|b) belongs to its word, any other parenthesis ends it.
            b'(' if matches!(word.text.last(), Some(b'!' | b'@' | b'+' | b'?' | b'*')) && word.quoted_at.is_none() => {
                let end = close(bytes, at + 1, Inside::Paren(0));
                at = past(bytes, &mut word, at, end);
            }
            b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' => break,
            b'\\' => match bytes.get(at + 1) {
                Some(b'\n') => at += 2,
                Some(b'\r') if bytes.get(at + 2) == Some(&b'\n') => at += 3,
                Some(&next) => {
                    word.quoted();
                    word.text.push(next);
                    at += 2;
                }
                None => {
                    word.text.push(b'\\');
                    at += 1;
                }
            },
            b'\'' => {
                word.quoted();
                let end = find(bytes, at + 1, b'\'');
                word.push_raw(bytes, at + 1, end);
                at = end + 1;
            }
            b'"' => at = double_quoted(bytes, at + 1, &mut word),
            b'`' => at = backticks(bytes, at, &mut word),
            b'$' => at = dollar(bytes, at, &mut word, false),
            _ => {
                word.text.push(byte);
                at += 1;
            }
        }
    }
    (word, at.min(bytes.len()))
}

/// Copies the expansion from `at` to its closing mark at `end`; gives the place behind it.
fn past(bytes: &[u8], word: &mut Read, at: usize, end: usize) -> usize {
    word.push_raw(bytes, at, (end + 1).min(bytes.len()));
    end + 1
}

fn double_quoted(bytes: &[u8], mut at: usize, word: &mut Read) -> usize {
    word.quoted();
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => match bytes.get(at + 1) {
                Some(b'\n') => at += 2,
                Some(&next @ (b'$' | b'`' | b'"' | b'\\')) => {
                    word.text.push(next);
                    at += 2;
                }
                _ => {
                    word.text.push(b'\\');
                    at += 1;
                }
            },
            b'`' => at = backticks(bytes, at, word),
            b'$' => at = dollar(bytes, at, word, true),
            _ => {
                word.text.push(byte);
                at += 1;
            }
        }
    }
    at
}

fn backticks(bytes: &[u8], at: usize, word: &mut Read) -> usize {
    let mut inner = Vec::new();
    let mut end = at + 1;
    while let Some(&byte) = bytes.get(end) {
        match (byte, bytes.get(end + 1)) {
            (b'`', _) => break,
            (b'\\', Some(&next @ (b'`' | b'\\' | b'$'))) => {
                inner.push(next);
                end += 2;
            }
            _ => {
                inner.push(byte);
                end += 1;
            }
        }
    }
    word.nested.push(lossy(&inner));
    word.expands = true;
    past(bytes, word, at, end)
}

/// What begins with `$`.
fn dollar(bytes: &[u8], at: usize, word: &mut Read, in_quotes: bool) -> usize {
    match bytes.get(at + 1) {
        Some(b'(') => {
            let end = close(bytes, at + 2, Inside::Paren(0));
            let inner = bytes.get(at + 2..end).unwrap_or_default();
            if inner.first() == Some(&b'(') && inner.last() == Some(&b')') {
                word.nested.extend(substitutions(inner));
            } else {
                word.nested.push(lossy(inner));
            }
            word.expands = true;
            past(bytes, word, at, end)
        }
        Some(b'{') => {
            let end = close(bytes, at + 2, Inside::Brace);
            word.nested.extend(substitutions(bytes.get(at + 2..end).unwrap_or_default()));
            word.expands = true;
            past(bytes, word, at, end)
        }
        Some(b'\'') if !in_quotes => ansi_quoted(bytes, at + 2, word),
        Some(b'"') if !in_quotes => double_quoted(bytes, at + 2, word),
        next => {
            let named = |byte: &u8| byte.is_ascii_alphanumeric() || b"_@*#?$!-".contains(byte);
            word.expands |= next.is_some_and(named);
            word.text.push(b'$');
            at + 1
        }
    }
}

/// `$'...'` of bash.
fn ansi_quoted(bytes: &[u8], mut at: usize, word: &mut Read) -> usize {
    word.quoted();
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'\'' => return at,
            b'\\' => {
                let Some(&next) = bytes.get(at) else { break };
                at += 1;
                match next {
                    b'n' => word.text.push(b'\n'),
                    b't' => word.text.push(b'\t'),
                    b'r' => word.text.push(b'\r'),
                    b'x' => {
                        let digits = bytes.get(at..).unwrap_or_default().iter().take(2);
                        let digits: Vec<u32> = digits.map_while(|&digit| char::from(digit).to_digit(16)).collect();
                        let value = digits.iter().fold(0, |value, digit| value << 4 | digit);
                        at += digits.len();
                        // Foreign bytes would break the text; such a word is data, not a program.
                        word.text.push(if (1..0x80).contains(&value) { value as u8 } else { b'?' });
                    }
                    _ => word.text.push(next),
                }
            }
            _ => word.text.push(byte),
        }
    }
    at
}

/// What a closing mark is looked for in.
#[derive(Clone, Copy)]
pub(super) enum Inside {
    /// `( ... )`, and how many `case` are open in it, whose patterns end with a parenthesis of their own.
    Paren(usize),
    /// `${ ... }`.
    Brace,
    /// `" ... "`.
    Double,
}

/// The place of the mark that closes what was opened before `at`; the end when there is none.
pub(super) fn close(bytes: &[u8], mut at: usize, inside: Inside) -> usize {
    let start = at;
    let mut open = vec![inside];
    while let (Some(&byte), Some(top)) = (bytes.get(at), open.last_mut()) {
        match (byte, top) {
            (b'\\', _) => at += 1,
            (b'`', _) => {
                at += 1;
                while bytes.get(at).is_some_and(|&byte| byte != b'`') {
                    at += if bytes.get(at) == Some(&b'\\') { 2 } else { 1 };
                }
            }
            (b'$', _) if bytes.get(at + 1) == Some(&b'(') => {
                open.push(Inside::Paren(0));
                at += 1;
            }
            (b'$', _) if bytes.get(at + 1) == Some(&b'{') => {
                open.push(Inside::Brace);
                at += 1;
            }
            (b'"', Inside::Double) | (b'}', Inside::Brace) | (b')', Inside::Paren(0)) => {
                open.pop();
                if open.is_empty() {
                    return at;
                }
            }
            (b'"', _) => open.push(Inside::Double),
            (b'\'', Inside::Paren(_)) => at = find(bytes, at + 1, b'\''),
            (b'(', Inside::Paren(_)) => open.push(Inside::Paren(0)),
            (b'#', Inside::Paren(_)) if begins_word(bytes, at) => {
                at = find(bytes, at, b'\n');
            }
            (b'c', Inside::Paren(cases)) if is_word(bytes, at, b"case") && begins_command(bytes, start, at) => {
                *cases += 1;
            }
            (b'e', Inside::Paren(cases)) if is_word(bytes, at, b"esac") && begins_command(bytes, start, at) => {
                *cases = cases.saturating_sub(1);
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// The commands in the substitutions of a text that is no command itself: an arithmetic expression, a default value.
pub(super) fn substitutions(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, bytes.get(at + 1)) {
            (b'\\', _) => at += 2,
            (b'$', Some(b'(')) | (b'`', _) => {
                let mut word = Read::default();
                at = if byte == b'`' { backticks(bytes, at, &mut word) } else { dollar(bytes, at, &mut word, true) };
                found.append(&mut word.nested);
            }
            _ => at += 1,
        }
    }
    found
}

/// See [`Word::expansion`].
pub(super) fn whole_expansion(text: &str) -> Option<Expansion<'_>> {
    let bytes = text.as_bytes();
    if let Some(rest) = text.strip_prefix('$').filter(|rest| !rest.starts_with('(')) {
        let name = rest.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(rest);
        return is_name(name.as_bytes()).then_some(Expansion::Variable(name));
    }
    if bytes.first() == Some(&b'`') {
        let mut word = Read::default();
        let end = backticks(bytes, 0, &mut word);
        return word.nested.pop().filter(|_| end >= bytes.len()).map(Expansion::Output);
    }
    let inner = text.strip_prefix("$(").or_else(|| text.strip_prefix("<("))?;
    let end = close(bytes, 2, Inside::Paren(0));
    let is_sum = text.starts_with("$((") && text.ends_with("))");
    (end + 1 >= bytes.len() && !is_sum)
        .then(|| Expansion::Output(inner.get(..end.saturating_sub(2)).unwrap_or(inner).to_owned()))
}

fn begins_word(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| bytes.get(before)).is_none_or(|byte| b" \t\n;&|(".contains(byte))
}

/// Whether a command could begin at `at`: what stands before is an operator, or nothing. Looks back over blanks only
/// as far as a line of a tidy script is indented.
fn begins_command(bytes: &[u8], start: usize, at: usize) -> bool {
    if at <= start {
        return true;
    }
    let before = bytes.get(start.max(at.saturating_sub(64))..at).unwrap_or_default();
    match before.iter().rposition(|byte| !b" \t\r".contains(byte)) {
        None => true,
        Some(last) => before.get(last).is_some_and(|byte| b"\n;&|()".contains(byte)),
    }
}

fn is_word(bytes: &[u8], at: usize, word: &[u8]) -> bool {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.starts_with(word) && rest.get(word.len()).is_none_or(|byte| b" \t\n;&|()".contains(byte))
}

/// Whether `name` can name a variable.
pub(super) fn is_name(name: &[u8]) -> bool {
    !name.first().is_none_or(u8::is_ascii_digit)
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// The place of the next `byte` from `at`, or the end.
pub(super) fn find(bytes: &[u8], at: usize, byte: u8) -> usize {
    bytes.get(at..).unwrap_or_default().iter().position(|&b| b == byte).map_or(bytes.len(), |distance| at + distance)
}

/// Text out of bytes that were cut at ASCII marks.
pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
