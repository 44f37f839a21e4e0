//! The aliases of a sudo configuration, replaced by what they hold. However aliases nest, each is worked out once, and all
//! answers together are bounded.

use super::sudoers::{Kind, Sudoers};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Words handed out for one configuration; more than any real one has.
const MOST_WORDS: usize = 200_000;

/// The aliases of all files of a configuration.
#[derive(Debug)]
pub struct Aliases<'a> {
    members: BTreeMap<(Kind, &'a str), &'a [String]>,
    known: BTreeMap<(Kind, &'a str), Rc<[Word<'a>]>>,
    left: usize,
    cut: BTreeSet<&'a str>,
}

/// A word of a list, aliases replaced: what it names, and whether it is excluded (`!`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word<'a> {
    /// The name without its `!`.
    pub name: &'a str,
    /// Whether it is taken out of the list.
    pub excluded: bool,
}

impl<'a> Word<'a> {
    /// A word as written; every `!` turns it.
    pub fn of(written: &'a str) -> Self {
        let name = written.trim_start_matches('!');
        Self { name, excluded: (written.len() - name.len()) % 2 == 1 }
    }

    fn turned(self, turn: bool) -> Self {
        Self { excluded: self.excluded != turn, ..self }
    }
}

impl<'a> Aliases<'a> {
    /// The aliases of these files, which are read in this order.
    pub fn of(files: impl IntoIterator<Item = &'a Sudoers>) -> Self {
        let all = files.into_iter().flat_map(|file| &file.aliases);
        let members = all.map(|(kind, name, members)| ((*kind, &**name), &**members)).collect();
        Self { members, known: BTreeMap::new(), left: MOST_WORDS, cut: BTreeSet::new() }
    }

    /// `words` with aliases of this kind replaced; of equal words the last one is kept, which is the one that decides.
    /// Aliases that would go beyond the bound stay as written, and are named by [`Aliases::cut`].
    pub fn expand(&mut self, kind: Kind, words: &'a [String]) -> Vec<Word<'a>> {
        for word in words {
            self.work_out(kind, Word::of(word).name);
        }
        self.joined(kind, words)
    }

    /// The aliases that were not replaced everywhere.
    pub fn cut(&self) -> impl Iterator<Item = &'a str> {
        self.cut.iter().copied()
    }

    /// Makes `name` known, and before it what it stands on. An alias that stands on itself is left as written there.
    fn work_out(&mut self, kind: Kind, name: &'a str) {
        let mut open: BTreeSet<&'a str> = BTreeSet::new();
        let mut todo = vec![name];
        while let Some(&name) = todo.last() {
            let Some(&members) = self.members.get(&(kind, name)).filter(|_| !self.known.contains_key(&(kind, name)))
            else {
                todo.pop();
                continue;
            };
            if open.insert(name) {
                let names = members.iter().map(|word| Word::of(word).name);
                todo.extend(names.filter(|name| !open.contains(name) && self.members.contains_key(&(kind, *name))));
                continue;
            }
            todo.pop();
            let joined = self.joined(kind, members);
            self.known.insert((kind, name), joined.into());
        }
    }

    /// `words`, those that are known replaced.
    fn joined(&mut self, kind: Kind, words: &'a [String]) -> Vec<Word<'a>> {
        let mut seen = BTreeSet::new();
        let mut out = Vec::new();
        for written in words.iter().rev() {
            let word = Word::of(written);
            match self.known.get(&(kind, word.name)).cloned() {
                Some(members) if members.len() <= self.left => {
                    self.left -= members.len();
                    let turned = members.iter().rev().map(|member| member.turned(word.excluded));
                    out.extend(turned.filter(|member| seen.insert(*member)));
                }
                Some(_) => {
                    self.cut.insert(word.name);
                    out.push(word);
                }
                None => out.extend(Some(word).filter(|word| seen.insert(*word))),
            }
        }
        out.reverse();
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(text: &str) -> (Vec<String>, Vec<String>) {
        let sudoers = Sudoers::read(text);
        let mut aliases = Aliases::of([&sudoers]);
        let grant = sudoers.grants.last().expect("a grant");
        let shown = |word: &Word<'_>| format!("{}{}", if word.excluded { "!" } else { "" }, word.name);
        let words = aliases.expand(Kind::User, &grant.users).iter().map(shown).collect();
        (words, aliases.cut().map(str::to_owned).collect())
    }

    #[test]
    fn aliases_of_aliases() {
        for (text, expected) in [
            ("User_Alias OPS = app, !root : NEST = OPS\nNEST ALL=ALL", "app !root"),
            ("User_Alias OPS = app, !root\nALL, !OPS ALL=ALL", "ALL !app root"),
            ("User_Alias A = B\nUser_Alias B = A, x\nA ALL=ALL", "A x"),
            ("User_Alias A = x\nUser_Alias A = y\nA ALL=ALL", "y"),
            ("Cmnd_Alias A = /bin/ls\nA ALL=ALL", "A"),
            ("User_Alias A = x, !x, y\nA, x ALL=ALL", "!x y x"),
        ] {
            assert_eq!(users(text), (expected.split(' ').map(str::to_owned).collect(), Vec::new()), "{text}");
        }
    }

    #[test]
    fn however_they_nest_they_are_worked_out_once() {
        let lines: Vec<String> = (0..4000).map(|i| format!("User_Alias A{i} = A{}, A{}\n", i + 1, i + 1)).collect();
        let mut text = lines.concat();
        text.push_str("User_Alias A4000 = bob\nA0 ALL=ALL\n");
        assert_eq!(users(&text), (vec!["bob".to_owned()], Vec::new()));
    }

    #[test]
    fn what_is_too_much_is_left_and_named() {
        let members: Vec<String> = (0..=MOST_WORDS / 2).map(|i| format!("u{i}")).collect();
        let text = format!("User_Alias BIG = {}\nUser_Alias TOP = x, BIG\nBIG, TOP ALL=ALL\n", members.join(","));
        let (words, cut) = users(&text);
        assert_eq!(cut, ["BIG", "TOP"]);
        assert_eq!(words, ["BIG", "TOP"]);
    }
}
