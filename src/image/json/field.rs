//! Typed reading of fields with the semantics that Go's decoder gives to duplicates. A [`Field`] is every value that
//! the document assigns to one place, in order; reading it tells what a Go struct would hold in the end.

use super::Json;
use std::collections::BTreeMap;

/// Oddities that did not stop the reading: at most 100, then a count.
#[derive(Debug, Default)]
pub struct Notes {
    list: Vec<(String, String)>,
    more: usize,
}

impl Notes {
    const MOST: usize = 100;

    /// Writes down `what` about the place `pointer`.
    pub fn add(&mut self, pointer: impl Into<String>, what: impl Into<String>) {
        if self.list.len() < Self::MOST {
            self.list.push((pointer.into(), what.into()));
        } else {
            self.more += 1;
        }
    }

    /// The notes, (JSON pointer, what), in the order of reading.
    #[must_use]
    pub fn into_list(mut self) -> Vec<(String, String)> {
        if self.more > 0 {
            self.list.push((String::new(), format!("{} more oddities", self.more)));
        }
        self.list
    }
}

/// All values that a document assigns to one place, in document order; empty when the place is missing.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    pointer: String,
    values: Vec<&'a Json>,
}

impl<'a> Field<'a> {
    /// The document itself; its pointer is empty.
    #[must_use]
    pub fn root(document: &'a Json) -> Self {
        Self { pointer: String::new(), values: vec![document] }
    }

    /// The JSON pointer (RFC 6901) of the place, in the schema's spelling.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Whether anything but `null` is assigned.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.values.iter().any(|value| **value != Json::Null)
    }

    /// The field `name` (ASCII) of this struct. Several objects at this place merge, as structs do in Go; a value that
    /// is no object and not `null` is an error. Notes a key in another spelling and values that contradict each other.
    pub fn field(&self, name: &str, notes: &mut Notes) -> Result<Self, String> {
        let pointer = self.child(name);
        let mut values: Vec<&'a Json> = Vec::new();
        for &object in &self.values {
            if !matches!(object, Json::Object(_) | Json::Null) {
                return Err(self.expected("an object", object));
            }
            let Json::Object(members) = object else { continue };
            for (key, value) in members.iter().filter(|(key, _)| super::folds_to(key, name)) {
                if key != name {
                    notes.add(&*pointer, format!("written '{key}', read as '{name}' by runtimes"));
                }
                values.push(value);
            }
        }
        if values.iter().any(|value| Some(value) != values.first()) {
            notes.add(&*pointer, format!("given {} times with different values", values.len()));
        }
        Ok(Self { pointer, values })
    }

    /// A string: the last one wins, `null` leaves what is there.
    pub fn string(&self) -> Result<Option<String>, String> {
        self.last("a string", |value| match value {
            Json::String(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// A boolean: the last one wins, `null` leaves what is there.
    pub fn boolean(&self) -> Result<Option<bool>, String> {
        self.last("a boolean", |value| match value {
            Json::Bool(value) => Some(*value),
            _ => None,
        })
    }

    /// An integer: the last one wins, `null` leaves what is there. As in Go, `1e3` and `1.0` are no integers.
    pub fn integer(&self) -> Result<Option<i64>, String> {
        let mut found = None;
        for &value in &self.values {
            match value {
                Json::Null => {}
                Json::Number(text) => {
                    let number = text.parse().map_err(|_| {
                        format!("{}: {} is not an integer of 64 bits", self.pointer, text.get(..40).unwrap_or(text))
                    })?;
                    found = Some(number);
                }
                other => return Err(self.expected("an integer", other)),
            }
        }
        Ok(found)
    }

    /// A list of strings: the last array wins, `null` clears it; a `null` inside is an empty string.
    pub fn strings(&self) -> Result<Option<Vec<String>>, String> {
        let elements = self.arrays("an array of strings")?;
        elements.map(|list| list.iter().map(|item| Ok(item.string()?.unwrap_or_default())).collect()).transpose()
    }

    /// The same, where Docker also takes a bare string for a list of one, and this notes it.
    pub fn strings_or_bare(&self, notes: &mut Notes) -> Result<Option<Vec<String>>, String> {
        if let Some(Json::String(text)) = self.values.last() {
            // Earlier values must still be readable, or Docker refuses the document.
            for value in &self.values {
                if !matches!(value, Json::String(_)) {
                    Self { pointer: self.pointer.clone(), values: vec![value] }.strings()?;
                }
            }
            notes
                .add(&*self.pointer, "a bare string where a list is due; Docker reads a list of one, others refuse it");
            return Ok(Some(vec![text.clone()]));
        }
        let lists = self.values.iter().copied().filter(|value| !matches!(value, Json::String(_))).collect();
        Self { pointer: self.pointer.clone(), values: lists }.strings()
    }

    /// The elements of a list: the last array wins, `null` clears it. As in Go, elements of an earlier array at the
    /// same index shine through where the last one leaves something out.
    pub fn elements(&self) -> Result<Option<Vec<Self>>, String> {
        self.arrays("an array")
    }

    /// A map from strings to strings: duplicates merge, `null` clears.
    pub fn text_map(&self) -> Result<BTreeMap<String, String>, String> {
        let mut map = BTreeMap::new();
        self.each_member(|member| match member {
            None => {
                map.clear();
                Ok(())
            }
            Some((key, value)) => {
                let text = match value {
                    Json::String(text) => text.clone(),
                    Json::Null => String::new(),
                    other => return Err((key, "a string", other)),
                };
                map.insert(key.to_owned(), text);
                Ok(())
            }
        })?;
        Ok(map)
    }

    /// The keys of a map from strings to empty objects, sorted: duplicates merge, `null` clears.
    pub fn keys(&self) -> Result<Vec<String>, String> {
        let mut keys = std::collections::BTreeSet::new();
        self.each_member(|member| match member {
            None => {
                keys.clear();
                Ok(())
            }
            Some((key, Json::Object(_) | Json::Null)) => {
                keys.insert(key.to_owned());
                Ok(())
            }
            Some((key, other)) => Err((key, "an object", other)),
        })?;
        Ok(keys.into_iter().collect())
    }

    /// What stands behind the last `null`, for what Go holds by pointer: `null` forgets all that came before.
    #[must_use]
    pub fn since_null(mut self) -> Self {
        let start = self.values.iter().rposition(|value| **value == Json::Null).map_or(0, |at| at + 1);
        self.values.drain(..start);
        self
    }

    fn last<T>(&self, what: &str, read: impl Fn(&Json) -> Option<T>) -> Result<Option<T>, String> {
        let mut found = None;
        for &value in &self.values {
            if *value != Json::Null {
                found = Some(read(value).ok_or_else(|| self.expected(what, value))?);
            }
        }
        Ok(found)
    }

    fn arrays(&self, what: &str) -> Result<Option<Vec<Self>>, String> {
        let mut list: Option<Vec<Self>> = None;
        for &value in &self.values {
            match value {
                Json::Null => list = None,
                Json::Array(items) => {
                    let elements = list.get_or_insert_default();
                    elements.truncate(items.len());
                    for (index, item) in items.iter().enumerate() {
                        match elements.get_mut(index) {
                            Some(element) => element.values.push(item),
                            None => elements.push(Self { pointer: self.child(&index.to_string()), values: vec![item] }),
                        }
                    }
                }
                other => return Err(self.expected(what, other)),
            }
        }
        Ok(list)
    }

    /// Visits the members of all objects here; `None` stands for a `null`.
    fn each_member<'b>(
        &'b self,
        mut visit: impl FnMut(Option<(&'b str, &'b Json)>) -> Result<(), (&'b str, &'static str, &'b Json)>,
    ) -> Result<(), String> {
        for &value in &self.values {
            match value {
                Json::Null => visit(None).ok(),
                Json::Object(members) => {
                    for (key, value) in members {
                        visit(Some((key, value))).map_err(|(key, what, got)| {
                            format!("{}: expected {what}, got {}", self.child(key), got.kind())
                        })?;
                    }
                    None
                }
                other => return Err(self.expected("an object", other)),
            };
        }
        Ok(())
    }

    fn child(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"))
    }

    fn expected(&self, what: &str, got: &Json) -> String {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        format!("{pointer}: expected {what}, got {}", got.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the field `F` of a document with `read`.
    fn with<T>(document: &str, read: impl Fn(&Field, &mut Notes) -> T) -> (T, Vec<String>) {
        let json = Json::parse(document.as_bytes(), 64).unwrap();
        let mut notes = Notes::default();
        let field = Field::root(&json).field("F", &mut notes).unwrap();
        let value = read(&field, &mut notes);
        (value, notes.into_list().into_iter().map(|(pointer, what)| format!("{pointer}: {what}")).collect())
    }

    #[test]
    fn scalars_last_wins_and_null_leaves() {
        let string = |document: &str| with(document, |field, _| field.string()).0;
        assert_eq!(string("{}"), Ok(None));
        assert_eq!(string(r#"{"F":null}"#), Ok(None));
        assert_eq!(string(r#"{"F":"a","f":"b"}"#), Ok(Some("b".to_owned())));
        assert_eq!(string(r#"{"f":"b","F":"a"}"#), Ok(Some("a".to_owned())));
        assert_eq!(string(r#"{"F":"a","f":null}"#), Ok(Some("a".to_owned())));
        assert_eq!(string(r#"{"F":[],"F":"a"}"#), Err("/F: expected a string, got an array".to_owned()));
        let integer = |document: &str| with(document, |field, _| field.integer()).0;
        assert_eq!(integer(r#"{"F":-5}"#), Ok(Some(-5)));
        assert_eq!(integer(r#"{"F":1e400}"#), Err("/F: 1e400 is not an integer of 64 bits".to_owned()));
        assert_eq!(integer(r#"{"F":"5"}"#), Err("/F: expected an integer, got a string".to_owned()));
        assert_eq!(with(r#"{"F":true,"F":null}"#, |field, _| field.boolean()).0, Ok(Some(true)));
    }

    #[test]
    fn arrays_last_wins_and_null_clears() {
        let strings = |document: &str| with(document, |field, _| field.strings()).0;
        assert_eq!(strings(r#"{"F":["a","b"],"F":["c"]}"#), Ok(Some(vec!["c".to_owned()])));
        assert_eq!(strings(r#"{"F":["a"],"F":null}"#), Ok(None));
        assert_eq!(strings(r#"{"F":["a"],"F":[]}"#), Ok(Some(Vec::new())));
        assert_eq!(strings(r#"{"F":[null,"b"]}"#), Ok(Some(vec![String::new(), "b".to_owned()])));
        assert_eq!(strings(r#"{"F":{"A":"b"}}"#), Err("/F: expected an array of strings, got an object".to_owned()));
        assert_eq!(strings(r#"{"F":["a",1]}"#), Err("/F/1: expected a string, got a number".to_owned()));
    }

    #[test]
    fn a_bare_string_is_a_list_of_one() {
        #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general in its lifetime")]
        let bare = |document: &str| with(document, |field, notes| field.strings_or_bare(notes));
        let (value, notes) = bare(r#"{"F":"/bin/sh"}"#);
        assert_eq!(value, Ok(Some(vec!["/bin/sh".to_owned()])));
        assert_eq!(notes.len(), 1);
        assert_eq!(bare(r#"{"F":"x","F":["a"]}"#).0, Ok(Some(vec!["a".to_owned()])));
        assert_eq!(bare(r#"{"F":["a"],"F":"x"}"#).0, Ok(Some(vec!["x".to_owned()])));
        assert_eq!(bare(r#"{"F":"x","F":null}"#).0, Ok(None));
        assert!(bare(r#"{"F":{},"F":"x"}"#).0.is_err());
        assert!(bare(r#"{"F":7}"#).0.is_err());
    }

    #[test]
    fn structs_and_maps_merge() {
        let json = Json::parse(br#"{"F":{"a":"1","b":"2"},"f":{"A":"3"},"F":null}"#, 9).unwrap();
        let mut notes = Notes::default();
        let merged = Field::root(&json).field("F", &mut notes).unwrap();
        assert_eq!(merged.field("a", &mut notes).unwrap().string(), Ok(Some("3".to_owned())));
        assert_eq!(merged.field("b", &mut notes).unwrap().string(), Ok(Some("2".to_owned())));
        assert!(!merged.clone().since_null().is_set());
        let map = |document: &str| with(document, |field, _| field.text_map()).0;
        let pairs =
            |document: &str| map(document).unwrap().into_iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>();
        assert_eq!(pairs(r#"{"F":{"a":"1"},"F":{"b":"2","A":"3"}}"#), ["A=3", "a=1", "b=2"]);
        assert_eq!(pairs(r#"{"F":{"a":"1"},"F":null,"F":{"b":null}}"#), ["b="]);
        assert_eq!(map(r#"{"F":{"a/b":1}}"#), Err("/F/a~1b: expected a string, got a number".to_owned()));
        let keys = |document: &str| with(document, |field, _| field.keys()).0;
        assert_eq!(keys(r#"{"F":{"z":{},"a":null}}"#), Ok(vec!["a".to_owned(), "z".to_owned()]));
        assert_eq!(keys(r#"{"F":{"z":"x"}}"#), Err("/F/z: expected an object, got a string".to_owned()));
        assert_eq!(keys(r#"{"F":["z"]}"#), Err("/F: expected an object, got an array".to_owned()));
    }

    #[test]
    fn elements_shine_through() {
        let json = Json::parse(br#"{"F":[{"a":"1","b":"2"},{}],"F":[{"a":"3"}]}"#, 9).unwrap();
        let mut notes = Notes::default();
        let list = Field::root(&json).field("F", &mut notes).unwrap().elements().unwrap().unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].pointer(), "/F/0");
        assert_eq!(list[0].field("a", &mut notes).unwrap().string(), Ok(Some("3".to_owned())));
        assert_eq!(list[0].field("b", &mut notes).unwrap().string(), Ok(Some("2".to_owned())));
    }

    #[test]
    fn oddities_are_noted() {
        let notes = |document: &str| with(document, |_, _| ()).1;
        assert!(notes(r#"{"F":"a"}"#).is_empty());
        assert!(notes(r#"{"F":"a","F":"a"}"#).is_empty());
        assert_eq!(notes(r#"{"f":"a"}"#), ["/F: written 'f', read as 'F' by runtimes"]);
        assert_eq!(notes(r#"{"F":"a","F":"b"}"#), ["/F: given 2 times with different values"]);
        let mut many = Notes::default();
        for _ in 0..1000 {
            many.add("/x", "y");
        }
        let many = many.into_list();
        assert_eq!((many.len(), many[100].1.as_str()), (101, "900 more oddities"));
    }

    #[test]
    fn a_struct_must_be_an_object() {
        let json = Json::parse(b"[]", 9).unwrap();
        let error = Field::root(&json).field("F", &mut Notes::default()).unwrap_err();
        assert_eq!(error, "/: expected an object, got an array");
    }
}
