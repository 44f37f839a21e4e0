//! The programs that matter to what is fetched and run, and how their arguments look. Tables; follows nothing.

use crate::facts::{Command, Word};

/// Where a program without a path is looked for.
pub(super) const PROGRAM_DIRECTORIES: &[&str] =
    &["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Programs that print the files they are given, changed or not.
pub(super) const PRINTERS: &[&str] = &[
    "cat", "tac", "head", "tail", "sed", "awk", "gawk", "grep", "egrep", "fgrep", "tr", "cut", "sort", "uniq", "zcat",
    "xzcat", "bzcat", "zstdcat", "base64", "base32", "xxd", "openssl", "envsubst", "dos2unix", "jq", "yq",
];

/// A program that fetches from the network.
pub(super) struct Fetcher {
    pub(super) names: &'static [&'static str],
    /// The short option that names the file it writes.
    pub(super) file: char,
    /// The short option that names its directory.
    pub(super) directory: Option<char>,
    /// Other short options with a value.
    pub(super) valued: &'static str,
    /// Whether it writes a file of the remote name when it is told none; otherwise it prints.
    pub(super) remote_name: bool,
}

pub(super) const FETCHERS: &[Fetcher] = &[
    Fetcher { names: &["curl"], file: 'o', directory: None, valued: "AbcCdDeEFhHKmPQrtTuUwxXyYz", remote_name: false },
    Fetcher {
        names: &["wget", "wget2"],
        file: 'O',
        directory: Some('P'),
        valued: "oaeitTQUlRADBIXw",
        remote_name: true,
    },
    Fetcher { names: &["fetch"], file: 'o', directory: None, valued: "BSTN", remote_name: true },
    Fetcher { names: &["aria2c"], file: 'o', directory: Some('d'), valued: "ixsjkUltTSl", remote_name: true },
    Fetcher { names: &["axel"], file: 'o', directory: None, valued: "nsTUH", remote_name: true },
    Fetcher { names: &["http", "https", "xh"], file: 'o', directory: None, valued: "aApsxb", remote_name: false },
    Fetcher { names: &["lynx", "w3m"], file: 'o', directory: None, valued: "", remote_name: false },
    Fetcher { names: &["nc", "ncat", "netcat"], file: 'o', directory: None, valued: "wpsXxqT", remote_name: false },
];

/// A program that runs scripts.
pub(super) struct Interpreter {
    names: &'static [&'static str],
    is_shell: bool,
    /// Letters of short options whose value is the script; the last one of a cluster.
    text: &'static str,
    /// Short options with another value in the next word.
    valued: &'static [&'static str],
    /// Options behind which no script follows on the input or in a file of one's own.
    other: &'static [&'static str],
}

const INTERPRETERS: &[Interpreter] = &[
    Interpreter {
        names: &["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "rbash", "fish", "csh", "tcsh"],
        is_shell: true,
        text: "",
        valued: &["--rcfile", "--init-file"],
        other: &[],
    },
    Interpreter { names: &["python", "pypy"], is_shell: false, text: "c", valued: &["-W", "-X"], other: &["-m"] },
    Interpreter { names: &["perl"], is_shell: false, text: "eE", valued: &["-I"], other: &[] },
    Interpreter { names: &["ruby"], is_shell: false, text: "e", valued: &["-r", "-I", "-C"], other: &[] },
    Interpreter {
        names: &["node", "nodejs", "bun"],
        is_shell: false,
        text: "ep",
        valued: &["-r", "--require", "--import", "--loader"],
        other: &[],
    },
    Interpreter { names: &["php"], is_shell: false, text: "rBRE", valued: &["-d", "-c"], other: &[] },
    Interpreter { names: &["pwsh"], is_shell: false, text: "c", valued: &[], other: &[] },
    Interpreter {
        names: &["lua", "luajit", "Rscript", "tclsh"],
        is_shell: false,
        text: "e",
        valued: &["-l"],
        other: &[],
    },
    Interpreter { names: &["java"], is_shell: false, text: "", valued: &["-cp", "-classpath", "-p"], other: &[] },
];

/// Where an interpreter finds its script.
pub(super) enum Script<'a> {
    /// On its input.
    Input,
    /// In arguments that are not written here, such as those that `xargs` adds.
    Arguments,
    Text(&'a Word),
    File(&'a Word),
    /// Nowhere that is of interest.
    None,
}

impl Interpreter {
    /// The interpreter of that name, a version behind it allowed: `python3.11`.
    pub(super) fn of(program: &str) -> Option<&'static Self> {
        let base = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        INTERPRETERS.iter().find(|known| known.names.contains(&base) || known.names.contains(&program))
    }

    /// Where it finds its script when it is started with `arguments`.
    pub(super) fn script<'a>(&self, arguments: &'a [Word]) -> Script<'a> {
        let (mut by_text, mut by_input) = (false, false);
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let text = word.text.as_str();
            if matches!(text, "-" | "--") {
                let next = words.next().filter(|_| text == "--" || self.is_shell);
                return Self::operand(next, by_text, by_input);
            }
            if self.valued.contains(&text)
                || self.is_shell && text.ends_with(['o', 'O']) && text.starts_with(['-', '+'])
            {
                words.next();
            } else if self.other.contains(&text) {
                return Script::None;
            } else if let Some(letters) = text.strip_prefix('-').filter(|letters| !letters.starts_with('-')) {
                by_text |=
                    if self.is_shell { letters.contains('c') } else { letters.ends_with(|c| self.text.contains(c)) };
                by_input |= self.is_shell && letters.contains('s');
                if by_text && !self.is_shell {
                    return words.next().map_or(Script::None, Script::Text);
                }
            } else if matches!(text, "--eval" | "--print" | "--command" | "-Command" | "--run") {
                return words.next().map_or(Script::None, Script::Text);
            } else if !text.starts_with(['-', '+']) || word.text.starts_with("-<(") {
                return Self::operand(Some(word), by_text, by_input);
            }
        }
        Self::operand(None, by_text, by_input)
    }

    fn operand(word: Option<&Word>, by_text: bool, by_input: bool) -> Script<'_> {
        match word {
            None if by_text => Script::Arguments,
            Some(word) if by_text => Script::Text(word),
            Some(word) if !by_input && !is_input(&word.text) => Script::File(word),
            _ => Script::Input,
        }
    }
}

pub(super) fn is_input(path: &str) -> bool {
    matches!(path, "-" | "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0")
}

pub(super) fn is_output(path: &str) -> bool {
    matches!(path, "-" | "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1")
}

/// Words that are no options and no values of these short options.
pub(super) fn operands<'a>(words: &'a [Word], valued: &str) -> Vec<&'a Word> {
    let mut out = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.text.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            None => out.push(word),
            Some(letters) if !letters.starts_with('-') && letters.ends_with(|c| valued.contains(c)) => {
                words.next();
            }
            Some(_) => {}
        }
    }
    out
}

/// Whether an archiver prints the files that it unpacks.
pub(super) fn unpacks_to_output(program: &str, arguments: &[Word]) -> bool {
    let letter = match program {
        "tar" | "bsdtar" => 'O',
        "unzip" => 'p',
        _ => return false,
    };
    arguments.iter().enumerate().any(|(at, word)| {
        // tar's first word may have its letters without a dash.
        let letters = word.text.strip_prefix('-').or((at == 0 && program == "tar").then_some(&*word.text));
        word.text == "--to-stdout"
            || letters.is_some_and(|letters| !letters.starts_with('-') && letters.contains(letter))
    })
}

/// Programs that print a digest of what they read.
pub(super) fn is_digest(program: &str) -> bool {
    matches!(program, "cksum" | "shasum" | "rhash" | "b3sum")
        || program.strip_suffix("sum").is_some_and(|kind| kind.starts_with("sha") || matches!(kind, "md5" | "b2"))
}

/// Whether the command checks a digest or a signature.
pub(super) fn is_verifier(program: &str, arguments: &[Word]) -> bool {
    let has = |options: &[&str]| arguments.iter().any(|word| options.contains(&word.text.as_str()));
    let has_letter = |letter: char| {
        let short =
            |word: &Word| word.text.strip_prefix('-').is_some_and(|s| !s.starts_with('-') && s.contains(letter));
        arguments.iter().any(short)
    };
    match program {
        "gpgv" | "gpgv2" | "sqv" | "slsa-verifier" => true,
        "gpg" | "gpg2" => has(&["--verify", "--decrypt", "-d", "--verify-files"]),
        "cosign" | "notation" | "sq" | "minisign" | "signify" | "signify-openbsd" => {
            has(&["verify", "verify-blob", "verify-attestation", "verify-blob-attestation"]) || has_letter('V')
        }
        "rpm" | "rpmkeys" => has(&["-K", "--checksig"]),
        "openssl" => has(&["-verify", "-signature", "-prverify"]),
        _ => is_digest(program) && (has(&["--check"]) || has_letter('c')),
    }
}

/// Whether a word of a test holds the digest of something.
pub(super) fn compares_digest(word: &Word) -> bool {
    let digests = |command: &Command| {
        command.effective().is_some_and(|effective| {
            is_digest(effective.program) || effective.program == "openssl" && effective.arguments.len() > 1
        })
    };
    word.substitutions().iter().any(|text| Command::list(text).iter().any(digests))
}
