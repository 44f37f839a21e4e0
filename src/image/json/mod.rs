//! JSON as Go's encoding/json reads it, because that is what runtimes read images with: duplicate keys are kept, keys
//! match without regard to case, broken text is repaired. Parses and looks up ([`Field`]); knows no document's schema.

mod field;
mod parse;
mod texts;

pub use field::{Field, Notes};
pub use texts::{Text, Way};

/// A JSON value as written: duplicate keys stay, in order; numbers stay text (`1e400` is a number).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// A string, escapes resolved; bytes that are not UTF-8 and lone surrogates are U+FFFD, one each.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object: names and values in document order.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads one document. An array or object inside `depth` others (and never more than 512) is read and kept empty;
    /// nesting beyond 10,000 is an error, as in Go. A document has at most 1,000,000 values. Errors name the byte offset: `byte 12: expected ':', got '}'`. Data behind the document is an error,
    /// so is a byte order mark.
    pub fn parse(bytes: &[u8], depth: usize) -> Result<Self, String> {
        parse::document(bytes, depth)
    }

    /// What it is, with its article: `an object`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// The values that Go would put into a struct field `name` (ASCII), in document order: key and value of every key
    /// that is `name` or folds to it. Nothing when this is not an object.
    pub fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a Json)> + 'a {
        let members: &[(String, Json)] = match self {
            Self::Object(members) => members,
            _ => &[],
        };
        members.iter().filter(move |(key, _)| folds_to(key, name)).map(|(key, value)| (key.as_str(), value))
    }
}

/// Whether Go takes `key` for the ASCII field name `name` (`strings.EqualFold`: simple folding, under which `ſ` is an
/// `s` and the Kelvin sign a `k`).
fn folds_to(key: &str, name: &str) -> bool {
    fn fold(c: char) -> char {
        match c {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            _ => c.to_ascii_lowercase(),
        }
    }
    key == name || key.chars().map(fold).eq(name.chars().map(fold))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_fold_as_go_folds_them() {
        for (key, name, same) in [
            ("Shell", "Shell", true),
            ("shell", "Shell", true),
            ("\u{17f}hell", "Shell", true),
            ("HEALTHCHEC\u{212a}", "Healthcheck", true),
            ("created_By", "created_by", true),
            ("createdby", "created_by", false),
            ("Env ", "Env", false),
            ("\u{fb06}", "st", false), // a ligature folds fully, not simply
        ] {
            assert_eq!(folds_to(key, name), same, "{key}");
        }
    }

    #[test]
    fn all_spellings_of_a_field_come_in_order() {
        let json = Json::parse(br#"{"user":"a","User":"b","x":1,"USER":null}"#, 8).unwrap();
        let found: Vec<_> = json.fields("User").map(|(key, _)| key).collect();
        assert_eq!(found, ["user", "User", "USER"]);
        assert_eq!(Json::Null.fields("User").count(), 0);
    }
}
