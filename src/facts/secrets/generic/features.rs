//! What there is to say of an assignment that may give away a credential: of its name, its operator, its marks, and
//! above all of its value. Each is a feature that the model weighs; none decides alone.

use super::assignment::Assignment;
use super::operator::{Operator, Quote};
use super::other;
use super::shape::{Naming, Shape, is_uuid, letter};
use super::vocabulary::{List, Said};

macro_rules! features {
    ($($name:ident)*) => {
        /// A feature of an assignment.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Feature { $(#[doc(hidden)] $name),* }

        impl Feature {
            /// All of them, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

features! {
    // What the name speaks of.
    NamePassword NameSecret NameToken NameKey NameAuth NameUrl
    NameLastWord NameLong NameCapitals NameCamel NameOneWord NameOfTests NameWithBlank NameDotted
    // How the value is given, and marked.
    ByAssign ByColon ByArrow ByCompare ByComma ByCall ByElement ByMember ByBlank ByOtherwise ByUrl
    Single Double Back Bare BareSpaced BareTight NamedInQuotes Scheme
    // The line.
    CommentLine ShowLine AssertLine Indented AloneOnLine BeforeComma BeforeSemicolon BeforeParen BeforeOperator BeforeWords
    PromptLine LongLine LocalHost ExampleHost
    // Length; for names of passwords and of the others apart.
    HumanLength3 HumanLength5 HumanLength7 HumanLength11 HumanLength15 HumanLength23 HumanLength31 HumanLength47 HumanLengthMore
    MachineLength7 MachineLength11 MachineLength15 MachineLength23 MachineLength31 MachineLength47 MachineLength100 MachineLengthMore
    // Bits of chance.
    HumanBits8 HumanBits14 HumanBits20 HumanBits28 HumanBits40 HumanBits60 HumanBits100 HumanBitsMore
    MachineBits8 MachineBits14 MachineBits20 MachineBits28 MachineBits40 MachineBits60 MachineBits100 MachineBitsMore
    // Bits a letter.
    HumanMean2 HumanMean3 HumanMean35 HumanMean4 HumanMean5 HumanMeanMore HumanNoLetters
    MachineMean2 MachineMean3 MachineMean35 MachineMean4 MachineMean5 MachineMeanMore MachineNoLetters
    // What it is made of.
    OnlyDigits OnlyLower OnlyUpper OnlyLetters LettersDigits Marks Blanks NotAscii AllClasses FewDistinct Repeats Sequence
    ManyTurns WordThenDigits WordDigitsMark OneDigit HardMark
    // Shapes of other things.
    Uuid HexOfHash HexOther Base64Padded Version DateLike CamelName SnakeName KebabName DottedName CapitalName PathLike TemplateMarks
    Sentence EndsLikeSentence TitleWord MimeLike HostLike EmailLike
    // Words in it.
    SaysExample SaysExampleMixed SaysCredential SaysCredentialMixed SaysPlain SaysPlainMixed SaysName IsName
    // Several at once.
    BareName BareWord BareDotted QuotedWord QuotedMixed CompareWord CallWord BareMixed ColonBareMixed ChanceLetters ChanceMixed WordMixed
}

#[allow(clippy::enum_glob_use, reason = "the name of a feature says enough")]
use Feature::*;

/// Those of the line: each alone, and those of which there is one at most.
pub(super) const OF_LINES: &[&[Feature]] = &[
    &[CommentLine],
    &[PromptLine],
    &[Indented],
    &[ShowLine],
    &[AssertLine],
    &[LongLine],
    &[LocalHost],
    &[ExampleHost],
    &[AloneOnLine, BeforeComma, BeforeSemicolon, BeforeParen, BeforeOperator, BeforeWords],
];

/// Words of names by what they speak of; the first that fits.
const KINDS: &[(&str, Feature)] = &[
    ("pass", NamePassword),
    ("pwd", NamePassword),
    ("pw", NamePassword),
    ("secret", NameSecret),
    ("token", NameToken),
    ("cred", NameSecret),
    ("key", NameKey),
    ("auth", NameAuth),
];

/// The features of one assignment.
#[derive(Clone, Debug, Default)]
pub(super) struct Features(Vec<Feature>);

impl Features {
    pub(super) fn of(bytes: &[u8], found: &Assignment) -> Self {
        Self::with_line(bytes, found, true)
    }

    /// Those that do not depend on the line around it.
    pub(super) fn of_its_own(bytes: &[u8], found: &Assignment) -> Self {
        Self::with_line(bytes, found, false)
    }

    fn with_line(bytes: &[u8], found: &Assignment, line: bool) -> Self {
        let mut features = Self(Vec::with_capacity(40));
        let name = &bytes[found.name.clone()];
        let value = &bytes[found.value.clone()];
        let human = features.name(name, found.operator);
        features.operator(found);
        if line {
            features.line(bytes, found);
        }
        let shape = Shape::of(value);
        features.length(human, value.len());
        features.chance(human, value, &shape);
        features.classes(value, &shape);
        features.shapes(value, &shape);
        features.words(name, value, &shape);
        features.together(found, &shape);
        features
    }

    pub(super) fn all(&self) -> &[Feature] {
        &self.0
    }

    fn add(&mut self, feature: Feature) {
        self.0.push(feature);
    }

    fn add_if(&mut self, holds: bool, feature: Feature) {
        if holds {
            self.0.push(feature);
        }
    }

    /// Tells whether people choose what has this name, as they do passwords.
    fn name(&mut self, name: &[u8], operator: Operator) -> bool {
        if operator == Operator::Url {
            self.add(NameUrl);
            return true;
        }
        let lower = name.to_ascii_lowercase();
        // What stands last says what it is.
        let kind =
            KINDS.iter().filter_map(|(word, kind)| Some((rfind(&lower, word)?, *kind))).max_by_key(|(at, _)| *at);
        let kind = kind.map_or(NameAuth, |(_, kind)| kind);
        self.add(kind);
        let tail = lower.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let tail = &lower[lower.len() - tail..];
        let whole: &[&[u8]] = &[
            b"password",
            b"passwd",
            b"pwd",
            b"pass",
            b"secret",
            b"token",
            b"key",
            b"passphrase",
            b"auth",
            b"credential",
            b"credentials",
        ];
        self.add_if(whole.iter().any(|word| tail.ends_with(word)), NameLastWord);
        self.add_if(name.len() > 30, NameLong);
        self.add_if(!name.iter().any(u8::is_ascii_lowercase), NameCapitals);
        self.add_if(
            name.windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()),
            NameCamel,
        );
        self.add_if(whole.contains(&&lower[..]), NameOneWord);
        self.add_if(Said::by(&lower).tells(List::OfTests), NameOfTests);
        self.add_if(name.contains(&b' '), NameWithBlank);
        self.add_if(name.contains(&b'.'), NameDotted);
        matches!(kind, NamePassword | NameSecret)
    }

    fn operator(&mut self, found: &Assignment) {
        self.add(match found.operator {
            Operator::Assign => ByAssign,
            Operator::Colon => ByColon,
            Operator::Arrow => ByArrow,
            Operator::Compare => ByCompare,
            Operator::Comma => ByComma,
            Operator::Call => ByCall,
            Operator::Element => ByElement,
            Operator::Member => ByMember,
            Operator::Blank => ByBlank,
            Operator::Otherwise => ByOtherwise,
            Operator::Url => ByUrl,
        });
        self.add(match found.quote {
            Quote::Single => Single,
            Quote::Double => Double,
            Quote::Back => Back,
            Quote::None => Bare,
        });
        if found.quote == Quote::None && found.operator == Operator::Assign {
            self.add(if found.spaced { BareSpaced } else { BareTight });
        }
        self.add_if(found.named_in_quotes, NamedInQuotes);
        self.add_if(found.scheme, Scheme);
    }

    fn line(&mut self, bytes: &[u8], found: &Assignment) {
        let before = &bytes[found.line.start..found.name.start.max(found.line.start)];
        let bare = before.trim_ascii_start();
        // The preprocessor's lines begin as comments do elsewhere.
        let defines = bare.strip_prefix(b"#").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"define"));
        self.add_if(
            !defines
                && [&b"#"[..], b"//", b"*", b"/*", b"--", b";", b"<!--", b"%", b"\"\"\"", b"dnl", b"REM"]
                    .iter()
                    .any(|mark| bare.starts_with(mark)),
            CommentLine,
        );
        self.add_if(bare.starts_with(b"$ ") || bare.starts_with(b">>> ") || bare.starts_with(b"> "), PromptLine);
        self.add_if(before.len() > bare.len() + 1, Indented);
        let said = Said::by(before);
        self.add_if(said.tells(List::Show), ShowLine);
        self.add_if(said.tells(List::Assertion), AssertLine);
        self.add_if(found.line.len() > 400, LongLine);
        let closed = found.value.end + usize::from(found.quote != Quote::None);
        let behind = bytes.get(closed..found.line.end.max(closed).min(bytes.len())).unwrap_or_default();
        let rest = behind.trim_ascii_start();
        match rest.first() {
            None => self.add(AloneOnLine),
            Some(b',') => self.add(BeforeComma),
            Some(b';') => self.add(BeforeSemicolon),
            Some(b')' | b']' | b'}') => self.add(BeforeParen),
            Some(b'+' | b'.' | b'%' | b'|' | b'?' | b'&' | b'[') => self.add(BeforeOperator),
            Some(byte) if byte.is_ascii_alphabetic() && behind.len() > rest.len() => self.add(BeforeWords),
            Some(_) => {}
        }
        if found.operator == Operator::Url {
            let host = &bytes[(found.value.end + 1).min(found.line.end)..found.line.end.min(found.value.end + 40)];
            let host = host.to_ascii_lowercase();
            let begins = |words: &[&str]| words.iter().any(|word| host.starts_with(word.as_bytes()));
            self.add_if(begins(&["localhost", "127.", "[::1]", "0.0.0.0"]), LocalHost);
            let end = host.iter().position(|byte| b"/:?\"' ".contains(byte)).unwrap_or(host.len());
            let host = &host[..end];
            let named = ["example", "host", "server", "domain", "your", "test", "foo", "proxy", ".invalid"]
                .iter()
                .any(|word| rfind(host, word).is_some());
            self.add_if((named && !begins(&["localhost"])) || !host.contains(&b'.'), ExampleHost);
        }
    }

    fn length(&mut self, human: bool, length: usize) {
        self.add(match (human, length) {
            (true, ..=3) => HumanLength3,
            (true, ..=5) => HumanLength5,
            (true, ..=7) => HumanLength7,
            (true, ..=11) => HumanLength11,
            (true, ..=15) => HumanLength15,
            (true, ..=23) => HumanLength23,
            (true, ..=31) => HumanLength31,
            (true, ..=47) => HumanLength47,
            (true, _) => HumanLengthMore,
            (false, ..=7) => MachineLength7,
            (false, ..=11) => MachineLength11,
            (false, ..=15) => MachineLength15,
            (false, ..=23) => MachineLength23,
            (false, ..=31) => MachineLength31,
            (false, ..=47) => MachineLength47,
            (false, ..=100) => MachineLength100,
            (false, _) => MachineLengthMore,
        });
    }

    fn chance(&mut self, human: bool, value: &[u8], shape: &Shape) {
        let bits = shape.bits;
        let steps = [
            (8.0, HumanBits8, MachineBits8),
            (14.0, HumanBits14, MachineBits14),
            (20.0, HumanBits20, MachineBits20),
            (28.0, HumanBits28, MachineBits28),
            (40.0, HumanBits40, MachineBits40),
            (60.0, HumanBits60, MachineBits60),
            (100.0, HumanBits100, MachineBits100),
            (f32::MAX, HumanBitsMore, MachineBitsMore),
        ];
        let step = steps
            .iter()
            .find(|(most, ..)| bits <= *most)
            .map_or((HumanBitsMore, MachineBitsMore), |step| (step.1, step.2));
        self.add(if human { step.0 } else { step.1 });
        let mean = shape.surprise.mean();
        let steps = [
            (2.4, HumanMean2, MachineMean2),
            (3.0, HumanMean3, MachineMean3),
            (3.5, HumanMean35, MachineMean35),
            (4.2, HumanMean4, MachineMean4),
            (5.2, HumanMean5, MachineMean5),
            (f32::MAX, HumanMeanMore, MachineMeanMore),
        ];
        let step = steps
            .iter()
            .find(|(most, ..)| mean <= *most)
            .map_or((HumanMeanMore, MachineMeanMore), |step| (step.1, step.2));
        let step = if shape.surprise.letters == 0 { (HumanNoLetters, MachineNoLetters) } else { step };
        self.add(if human { step.0 } else { step.1 });
        self.add_if(shape.turns * 3 > value.len() && value.len() >= 8, ManyTurns);
    }

    fn classes(&mut self, value: &[u8], shape: &Shape) {
        let Shape { lower, upper, digits, marks, blanks, .. } = *shape;
        let (letters, other) = (lower + upper, marks + blanks);
        self.add_if(digits == value.len(), OnlyDigits);
        self.add_if(lower == value.len(), OnlyLower);
        self.add_if(upper == value.len(), OnlyUpper);
        self.add_if(lower > 0 && upper > 0 && letters == value.len(), OnlyLetters);
        self.add_if(letters > 0 && digits > 0 && other == 0, LettersDigits);
        self.add_if(marks > 0, Marks);
        self.add_if(blanks > 0, Blanks);
        self.add_if(value.iter().any(|byte| !byte.is_ascii()), NotAscii);
        self.add_if(lower > 0 && upper > 0 && digits > 0, AllClasses);
        self.add_if(shape.distinct * 3 < value.len().min(24), FewDistinct);
        self.add_if(shape.repeated, Repeats);
        self.add_if(shape.in_sequence, Sequence);
        self.add_if(digits == 1, OneDigit);
        self.add_if(value.iter().any(|byte| b"!@#$%^&*?~".contains(byte)), HardMark);
        let head = value.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let rest = &value[head..];
        let number = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let end = &rest[number..];
        self.add_if(head >= 3 && number > 0 && end.is_empty(), WordThenDigits);
        let marked = rest.iter().all(|byte| byte.is_ascii_digit() || b"!@#$%^&*?~_-.+".contains(byte))
            && rest.iter().any(|byte| !byte.is_ascii_digit());
        self.add_if(head >= 3 && rest.len() > 1 && marked, WordDigitsMark);
    }

    fn shapes(&mut self, value: &[u8], shape: &Shape) {
        let hex = value.iter().all(u8::is_ascii_hexdigit) && shape.digits > 0;
        let hash = matches!(value.len(), 32 | 40 | 56 | 64 | 96 | 128);
        self.add_if(is_uuid(value), Uuid);
        self.add_if(hex && hash, HexOfHash);
        self.add_if(hex && !hash && value.len() >= 12, HexOther);
        self.add_if(value.ends_with(b"=") && value.len() >= 16, Base64Padded);
        let only = |set: &[u8]| value.iter().all(|byte| set.contains(byte) || byte.is_ascii_digit());
        self.add_if(shape.digits > 0 && only(b".v") && value.contains(&b'.'), Version);
        self.add_if(shape.digits >= 6 && shape.marks > 0 && only(b"-/:. TZ+"), DateLike);
        self.add_if(shape.is(Naming::Camel), CamelName);
        self.add_if(shape.is(Naming::Snake), SnakeName);
        self.add_if(shape.is(Naming::Kebab), KebabName);
        self.add_if(shape.is(Naming::Dotted), DottedName);
        self.add_if(shape.is(Naming::Capitals), CapitalName);
        let slashes = value.iter().filter(|&&byte| byte == b'/' || byte == b'\\').count();
        self.add_if(
            slashes > 1 && shape.surprise.mean() < 4.0 || value.starts_with(b"/") || value.starts_with(b"./"),
            PathLike,
        );
        let has = |piece: &str| rfind(value, piece).is_some();
        self.add_if(
            value.iter().any(|byte| b"<>{}".contains(byte))
                || ["$(", "${", "%s", "%d", "...", "***", "%("].iter().any(|mark| has(mark)),
            TemplateMarks,
        );
        self.add_if(shape.blanks >= 2, Sentence);
        self.add_if(shape.blanks >= 1 && value.last().is_some_and(|byte| b".:!?,".contains(byte)), EndsLikeSentence);
        self.add_if(shape.upper == 1 && shape.lower + 1 == value.len() && value[0].is_ascii_uppercase(), TitleWord);
        self.add_if(slashes == 1 && shape.digits == 0 && shape.surprise.mean() < 4.0, MimeLike);
        let tail = value.iter().rposition(|&byte| byte == b'.').map_or(&[][..], |at| &value[at + 1..]);
        self.add_if(
            (2..=4).contains(&tail.len()) && tail.iter().all(u8::is_ascii_lowercase) && shape.blanks == 0,
            HostLike,
        );
        self.add_if(value.contains(&b'@') && (2..=4).contains(&tail.len()), EmailLike);
    }

    fn words(&mut self, name: &[u8], value: &[u8], shape: &Shape) {
        let pair = std::str::from_utf8(value).ok().and_then(other::pair);
        let lower = pair.as_deref().unwrap_or(value).to_ascii_lowercase();
        // Also as people write them who have to have a digit: p@ssw0rd.
        let plain: Vec<u8> = lower.iter().map(|byte| letter(*byte)).collect();
        let said = if plain == lower { Said::by(&lower) } else { Said::by(&lower).and(Said::by(&plain)) };
        // In long random text such words are chance.
        let mixed = shape.digits > 0 || value.iter().any(|byte| b"!@#$%^&*".contains(byte));
        let chance = value.len() > 24 && shape.surprise.mean() > 4.5;
        if !chance {
            self.add_if(said.tells(List::Example), if mixed { SaysExampleMixed } else { SaysExample });
            self.add_if(said.tells(List::Credential), if mixed { SaysCredentialMixed } else { SaysCredential });
            self.add_if(said.tells(List::Plain), if mixed { SaysPlainMixed } else { SaysPlain });
        }
        let fold = |bytes: &[u8]| -> Vec<u8> {
            bytes.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect()
        };
        let (name, value) = (fold(name), fold(value));
        self.add_if(
            value.len() >= 3
                && name != value
                && (name.ends_with(&value) || value.ends_with(&name) || value.starts_with(&name)),
            SaysName,
        );
        self.add_if(name == value, IsName);
    }

    fn together(&mut self, found: &Assignment, shape: &Shape) {
        let bare = found.quote == Quote::None
            && !matches!(found.operator, Operator::Url | Operator::Element | Operator::Member);
        let words = shape.naming.is_some() || shape.lower + shape.upper == shape.length;
        let mixed = shape.digits > 0 && shape.lower + shape.upper > 0;
        self.add_if(bare && shape.naming.is_some(), BareName);
        self.add_if(bare && words && shape.surprise.mean() < 4.6, BareWord);
        self.add_if(bare && shape.is(Naming::Dotted), BareDotted);
        self.add_if(!bare && words && shape.surprise.mean() < 4.6, QuotedWord);
        self.add_if(!bare && mixed, QuotedMixed);
        self.add_if(found.operator == Operator::Compare && words, CompareWord);
        self.add_if(found.operator == Operator::Call && words, CallWord);
        self.add_if(bare && mixed, BareMixed);
        let chance = shape.surprise.letters >= 5 && shape.surprise.mean() > 5.0;
        self.add_if(chance && shape.lower + shape.upper == shape.length, ChanceLetters);
        self.add_if(chance && mixed, ChanceMixed);
        self.add_if(mixed && shape.surprise.letters >= 4 && shape.surprise.mean() < 4.2, WordMixed);
        self.add_if(bare && mixed && found.operator == Operator::Colon, ColonBareMixed);
    }
}

/// Where `word` stands last in `text`; both are short.
fn rfind(text: &[u8], word: &str) -> Option<usize> {
    let word = word.as_bytes();
    let last = text.len().checked_sub(word.len())?;
    (0..=last).rev().find(|&at| text[at] == word[0] && text[at..].starts_with(word))
}
