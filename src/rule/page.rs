//! The page of a rule file: what stands below the head. Finds its parts; the examples' content is not read here.

use crate::model::RuleInfo;
use std::fmt::Write as _;

/// What an example promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The rule finds something.
    Finds,
    /// The rule finds nothing.
    Clean,
}

/// A tiny image in the language of `docs/rule-format.md`, with what the rule says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// What the rule says about it.
    pub expected: Expected,
    /// The line of the rule file on which `text` begins, from 1.
    pub line: u32,
    /// The image.
    pub text: String,
}

/// A rule file taken apart.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// The text of the head and the line on which it begins.
    pub head: String,
    pub head_line: u32,
    /// All below the head, trimmed.
    pub body: String,
    pub title: String,
    pub title_line: u32,
    /// The first paragraph below the title, on one line.
    pub summary: String,
    /// The section "How to fix", trimmed.
    pub fix: String,
    pub examples: Vec<Example>,
}

/// A fenced block that is being read.
struct Block {
    fence: String,
    info: String,
    first_line: u32,
    text: String,
}

/// Where in the page a line stands.
#[derive(PartialEq)]
enum Part {
    Head,
    Title,
    Summary,
    Prose,
    Fix,
}

impl Page {
    /// Takes a rule file apart. The error is a line and a sentence: no head, a block that never ends, an unknown word
    /// behind `toml`.
    pub(super) fn read(text: &str) -> Result<Self, (u32, String)> {
        let mut page = Self::default();
        let mut part = Part::Head;
        let mut block: Option<Block> = None;
        for (line, number) in text.lines().zip(1u32..) {
            if part != Part::Head {
                page.body.push_str(line);
                page.body.push('\n');
            }
            if let Some(mut open) = block.take() {
                if line.trim() == open.fence {
                    page.close(open, &mut part)?;
                } else {
                    open.text.push_str(line);
                    open.text.push('\n');
                    block = Some(open);
                }
                if part == Part::Fix {
                    page.push_fix(line);
                }
                continue;
            }
            let fence_length = line.bytes().take_while(|&b| b == b'`').count();
            if fence_length >= 3 {
                block = Some(Block {
                    fence: "`".repeat(fence_length),
                    info: line[fence_length..].trim().to_owned(),
                    first_line: number + 1,
                    text: String::new(),
                });
            } else if part == Part::Head && !line.trim().is_empty() {
                return Err((number, "a rule file begins with its head, a block fenced by ```toml and ```".to_owned()));
            }
            if let Some(heading) = line.strip_prefix("## ") {
                part = if heading.trim() == "How to fix" { Part::Fix } else { Part::Prose };
                continue;
            }
            match part {
                Part::Title => {
                    if let Some(title) = line.strip_prefix("# ") {
                        title.trim().clone_into(&mut page.title);
                        page.title_line = number;
                        part = Part::Summary;
                    }
                }
                Part::Summary if line.trim().is_empty() => {
                    if !page.summary.is_empty() {
                        part = Part::Prose;
                    }
                }
                Part::Summary if block.is_some() => part = Part::Prose,
                Part::Summary => {
                    let gap = if page.summary.is_empty() { "" } else { " " };
                    let _ = write!(page.summary, "{gap}{}", line.trim());
                }
                Part::Fix => page.push_fix(line),
                Part::Head | Part::Prose => {}
            }
        }
        if let Some(open) = block {
            return Err((open.first_line - 1, "this block never ends".to_owned()));
        }
        if part == Part::Head {
            return Err((1, "no head: a rule file begins with a block fenced by ```toml and ```".to_owned()));
        }
        page.body = page.body.trim().to_owned() + "\n";
        page.fix = String::from(page.fix.trim());
        Ok(page)
    }

    fn push_fix(&mut self, line: &str) {
        self.fix.push_str(line);
        self.fix.push('\n');
    }

    fn close(&mut self, block: Block, part: &mut Part) -> Result<(), (u32, String)> {
        if *part == Part::Head {
            if block.info != "toml" {
                return Err((block.first_line - 1, "the head is a block fenced by ```toml and ```".to_owned()));
            }
            self.head = block.text;
            self.head_line = block.first_line;
            *part = Part::Title;
            return Ok(());
        }
        let Some(word) = block.info.strip_prefix("toml ") else { return Ok(()) };
        let expected = match word.trim() {
            "finds" => Expected::Finds,
            "clean" => Expected::Clean,
            other => return Err((block.first_line - 1, format!("'{other}' behind toml: neither finds nor clean"))),
        };
        self.examples.push(Example { expected, line: block.first_line, text: block.text });
        Ok(())
    }
}

/// The page of a rule as `plimsoll explain` shows it, Markdown: the title, what the rule is called and how it is
/// graded, then the body with its examples.
#[must_use]
pub fn explain(info: &RuleInfo) -> String {
    let mut out = format!("# {}\n\n", info.title);
    let _ = writeln!(
        out,
        "`{}` · {} · severity {} · confidence {} · level {} · since {}",
        info.name, info.group, info.severity, info.confidence, info.level, info.since
    );
    for (word, list) in [("Also called", &info.aliases), ("References", &info.references)] {
        if !list.is_empty() {
            let _ = write!(out, "\n{word}: {}\n", list.join(" · "));
        }
    }
    let body = info.page.split_once('\n').filter(|(first, _)| first.starts_with("# ")).map_or("", |(_, rest)| rest);
    out.push('\n');
    out.push_str(body.trim());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_parts() {
        let text = "```toml\nname = 1\n```\n# The title\n\nOne\ntwo.\n\nMore.\n\n## How to fix\n\nDo:\n\n```dockerfile\n\
                    ## no heading\n```\n\n## Examples\n\n```toml finds\na = 1\n```\n";
        let page = Page::read(text).expect("well formed");
        assert_eq!((page.head.as_str(), page.head_line), ("name = 1\n", 2));
        assert_eq!((page.title.as_str(), page.title_line), ("The title", 4));
        assert_eq!(page.summary, "One two.");
        assert_eq!(page.fix, "Do:\n\n```dockerfile\n## no heading\n```");
        assert_eq!(page.examples, [Example { expected: Expected::Finds, line: 22, text: "a = 1\n".to_owned() }]);
        assert!(page.body.starts_with("# The title\n"));
    }

    #[test]
    fn what_is_no_rule_file_says_where() {
        assert_eq!(Page::read("").expect_err("empty").0, 1);
        assert_eq!(Page::read("# Title\n").expect_err("no head").0, 1);
        assert_eq!(Page::read("```toml\nname = 1\n").expect_err("open").0, 1);
        assert_eq!(Page::read("```toml\n```\n# T\n```toml found\n```\n").expect_err("word").0, 4);
    }
}
