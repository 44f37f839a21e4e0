//! Reads the value of an assignment: where it ends depends on its marks, or on what it stands in. Judges nothing.

use super::operator::{Operator, Quote, VALUE, count, is_name};
use std::ops::Range;

/// Words before a string that only change its type.
const WRAPPERS: &[&[u8]] = &[
    b"[]byte(",
    b"bytes(",
    b"String(",
    b"new String(",
    b"string(",
    b"str(",
    b"Buffer.from(",
    b"SecureString(",
    b"new SecureString(",
    b"SecretStr(",
    b"Some(",
    b"String::from(",
    b"b(",
    b"_b(",
    b"toBytes(",
    b"N",
    b"L",
    b"@",
    b"b",
    b"u",
    b"r",
    b"q",
    b"$",
];

/// How much is looked at of a value without marks, bytes.
const LONGEST: usize = VALUE + 2;

/// What a value without marks stands in, by which it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Element,
    Otherwise,
    Setting,
    Query,
    Word,
}

impl Ending {
    const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Element => b"<\r\n",
            Self::Otherwise => b" \t}\"'`;,)\r\n",
            Self::Setting => b" \t\r\n",
            Self::Query => b" \t&\"'`<>#\\;)\r\n",
            Self::Word => b" \t\"'`,;)]}<>&|\\\r\n",
        }
    }
}

/// For each byte the kinds of values that end there, a bit each.
const ENDINGS: [u8; 256] = {
    let mut table = [0; 256];
    let kinds = [Ending::Element, Ending::Otherwise, Ending::Setting, Ending::Query, Ending::Word];
    let mut kind = 0;
    while kind < kinds.len() {
        let bytes = kinds[kind].bytes();
        let mut at = 0;
        while at < bytes.len() {
            table[bytes[at] as usize] |= 1 << kinds[kind] as u8;
            at += 1;
        }
        kind += 1;
    }
    table
};

/// Where values without marks end, kept from one name to the next: where names stand within such a value, its end is looked
/// for once.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    /// Where the bytes begin that are looked at.
    pub(super) low: usize,
    /// For each kind of value a stretch without its ends.
    clear: [Range<usize>; 5],
}

impl Ends {
    /// How long the value of that kind is that begins at `at` of `text`, as far as it is looked at.
    fn end(&mut self, text: &[u8], at: usize, ending: Ending) -> usize {
        let clear = &mut self.clear[ending as usize];
        let (place, last) = (self.low + at, text.len().min(at + LONGEST));
        if !clear.contains(&place) {
            *clear = place..place;
        }
        let seen = (clear.end - self.low).min(last);
        let bit = 1 << ending as u8;
        let end = text[seen..last].iter().position(|byte| ENDINGS[usize::from(*byte)] & bit != 0);
        let end = end.map_or(last, |end| seen + end);
        clear.end = clear.end.max(self.low + end);
        end - at
    }
}

/// The value that begins at `at`, and how it is marked.
pub(super) fn value(
    text: &[u8],
    line: &Range<usize>,
    name: &Range<usize>,
    (operator, spaced): (Operator, bool),
    at: usize,
    known: &mut Ends,
) -> Option<(Quote, Range<usize>)> {
    let rest = text.get(at..)?;
    let wrapper = WRAPPERS
        .iter()
        .filter(|wrapper| wrapper.first() == rest.first())
        .find(|wrapper| rest.starts_with(wrapper) && rest.get(wrapper.len()).is_some_and(|byte| b"\"'".contains(byte)));
    let mut at = at + wrapper.map_or(0, |wrapper| wrapper.len());
    // A list with one value, and the arguments of a call.
    if matches!(text.get(at..)?, [b'[' | b'(', b'"' | b'\'', ..]) {
        at += 1;
    }
    let rest = text.get(at..)?;
    let (escaped, mark) = match *rest {
        [b'\\', mark @ (b'"' | b'\''), ..] => (true, mark),
        [mark @ (b'"' | b'\'' | b'`'), ..] => (false, mark),
        _ => return unquoted(text, line, name, (operator, spaced), at, known).map(|value| (Quote::None, value)),
    };
    let quote = match mark {
        b'"' => Quote::Double,
        b'\'' => Quote::Single,
        _ => Quote::Back,
    };
    let start = at + 1 + usize::from(escaped);
    let mut end = start;
    loop {
        match *text.get(end..text.len().min(start + VALUE + 2))? {
            [b'\\', close, ..] if escaped && close == mark => break,
            [close, ..] if !escaped && close == mark => break,
            [b'\\', _, ..] => end += 2,
            [_, ..] => end += 1,
            [] => return None,
        }
    }
    Some((quote, start..end))
}

/// The end of a value without marks depends on what it stands in.
fn unquoted(
    text: &[u8],
    line: &Range<usize>,
    name: &Range<usize>,
    (operator, spaced): (Operator, bool),
    at: usize,
    known: &mut Ends,
) -> Option<Range<usize>> {
    if matches!(operator, Operator::Comma | Operator::Call | Operator::Arrow) {
        return None;
    }
    let rest = &text[at..text.len().min(at + LONGEST)];
    let before = &text[line.start..name.start];
    let begins = before.iter().all(|byte| b" \t-#;/*".contains(byte))
        || before.ends_with(b"export ")
        || before.ends_with(b"ENV ");
    let setting = begins && (operator == Operator::Colon || (operator == Operator::Assign && !spaced));
    let ends = match operator {
        Operator::Element => Ending::Element,
        Operator::Otherwise => Ending::Otherwise,
        _ if setting => Ending::Setting,
        Operator::Assign if memchr::memchr2(b'?', b'&', before).is_some() => Ending::Query,
        _ => Ending::Word,
    };
    let mut end = known.end(text, at, ends);
    if setting {
        while end > 0 && b",;".contains(&rest[end - 1]) {
            end -= 1;
        }
    }
    // A scheme before it does not count.
    if end > VALUE && scheme(&text[at..]) == 0 {
        return None;
    }
    let value = &rest[..end];
    let open = |byte: u8| value.contains(&byte);
    // A call, a list, an object, a reference; the mark of a block in YAML.
    let code = value.is_empty()
        || matches!(value[0], b'"' | b'\'' | b'(' | b'[' | b'{' | b'|' | b'&' | b'*' | b'`')
        || (!setting && (open(b'(') || open(b'[') || open(b'?') || value[0] == b'!'))
        || is_call(value);
    (!code).then_some(at..at + end)
}

/// Whether a value is a name and what it is called or indexed with.
fn is_call(value: &[u8]) -> bool {
    let name = count(value, |byte| is_name(byte) || byte == b':' || byte == b'>');
    value[..name].iter().any(u8::is_ascii_alphabetic) && matches!(value.get(name), Some(b'(' | b'['))
}

/// How many bytes a scheme of HTTP's `Authorization` and the blank behind it take.
pub(super) fn scheme(value: &[u8]) -> usize {
    const SCHEMES: &[&[u8]] = &[b"Basic ", b"Bearer ", b"Token ", b"Digest ", b"ApiKey ", b"Key ", b"Bot ", b"AWS "];
    if !value.first().is_some_and(|first| b"bBtTdDaAkK".contains(first)) {
        return 0;
    }
    SCHEMES
        .iter()
        .find(|scheme| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
        .map_or(0, |scheme| scheme.len())
}
