//! The Markdown of a rule's page as plain text. Reads what rule pages use (headings, paragraphs, lists, fences, code,
//! links), not all of Markdown.

/// The whole of `markdown` as text: fences vanish around their code, headings lose their marks, links keep their text.
pub(super) fn plain(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut fenced = false;
    for line in markdown.lines() {
        if is_fence(line) {
            fenced = !fenced;
            continue;
        }
        let text = if fenced { format!("    {line}") } else { inline(line.trim_start_matches('#').trim()) };
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out.trim().to_owned()
}

/// The first thing that `markdown` says: its first paragraph as one line or its first list as a line an item, and the
/// code below it when it announces some by a colon, or is missing.
pub(super) fn opening(markdown: &str) -> (Vec<String>, Vec<String>) {
    let mut lines = markdown.lines().skip_while(|line| line.trim().is_empty()).peekable();
    let mut said: Vec<String> = Vec::new();
    while let Some(line) = lines.next_if(|line| !line.trim().is_empty() && !is_fence(line)) {
        match said.last_mut().filter(|_| !is_item(line)) {
            Some(last) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            None => said.push(line.trim().to_owned()),
        }
    }
    let said: Vec<String> = said.iter().map(|line| inline(line)).collect();
    let mut code = Vec::new();
    if said.last().is_none_or(|last| last.ends_with(':')) {
        let mut lines = lines.skip_while(|line| line.trim().is_empty());
        if lines.next().is_some_and(is_fence) {
            code.extend(lines.take_while(|line| !is_fence(line)).map(str::to_owned));
        }
    }
    (said, code)
}

/// Whether a line begins an item of a list: `- a`, `2. b`.
fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("- ")
        || line
            .split_once(". ")
            .is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

fn is_fence(line: &str) -> bool {
    line.trim_start().starts_with("```")
}

/// One line without backticks, stars of emphasis and link targets. What stands in backticks is left as it is.
fn inline(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for (index, piece) in line.split('`').enumerate() {
        if index % 2 == 1 {
            out.push_str(piece);
            continue;
        }
        let mut rest = piece;
        while let Some((before, link)) = rest.split_once('[') {
            out.push_str(&before.replace("**", ""));
            let target = link.split_once("](").and_then(|(text, tail)| Some((text, tail.split_once(')')?.1)));
            if let Some((text, tail)) = target {
                out.push_str(&text.replace("**", ""));
                rest = tail;
            } else {
                out.push('[');
                rest = link;
            }
        }
        out.push_str(&rest.replace("**", ""));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_become_text() {
        let page = "# A title\n\nUse `[x](y)` or **this** [page](https://example.org/a).\n\n```sh\nchmod u-s a\n```\n- one [2]\n";
        assert_eq!(plain(page), "A title\n\nUse [x](y) or this page.\n\n    chmod u-s a\n- one [2]");
    }

    #[test]
    fn the_opening_takes_the_code_it_announces() {
        assert_eq!(opening("\nDo this\nnow.\n\nMore.\n"), (vec!["Do this now.".to_owned()], Vec::new()));
        let (text, code) = opening("In the `Dockerfile`:\n\n```dockerfile\nUSER 10001\n```\nMore.");
        assert_eq!((&text[..], code), (&["In the Dockerfile:".to_owned()][..], vec!["USER 10001".to_owned()]));
        assert_eq!(opening("1. Revoke\n   it.\n2. Rebuild.\n\nMore.").0, ["1. Revoke it.", "2. Rebuild."]);
        assert_eq!(opening("```\nUSER 10001\n```\n"), (Vec::new(), vec!["USER 10001".to_owned()]));
        assert_eq!(opening("").0, Vec::<String>::new());
    }
}
