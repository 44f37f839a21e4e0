//! How Go writes strings.

/// Undoes Go's `%q`.
pub(crate) fn unquote(quoted: &str) -> Vec<u8> {
    let Some(inner) = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return quoted.as_bytes().to_vec();
    };
    let mut out = Vec::new();
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let letter = rest.as_bytes()[at + 1];
        let digits = match letter {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        };
        let (code, after) = rest[at + 2..].split_at(digits);
        let code = u32::from_str_radix(code, 16).unwrap_or_default();
        match letter {
            b'x' => out.push(u8::try_from(code).expect("two digits")),
            b'u' | b'U' => out.extend_from_slice(char::from_u32(code).expect("a scalar value").to_string().as_bytes()),
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            other => out.push(other),
        }
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
    out
}
