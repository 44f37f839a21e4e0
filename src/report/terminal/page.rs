//! Lines on a terminal: indent, wrap, colour. The one place that writes text there; all of it is made safe here.

use crate::model::{Severity, visible_str};
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};

/// Columns that a line may take. Longer words (paths) are not broken: they are there to be copied.
const WIDTH: usize = 80;

/// A writer of lines.
pub(super) struct Page<'a> {
    out: &'a mut dyn Write,
    color: bool,
}

/// How a severity looks.
fn severity_style(severity: Severity) -> Style {
    let color = match severity {
        Severity::Critical | Severity::High => AnsiColor::Red,
        Severity::Medium => AnsiColor::Yellow,
        Severity::Low => AnsiColor::Cyan,
        Severity::Info => AnsiColor::Blue,
    };
    let style = Style::new().fg_color(Some(color.into()));
    if severity == Severity::Critical { style.bold() } else { style }
}

impl<'a> Page<'a> {
    /// A page that ends in `out`.
    pub(super) fn new(out: &'a mut dyn Write, color: bool) -> Self {
        Self { out, color }
    }

    /// An empty line.
    pub(super) fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// A line that others stand under; never wrapped.
    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        let line = self.paint(&visible_str(text), Style::new().bold());
        writeln!(self.out, "{line}")
    }

    /// `high  setuid-file  A file is setuid`.
    pub(super) fn rule(&mut self, severity: Severity, name: &str, title: &str) -> io::Result<()> {
        let mark = self.paint(severity.name(), severity_style(severity));
        let name = self.paint(&visible_str(name), Style::new().bold());
        writeln!(self.out, "{mark}  {name}  {}", visible_str(title))
    }

    /// `text` behind `label`, wrapped under itself.
    pub(super) fn item(&mut self, label: &str, text: &str, indent: usize) -> io::Result<()> {
        self.lines(text, indent, label, Style::new())
    }

    /// A remark of ours.
    pub(super) fn dim(&mut self, text: &str, indent: usize) -> io::Result<()> {
        self.lines(text, indent, "", Style::new().dimmed())
    }

    /// Lines of code, as they are.
    pub(super) fn code(&mut self, lines: &[String], indent: usize) -> io::Result<()> {
        for line in lines {
            // A tab would stand as an escape.
            let line = line.replace('\t', "    ");
            writeln!(self.out, "{:indent$}{}", "", visible_str(&line))?;
        }
        Ok(())
    }

    /// `app.tar: 1 high, 2 low; 42 rules`.
    pub(super) fn summary(
        &mut self,
        source: &str,
        parts: &[(Option<Severity>, String)],
        rules: &str,
    ) -> io::Result<()> {
        let parts: Vec<String> = parts
            .iter()
            .map(|(severity, text)| self.paint(text, severity.map_or(Style::new(), severity_style)))
            .collect();
        writeln!(self.out, "{}: {} ({rules})", visible_str(source), parts.join(", "))
    }

    fn lines(&mut self, text: &str, indent: usize, label: &str, style: Style) -> io::Result<()> {
        let hang = indent + if label.is_empty() { 0 } else { label.len() + 1 };
        let mut lead = if label.is_empty() { " ".repeat(hang) } else { format!("{:indent$}{label} ", "") };
        for line in wrap(&visible_str(text), WIDTH.saturating_sub(hang)) {
            writeln!(self.out, "{lead}{}", self.paint(line, style))?;
            lead = " ".repeat(hang);
        }
        Ok(())
    }

    fn paint(&self, text: &str, style: Style) -> String {
        if self.color && !style.is_plain() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// `text` in lines of at most `width` characters, broken at blanks. A longer word has a line of its own.
fn wrap(text: &str, width: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    loop {
        let Some((limit, _)) = rest.char_indices().nth(width) else {
            lines.push(rest);
            return lines;
        };
        // The last blank that leaves a line within the width, or else the first one after it.
        let cut = rest[..limit]
            .rfind(' ')
            .or_else(|| rest[limit..].find(' ').map(|more| limit + more))
            .filter(|&cut| cut > 0)
            .unwrap_or(rest.len());
        // A blank that stands right behind a full line costs nothing.
        let cut = if rest[limit..].starts_with(' ') { limit } else { cut };
        lines.push(rest[..cut].trim_end());
        rest = rest[cut..].trim_start();
        if rest.is_empty() {
            return lines;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("a /very/long/path b", 6), ["a", "/very/long/path", "b"]);
        assert_eq!(wrap("/very/long/path", 6), ["/very/long/path"]);
        assert_eq!(wrap("äöü äöü", 3), ["äöü", "äöü"]);
        assert_eq!(wrap("", 5), [""]);
    }
}
