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
    /// The letter under which it reads its script and runs nothing.
    checks: Option<char>,
    /// Letters that take the rest of their word, besides `text`.
    attached: &'static str,
    /// Whether `--` stands before the script's arguments, so that the script itself comes on the input.
    arguments_follow: bool,
}

const INTERPRETER: Interpreter = Interpreter {
    names: &[],
    is_shell: false,
    text: "",
    valued: &[],
    other: &[],
    checks: None,
    attached: "",
    arguments_follow: false,
};

/// Long options under which an interpreter runs nothing.
const RUN_NOTHING: &[&str] = &["--check", "--lint", "--syntax-check", "--no-execute", "--version", "--help"];

const INTERPRETERS: &[Interpreter] = &[
    Interpreter {
        names: &["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "rbash", "fish", "csh", "tcsh"],
        is_shell: true,
        valued: &["--rcfile", "--init-file"],
        checks: Some('n'),
        ..INTERPRETER
    },
    Interpreter {
        names: &["python", "pypy"],
        text: "c",
        valued: &["-W", "-X"],
        other: &["-m", "-V"],
        attached: "WXm",
        ..INTERPRETER
    },
    Interpreter {
        names: &["perl"],
        text: "eE",
        valued: &["-I"],
        checks: Some('c'),
        attached: "CdDFiIlmMx0",
        ..INTERPRETER
    },
    Interpreter {
        names: &["ruby"],
        text: "e",
        valued: &["-r", "-I", "-C"],
        checks: Some('c'),
        attached: "CEFiIKrTWx0",
        ..INTERPRETER
    },
    Interpreter {
        names: &["node", "nodejs", "bun"],
        text: "ep",
        valued: &["-r", "--require", "--import", "--loader"],
        checks: Some('c'),
        attached: "rC",
        ..INTERPRETER
    },
    Interpreter {
        names: &["php"],
        text: "rBRE",
        valued: &["-d", "-c"],
        checks: Some('l'),
        attached: "cdfFStz",
        arguments_follow: true,
        ..INTERPRETER
    },
    Interpreter { names: &["pwsh"], text: "c", ..INTERPRETER },
    Interpreter { names: &["lua", "luajit", "Rscript", "tclsh"], text: "e", valued: &["-l"], ..INTERPRETER },
    Interpreter { names: &["java"], valued: &["-cp", "-classpath", "-p"], ..INTERPRETER },
];

/// Where an interpreter finds its script.
pub(super) enum Script<'a> {
    /// On its input.
    Input,
    /// In arguments that are not written here, such as those that `xargs` adds.
    Arguments,
    Text(&'a Word),
    File(&'a Word),
    /// Somewhere, and it is only looked at.
    Checked,
    /// Nowhere that is of interest.
    None,
}

impl Interpreter {
    /// The interpreter of that name, a version behind it allowed: `python3.11`.
    pub(super) fn of(program: &str) -> Option<&'static Self> {
        let base = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        INTERPRETERS.iter().find(|known| known.names.contains(&base) || known.names.contains(&program))
    }

    /// Its plain name.
    pub(super) fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    pub(super) fn is_shell(&self) -> bool {
        self.is_shell
    }

    /// Where it finds its script when it is started with `arguments`.
    pub(super) fn script<'a>(&self, arguments: &'a [Word]) -> Script<'a> {
        let (mut by_text, mut by_input) = (false, false);
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let text = word.text.as_str();
            if self.only_checks(text) || self.is_shell && text == "-o" && is_noexec(words.as_slice()) {
                return Script::Checked;
            }
            if text == "--" && self.arguments_follow {
                return Script::Input;
            }
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
                by_text |= if self.is_shell { letters.contains('c') } else { self.gives_text(letters) };
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

    /// Whether the word behind these letters is the script.
    fn gives_text(&self, letters: &str) -> bool {
        let first = letters.find(|c| self.text.contains(c) || self.attached.contains(c));
        let rest = first.and_then(|at| letters.get(at..)).unwrap_or_default();
        !rest.is_empty() && rest.chars().all(|c| self.text.contains(c))
    }

    /// Whether under this option the script is read and not run.
    fn only_checks(&self, option: &str) -> bool {
        if RUN_NOTHING.contains(&option) {
            return true;
        }
        let Some(letters) = option.strip_prefix('-').filter(|letters| !letters.starts_with('-')) else { return false };
        let ends = |letter: char| self.attached.contains(letter) || !self.is_shell && self.text.contains(letter);
        self.checks.is_some_and(|checks| letters.chars().take_while(|&letter| !ends(letter)).any(|c| c == checks))
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

fn is_noexec(words: &[Word]) -> bool {
    words.first().is_some_and(|word| word.text == "noexec")
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

/// What a script that is written out in a word fetches, and what it does with it.
#[derive(Default)]
pub(super) struct Inline<'a> {
    /// Whether it asks the network for something.
    pub(super) fetches: bool,
    /// Whether it runs what it gets.
    pub(super) runs: bool,
    /// Whether it computes a digest, to compare it.
    pub(super) compares: bool,
    /// Its strings that may name files.
    pub(super) files: Vec<&'a str>,
}

/// Calls of PHP, Python, Perl, Ruby and JavaScript that fetch what a URL names.
const FETCHING: &[&str] = &[
    "copy(",
    "file_get_contents(",
    "readfile(",
    "fopen(",
    "curl_exec(",
    "urlopen(",
    "urlretrieve(",
    "requests.get(",
    "getstore(",
    "getprint(",
    "mirror(",
    "LWP::Simple",
    "HTTP::Tiny",
    "open-uri",
    "URI.open(",
    "Net::HTTP.get",
    "fetch(",
    "https.get(",
    "http.get(",
    "('https').get(",
    "(\"https\").get(",
    "('http').get(",
    "(\"http\").get(",
];

/// Calls that run a text. As words of their own: PHP's `curl_exec(` and JavaScript's `pattern.exec(` run none.
const RUNNING: &[&str] = &["eval(", "eval ", "exec(", "instance_eval", "runInThisContext(", "Function("];

/// Calls that compute a digest.
const COMPARING: &[&str] =
    &["hash_file(", "hash(", "hash_equals(", "sha1_file(", "hashlib.", "Digest::", "createHash(", "openssl_verify("];

impl<'a> Inline<'a> {
    /// Reads the script as text: its calls by name, its strings by their quotes. Knows no grammar.
    pub(super) fn read(script: &'a str) -> Self {
        let has = |calls: &[&str]| calls.iter().any(|call| script.contains(call));
        let is_word = |at: usize| !script[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
        let mut inline = Self { compares: has(COMPARING), ..Self::default() };
        let mut rest = script;
        let mut included = false;
        let mut remote = false;
        while let Some(open) = rest.find(['"', '\'']) {
            let (before, quoted) = rest.split_at(open);
            let (mark, inside) = quoted.split_at(1);
            let Some(close) = inside.find(mark) else { break };
            let (text, behind) = inside.split_at(close);
            rest = &behind[1..];
            if ["http://", "https://", "ftp://"].iter().any(|scheme| text.starts_with(scheme)) {
                remote = true;
                // PHP runs the file that it includes, from wherever.
                included |= ["include", "include_once", "require", "require_once"]
                    .iter()
                    .any(|word| before.trim_end_matches(['(', ' ']).ends_with(word));
            } else if !text.is_empty() && !text.contains(char::is_whitespace) {
                inline.files.push(text);
            }
        }
        inline.fetches = included || remote && has(FETCHING);
        let runs = RUNNING.iter().flat_map(|call| script.match_indices(call)).any(|(at, _)| is_word(at));
        inline.runs = included || inline.fetches && runs;
        inline
    }
}

/// Whether the program compares files byte by byte.
pub(super) fn compares_files(program: &str) -> bool {
    matches!(program, "cmp" | "diff")
}

/// Whether the program, which is given no command, starts a shell that reads its input: `su USER`, `sudo -i`, `chroot DIR`.
pub(super) fn is_login(program: &str, arguments: &[Word]) -> bool {
    match program {
        "su" | "runuser" | "newgrp" | "chroot" | "unshare" | "nsenter" => true,
        "sudo" | "doas" => arguments.iter().any(|word| {
            let letters = word.text.strip_prefix('-').filter(|letters| !letters.starts_with('-'));
            let shell =
                |letters: &str| letters.chars().take_while(|c| !"ugpCcrtTUDRha".contains(*c)).any(|c| "is".contains(c));
            letters.is_some_and(shell) || matches!(&*word.text, "--login" | "--shell")
        }),
        _ => false,
    }
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
