//! XML as configuration files use it: elements with text, attributes, `<add key="…" value="…"/>`. A pull scanner without
//! namespaces, entities of its own or a grammar; what is not well-formed is read as far as it goes.

use super::Pair;
use super::text::place;

/// Elements above a value that are kept.
const DEPTH: usize = 32;

/// Attributes of one element that are read.
const ATTRIBUTES: usize = 64;

/// Every attribute and every text of an element. An element that names its value (`key`, `name` beside `value`,
/// `connectionString`, or its text) gives it under that name.
pub(super) fn read(text: &str, take: &mut dyn FnMut(Pair<'_>)) {
    let mut path: Vec<String> = Vec::new();
    let mut deeper = 0usize;
    let mut rest = text;
    while let Some(begin) = rest.find('<') {
        let before = rest.get(..begin).unwrap_or_default().trim();
        if !before.is_empty() && !path.is_empty() && deeper == 0 {
            take(Pair { path: &path, value: &clear(before), at: place(text, before), listed: false });
        }
        rest = rest.get(begin..).unwrap_or_default();
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
        } else if let Some(data) = rest.strip_prefix("<![CDATA[") {
            let (data, after) = data.split_once("]]>").unwrap_or((data, ""));
            let data = data.trim();
            if !path.is_empty() && deeper == 0 {
                take(Pair { path: &path, value: data, at: place(text, data), listed: false });
            }
            rest = after;
        } else if rest.starts_with("<!") || rest.starts_with("<?") {
            rest = rest.split_once('>').map_or("", |(_, rest)| rest);
        } else if let Some(end) = rest.strip_prefix("</") {
            if deeper > 0 {
                deeper -= 1;
            } else {
                path.pop();
            }
            rest = end.split_once('>').map_or("", |(_, rest)| rest);
        } else {
            let (tag, after, closed) = tag(rest.get(1..).unwrap_or_default());
            rest = after;
            if path.len() >= DEPTH {
                deeper += usize::from(!closed);
                continue;
            }
            element(text, tag, &mut path, take);
            if closed {
                path.pop();
            }
        }
    }
}

/// The inside of a tag, what follows it, and whether it closes itself. A `>` in quotes does not end it.
fn tag(rest: &str) -> (&str, &str, bool) {
    let mut quote = None;
    let end = rest.bytes().position(|byte| {
        if let Some(open) = quote {
            if byte == open {
                quote = None;
            }
            return false;
        }
        if byte == b'"' || byte == b'\'' {
            quote = Some(byte);
        }
        byte == b'>'
    });
    let end = end.unwrap_or(rest.len());
    let (inside, after) = (rest.get(..end).unwrap_or_default(), rest.get(end + 1..).unwrap_or_default());
    match inside.strip_suffix('/') {
        Some(inside) => (inside, after, true),
        None => (inside, after, false),
    }
}

fn element(text: &str, tag: &str, path: &mut Vec<String>, take: &mut dyn FnMut(Pair<'_>)) {
    let (name, mut rest) = tag.split_once(|c: char| c.is_whitespace()).unwrap_or((tag, ""));
    let mut attributes: Vec<(&str, &str)> = Vec::new();
    while let Some((key, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let Some(quote) = after.chars().next().filter(|c| matches!(c, '"' | '\'')) else { break };
        let Some((value, after)) = after.get(1..).unwrap_or_default().split_once(quote) else { break };
        attributes.push((key.trim(), value));
        rest = after;
        if attributes.len() == ATTRIBUTES {
            break;
        }
    }
    let of =
        |wanted: &str| attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value);
    // What a value is called beats what its element is called.
    let given = of("key").or_else(|| of("name"));
    path.push(name.rsplit(':').next().unwrap_or(name).to_owned());
    for (key, value) in &attributes {
        let is_value = key.eq_ignore_ascii_case("value") || key.eq_ignore_ascii_case("connectionString");
        path.push(given.filter(|_| is_value).unwrap_or(key).to_owned());
        take(Pair { path, value: &clear(value), at: place(text, value), listed: false });
        path.pop();
    }
    let named = ["string", "entry", "property", "param", "item", "Pass"].contains(&name);
    if named
        && let Some(given) = given
        && let Some(last) = path.last_mut()
    {
        given.clone_into(last);
    } else if of("encoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64"))
        && let Some(last) = path.last_mut()
    {
        last.push_str("@base64");
    }
}

/// Without the five entities that every reader knows.
fn clear(raw: &str) -> String {
    if !raw.contains('&') {
        return raw.to_owned();
    }
    raw.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}
