//! apt.conf(5): blocks, lists and comments, read into full names and values. What other files say is not known here.

use std::collections::BTreeMap;

/// Blocks within blocks that are followed; what lies deeper is passed over.
const DEEPEST: usize = 16;

/// What the file sets, by names in lower case such as `apt::get::allowunauthenticated`: the line, from 1, and the value. Of
/// several values the last one holds, and `#clear` takes back what stands before it. Items of lists are left out.
pub(super) fn settings(text: &str) -> BTreeMap<String, (u32, String)> {
    let mut found: BTreeMap<String, (u32, String)> = BTreeMap::new();
    let mut above: Vec<String> = Vec::new();
    let mut too_deep = 0usize;
    let mut words: Vec<Word> = Vec::new();
    for token in Tokens::of(text) {
        match token {
            Token::Word(word) => words.push(word),
            Token::Open if above.len() >= DEEPEST => {
                too_deep += 1;
                words.clear();
            }
            Token::Open => {
                above.push(words.first().map_or_else(String::new, |word| word.text.to_ascii_lowercase()));
                words.clear();
            }
            Token::Close if too_deep > 0 => too_deep -= 1,
            Token::Close => {
                above.pop();
                words.clear();
            }
            Token::End => {
                let statement = std::mem::take(&mut words);
                let [first, rest @ ..] = &statement[..] else { continue };
                let name = |word: &Word| full_name(&above, &word.text);
                match (&*first.text.to_ascii_lowercase(), rest) {
                    _ if too_deep > 0 => {}
                    ("#include", _) => {} // a file that is looked for by its own name, or not at all
                    ("#clear", names) => {
                        for cleared in names.iter().map(name) {
                            let below = format!("{cleared}::");
                            found.retain(|known, _| *known != cleared && !known.starts_with(&below));
                        }
                    }
                    (_, [value, ..]) if !first.quoted => {
                        found.insert(name(first), (first.line, value.text.clone()));
                    }
                    _ => {}
                }
            }
        }
    }
    found
}

fn full_name(above: &[String], name: &str) -> String {
    let parts = above.iter().map(String::as_str).chain([name]);
    let parts = parts.flat_map(|part| part.split("::")).filter(|part| !part.is_empty());
    parts.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("::")
}

/// A word and where it begins.
#[derive(Debug)]
struct Word {
    text: String,
    quoted: bool,
    line: u32,
}

#[derive(Debug)]
enum Token {
    Word(Word),
    Open,
    Close,
    End,
}

/// Reads the tokens of a file, comments (`//`, `#`, `/* */`) left out.
struct Tokens<'a> {
    rest: &'a str,
    line: u32,
}

impl<'a> Tokens<'a> {
    fn of(text: &'a str) -> Self {
        Self { rest: text, line: 1 }
    }

    fn skip(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        let lines = memchr::memchr_iter(b'\n', taken.as_bytes()).count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.rest = rest;
        taken
    }

    /// The length of the blanks or the comment that begins here.
    fn passed_over(&self) -> Option<usize> {
        let rest = self.rest;
        let to_end_of_line = || rest.find('\n').unwrap_or(rest.len());
        let directive = ["#clear", "#include"].iter().any(|word| begins_with(rest, word));
        match rest.as_bytes() {
            [b'/', b'/', ..] => Some(to_end_of_line()),
            [b'/', b'*', ..] => Some(rest.find("*/").map_or(rest.len(), |end| end + 2)),
            [b'#', ..] if !directive => Some(to_end_of_line()),
            [first, ..] if first.is_ascii_whitespace() => Some(1),
            _ => None,
        }
    }
}

fn begins_with(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        while let Some(length) = self.passed_over() {
            self.skip(length);
        }
        let line = self.line;
        let token = match self.rest.as_bytes().first()? {
            b'{' => Token::Open,
            b'}' => Token::Close,
            b';' => Token::End,
            b'"' => {
                self.skip(1);
                // A quote that nobody closes ends with its line.
                let end = self.rest.find(['"', '\n']).unwrap_or(self.rest.len());
                let text = self.skip(end).to_owned();
                if self.rest.starts_with('"') {
                    self.skip(1);
                }
                return Some(Token::Word(Word { text, quoted: true, line }));
            }
            _ => {
                let is_end = |c: char| c.is_whitespace() || matches!(c, '{' | '}' | ';' | '"');
                let plain = self.rest.find(is_end).unwrap_or(self.rest.len());
                let comment = ["//", "/*"].iter().filter_map(|mark| self.rest.find(mark)).filter(|at| *at > 0);
                let end = comment.min().map_or(plain, |comment| comment.min(plain)).max(1);
                let text = self.skip(end).to_owned();
                return Some(Token::Word(Word { text, quoted: false, line }));
            }
        };
        self.skip(1);
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::settings;

    fn read(text: &str) -> Vec<(String, u32, String)> {
        settings(text).into_iter().map(|(name, (line, value))| (name, line, value)).collect()
    }

    fn row(name: &str, line: u32, value: &str) -> (String, u32, String) {
        (name.to_owned(), line, value.to_owned())
    }

    #[test]
    fn flat_and_in_blocks() {
        for text in [
            "APT::Get::AllowUnauthenticated \"true\";",
            "APT::Get { AllowUnauthenticated \"true\"; };",
            "apt{get{allowunauthenticated true;};};",
            "APT { Get::AllowUnauthenticated \"true\" ; }",
            "APT/* why */{ // x }\n# }\nGet {\nAllowUnauthenticated \"true\";};};",
        ] {
            let found = read(text);
            assert_eq!(found.len(), 1, "{text} {found:?}");
            assert_eq!((&*found[0].0, &*found[0].2), ("apt::get::allowunauthenticated", "true"), "{text}");
        }
        assert_eq!(
            read("A {\n  B \"1\";\n  C { D \"2\"; };\n};\nE \"3\";"),
            [row("a::b", 2, "1"), row("a::c::d", 3, "2"), row("e", 5, "3")]
        );
    }

    #[test]
    fn the_last_value_holds() {
        assert_eq!(read("A::B 1;\nA { B 2; };"), [row("a::b", 2, "2")]);
        assert_eq!(read("A::B 1; A::C 2; X 3;\n#clear A;"), [row("x", 1, "3")]);
        assert_eq!(read("A::B 1; A::BC 2;\n#clear A::B;"), [row("a::bc", 1, "2")]);
    }

    #[test]
    fn lists_comments_and_nonsense() {
        assert_eq!(read("DPkg::Pre-Invoke { \"echo {;}\"; \"x\"; };"), []);
        assert_eq!(read("#A 1;\n//A 1;\n/* A 1;\n A 1; */\n  # A 1;"), []);
        assert_eq!(read("#include \"/x\";\nA http://h/;\nB 1;"), [row("a", 2, "http:")]);
        assert_eq!(read("A \"http://h/#x\"; # B 1;"), [row("a", 1, "http://h/#x")]);
        for text in
            ["}", "};};", "{", "{{{{", "\"", "A \"", ";;", "/*", "#clear;", "A", "A {", &"a{".repeat(1000), "é;"]
        {
            assert_eq!(read(text), [], "{text}");
        }
        assert_eq!(read(&format!("{}x 1;{} B 2;", "a{".repeat(40), "}".repeat(40))), [row("b", 1, "2")]);
    }
}
