//! The rules of doas, as doas.conf(5) has them: words over continued lines, options in any order, and of all rules that
//! fit the last decides. Judges nothing.

use crate::facts::{EntryKind, Facts, Node};
use crate::model::{ImagePath, Location};

/// Rules read; far more than any real configuration has.
const MOST_RULES: usize = 1000;

/// A rule that lets somebody do something: whom and what, in sudo's words (`%group` for doas' `:group`).
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    /// The user or group.
    pub who: String,
    /// Whether no password is asked.
    pub asks_nothing: bool,
    /// The command with the arguments that are asked for; `None` for any.
    pub command: Option<String>,
    /// Whether it runs as root.
    pub root: bool,
    /// Where the rule begins.
    pub at: Location,
}

/// What every doas of the image lets whom do: rules that a later one overrides are left out.
pub fn permits(facts: &Facts) -> Vec<Permit> {
    let resolve = |path: &str| facts.tree.resolve(&ImagePath::from(path)).ok();
    // Alpine's doas reads a directory as well; ports of doas keep to /usr/local.
    let drop_ins = resolve("/etc/doas.d").map(drop_ins).unwrap_or_default();
    let one: Vec<Node<'_>> = resolve("/etc/doas.conf").into_iter().chain(drop_ins).collect();
    let other: Vec<Node<'_>> = resolve("/usr/local/etc/doas.conf").into_iter().collect();
    [one, other].iter().flat_map(|files| in_force(facts, files)).collect()
}

/// The files of a directory that doas reads, in the order of their names.
fn drop_ins(directory: Node<'_>) -> Vec<Node<'_>> {
    let mut nodes: Vec<Node<'_>> = directory
        .children()
        .filter(|child| child.kind() == EntryKind::File && child.name().ends_with(b".conf"))
        .collect();
    nodes.sort_by_key(Node::name);
    nodes
}

fn in_force(facts: &Facts, files: &[Node<'_>]) -> Vec<Permit> {
    let mut all: Vec<(Location, Rule)> = Vec::new();
    for node in files {
        let Some(body) = facts.body_of(*node) else { continue };
        let rules = rules(&String::from_utf8_lossy(&body.bytes));
        all.extend(rules.into_iter().map(|rule| (facts.at(*node).at_line(rule.line), rule)));
        all.truncate(MOST_RULES);
    }
    let is_last = |at: usize, rule: &Rule| !all.iter().skip(at + 1).any(|(_, later)| later.covers(rule));
    let permits = all.iter().enumerate().filter(|(at, (_, rule))| rule.permit && is_last(*at, rule));
    permits.map(|(_, (at, rule))| rule.as_permit(at.clone())).collect()
}

/// A rule as written.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rule {
    permit: bool,
    asks_nothing: bool,
    who: String,
    target: Option<String>,
    command: Option<String>,
    arguments: Option<Vec<String>>,
    line: u32,
}

impl Rule {
    /// Whether this rule fits wherever `other` does.
    fn covers(&self, other: &Self) -> bool {
        let arguments = self.arguments.is_none() || self.arguments == other.arguments;
        self.who == other.who
            && (self.target.is_none() || self.target == other.target)
            && (self.command.is_none() || self.command == other.command && arguments)
    }

    fn as_permit(&self, at: Location) -> Permit {
        let is_number = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        let named = |name: &str| if is_number(name) { format!("#{name}") } else { name.to_owned() };
        let arguments = self.arguments.iter().flatten().map(String::as_str);
        Permit {
            who: match self.who.strip_prefix(':') {
                Some(group) => format!("%{}", named(group)),
                None => named(&self.who),
            },
            asks_nothing: self.asks_nothing,
            command: self.command.as_deref().map(|command| {
                let open = self.arguments.is_some() && self.arguments.iter().flatten().next().is_none();
                let words = [command].into_iter().chain(arguments);
                // Arguments that must be none fix the command as others do.
                words.chain(open.then_some("\"\"")).collect::<Vec<_>>().join(" ")
            }),
            root: self.target.as_deref().is_none_or(|target| matches!(target, "root" | "0")),
            at,
        }
    }

    /// `permit|deny [options] identity [as target] [cmd command [args ...]]`; `None` for anything else.
    fn read(words: &[Word]) -> Option<Self> {
        let (first, mut rest) = words.split_first()?;
        let permit = match first.keyword() {
            "permit" => true,
            "deny" => false,
            _ => return None,
        };
        let mut rule = Self { permit, line: first.line, ..Self::default() };
        while let Some((word, after)) = rest.split_first().filter(|_| permit) {
            rest = match word.keyword() {
                "nopass" => {
                    rule.asks_nothing = true;
                    after
                }
                "persist" | "keepenv" | "nolog" => after,
                "setenv" => {
                    let end = after.iter().position(|word| word.keyword() == "}")?;
                    after.get(end + 1..)?
                }
                _ => break,
            };
        }
        let (who, mut rest) = rest.split_first()?;
        rule.who.clone_from(&who.text);
        while let Some((word, after)) = rest.split_first() {
            match (word.keyword(), after.split_first()) {
                ("as", Some((target, more))) if rule.command.is_none() => {
                    rule.target = Some(target.text.clone());
                    rest = more;
                }
                ("cmd", Some((command, more))) => {
                    rule.command = Some(command.text.clone());
                    rest = more;
                }
                ("args", _) if rule.command.is_some() => {
                    let arguments = after.iter().filter(|word| !word.text.is_empty());
                    rule.arguments = Some(arguments.map(|word| word.text.clone()).collect());
                    return Some(rule);
                }
                _ => return None,
            }
        }
        Some(rule)
    }
}

/// A word of the configuration, quotes and backslashes gone.
#[derive(Debug, Default)]
struct Word {
    text: String,
    /// It was quoted, so that it is no keyword.
    quoted: bool,
    line: u32,
}

impl Word {
    fn keyword(&self) -> &str {
        if self.quoted { "" } else { &self.text }
    }
}

/// The rules of one file; lines that are none are passed over.
fn rules(text: &str) -> Vec<Rule> {
    let mut found = Vec::new();
    let mut words: Vec<Word> = Vec::new();
    let mut word: Option<Word> = None;
    let mut line = 1;
    let (mut in_quotes, mut in_comment) = (false, false);
    let mut letters = text.chars().chain(['\n']);
    while let Some(letter) = letters.next() {
        let open = || Word { line, ..Word::default() };
        match letter {
            '\n' => {
                // Quotes do not reach beyond their line.
                words.extend(word.take());
                found.extend(Rule::read(&words).filter(|_| !in_quotes));
                words.clear();
                (in_quotes, in_comment) = (false, false);
                line += 1;
            }
            _ if in_comment => {}
            '\\' => match letters.next() {
                Some('\n') => line += 1,
                Some(next) => word.get_or_insert_with(open).text.push(next),
                None => {}
            },
            '"' => {
                in_quotes = !in_quotes;
                word.get_or_insert_with(open).quoted = true;
            }
            _ if in_quotes => word.get_or_insert_with(open).text.push(letter),
            '#' => {
                words.extend(word.take());
                in_comment = true;
            }
            ' ' | '\t' | '\r' => words.extend(word.take()),
            '{' | '}' => {
                words.extend(word.take());
                words.push(Word { text: letter.to_string(), ..open() });
            }
            _ => word.get_or_insert_with(open).text.push(letter),
        }
        if found.len() >= MOST_RULES {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permit(text: &str) -> Option<(String, bool, Option<String>, bool)> {
        let rule = rules(text).pop()?;
        let Permit { who, asks_nothing, command, root, .. } = rule.as_permit(Location::Image);
        Some((who, asks_nothing, command, root))
    }

    #[test]
    fn rules_over_lines_and_in_quotes() {
        let any = |who: &str, asks_nothing| Some((who.to_owned(), asks_nothing, None, true));
        assert_eq!(permit("permit nopass \\\n  keepenv app as root"), any("app", true));
        assert_eq!(permit("permit setenv { A=b -C \"D=e f\" } nopass :wheel # x"), any("%wheel", true));
        assert_eq!(permit("permit persist 1000 as 0\r\n"), any("#1000", false));
        let shell = |command: &str| Some(("app".to_owned(), true, Some(command.to_owned()), true));
        assert_eq!(permit("permit nopass app as \"root\" cmd \"/bin/sh\""), shell("/bin/sh"));
        assert_eq!(permit("permit nopass app cmd /bin/sh args"), shell("/bin/sh \"\""));
        assert_eq!(permit("permit nopass app cmd /bin/a args b \"c d\""), shell("/bin/a b c d"));
        assert_eq!(
            permit("permit nopass \"as\" as other").map(|permit| (permit.0, permit.3)),
            Some(("as".into(), false))
        );
        for none in
            ["", "#permit nopass app", "permit", "permit nopass", "allow app", "permit app what", "\"permit\" app"]
        {
            assert_eq!(permit(none), None, "{none}");
        }
        let lines: Vec<u32> = rules("permit \\\n a\n\npermit b").iter().map(|rule| rule.line).collect();
        assert_eq!(lines, [1, 4]);
    }

    #[test]
    fn the_last_rule_that_fits_decides() {
        let covered = |text: &str| {
            let rules = rules(text);
            rules[1].covers(&rules[0])
        };
        for (text, expected) in [
            ("permit nopass app\ndeny app", true),
            ("permit nopass app\npermit app", true),
            ("permit nopass app cmd sh\ndeny app", true),
            ("permit nopass app cmd sh args a\ndeny app cmd sh", true),
            ("permit nopass app\ndeny other", false),
            ("permit nopass app\ndeny app as other", false),
            ("permit nopass app\ndeny app cmd sh", false),
            ("permit nopass app cmd sh\ndeny app cmd sh args a", false),
        ] {
            assert_eq!(covered(text), expected, "{text}");
        }
    }
}
