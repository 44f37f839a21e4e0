//! Programs that do whatever they are told, by name. With somebody's rights they are as good as that somebody.

/// Programs that hand their rights to whoever asks: interpreters, shells, editors, and tools that read, write or start
/// any file. A version may follow the name, as in `python3.11`.
const POWERFUL: &[&str] = &[
    // shells
    "ash",
    "bash",
    "busybox",
    "csh",
    "dash",
    "fish",
    "ksh",
    "mksh",
    "rbash",
    "sh",
    "tcsh",
    "toybox",
    "zsh",
    // interpreters
    "awk",
    "bun",
    "deno",
    "gawk",
    "guile",
    "java",
    "jjs",
    "jruby",
    "julia",
    "lua",
    "luajit",
    "mawk",
    "nawk",
    "node",
    "nodejs",
    "ocaml",
    "perl",
    "php",
    "pwsh",
    "pypy",
    "python",
    "Rscript",
    "ruby",
    "tclsh",
    "wish",
    // editors and pagers
    "ed",
    "emacs",
    "ex",
    "joe",
    "less",
    "mcedit",
    "micro",
    "more",
    "nano",
    "nvim",
    "pico",
    "rvim",
    "vi",
    "view",
    "vim",
    "vimdiff",
    // change the user, and start anything
    "chpst",
    "gosu",
    "s6-applyuidgid",
    "s6-setuidgid",
    "setpriv",
    "setuidgid",
    "su-exec",
    // read, write or start anything
    "apt",
    "apt-get",
    "base32",
    "base64",
    "capsh",
    "cat",
    "chmod",
    "chown",
    "chroot",
    "chrt",
    "cp",
    "cpio",
    "curl",
    "cut",
    "dd",
    "diff",
    "dmsetup",
    "docker",
    "dpkg",
    "env",
    "expect",
    "find",
    "flock",
    "gcc",
    "gdb",
    "git",
    "grep",
    "gzip",
    "head",
    "install",
    "ionice",
    "ip",
    "kubectl",
    "ld",
    "ln",
    "make",
    "man",
    "mv",
    "nc",
    "ncat",
    "netcat",
    "nice",
    "nmap",
    "nohup",
    "nsenter",
    "od",
    "openssl",
    "pip",
    "rsync",
    "rpm",
    "run-parts",
    "scp",
    "screen",
    "script",
    "sed",
    "setarch",
    "setsid",
    "socat",
    "sort",
    "split",
    "ssh",
    "start-stop-daemon",
    "stdbuf",
    "strace",
    "systemctl",
    "tac",
    "tail",
    "tar",
    "taskset",
    "tcpdump",
    "tee",
    "time",
    "timeout",
    "tmux",
    "unshare",
    "unzip",
    "wget",
    "xargs",
    "xxd",
    "zip",
];

/// Whether a program of that name does whatever it is told; a version may follow the name.
#[must_use]
pub fn is_powerful(name: &[u8]) -> bool {
    let is_version = |rest: &[u8]| {
        let number = rest.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
        match rest.get(number) {
            None => true,                              // python3.11
            Some(b'-') => number > 0,                  // perl5.36-x86_64-linux-gnu
            Some(_) => rest[0] == b'.' && number == 1, // vim.basic
        }
    };
    POWERFUL.iter().any(|known| name.strip_prefix(known.as_bytes()).is_some_and(is_version))
}

#[cfg(test)]
mod tests {
    use super::is_powerful;

    #[test]
    fn names_with_their_versions() {
        for name in ["python3", "python3.11", "perl5.36.0", "vim.basic", "bash", "find", "su-exec"] {
            assert!(is_powerful(name.as_bytes()), "{name}");
        }
        for name in [
            "shadow",
            "finder",
            "su",
            "passwd",
            "edge",
            "ssh-keysign",
            "catalogue",
            "pythonic",
            "ip6tables",
            "sh2ju",
            "runuser",
            "pkexec",
            "ksu",
        ] {
            assert!(!is_powerful(name.as_bytes()), "{name}");
        }
    }
}
