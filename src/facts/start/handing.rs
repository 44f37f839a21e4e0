//! Whether a shell script ends by running its own arguments, told from its last bytes. No interpreter: a line that does
//! so, in whatever branch, is enough.

use crate::image::Command;

/// Bytes of a script's end that are looked at.
pub const TAIL: u64 = 16 << 10;

/// Whether the script that ends with `tail` runs its arguments in its own place: `exec "$@"` anywhere, a change of user
/// or an init in front or not, or `"$@"` as its last command.
pub fn runs_its_arguments(tail: &[u8]) -> bool {
    let holds = |what: &[u8]| memchr::memmem::find(tail, what).is_some();
    if ![&b"$@"[..], b"${@}", b"$*", b"${*}"].iter().any(|what| holds(what)) {
        return false;
    }
    let text = String::from_utf8_lossy(tail);
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let last = lines().next_back().unwrap_or_default();
    lines().filter(|line| line.contains(['@', '*'])).any(|line| {
        Command::list(line).iter().any(|command| {
            let program = command.effective().map_or("", |effective| effective.program);
            let all = matches!(program, "$@" | "${@}" | "$*" | "${*}");
            all && (command.program() == "exec" || line == last && command.words.len() == 1)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::runs_its_arguments;

    #[test]
    fn arguments_in_the_place_of_the_script() {
        for script in [
            "exec \"$@\"",
            "set -e\nif x; then exec gosu app \"$@\"; fi\necho no\n",
            "exec tini -- \"${@}\"",
            "a\n  exec $@  # the command\n\n# end\n",
            "prepare\n\"$@\"\n",
        ] {
            assert!(runs_its_arguments(script.as_bytes()), "{script}");
        }
        for script in [
            "",
            "exec /usr/bin/server \"$@\"",
            "# exec \"$@\"\nserver",
            "retry() {\n  \"$@\"\n}\nserver",
            "echo exec \"$@\"",
            "exec \"$1\"",
        ] {
            assert!(!runs_its_arguments(script.as_bytes()), "{script}");
        }
    }
}
