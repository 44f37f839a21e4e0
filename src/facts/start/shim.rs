//! Programs that start another program given in their own arguments: a table of how those arguments look.

use super::{Argument, Role};

/// How a shim's own arguments look. Options stop at the first operand, at `--`, or where `permutes`.
pub(super) struct Shim {
    pub(super) names: &'static [&'static str],
    pub(super) role: Role,
    /// Short options that take a value.
    short: &'static str,
    /// Long options that take a value, without dashes.
    long: &'static [&'static str],
    /// Operands before the program.
    operands: usize,
    /// Whether `NAME=value` may stand before the program.
    assigns: bool,
    /// Where the new user is named: the first operand (`""`), or these options.
    pub(super) user: Option<&'static [&'static str]>,
}

/// A shim's arguments taken apart.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Options without their dashes, and their values; flags with an empty one.
    pub(super) options: Vec<(String, String)>,
    /// `NAME=value` before the program.
    pub(super) assignments: Vec<(String, String)>,
    /// Operands before the program.
    pub(super) operands: Vec<String>,
    /// Where the program's own words begin.
    pub(super) rest: usize,
}

const WRAPPER: Shim =
    Shim { names: &[], role: Role::Wrapper, short: "", long: &[], operands: 0, assigns: false, user: None };
const INIT: Shim = Shim { role: Role::Init, ..WRAPPER };
const DROP: Shim = Shim { role: Role::Drop, ..WRAPPER };
const OPERAND: Option<&[&str]> = Some(&[]);

const SHIMS: &[Shim] = &[
    Shim { names: &["tini", "tini-static", "docker-init", "catatonit"], short: "pe", ..INIT },
    Shim { names: &["dumb-init"], short: "r", long: &["rewrite"], ..INIT },
    Shim { names: &["gosu", "su-exec", "s6-setuidgid", "setuidgid"], operands: 1, user: OPERAND, ..DROP },
    Shim { names: &["s6-applyuidgid"], short: "ugG", user: Some(&["u"]), ..DROP },
    Shim { names: &["chpst"], short: "uUbe/nlLmdofcrtC", user: Some(&["u"]), ..DROP },
    Shim {
        names: &["setpriv"],
        long: &[
            "reuid",
            "ruid",
            "euid",
            "regid",
            "rgid",
            "egid",
            "groups",
            "inh-caps",
            "ambient-caps",
            "bounding-set",
            "securebits",
            "pdeathsig",
            "ptracer",
            "selinux-label",
            "apparmor-profile",
            "landlock-access",
            "landlock-rule",
            "seccomp-filter",
        ],
        user: Some(&["reuid"]),
        ..DROP
    },
    Shim {
        names: &["sudo"],
        short: "ughpCcrtTUDRa",
        long: &["user", "group", "host", "prompt", "close-from", "role", "type", "command-timeout", "chdir", "chroot"],
        assigns: true,
        user: Some(&["u", "user"]),
        ..DROP
    },
    Shim { names: &["doas"], short: "uCa", user: Some(&["u"]), ..DROP },
    Shim {
        names: &["runuser"],
        short: "ugG",
        long: &["user", "group", "supp-group"],
        user: Some(&["u", "user"]),
        ..DROP
    },
    Shim { names: &["chroot"], long: &["userspec", "groups"], operands: 1, user: Some(&["userspec"]), ..DROP },
    Shim {
        names: &["env"],
        short: "uCSa",
        long: &["unset", "chdir", "split-string", "argv0"],
        assigns: true,
        ..WRAPPER
    },
    Shim { names: &["nice"], short: "n", long: &["adjustment"], ..WRAPPER },
    Shim { names: &["ionice"], short: "cnpPu", long: &["class", "classdata"], ..WRAPPER },
    Shim { names: &["chrt", "taskset"], short: "TPD", operands: 1, ..WRAPPER },
    Shim { names: &["stdbuf"], short: "ioe", long: &["input", "output", "error"], ..WRAPPER },
    Shim { names: &["timeout"], short: "sk", long: &["signal", "kill-after"], operands: 1, ..WRAPPER },
    Shim { names: &["time"], short: "fo", long: &["format", "output"], ..WRAPPER },
    Shim { names: &["nohup", "setsid", "eatmydata", "with-contenv", "busybox", "toybox"], ..WRAPPER },
];

/// The row of a program by its base name.
pub(super) fn find(name: &str) -> Option<&'static Shim> {
    SHIMS.iter().find(|shim| shim.names.contains(&name))
}

impl Shim {
    /// Takes the arguments behind the shim's name apart; `None` when no program is left.
    pub(super) fn take(&self, arguments: &[Argument]) -> Option<Taken> {
        let mut taken = Taken::default();
        let mut at = 0;
        let mut only_operands = false;
        while let Some(argument) = arguments.get(at) {
            let text = argument.text.as_str();
            let next = || arguments.get(at + 1).map(|argument| argument.text.clone()).unwrap_or_default();
            if only_operands || !text.starts_with('-') || text == "-" {
                match text.split_once('=') {
                    Some((name, value)) if self.assigns && !name.is_empty() => {
                        taken.assignments.push((name.to_owned(), value.to_owned()));
                    }
                    _ if text == "-" && self.assigns => taken.options.push(("i".to_owned(), String::new())),
                    _ if taken.operands.len() < self.operands => taken.operands.push(text.to_owned()),
                    _ => break,
                }
            } else if text == "--" {
                only_operands = true;
            } else if let Some(long) = text.strip_prefix("--") {
                if let Some((name, value)) = long.split_once('=') {
                    taken.options.push((name.to_owned(), value.to_owned()));
                } else if self.long.contains(&long) {
                    taken.options.push((long.to_owned(), next()));
                    at += 1;
                } else {
                    taken.options.push((long.to_owned(), String::new()));
                }
            } else {
                at += self.cluster(&text[1..], next, &mut taken.options);
            }
            at += 1;
        }
        taken.rest = at;
        // `env -S` may hold the whole program.
        let has_program = at < arguments.len() || taken.value(&["S", "split-string"]).is_some();
        (has_program && taken.operands.len() == self.operands).then_some(taken)
    }

    /// Letters of one word; the first that takes a value has the rest of the word, or the next word (then 1 is given).
    fn cluster(&self, letters: &str, next: impl Fn() -> String, options: &mut Vec<(String, String)>) -> usize {
        for (at, letter) in letters.char_indices() {
            if !self.short.contains(letter) {
                options.push((letter.to_string(), String::new()));
                continue;
            }
            let value = &letters[at + letter.len_utf8()..];
            let is_next = value.is_empty();
            options.push((letter.to_string(), if is_next { next() } else { value.to_owned() }));
            return usize::from(is_next);
        }
        0
    }

    /// The user that the shim changes to, as written.
    pub(super) fn new_user<'a>(&self, taken: &'a Taken) -> Option<&'a str> {
        match self.user? {
            [] => taken.operands.first().map(String::as_str),
            names => taken.value(names),
        }
    }
}

impl Taken {
    /// The last value of an option under any of these names.
    pub(super) fn value(&self, names: &[&str]) -> Option<&str> {
        let mut named = self.options.iter().rev().filter(|(name, _)| names.contains(&name.as_str()));
        named.next().map(|(_, value)| value.as_str())
    }

    /// Whether an option stands there under any of these names.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.value(names).is_some()
    }
}
