//! Values that people and programs really use for credentials, made from a seed: the repository holds none. Every class has a
//! name; docs/generic-secrets.md says what it is.

const WORDS: &str = include_str!("words.txt");
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &[u8] = b"0123456789";
const HEX: &[u8] = b"0123456789abcdef";
const MARKS: &[u8] = b"!@#$%^&*-_+=?.";
const BASE62: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Numbers of no meaning, the same for the same seed.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn run(&mut self, from: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(self.pick(from))).collect()
    }

    fn word(&mut self) -> &'static str {
        let words: Vec<&str> = WORDS.split_whitespace().collect();
        self.pick(&words)
    }

    fn title(&mut self) -> String {
        let word = self.word();
        word[..1].to_uppercase() + &word[1..]
    }

    fn number(&mut self) -> String {
        match self.below(5) {
            0 => format!("{}", 1960 + self.below(66)),
            1 => format!("{}", self.below(10)),
            2 => format!("{}", 10 + self.below(90)),
            3 => format!("{}", 100 + self.below(900)),
            _ => "123".to_owned(),
        }
    }

    /// Syllables as programs make them that make passwords to be read aloud.
    fn spoken(&mut self, syllables: usize) -> String {
        (0..syllables).flat_map(|_| [self.pick(b"bcdfghjklmnprstvwz"), self.pick(b"aeiou")]).map(char::from).collect()
    }
}

/// A value of `class`.
pub fn value(class: &str, seed: u64) -> String {
    let mut chance = Chance::new(seed);
    let classes: Vec<&str> = class.split('|').collect();
    let class = chance.pick(&classes);
    let chance = &mut chance;
    match class {
        // What people choose.
        "human" => match chance.below(9) {
            0 => format!("{}{}", chance.word(), chance.number()),
            1 => format!("{}{}", chance.title(), chance.number()),
            2 => format!("{}{}{}", chance.title(), chance.pick(&["!", "@", "#", "_", "$", "."]), chance.number()),
            3 => format!("{}{}{}", chance.title(), chance.number(), chance.pick(&["!", "@", "#", "$", "*", "!!"])),
            4 => {
                chance.title().replace('a', "@").replace('o', "0").replace('e', "3").replace('s', "$")
                    + &chance.number()
            }
            5 => format!("{}{}{}", chance.word(), chance.title(), chance.number()),
            6 => format!("{}-{}-{}", chance.word(), chance.word(), chance.number()),
            7 => format!("{}{}", chance.spoken(3), chance.number()),
            _ => format!("{}{}{}", chance.number(), chance.word(), chance.pick(&["", "!", "#", "1"])),
        },
        // What generators of passwords make, and what is typed at random.
        "strong" => {
            let length = 8 + chance.below(13);
            let mut value = chance.run(BASE62, length);
            for _ in 0..=chance.below(4) {
                let at = 1 + chance.below(value.len() - 1);
                value.insert(at, char::from(chance.pick(MARKS)));
            }
            value
        }
        "typed" => match chance.below(4) {
            0 => {
                let length = 6 + chance.below(7);
                chance.run(LOWER, length)
            }
            1 => {
                let length = 5 + chance.below(4);
                chance.run(LOWER, length)
                    + &{
                        let length = 1 + chance.below(4);
                        chance.run(DIGITS, length)
                    }
            }
            2 => {
                chance.run(UPPER, 1)
                    + &{
                        let length = 5 + chance.below(5);
                        chance.run(LOWER, length)
                    }
                    + &{
                        let length = 1 + chance.below(3);
                        chance.run(DIGITS, length)
                    }
            }
            _ => {
                let length = 8 + chance.below(6);
                chance.run(BASE62, length)
            }
        },
        "digits" => {
            let length = 6 + chance.below(5);
            chance.run(DIGITS, length)
        }
        "hex" => {
            let length = chance.pick(&[16, 20, 24, 32, 32, 32, 40, 40, 48, 64, 64]);
            chance.run(HEX, length)
        }
        "base36" => {
            let length = chance.pick(&[16, 20, 24, 25, 32, 40]);
            chance.run(b"abcdefghijklmnopqrstuvwxyz0123456789", length)
        }
        "base62" => {
            let length = chance.pick(&[16, 18, 20, 22, 24, 27, 30, 32, 36, 40, 43, 48, 50, 64]);
            chance.run(BASE62, length)
        }
        "base64" => {
            let length = chance.pick(&[22, 22, 43, 43, 86, 24, 32, 40, 64]);
            let padding = match length {
                22 | 86 => "==",
                43 => "=",
                _ => "",
            };
            chance.run(BASE64, length) + padding
        }
        "base64url" => {
            let length = chance.pick(&[22, 27, 32, 43, 64]);
            let value = chance.run(BASE62, length - 2);
            let at = 1 + chance.below(value.len() - 2);
            format!("{}-{}_", &value[..at], &value[at..])
        }
        "dotted" => format!("{}.{}.{}", chance.run(BASE62, 24), chance.run(BASE62, 6), chance.run(BASE62, 27)),
        "prefixed" => {
            let prefix = chance.pick(&["key-", "tok_", "s.", "app_", "prod-", "svc_", "live_"]);
            let length = 20 + chance.below(20);
            prefix.to_owned() + &chance.run(BASE62, length)
        }
        "uuid" => {
            let mut part = |length| chance.run(HEX, length);
            format!("{}-{}-4{}-a{}-{}", part(8), part(4), part(3), part(3), part(12))
        }
        "pair" => base64(format!("{}:{}{}", chance.word(), chance.title(), chance.number()).as_bytes()),
        other => panic!("no class {other}"),
    }
}

fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for part in bytes.chunks(3) {
        let word = part.iter().fold(0u32, |word, &byte| word << 8 | u32::from(byte)) << (8 * (3 - part.len()));
        for digit in 0..4 {
            let place = word >> (18 - 6 * digit) & 63;
            out.push(if digit <= part.len() { char::from(BASE64[place as usize]) } else { '=' });
        }
    }
    out
}
