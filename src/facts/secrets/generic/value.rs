//! Reads the value of an assignment: where it ends depends on its marks, or on what it stands in. Judges nothing.

use super::assignment::{Operator, Quote, VALUE, count, is_name};
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

/// The value that begins at `at`, and how it is marked.
pub(super) fn value(
    text: &[u8],
    line: &Range<usize>,
    name: &Range<usize>,
    operator: Operator,
    spaced: bool,
    at: usize,
) -> Option<(Quote, Range<usize>)> {
    let rest = text.get(at..)?;
    let wrapper = WRAPPERS
        .iter()
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
        _ => return unquoted(text, line, name, operator, spaced, at).map(|value| (Quote::None, value)),
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
    operator: Operator,
    spaced: bool,
    at: usize,
) -> Option<Range<usize>> {
    if matches!(operator, Operator::Comma | Operator::Call | Operator::Arrow) {
        return None;
    }
    let rest = &text[at..text.len().min(at + VALUE + 2)];
    let before = &text[line.start..name.start];
    let begins = before.iter().all(|byte| b" \t-#;/*".contains(byte))
        || before.ends_with(b"export ")
        || before.ends_with(b"ENV ");
    let setting = begins && (operator == Operator::Colon || (operator == Operator::Assign && !spaced));
    let ends: &[u8] = match operator {
        Operator::Element => b"<",
        Operator::Otherwise => b" \t}\"'`;,)",
        _ if setting => b" \t",
        Operator::Assign if before.contains(&b'?') || before.contains(&b'&') => b" \t&\"'`<>#\\;)",
        _ => b" \t\"'`,;)]}<>&|\\",
    };
    let mut end = rest.iter().position(|byte| ends.contains(byte) || b"\r\n".contains(byte)).unwrap_or(rest.len());
    if setting {
        while end > 0 && b",;".contains(&rest[end - 1]) {
            end -= 1;
        }
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
    SCHEMES
        .iter()
        .find(|scheme| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
        .map_or(0, |scheme| scheme.len())
}
