//! Every text of a JSON document, keys among them, with the way to it. Looks nothing up and judges nothing.

use super::Json;

/// A step of the way to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way<'a> {
    /// Into an object.
    Key(&'a str),
    /// Into an array.
    Index(usize),
}

/// A text of a document.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a, 'b> {
    /// The text: a string, or a key.
    pub text: &'a str,
    /// The way to the value, or to the value that the key names.
    pub way: &'b [Way<'a>],
    /// Whether it is the last key of the way.
    pub is_key: bool,
}

/// What is being walked through.
enum Rest<'a> {
    Items(std::iter::Enumerate<std::slice::Iter<'a, Json>>),
    Members(std::slice::Iter<'a, (String, Json)>),
}

impl Json {
    /// Shows every string and every key, in document order; the same key again is shown again.
    pub fn texts<'a>(&'a self, mut show: impl FnMut(Text<'a, '_>)) {
        let mut way: Vec<Way<'a>> = Vec::new();
        let mut open: Vec<Rest<'a>> = Vec::new();
        let mut next = Some(self);
        loop {
            match next.take() {
                Some(Json::String(text)) => show(Text { text, way: &way, is_key: false }),
                Some(Json::Array(items)) => {
                    open.push(Rest::Items(items.iter().enumerate()));
                    way.push(Way::Index(0));
                }
                Some(Json::Object(members)) => {
                    open.push(Rest::Members(members.iter()));
                    way.push(Way::Index(0));
                }
                Some(Json::Null | Json::Bool(_) | Json::Number(_)) | None => {}
            }
            let (Some(rest), Some(last)) = (open.last_mut(), way.last_mut()) else { return };
            next = match rest {
                Rest::Items(items) => items.next().map(|(index, item)| {
                    *last = Way::Index(index);
                    item
                }),
                Rest::Members(members) => members.next().map(|(key, value)| {
                    *last = Way::Key(key);
                    value
                }),
            };
            if next.is_none() {
                open.pop();
                way.pop();
            } else if let Some(Way::Key(key)) = way.last() {
                show(Text { text: key, way: &way, is_key: true });
            }
        }
    }
}

impl Text<'_, '_> {
    /// Whether the way begins with these keys, whatever their case.
    #[must_use]
    pub fn is_in(&self, keys: &[&str]) -> bool {
        let same = |(step, key): (&Way, &&str)| matches!(step, Way::Key(own) if own.eq_ignore_ascii_case(key));
        self.way.len() >= keys.len() && self.way.iter().zip(keys).all(same)
    }

    /// Whether the last step of the way is this key, whatever its case.
    #[must_use]
    pub fn is_field(&self, key: &str) -> bool {
        matches!(self.way.last(), Some(Way::Key(own)) if own.eq_ignore_ascii_case(key))
    }

    /// The way as a JSON pointer (RFC 6901).
    #[must_use]
    pub fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in self.way {
            pointer.push('/');
            match step {
                Way::Index(index) => pointer.push_str(&index.to_string()),
                Way::Key(key) => pointer.push_str(&key.replace('~', "~0").replace('/', "~1")),
            }
        }
        pointer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_and_key_is_shown() {
        let json = Json::parse(br#"{"a":["x",{"b/c":"y"}],"a":"z","n":[1,null,[]],"e":{}}"#, 9).expect("JSON");
        let mut shown = Vec::new();
        json.texts(|text| {
            shown.push(format!("{}{} {}", text.pointer(), if text.is_key { "!" } else { "" }, text.text));
        });
        assert_eq!(shown, ["/a! a", "/a/0 x", "/a/1/b~1c! b/c", "/a/1/b~1c y", "/a! a", "/a z", "/n! n", "/e! e"]);
        json.texts(|text| assert_eq!(text.is_in(&["A"]), text.pointer().starts_with("/a")));
    }
}
