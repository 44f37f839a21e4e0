//! What a rule file says about a type of secret: the `[match.secret]` table, and its token templates compiled.
//! Reads no image. The words are explained in docs/secret-rules.md.

use crate::model::{Confidence, Severity};
use serde::Deserialize;

/// A rule that names a type of secret.
#[derive(Clone, Debug)]
pub struct SecretRule {
    /// The rule's name, and the kind of what it finds.
    pub name: String,
    /// What a hit has unless its structure says otherwise.
    pub severity: Severity,
    /// How sure, when nothing can be checked.
    pub confidence: Confidence,
    /// The format.
    pub spec: SecretSpec,
}

/// The `[match.secret]` table of a rule file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SecretSpec {
    /// Templates, such as `ghp_{base62:36}`.
    pub tokens: Vec<String>,
    /// Instead of `tokens`: a structure that no template can say.
    pub structure: Option<Structure>,
    /// How a token proves itself offline.
    pub check: Check,
    /// Beginnings of tokens that open test systems only.
    pub test: Vec<String>,
    /// Parts of tokens that documents use as examples.
    pub examples: Vec<String>,
    /// What the token may touch on its left.
    pub left: Left,
    /// What stands encoded inside the token.
    pub inside: Option<Inside>,
    /// Words of which one must stand near, without case; a token without a literal stands behind one.
    pub near: Vec<String>,
    /// How near, bytes.
    pub within: Option<usize>,
    /// A second value that makes the find worse when it stands near.
    pub companion: Option<Companion>,
    /// Whether everybody knows it when it stands in a file just as a package ships it. So it is with keys for tests; a token
    /// of a service is a leak whoever ships it.
    pub public_in_packages: bool,
}

/// The second half of a pair.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Companion {
    /// Its class and length, such as `{base64:40}`.
    pub token: String,
    /// How near, bytes.
    pub within: usize,
    /// What it is, for the message.
    pub name: String,
    /// The severity of the pair.
    pub severity: Severity,
}

/// What stands in base64 inside a token.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Inside {
    /// What parts the token into pieces; none: it is one piece.
    pub split: Option<char>,
    /// Which piece, from 0.
    pub part: usize,
    /// How many bytes of the piece stand before the encoded text.
    pub after: usize,
    /// A template that the decoded text begins with.
    pub begins: String,
    /// What the decoded text holds, all of it.
    pub holds: Vec<String>,
    /// A template that makes such a text, for generated values.
    pub sample: String,
    /// Whether a token without it is none; else it is probably fake.
    pub required: bool,
}

/// Structures with a reader of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Structure {
    /// PEM, OpenSSH, PGP and PuTTY private keys.
    PrivateKey,
    /// The private key in the JSON file of a Google Cloud service account.
    ServiceAccount,
    /// A value without a format of its own, given to a name that promises a credential.
    Assignment,
}

/// Offline checks. They grade; none drops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Nothing can be checked.
    #[default]
    None,
    /// The last six characters: CRC-32 in base 62 of what stands between the prefix and them.
    Crc32Base62,
    /// The last eight characters: CRC-32 in hex of everything before them.
    Crc32Hex,
    /// The same with the bytes of the sum in little-endian order, and the `_` before the sum left out.
    Crc32HexLittle,
    /// The last eight characters: CRC-32 in hex of what stands between the prefix and them (without a `_` at the end).
    Crc32HexBody,
    /// GitLab's routable tokens: payload, length and CRC-32 in base 36. Tokens without a dot cannot be checked.
    GitlabRoutable,
    /// The bech32 checksum of age keys.
    Bech32,
    /// The account number inside an AWS key id.
    AwsKeyId,
    /// CRC-16 (XMODEM) inside the base32 of a NATS key.
    Nkey,
    /// No sum: the end that the claims of a JSON Web Token tell.
    Jwt,
}

/// What a token may touch on its left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Left {
    /// Nothing that could belong to it or to a word.
    #[default]
    Word,
    /// Anything.
    Any,
}

/// A set of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class([u64; 4]);

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// These very bytes.
    Literal(Vec<u8>),
    /// So many bytes of a class.
    Run { class: Class, least: usize, most: usize },
}

/// A template, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    /// In order.
    pub(super) pieces: Vec<Piece>,
    /// The piece that the search looks for: the longest literal.
    pub(super) anchor: usize,
    /// The pieces that are the secret itself; the others are its surroundings.
    pub(super) secret: (usize, usize),
    /// Whether no literal is long enough to be searched for; `anchor` says nothing then.
    pub(super) bare: bool,
    /// What may not stand on its left: letters, digits, `_`, and what its first run could hold.
    pub(super) beside: Class,
}

const CLASSES: &[(&str, &str)] = &[
    ("digit", "0-9"),
    ("hex", "0-9a-f"),
    ("HEX", "0-9A-F"),
    ("lower", "a-z"),
    ("upper", "A-Z"),
    ("letter", "A-Za-z"),
    ("base32", "A-Z2-7"),
    ("base36", "0-9a-z"),
    ("BASE36", "0-9A-Z"),
    ("base58", "1-9A-HJ-NP-Za-km-z"),
    ("base62", "0-9A-Za-z"),
    ("base64", "0-9A-Za-z+/"),
    ("base64url", "0-9A-Za-z_-"),
    ("bech32", "qpzry9x8gf2tvdw0s3jn54khce6mua7l"),
    ("BECH32", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
];

impl SecretRule {
    /// Reads the `[match.secret]` table of rule `name`.
    pub fn read(name: &str, severity: Severity, confidence: Confidence, table: &toml::Table) -> Result<Self, String> {
        let spec = table.clone().try_into().map_err(|error| format!("[match.secret]: {}", error.message()))?;
        Ok(Self { name: name.to_owned(), severity, confidence, spec })
    }
}

/// The shortest word of `near` that can stand for a literal, bytes.
pub(super) const WORD: usize = 4;

impl SecretSpec {
    /// Says what is wrong with the format, where serde cannot: neither tokens nor a structure, or both; a template or a
    /// companion that cannot be read.
    pub fn check(&self) -> Result<(), String> {
        self.templates().map(drop)
    }

    /// Its templates, compiled.
    pub(super) fn templates(&self) -> Result<Vec<Template>, String> {
        if self.structure.is_some() != self.tokens.is_empty() {
            return Err("needs tokens, or a structure, not both".to_owned());
        }
        if let Some(companion) = &self.companion {
            let inner = companion.token.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            read_run(inner.ok_or("a companion is one {class:length}")?)?;
        }
        if let Some(inside) = &self.inside {
            for text in [&inside.begins, &inside.sample].into_iter().filter(|text| !text.is_empty()) {
                Template::read_value(text).map_err(|error| format!("inside: {error}"))?;
            }
        }
        let read = if self.near.is_empty() { Template::read } else { Template::read_value };
        let templates: Vec<Template> = self.tokens.iter().map(|token| read(token)).collect::<Result<_, _>>()?;
        if templates.iter().any(|template| template.bare) && self.words().iter().any(|word| word.len() < WORD) {
            return Err(format!("a word of `near` needs {WORD} bytes or more"));
        }
        Ok(templates)
    }

    /// What the search looks for in place of a literal, in any case: each word of `near`, also with `-` for `_`. One that
    /// begins with another would lead to the same values.
    pub(super) fn words(&self) -> Vec<Vec<u8>> {
        let lower: Vec<String> = self.near.iter().map(|word| word.to_ascii_lowercase()).collect();
        let mut words: Vec<Vec<u8>> =
            lower.iter().flat_map(|word| [word.clone(), word.replace('_', "-")]).map(String::into_bytes).collect();
        words.sort_unstable();
        // Sorted, a word stands right behind what it begins with.
        words.dedup_by(|word, shorter| word.starts_with(shorter));
        words
    }
}

impl Check {
    /// Whether a sum that fits proves a token beyond doubt.
    pub(super) fn proves(self) -> bool {
        !matches!(self, Self::None | Self::AwsKeyId | Self::Jwt)
    }
}

impl Class {
    /// Every letter, digit and `_`: what words are made of.
    pub(super) const WORD: Self = Self::ranges("0-9A-Za-z_");

    fn named(name: &str) -> Result<Self, String> {
        if let Some(ranges) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return Ok(Self::ranges(ranges));
        }
        let known = CLASSES.iter().find(|(known, _)| *known == name);
        known.map(|(_, ranges)| Self::ranges(ranges)).ok_or_else(|| format!("unknown class {name}"))
    }

    /// `a-z` is a range, a `-` at either end is itself.
    const fn ranges(text: &str) -> Self {
        let text = text.as_bytes();
        let mut bits = [0u64; 4];
        let mut at = 0;
        while at < text.len() {
            let mut byte = text[at];
            let range = at + 2 < text.len() && text[at + 1] == b'-';
            let end = if range { text[at + 2] } else { byte };
            at += if range { 3 } else { 1 };
            while byte <= end {
                bits[(byte >> 6) as usize] |= 1 << (byte & 63);
                byte += 1;
            }
        }
        Self(bits)
    }

    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    /// How many bytes at the beginning of `bytes` are members, at most `most`.
    pub(super) fn run(&self, bytes: &[u8], most: usize) -> usize {
        let end = bytes.len().min(most);
        bytes[..end].iter().position(|&byte| !self.has(byte)).unwrap_or(end)
    }

    /// The same from the end of `bytes` backwards.
    pub(super) fn run_back(&self, bytes: &[u8], most: usize) -> usize {
        bytes.iter().rev().take(most).take_while(|&&byte| self.has(byte)).count()
    }

    /// The members in order.
    pub(super) fn members(&self) -> Vec<u8> {
        (0..=255).filter(|&byte| self.has(byte)).collect()
    }
}

impl Template {
    /// Reads `text`: literals, `{class:length}`, `{class:least-most}`, and `<`...`>` around the secret.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let template = Self::read_value(text)?;
        if template.bare {
            return Err(format!("template {text}: needs a literal of three bytes or more"));
        }
        Ok(template)
    }

    /// The same without need of a literal. `{"` is itself, so that JSON can be written.
    pub(super) fn read_value(text: &str) -> Result<Self, String> {
        let bad = |what: &str| format!("template {text}: {what}");
        let mut pieces: Vec<Piece> = Vec::new();
        let (mut begin, mut end) = (None, None);
        let mut fresh = true; // the next literal byte opens a new piece
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            match next {
                '{' if !rest.starts_with("{\"") => {
                    let (inner, tail) = rest[1..].split_once('}').ok_or_else(|| bad("{ without }"))?;
                    pieces.push(read_run(inner).map_err(|error| bad(&error))?);
                    fresh = true;
                    rest = tail;
                    continue;
                }
                '<' if begin.is_none() => (begin, fresh) = (Some(pieces.len()), true),
                '>' if begin.is_some() && end.is_none() => (end, fresh) = (Some(pieces.len()), true),
                '!'..='~' | ' ' => match pieces.last_mut() {
                    Some(Piece::Literal(literal)) if !fresh => literal.push(next as u8),
                    _ => {
                        pieces.push(Piece::Literal(vec![next as u8]));
                        fresh = false;
                    }
                },
                _ => return Err(bad("only printable ASCII can be a literal")),
            }
            rest = &rest[next.len_utf8()..];
        }
        let anchor = pieces
            .iter()
            .enumerate()
            .filter(|(_, piece)| matches!(piece, Piece::Literal(_)))
            .map(|(at, piece)| (piece.most(), std::cmp::Reverse(at)))
            .max()
            .filter(|(length, _)| *length >= 3)
            .map(|(_, at)| at.0);
        let (bare, anchor) = (anchor.is_none(), anchor.unwrap_or(0));
        let secret = (begin.unwrap_or(0), end.unwrap_or(pieces.len()));
        if secret.0 >= secret.1 || pieces.len() > 32 {
            return Err(bad("the secret is empty, or there are more than 32 pieces"));
        }
        for side in [&pieces[..anchor], &pieces[anchor + usize::from(!bare)..]] {
            let open = side.iter().filter(|piece| piece.most() > piece.least()).count();
            let unsure = side.windows(2).filter(|pair| unsure(&pair[0], &pair[1])).count();
            if open > 4 || unsure > 1 {
                return Err(bad("too many runs of open length that cannot be told from what stands beside them"));
            }
            if side.iter().map(Piece::most).sum::<usize>() > super::REACH {
                return Err(bad("longer than the engine looks"));
            }
        }
        let first = pieces.iter().find_map(|piece| match piece {
            Piece::Run { class, .. } => Some(class.0),
            Piece::Literal(_) => None,
        });
        let first = first.unwrap_or_default();
        let beside = Class(std::array::from_fn(|at| Class::WORD.0[at] | first[at]));
        Ok(Self { pieces, anchor, secret, bare, beside })
    }

    /// How many bytes stand before the anchor, when it is always the same number.
    pub(super) fn before(&self) -> Option<usize> {
        let left = &self.pieces[..self.anchor];
        left.iter().map(|piece| (piece.least() == piece.most()).then(|| piece.least())).sum()
    }

    /// How many bytes its literals have.
    pub(super) fn given(&self) -> usize {
        self.pieces.iter().filter(|piece| matches!(piece, Piece::Literal(_))).map(Piece::most).sum()
    }

    /// The literal that the search looks for.
    pub(super) fn anchor(&self) -> &[u8] {
        match &self.pieces[self.anchor] {
            Piece::Literal(literal) => literal,
            Piece::Run { .. } => &[],
        }
    }
}

impl Piece {
    pub(super) fn least(&self) -> usize {
        match self {
            Self::Literal(literal) => literal.len(),
            Self::Run { least, .. } => *least,
        }
    }

    pub(super) fn most(&self) -> usize {
        match self {
            Self::Literal(literal) => literal.len(),
            Self::Run { most, .. } => *most,
        }
    }
}

/// Whether two neighbours leave several ways to share the bytes between them.
fn unsure(left: &Piece, right: &Piece) -> bool {
    match (left, right) {
        (Piece::Literal(_), _) => false,
        (Piece::Run { class, least, most }, Piece::Literal(literal)) => least < most && class.has(literal[0]),
        (Piece::Run { least, most, .. }, Piece::Run { .. }) => least < most,
    }
}

/// Reads `class:length` or `class:least-most`.
pub(super) fn read_run(text: &str) -> Result<Piece, String> {
    let (class, length) = text.rsplit_once(':').ok_or("a run is {class:length}")?;
    let (least, most) = length.split_once('-').unwrap_or((length, length));
    let number = |text: &str| text.parse::<usize>().map_err(|_| format!("{text} is no length"));
    let (least, most) = (number(least)?, number(most)?);
    if least > most || most == 0 {
        return Err(format!("no length fits {length}"));
    }
    Ok(Piece::Run { class: Class::named(class)?, least, most })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_read() {
        let template = Template::read("AccountKey=<{base64:86}==>").expect("template");
        assert_eq!(template.pieces.len(), 3);
        assert_eq!((template.anchor(), template.secret), (&b"AccountKey="[..], (1, 3)));
        let template = Template::read("{base62:14}.atlasv1.{base64url:60-70}").expect("template");
        assert_eq!((template.anchor, template.anchor()), (1, &b".atlasv1."[..]));
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for text in [
            "",
            "ab{hex:3}",
            "{hex:32}",
            "abc{hex}",
            "abc{hex:4-2}",
            "abc{what:3}",
            "abc{hex:3",
            "abc<>",
            "abc{hex:99999}",
        ] {
            assert!(Template::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn classes_hold_what_they_say() {
        let class = Class::ranges("a-c_-");
        assert_eq!(class.members(), b"-_abc");
        assert_eq!(class.run(b"ab-Z", 10), 3);
        assert_eq!(class.run_back(b"Zab", 1), 1);
    }

    #[test]
    fn unknown_words_are_refused() {
        assert!(toml::from_str::<SecretSpec>("token = 1").is_err());
        let spec: SecretSpec = toml::from_str("tokens = ['x']\ncheck = 'crc32-base62'").expect("spec");
        assert_eq!(spec.check, Check::Crc32Base62);
    }
}
