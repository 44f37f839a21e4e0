//! Finds what a name is given: `key op value` in the ways that shells, configuration formats, markup and programming
//! languages write it. Reads one line around a word; judges neither the name nor the value.

use super::operator::{Operator, Quote, VALUE, count, is_name};
use super::value::{Ends, scheme, value};
use std::ops::Range;

/// The longest part of a name on either side of the word, bytes.
pub(super) const NAME: usize = 64;
/// The longest way from a name to its value, bytes.
const WAY: usize = 120;
/// How much of the line before the word is looked at, bytes.
const BEFORE: usize = 200;

/// A name and what it is given; places in the bytes that were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    /// The part of the line that was looked at.
    pub(super) line: Range<usize>,
    pub(super) name: Range<usize>,
    pub(super) operator: Operator,
    pub(super) quote: Quote,
    /// Without its marks.
    pub(super) value: Range<usize>,
    /// Whether blanks stand on both sides of the operator.
    pub(super) spaced: bool,
    /// Whether the name stands in quotes of its own.
    pub(super) named_in_quotes: bool,
    /// Whether a scheme of HTTP's `Authorization` stands before the value.
    pub(super) scheme: bool,
}

/// Whether the byte behind a word and the rest of its name can lead to a value: a first look that spares most of them.
pub(super) fn may_lead(bytes: &[u8], end: usize) -> bool {
    let rest = &bytes[end.min(bytes.len())..];
    let name = name_run(&rest[..rest.len().min(NAME)]);
    match rest.get(name..) {
        Some(
            [b'=' | b':' | b'"' | b'\'' | b']' | b'`' | b'(' | b')' | b'>' | b'|' | b'?' | b'<' | b'\\' | b',', ..],
        ) => true,
        Some([b' ' | b'\t', rest @ ..]) => {
            let blanks = rest.iter().take(WAY).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            match rest.get(blanks) {
                Some(byte) => {
                    !byte.is_ascii_alphanumeric() || is_first_on_line(bytes, end) || is_typed(&rest[blanks..])
                }
                None => false,
            }
        }
        // The member `value` may follow in the next line.
        Some([b'\r' | b'\n', rest @ ..]) => {
            let blanks = rest.iter().take(WAY).take_while(|byte| byte.is_ascii_whitespace()).count();
            matches!(rest.get(blanks), Some(b'v' | b'V' | b'"'))
        }
        _ => false,
    }
}

/// The same behind the `://` of a URL: an `@` stands before the URL's host ends.
pub(super) fn may_lead_in_url(bytes: &[u8], end: usize) -> bool {
    let rest = &bytes[end..bytes.len().min(end + VALUE)];
    rest.iter().find(|byte| **byte == b'@' || ends_host(**byte)) == Some(&b'@')
}

/// Whether a URL's user, password and host end at such a byte.
fn ends_host(byte: u8) -> bool {
    const ENDS: [bool; 256] = {
        let (mut table, ends) = ([false; 256], b"/? \t\"'`<>,;\\|");
        let mut at = 0;
        while at < ends.len() {
            table[ends[at] as usize] = true;
            at += 1;
        }
        table
    };
    ENDS[usize::from(byte)]
}

/// The assignment to the name around the word at `word` of `line`; `bytes` may hold more lines.
pub(super) fn assignment(bytes: &[u8], word: Range<usize>, line: Range<usize>, ends: &mut Ends) -> Option<Assignment> {
    let name = name(&bytes[..line.end], line.start, &word)?;
    let text = &bytes[..line.end];
    let mut at = name.end;
    // An indexed name, `config["password"]`, and the last argument of a call, `getenv("PASSWORD")`.
    let quoted = match text[at..] {
        [b'"' | b'\'' | b'`', ..] => 1,
        [b'\\', b'"' | b'\'', ..] => 2,
        _ => 0,
    };
    let opened = text[..name.start].last().is_some_and(|byte| b"\"'`".contains(byte));
    let named_in_quotes = quoted > 0 && opened;
    if quoted > 0 && !opened {
        return None;
    }
    at += quoted;
    at += count(&text[at..], |byte| byte == b']').min(2);
    let called = named_in_quotes && text.get(at) == Some(&b')');
    at += usize::from(called);
    // An optional member: `password?: string`.
    at += usize::from(text[at..].starts_with(b"?:"));
    let blanks = blanks(&text[at..]);
    let behind = at + blanks;
    let (operator, next) = operator(bytes, text, &name, named_in_quotes, called, at, behind)?;
    let reach = if operator == Operator::Member { bytes.len().min(next + VALUE) } else { line.end };
    let text = &bytes[..reach];
    let after = next + self::blanks(&text[next..]);
    let spaced = blanks > 0 && after > next;
    if after - name.end > WAY {
        return None;
    }
    let (mut quote, mut value) = value(text, &line, &name, (operator, spaced), after, ends)?;
    let scheme = scheme(&text[value.start..]);
    let mut has_scheme = false;
    if scheme > 0 {
        has_scheme = true;
        if value.start + scheme > value.end {
            (_, value) =
                super::value::value(text, &line, &name, (Operator::Assign, spaced), value.start + scheme, ends)?;
            quote = Quote::None;
        } else {
            value.start += scheme;
        }
    }
    (!value.is_empty() && value.len() <= VALUE).then_some(Assignment {
        line,
        name,
        operator,
        quote,
        value,
        spaced,
        named_in_quotes,
        scheme: has_scheme,
    })
}

/// The password of `scheme://user:password@host`, when `word` of `line` is its `://`.
pub(super) fn in_url(bytes: &[u8], word: Range<usize>, line: Range<usize>) -> Option<Assignment> {
    let text = &bytes[..line.end];
    let start = text[line.start..word.start]
        .iter()
        .rev()
        .take(24)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(byte))
        .count();
    if start < 2 {
        return None;
    }
    let rest = &text[word.end..text.len().min(word.end + VALUE)];
    let stop = rest.iter().position(|byte| ends_host(*byte)).unwrap_or(rest.len());
    // A password may hold what ends a host, when an @ still follows.
    let at = memchr_last(b'@', &rest[..stop])?;
    let colon = rest[..at].iter().position(|&byte| byte == b':')?;
    let host = rest.get(at + 1)?;
    if !(host.is_ascii_alphanumeric() || b"[$%{<".contains(host)) || colon + 1 >= at {
        return None;
    }
    let name = word.start - start..word.end + colon;
    Some(Assignment {
        line,
        name,
        operator: Operator::Url,
        quote: Quote::None,
        value: word.end + colon + 1..word.end + at,
        spaced: false,
        named_in_quotes: false,
        scheme: false,
    })
}

fn memchr_last(byte: u8, bytes: &[u8]) -> Option<usize> {
    bytes.iter().rposition(|&other| other == byte)
}

/// How much of a line is looked at before and behind a word, bytes.
pub(super) const AROUND: (usize, usize) = (BEFORE, NAME + WAY + VALUE);

/// The line around a word, no longer than what is looked at.
pub(super) fn line(bytes: &[u8], word: &Range<usize>) -> Range<usize> {
    let low = word.start.saturating_sub(BEFORE);
    let start = memchr::memrchr3(b'\n', b'\r', 0, &bytes[low..word.start]).map_or(low, |at| low + at + 1);
    let high = bytes.len().min(word.end + NAME + WAY + VALUE);
    let end = memchr::memchr3(b'\n', b'\r', 0, &bytes[word.end..high]).map_or(high, |at| word.end + at);
    start..end
}

/// How many bytes of names stand at the beginning of `bytes`.
fn name_run(bytes: &[u8]) -> usize {
    // Without a table and without a branch, so that a block of a long name is looked at with a few wide instructions.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() | matches!(byte, b'_' | b'-' | b'.');
    let mut at = bytes.iter().take(8).position(|&byte| !is_name(byte)).unwrap_or(bytes.len().min(8));
    if at == 8 {
        let (blocks, _) = bytes[at..].as_chunks::<16>();
        at += 16 * blocks.iter().take_while(|block| block.iter().fold(true, |all, &byte| all & is_plain(byte))).count();
        at += count(&bytes[at..], is_name);
    }
    at
}

/// How much of `rest`, which follows a word, belongs to the name; marks at its end do not.
pub(super) fn name_length(rest: &[u8]) -> usize {
    let mut length = name_run(&rest[..rest.len().min(NAME)]);
    while length > 0 && b".-".contains(&rest[length - 1]) {
        length -= 1;
    }
    length
}

fn blanks(bytes: &[u8]) -> usize {
    count(bytes, |byte| matches!(byte, b' ' | b'\t'))
}

/// Whether nothing but blanks, dashes and marks of comments stands before the name that ends at `end`.
fn is_first_on_line(bytes: &[u8], end: usize) -> bool {
    let end = end.min(bytes.len());
    let from = end.saturating_sub(NAME);
    let before = &bytes[from..end];
    let start = before.iter().rposition(|&byte| matches!(byte, b'\n' | b' ' | b'\t')).map_or(0, |at| at + 1);
    // A name of options, or the first of its line.
    before.get(start) == Some(&b'-')
        || before[..start].ends_with(b"ENV ")
        || before[..start].ends_with(b"ARG ")
        || before[..start].iter().rev().find(|byte| !b" \t".contains(byte)).is_none_or(|&byte| byte == b'\n')
}

/// Whether a word of a type and `=` follow: `string = "x"`.
fn is_typed(bytes: &[u8]) -> bool {
    let word =
        count(&bytes[..bytes.len().min(40)], |byte| byte.is_ascii_alphanumeric() || b"_.<>[]*&?|".contains(&byte));
    let next = word + blanks(&bytes[word..]);
    word > 0 && (bytes[next..].starts_with(b"=") || bytes[next..].starts_with(b":="))
}

/// The name around the word: letters, digits, `_`, `-` and `.`; also a word before it that makes it one (`API key`).
fn name(text: &[u8], low: usize, word: &Range<usize>) -> Option<Range<usize>> {
    const BEFORE_KEY: &[&[u8]] = &[
        b"api",
        b"access",
        b"secret",
        b"private",
        b"auth",
        b"encryption",
        b"license",
        b"client",
        b"admin",
        b"root",
        b"master",
        b"user",
        b"login",
    ];
    let left = text[low..word.start].iter().rev().take_while(|byte| is_name(**byte)).count();
    let right = count(&text[word.end..], is_name);
    if left > NAME || right > NAME {
        return None;
    }
    let mut start = word.start - left;
    let mut end = word.end + right;
    // The letter of an escape belongs to no name: `\nPASSWORD=x`.
    if left > 0 && matches!(text[low..start], [.., b'\\']) && matches!(text[start], b'n' | b'r' | b't') {
        start += 1;
    }
    while end > word.end && b".-".contains(&text[end - 1]) {
        end -= 1;
    }
    if matches!(text[low..start], [.., b' ']) {
        let before = &text[low..start - 1];
        let length = count_back(before, |byte| byte.is_ascii_alphabetic());
        let previous = &before[before.len() - length..];
        if BEFORE_KEY.iter().any(|known| known.eq_ignore_ascii_case(previous)) {
            start -= length + 1;
        }
    }
    Some(start..end)
}

fn count_back(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().rev().take_while(|byte| is(**byte)).count()
}

/// What stands between the name and its value, and where the value may begin.
fn operator(
    bytes: &[u8],
    text: &[u8],
    name: &Range<usize>,
    named_in_quotes: bool,
    called: bool,
    at: usize,
    behind: usize,
) -> Option<(Operator, usize)> {
    use Operator::{Arrow, Assign, Blank, Call, Comma, Compare, Element, Member, Otherwise};
    let rest = &text[behind..];
    let way = |operator, length: usize| Some((operator, behind + length));
    match rest {
        [b'=' | b'!', b'=', b'=', ..] => way(Compare, 3),
        [b'=' | b'!', b'=', ..] => way(Compare, 2),
        [b'=', b'>', ..] => way(Arrow, 2),
        [b'=', b'~', ..] => None,
        [b'=', ..] => way(Assign, 1),
        [b':', b'=', ..] | [b'<', b'-', ..] => way(Assign, 2),
        [b'?', b'=', ..] => way(Assign, 2),
        [b':', b':', ..] => None,
        [b':', b'-' | b'+', ..] if text[..name.start].ends_with(b"{") => way(Otherwise, 2),
        // A part of a longer name: `arn:aws:secretsmanager:us-east-1:1:secret:name`.
        [b':', next, ..] if text[..name.start].ends_with(b":") && next.is_ascii_alphanumeric() => None,
        [b':', ..] => Some(colon(text, behind)),
        [b'|', b'|', ..] | [b'?', b'?' | b':', ..] => way(Otherwise, 2),
        [b'o', b'r', b' ', ..] if called || behind > at => way(Otherwise, 3),
        [b',', ..] if named_in_quotes && !called => match member(bytes, at) {
            Some(place) => Some((Member, place)),
            None if is_argument(&text[..name.start - 1]) => way(Comma, 1),
            None => None,
        },
        [b'(', ..] if behind == at && !named_in_quotes => way(Call, 1),
        [b'>', ..] if text[..name.start].ends_with(b"<") || named_in_quotes => way(Element, 1),
        _ if called => None,
        [] | [b'\r', ..] => member(bytes, at).map(|place| (Member, place)),
        _ if named_in_quotes => member(bytes, at).map(|place| (Member, place)),
        _ if behind == at => None,
        [b'"' | b'\'' | b'`', ..] => way(Blank, 0),
        [first, ..] => {
            let typed = is_typed(rest);
            if typed {
                let sign = rest.iter().position(|&byte| byte == b'=')?;
                let compared = rest.get(sign + 1).is_some_and(|byte| b"=>~".contains(byte));
                return (!compared).then_some((Assign, behind + sign + 1));
            }
            let dashed = text[name.start] == b'-';
            let alone = is_first_on_line(text, name.end);
            ((dashed || alone) && (first.is_ascii_alphanumeric() || b"$!@%^&*+_".contains(first)))
                .then_some((Blank, behind))
        }
    }
}

/// Whether the first argument of a call follows, not a list's first member.
fn is_argument(before: &[u8]) -> bool {
    matches!(before, [.., called, b'('] if is_name(*called))
}

/// A colon, or the type and the `=` behind it: `password: str = "x"`.
fn colon(text: &[u8], colon: usize) -> (Operator, usize) {
    let start = colon + 1 + blanks(&text[colon + 1..]);
    let rest = &text[start..];
    let word =
        count(&rest[..rest.len().min(60)], |byte| byte.is_ascii_alphanumeric() || b"_.<>[]|& '?".contains(&byte));
    let typed = rest.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'&')
        && rest.get(word) == Some(&b'=')
        && rest[..word].ends_with(b" ")
        && !rest.get(word + 1).is_some_and(|byte| b"=>~".contains(byte));
    if typed { (Operator::Assign, start + word + 1) } else { (Operator::Colon, colon + 1) }
}

/// Where the value of the member `value` begins that follows a member whose value is the name.
fn member(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..bytes.len().min(at + WAY)];
    let skip = count(rest, |byte| b" \t\r\n,\"'#".contains(&byte));
    let rest = &rest[skip..];
    let word = rest.get(..5).filter(|word| skip > 0 && word.eq_ignore_ascii_case(b"value"))?;
    let mut next = word.len();
    next += count(&rest[next..], |byte| b"\"' ".contains(&byte)).min(2);
    match rest.get(next)? {
        b'=' | b':' if rest.get(next + 1) != Some(&b'=') => Some(at + skip + next + 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str, word: &str) -> Option<(String, String, Operator)> {
        let at = line.find(word).expect("word");
        let found = assignment(
            line.as_bytes(),
            at..at + word.len(),
            super::line(line.as_bytes(), &(at..at + 1)),
            &mut Ends::default(),
        )?;
        Some((line[found.name].to_owned(), line[found.value].to_owned(), found.operator))
    }

    #[test]
    fn names_get_their_values() {
        use Operator::{Arrow, Assign, Blank, Call, Colon, Comma, Compare, Element, Member, Otherwise};
        for (line, word, name, value, operator) in [
            ("DB_PASSWORD=ab;c&1", "PASS", "DB_PASSWORD", "ab;c&1", Assign),
            ("export API_TOKEN='x y'", "TOKEN", "API_TOKEN", "x y", Assign),
            ("  password: s3cr,et # why", "pass", "password", "s3cr,et", Colon),
            ("{\"apiKey\": \"v\\\"x\", \"b\": 1}", "Key", "apiKey", "v\\\"x", Colon),
            ("{\\\"token\\\":\\\"abc\\\"}", "token", "token", "abc", Colon),
            ("'secret' => 'v1',", "secret", "secret", "v1", Arrow),
            ("define('AUTH_KEY', 'v2');", "KEY", "AUTH_KEY", "v2", Comma),
            ("config[\"secret\"] = \"v3\"", "secret", "secret", "v3", Assign),
            ("ds.setPassword(\"v4\");", "Pass", "ds.setPassword", "v4", Call),
            ("<password>v5&amp;</password>", "pass", "password", "v5&amp;", Element),
            ("<property name=\"password\" value=\"v6\"/>", "pass", "password", "v6", Member),
            ("<string name=\"api_key\">v7</string>", "key", "api_key", "v7", Element),
            ("- name: DB_PASSWORD\n  value: v8\n", "PASS", "DB_PASSWORD", "v8", Member),
            ("{\"name\": \"DB_PASSWORD\", \"value\": \"v9\"}", "PASS", "DB_PASSWORD", "v9", Member),
            ("if password == \"va\":", "pass", "password", "va", Compare),
            ("password: str = \"vb\"", "pass", "password", "vb", Assign),
            ("const token: string = 'vc'", "token", "token", "vc", Assign),
            ("const password string = \"vd\"", "pass", "password", "vd", Assign),
            ("os.environ.get(\"TOKEN\", \"ve\")", "TOKEN", "TOKEN", "ve", Comma),
            ("os.getenv('TOKEN') or 'vf'", "TOKEN", "TOKEN", "vf", Otherwise),
            ("x=${PASSWORD:-vg}", "PASS", "PASSWORD", "vg", Otherwise),
            ("Server=x;Uid=y;Pwd=vh;Z=1", "Pwd", "Pwd", "vh", Assign),
            ("run --password vi -x", "pass", "--password", "vi", Blank),
            ("requirepass vj", "pass", "requirepass", "vj", Blank),
            ("Authorization: Bearer vk", "Auth", "Authorization", "vk", Colon),
            ("-H \"Authorization: Basic vl\"", "Auth", "Authorization", "vl", Colon),
            ("key := []byte(\"vm\")", "key", "key", "vm", Assign),
            ("a=1\\nPASSWORD=vn\\nb", "PASS", "PASSWORD", "vn", Assign),
            ("connect(user=\"a\", password=\"vo\")", "pass", "password", "vo", Assign),
            ("get?api_key=vp&x=1", "key", "api_key", "vp", Assign),
            ("API Key: vq", "Key", "API Key", "vq", Colon),
        ] {
            assert_eq!(found(line, word), Some((name.to_owned(), value.to_owned(), operator)), "{line}");
        }
    }

    #[test]
    fn what_is_given_nothing() {
        for (line, word) in [
            ("the password is wrong", "pass"),
            ("password = getpass()", "pass"),
            ("if (password) {", "pass"),
            ("token::new", "token"),
            ("passwords: [", "pass"),
            ("\"password\"", "pass"),
            ("key = get(\"x\")", "key"),
            ("password", "pass"),
            ("password = \"open", "pass"),
        ] {
            assert_eq!(found(line, word), None, "{line}");
        }
    }

    #[test]
    fn passwords_of_urls() {
        let found = |line: &str| {
            let at = line.find("://").expect("url");
            in_url(line.as_bytes(), at..at + 3, super::line(line.as_bytes(), &(at..at + 3)))
                .map(|found| line[found.value].to_owned())
        };
        assert_eq!(found("u = \"amqp://app:pw1@mq:5672/v\"").as_deref(), Some("pw1"));
        assert_eq!(found("http://h:80/x@y"), None);
        assert_eq!(found("git://user@host"), None);
        assert_eq!(found("redis://:pw2@h").as_deref(), Some("pw2"));
    }
}
