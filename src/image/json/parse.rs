//! The JSON parser: one loop over the bytes with a stack of its own, so that nesting costs memory, never the thread's
//! stack. Accepts what Go's encoding/json accepts (RFC 8259 without a byte order mark, broken text repaired).

use super::Json;

/// Nesting beyond this is not kept whatever the caller says, so that dropping a value cannot overflow the stack.
const DEEPEST: usize = 512;

/// Nesting beyond this is refused, as Go refuses it.
const REFUSED: usize = 10_000;

/// Values of one document. A value costs up to some hundred bytes, so this bounds memory where bytes do not.
const MOST_VALUES: usize = 1_000_000;

/// Reads one document; see [`Json::parse`].
pub(super) fn document(bytes: &[u8], depth: usize) -> Result<Json, String> {
    let mut parser = Parser { bytes, at: 0, values: 0 };
    let value = parser.value(depth.min(DEEPEST))?;
    parser.space();
    match parser.peek() {
        None => Ok(value),
        Some(byte) => Err(parser.trouble(&format!("unexpected {} behind the document", shown(byte)))),
    }
}

/// A container whose end has not been seen.
enum Open {
    Array(Vec<Json>),
    Object(Vec<(String, Json)>, String),
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    values: usize,
}

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Result<Json, String> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            self.space();
            self.values += 1;
            if self.values > MOST_VALUES {
                return Err(self.trouble(&format!("more than {MOST_VALUES} values")));
            }
            let mut done = match self.peek() {
                Some(b'{' | b'[') if open.len() >= REFUSED => {
                    return Err(self.trouble(&format!("nested deeper than {REFUSED}")));
                }
                Some(b'[') => {
                    self.at += 1;
                    self.space();
                    if self.peek() != Some(b']') {
                        open.push(Open::Array(Vec::new()));
                        continue;
                    }
                    self.at += 1;
                    Json::Array(Vec::new())
                }
                Some(b'{') => {
                    self.at += 1;
                    self.space();
                    if self.peek() != Some(b'}') {
                        open.push(Open::Object(Vec::new(), self.key()?));
                        continue;
                    }
                    self.at += 1;
                    Json::Object(Vec::new())
                }
                _ => self.scalar()?,
            };
            // Puts the value into the containers that it completes.
            loop {
                let Some(container) = open.pop() else { return Ok(done) };
                let kept = open.len() < depth;
                self.space();
                let next = self.peek();
                match container {
                    Open::Array(mut items) => {
                        if kept {
                            items.push(done);
                        }
                        match next {
                            Some(b',') => {
                                self.at += 1;
                                open.push(Open::Array(items));
                                break;
                            }
                            Some(b']') => done = Json::Array(items),
                            _ => return Err(self.expected("',' or ']'")),
                        }
                    }
                    Open::Object(mut members, key) => {
                        if kept {
                            members.push((key, done));
                        }
                        match next {
                            Some(b',') => {
                                self.at += 1;
                                self.space();
                                let key = self.key()?;
                                open.push(Open::Object(members, key));
                                break;
                            }
                            Some(b'}') => done = Json::Object(members),
                            _ => return Err(self.expected("',' or '}'")),
                        }
                    }
                }
                self.at += 1;
            }
        }
    }

    /// A name and its colon.
    fn key(&mut self) -> Result<String, String> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a name in quotes"));
        }
        let key = self.string()?;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.expected("':'"));
        }
        self.at += 1;
        Ok(key)
    }

    fn scalar(&mut self) -> Result<Json, String> {
        match self.peek() {
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Json::Number),
            _ => {
                for (word, value) in
                    [(&b"null"[..], Json::Null), (b"true", Json::Bool(true)), (b"false", Json::Bool(false))]
                {
                    if self.rest().starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(self.expected("a value"))
            }
        }
    }

    fn number(&mut self) -> Result<String, String> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        // A leading zero ends the whole part: "01" is 0 and a stray 1, which the caller refuses.
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(String::from_utf8_lossy(self.bytes.get(start..self.at).unwrap_or_default()).into_owned())
    }

    fn digits(&mut self) -> Result<(), String> {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return Err(self.expected("a digit"));
        }
        self.at += count;
        Ok(())
    }

    /// A string; stands on its opening quote.
    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let plain = self.rest();
            let length = plain.iter().position(|&byte| matches!(byte, b'"' | b'\\' | ..0x20)).unwrap_or(plain.len());
            push_repaired(&mut out, plain.get(..length).unwrap_or_default());
            self.at += length;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                Some(_) => return Err(self.trouble("control character in a string")),
                None => return Err(self.trouble("string without an end")),
            }
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Result<char, String> {
        let byte = self.peek();
        self.at += 1;
        Ok(match byte {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.hex4()?;
                let behind = self.at;
                let second = match (first, self.rest()) {
                    (0xd800..0xdc00, [b'\\', b'u', ..]) => {
                        self.at += 2;
                        self.hex4()?
                    }
                    _ => 0,
                };
                if (0xdc00..0xe000).contains(&second) {
                    char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
                } else {
                    self.at = behind;
                    char::from_u32(first)
                }
                .unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => {
                self.at -= 1;
                return Err(self.trouble("unknown escape in a string"));
            }
        })
    }

    fn hex4(&mut self) -> Result<u32, String> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return Err(self.expected("a hex digit")) };
            value = value << 4 | digit;
            self.at += 1;
        }
        Ok(value)
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn expected(&self, what: &str) -> String {
        match self.peek() {
            Some(byte) => self.trouble(&format!("expected {what}, got {}", shown(byte))),
            None => self.trouble(&format!("expected {what}, got the end")),
        }
    }

    fn trouble(&self, what: &str) -> String {
        format!("byte {}: {what}", self.at)
    }
}

/// Appends `bytes`, every byte that is not UTF-8 as U+FFFD (one for each byte, as Go does).
fn push_repaired(out: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
}

/// A byte as an error shows it.
fn shown(byte: u8) -> String {
    if byte.is_ascii_graphic() { format!("'{}'", char::from(byte)) } else { format!("byte 0x{byte:02x}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Json, String> {
        document(bytes, 128)
    }

    fn text(value: &str) -> Json {
        Json::String(value.to_owned())
    }

    #[test]
    fn documents() {
        assert_eq!(read(b" null\r\n\t"), Ok(Json::Null));
        assert_eq!(read(b"[]"), Ok(Json::Array(Vec::new())));
        assert_eq!(read(b"{ }"), Ok(Json::Object(Vec::new())));
        assert_eq!(
            read(br#"{"a":[1,{"b":true},[]],"a":-0.5e+10 , "c" : "x"}"#),
            Ok(Json::Object(vec![
                (
                    "a".to_owned(),
                    Json::Array(vec![
                        Json::Number("1".to_owned()),
                        Json::Object(vec![("b".to_owned(), Json::Bool(true))]),
                        Json::Array(Vec::new()),
                    ])
                ),
                ("a".to_owned(), Json::Number("-0.5e+10".to_owned())),
                ("c".to_owned(), text("x")),
            ]))
        );
        assert_eq!(read(b"1e400"), Ok(Json::Number("1e400".to_owned())));
    }

    #[test]
    fn strings_are_repaired_as_go_repairs_them() {
        for (bytes, value) in [
            (&b"\"\\u0041\\n\\/\\\"\""[..], "A\n/\""),
            (b"\"\\ud83d\\ude00\"", "\u{1f600}"),
            (b"\"\\ud83d\"", "\u{fffd}"),
            (b"\"\\ude00x\"", "\u{fffd}x"),
            (b"\"\\ud83d\\u0041\"", "\u{fffd}A"),
            (b"\"\\ud83d\\ud83d\\ude00\"", "\u{fffd}\u{1f600}"),
            (b"\"\xff\xfe\"", "\u{fffd}\u{fffd}"),
            (b"\"\xe2\x82\"", "\u{fffd}\u{fffd}"),
            (b"\"\xed\xa0\x80\"", "\u{fffd}\u{fffd}\u{fffd}"),
            (b"\"\\u0000\x7f\"", "\0\x7f"),
        ] {
            assert_eq!(read(bytes), Ok(text(value)), "{bytes:?}");
        }
    }

    #[test]
    fn errors_name_the_byte() {
        for (bytes, error) in [
            (&b""[..], "byte 0: expected a value, got the end"),
            (b"\xef\xbb\xbf{}", "byte 0: expected a value, got byte 0xef"),
            (b"{}}", "byte 2: unexpected '}' behind the document"),
            (b"{}garbage", "byte 2: unexpected 'g' behind the document"),
            (b"[1,]", "byte 3: expected a value, got ']'"),
            (b"{\"a\" 1}", "byte 5: expected ':', got '1'"),
            (b"{\"a\":1,}", "byte 7: expected a name in quotes, got '}'"),
            (b"{a:1}", "byte 1: expected a name in quotes, got 'a'"),
            (b"[1 2]", "byte 3: expected ',' or ']', got '2'"),
            (b"[01]", "byte 2: expected ',' or ']', got '1'"),
            (b"-", "byte 1: expected a digit, got the end"),
            (b"1.e5", "byte 2: expected a digit, got 'e'"),
            (b"\"a\nb\"", "byte 2: control character in a string"),
            (b"\"ab", "byte 3: string without an end"),
            (b"\"\\x\"", "byte 2: unknown escape in a string"),
            (b"\"\\u00g0\"", "byte 5: expected a hex digit, got 'g'"),
            (b"nul", "byte 0: expected a value, got 'n'"),
            (b"\"\\", "byte 2: unknown escape in a string"),
            (b"{\"a\":[{", "byte 7: expected a name in quotes, got the end"),
        ] {
            assert_eq!(read(bytes), Err(error.to_owned()), "{bytes:?}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| [b"[".repeat(depth), b"]".repeat(depth)].concat();
        assert!(document(&nested(10_000), usize::MAX).is_ok());
        assert_eq!(read(&nested(10_001)), Err("byte 10000: nested deeper than 10000".to_owned()));
        assert!(document(&nested(200_000), usize::MAX).is_err());
        assert!(document(&b"{\"a\":".repeat(200_000), usize::MAX).is_err());
    }

    #[test]
    fn what_lies_too_deep_is_read_and_left_out() {
        let shallow = |text: &str| document(text.as_bytes(), 2);
        assert_eq!(shallow(r#"[[[1,{"a":[]}],2],3]"#), shallow("[[[],2],3]"));
        assert_eq!(shallow(r#"{"a":{"b":{"c":[{}]},"d":2}}"#), shallow(r#"{"a":{"b":{},"d":2}}"#));
        assert_eq!(shallow("[[[1,]]]"), Err("byte 5: expected a value, got ']'".to_owned()));
        assert_ne!(shallow("[[1]]"), shallow("[[]]"));
    }

    #[test]
    fn values_are_bounded() {
        let many = [b"[".to_vec(), b"0,".repeat(MOST_VALUES), b"0]".to_vec()].concat();
        assert!(read(&many).is_err_and(|error| error.ends_with("more than 1000000 values")));
    }
}
