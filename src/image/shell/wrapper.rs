//! Programs that run another program with the rest of their arguments, and how to find it. A table, no judgement.

use super::{Word, base_name};

/// The command behind its wrappers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effective<'a> {
    /// The program's base name.
    pub program: &'a str,
    /// The words behind it.
    pub arguments: &'a [Word],
    /// Whether `sudo` or `doas` stood before it.
    pub uses_sudo: bool,
}

/// How a wrapper's own arguments look.
struct Wrapper {
    names: &'static [&'static str],
    /// Short options that take a value.
    short: &'static str,
    /// Long options whose value is the next word, without dashes.
    long: &'static [&'static str],
    /// Operands before the program.
    operands: usize,
    /// Whether `NAME=value` may stand before the program.
    assigns: bool,
    /// Short options under which it runs no program.
    query: &'static str,
}

const PLAIN: Wrapper = Wrapper { names: &[], short: "", long: &[], operands: 0, assigns: false, query: "" };

const WRAPPERS: &[Wrapper] = &[
    Wrapper {
        names: &[
            "nohup",
            "setsid",
            "builtin",
            "eatmydata",
            "fakeroot",
            "catchsegv",
            "unbuffer",
            "linux32",
            "linux64",
            "i386",
            "with-contenv",
            "busybox",
            "toybox",
            "ssh-agent",
            "dbus-run-session",
            "noglob",
            "fakechroot",
            "proxychains",
            "proxychains4",
            "torsocks",
        ],
        ..PLAIN
    },
    Wrapper { names: &["command"], query: "vV", ..PLAIN },
    Wrapper { names: &["exec"], short: "a", ..PLAIN },
    Wrapper {
        names: &["env"],
        short: "uCS",
        long: &["unset", "chdir", "split-string", "default-signal", "ignore-signal"],
        assigns: true,
        ..PLAIN
    },
    Wrapper { names: &["nice"], short: "n", long: &["adjustment"], ..PLAIN },
    Wrapper { names: &["ionice"], short: "cnpPu", long: &["class", "classdata", "pid"], ..PLAIN },
    Wrapper { names: &["chrt", "taskset", "setarch"], short: "pTPD", operands: 1, ..PLAIN },
    Wrapper { names: &["stdbuf"], short: "ioe", long: &["input", "output", "error"], ..PLAIN },
    Wrapper { names: &["time"], short: "fo", long: &["format", "output"], ..PLAIN },
    Wrapper { names: &["timeout"], short: "sk", long: &["signal", "kill-after"], operands: 1, ..PLAIN },
    Wrapper {
        names: &["sudo"],
        short: "ughpCcrtTUDRa",
        long: &[
            "user",
            "group",
            "host",
            "prompt",
            "close-from",
            "role",
            "type",
            "command-timeout",
            "other-user",
            "chdir",
            "chroot",
            "login-class",
            "auth-type",
        ],
        assigns: true,
        query: "lvVKe",
        ..PLAIN
    },
    Wrapper { names: &["doas"], short: "uCa", ..PLAIN },
    Wrapper {
        names: &["xargs"],
        short: "nIPLdEsa",
        long: &["max-args", "replace", "max-procs", "max-lines", "delimiter", "eof", "max-chars", "arg-file"],
        ..PLAIN
    },
    Wrapper { names: &["parallel"], short: "jNnaIdC", long: &["jobs", "arg-file"], ..PLAIN },
    Wrapper { names: &["arch-chroot", "faketime"], short: "u", operands: 1, ..PLAIN },
    Wrapper { names: &["xvfb-run"], short: "efnpsw", long: &["server-args", "server-num", "auth-file"], ..PLAIN },
    Wrapper { names: &["strace", "ltrace"], short: "eoOpPsSuEaIbX", ..PLAIN },
    Wrapper { names: &["chroot"], long: &["userspec", "groups"], operands: 1, ..PLAIN },
    Wrapper { names: &["gosu", "su-exec", "s6-setuidgid", "setuidgid"], operands: 1, ..PLAIN },
    Wrapper { names: &["chpst"], short: "uUbemdofcrtnlL", ..PLAIN },
    Wrapper {
        names: &["setpriv"],
        long: &[
            "reuid",
            "regid",
            "groups",
            "inh-caps",
            "ambient-caps",
            "bounding-set",
            "securebits",
            "selinux-label",
            "apparmor-profile",
            "pdeathsig",
            "ruid",
            "euid",
            "rgid",
            "egid",
        ],
        ..PLAIN
    },
    Wrapper { names: &["tini", "tini-static", "docker-init", "catatonit"], short: "pe", ..PLAIN },
    Wrapper { names: &["dumb-init"], short: "r", long: &["rewrite"], ..PLAIN },
    Wrapper { names: &["flock"], short: "wEc", long: &["timeout", "conflict-exit-code"], operands: 1, ..PLAIN },
    Wrapper { names: &["unshare"], short: "RwSG", ..PLAIN },
    Wrapper { names: &["nsenter"], short: "tSG", long: &["target", "setuid", "setgid"], ..PLAIN },
    Wrapper { names: &["runuser"], short: "ugG", long: &["user", "group", "supp-group"], ..PLAIN },
];

/// Takes the wrappers off `words`; `None` when there are no words.
pub(super) fn effective(words: &[Word]) -> Option<Effective<'_>> {
    let mut rest = words;
    let mut uses_sudo = false;
    loop {
        let (first, arguments) = rest.split_first()?;
        let program = base_name(&first.text);
        let found = WRAPPERS.iter().find(|wrapper| wrapper.names.contains(&program));
        let inner = found.and_then(|wrapper| wrapper.strip(program, arguments));
        uses_sudo |= matches!(program, "sudo" | "doas");
        match inner {
            Some(inner) if !inner.is_empty() => rest = inner,
            _ => return Some(Effective { program, arguments, uses_sudo }),
        }
    }
}

impl Wrapper {
    /// The words of the program that is run; `None` when none is.
    fn strip<'a>(&self, name: &str, words: &'a [Word]) -> Option<&'a [Word]> {
        let mut at = 0;
        let mut operands = self.operands;
        while let Some(word) = words.get(at) {
            let text = word.text.as_str();
            at += 1;
            if text == "--" {
                break;
            } else if let Some(long) = text.strip_prefix("--") {
                if self.long.contains(&long) {
                    at += 1;
                }
            } else if let Some(letters) = text.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                if letters.chars().any(|letter| self.query.contains(letter)) {
                    return None;
                }
                // `runuser USER -c ...` and `runuser -c` give a script, not a program.
                if name == "runuser" && letters.contains('c') {
                    return None;
                }
                // The first letter with a value takes the rest of the word, or the next word when none is left.
                if letters.find(|letter| self.short.contains(letter)) == Some(letters.len() - 1) {
                    at += 1;
                }
            } else if (self.assigns && text.contains('=') && !text.starts_with('=')) || text == "-" {
            } else if operands > 0 {
                operands -= 1;
            } else {
                return words.get(at - 1..);
            }
        }
        words.get(at + operands..)
    }
}

#[cfg(test)]
mod tests {
    use crate::image::Command;

    #[test]
    fn wrappers_come_off() {
        for (line, want, sudo) in [
            ("apt-get update", "apt-get update", false),
            ("/usr/bin/env -u X -i A=b c=d /usr/bin/python3 -m x", "python3 -m x", false),
            ("sudo -u app -E FOO=1 apt-get install x", "apt-get install x", true),
            ("sudo -uapp id", "id", true),
            ("sudo --user app -- id -u", "id -u", true),
            ("sudo -nE apt update", "apt update", true),
            ("sudo", "sudo", true),
            ("sudo -l", "sudo -l", true),
            ("exec nice -n 10 nohup /srv/run --x", "run --x", false),
            ("exec -a name prog", "prog", false),
            ("timeout -k 5 -s KILL 30s curl x", "curl x", false),
            ("timeout --signal=KILL 30s curl x", "curl x", false),
            ("xargs -0 -n 1 -I{} rm -f {}", "rm -f {}", false),
            ("xargs", "xargs", false),
            ("command -v curl", "command -v curl", false),
            ("command curl x", "curl x", false),
            ("tini -g -- /app.sh", "app.sh", false),
            ("gosu app:app redis-server", "redis-server", false),
            ("doas -u x sh", "sh", true),
            ("chroot --userspec=1:1 /mnt apt-get update", "apt-get update", false),
            ("setpriv --reuid 1000 --clear-groups prog", "prog", false),
            ("busybox wget x", "wget x", false),
            ("env", "env", false),
            ("timeout", "timeout", false),
        ] {
            let commands = Command::split(line);
            let effective = commands[0].effective().unwrap();
            let mut got = vec![effective.program];
            got.extend(effective.arguments.iter().map(|word| word.text.as_str()));
            assert_eq!(got.join(" "), want, "{line}");
            assert_eq!(effective.uses_sudo, sudo, "{line}");
        }
        assert_eq!(Command::split("A=1")[0].effective(), None);
    }
}
