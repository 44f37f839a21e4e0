//! What a RUN step gets from the network and then runs. Follows bytes from the program that fetches them through pipes,
//! groups, files, variables and substitutions to whatever runs them. Takes all branches; knows no values of variables.

use super::programs::{
    FETCHERS, Fetcher, Interpreter, PRINTERS, PROGRAM_DIRECTORIES, Script, compares_digest, is_digest, is_input,
    is_output, is_verifier, operands, unpacks_to_output,
};
use crate::facts::{Command, Effective, Expansion, Word};
use std::collections::BTreeMap;

/// Something fetched that is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The program that fetched it.
    pub fetcher: &'static str,
    /// The shell or interpreter; `None` when it is started as a program.
    pub by: Option<String>,
    /// The file it lay in, when it was kept in one.
    pub file: Option<String>,
}

/// The first thing that `commands` fetch and run with no check between.
pub fn run(commands: &[Command]) -> Option<Run> {
    let length: usize = commands.iter().flat_map(|command| &command.words).map(|word| word.text.len()).sum();
    let mut flow = Flow { budget: (1 << 16) + length.saturating_mul(4), ..Flow::default() };
    flow.list(commands, None, 0);
    flow.found
}

/// Substitutions in substitutions.
const DEEPEST: usize = 16;

/// Bytes of a path that is put together from `cd` and a name (Linux' `PATH_MAX`).
const LONGEST_PATH: usize = 4096;

/// Who fetched some bytes; `None` when they are of the build's own.
type Fetched = Option<&'static str>;

/// Where fetched bytes lie, as far as commands were followed.
#[derive(Default)]
struct Flow {
    files: BTreeMap<String, &'static str>,
    variables: BTreeMap<String, &'static str>,
    directory: String,
    /// Bytes of substitutions that may still be read.
    budget: usize,
    found: Option<Run>,
}

/// A compound command: what its commands read, and what they have printed.
struct Group {
    input: Fetched,
    output: Fetched,
}

impl Flow {
    /// Follows commands in order; gives what they print together.
    fn list(&mut self, commands: &[Command], input: Fetched, depth: usize) -> Fetched {
        let mut groups = vec![Group { input, output: None }];
        let mut pipe = None;
        for command in commands {
            if self.found.is_some() {
                break;
            }
            let input = pipe.take().or(groups.last().and_then(|group| group.input));
            groups.extend((0..command.opens).map(|_| Group { input, output: None }));
            let own = command.redirects.len().saturating_sub(command.shared_redirects);
            let (own, shared) = command.redirects.split_at(own);
            let mut output = self.command(command, own, input, depth);
            for _ in 0..command.closes.min(groups.len() - 1) {
                output = groups.pop().and_then(|group| group.output).or(output);
            }
            output = self.keep(shared, output);
            if command.pipes_on {
                pipe = output;
            } else if let Some(group) = groups.last_mut() {
                group.output = group.output.or(output);
            }
        }
        groups.into_iter().find_map(|group| group.output)
    }

    /// Follows one command; gives what it prints.
    fn command(&mut self, command: &Command, redirects: &[(String, Word)], input: Fetched, depth: usize) -> Fetched {
        for (name, value) in &command.assignments {
            let value = self.value(value, depth);
            self.set(name, value);
        }
        let mut input = input;
        for (operator, word) in redirects {
            input = match operator.as_str() {
                "<" | "0<" => self.value(word, depth).or(self.file(&word.text)),
                "<<<" => self.value(word, depth),
                "<<" | "<<-" => None,
                _ => input,
            };
        }
        let output = command.effective().and_then(|effective| self.program(command, effective, input, depth));
        self.keep(redirects, output)
    }

    /// Follows what the program of a command does; gives what it prints.
    fn program(&mut self, command: &Command, effective: Effective<'_>, input: Fetched, depth: usize) -> Fetched {
        let Effective { program, arguments, .. } = effective;
        let word = command.words.len().checked_sub(arguments.len() + 1).and_then(|at| command.words.get(at))?;
        if let Some(fetcher) = self.value(word, depth) {
            self.runs(fetcher, Some("the shell"), None);
        } else if let Some((file, fetcher)) = self.started(&word.text) {
            self.runs(fetcher, None, Some(file));
        }
        if let Some(fetcher) = FETCHERS.iter().find(|fetcher| fetcher.names.contains(&program)) {
            return self.fetch(fetcher, arguments);
        }
        if let Some(interpreter) = Interpreter::of(program) {
            let by_xargs = command.words.iter().any(|word| word.text.ends_with("xargs"));
            let (fetcher, file) = match interpreter.script(arguments) {
                Script::Input => (input, None),
                Script::Arguments => (input.filter(|_| by_xargs), None),
                Script::Text(word) => (self.value(word, depth), None),
                Script::File(word) => match self.value(word, depth) {
                    Some(fetcher) => (Some(fetcher), None),
                    None => (self.file(&word.text), Some(word.text.clone())),
                },
                Script::None => (None, None),
            };
            if let Some(fetcher) = fetcher {
                self.runs(fetcher, Some(program), file);
            }
            return input;
        }
        if is_digest(program) || is_verifier(program, arguments) {
            // A digest that is compared: by the program itself, or by what reads it.
            if is_verifier(program, arguments) || command.pipes_on {
                self.files.clear();
            }
            return None;
        }
        match program {
            "eval" => {
                if let Some(fetcher) = self.first_value(arguments, depth) {
                    self.runs(fetcher, Some("eval"), None);
                }
                None
            }
            "source" | "." => {
                let word = arguments.first()?;
                let by_input = input.filter(|_| is_input(&word.text));
                let fetched = self.value(word, depth).or(by_input);
                if let Some(fetcher) = fetched.or(self.file(&word.text)) {
                    let file = if fetched.is_none() { Some(word.text.clone()) } else { None };
                    self.runs(fetcher, Some(program), file);
                }
                None
            }
            "cd" | "pushd" => {
                let to = operands(arguments, "").first().map_or("", |word| &word.text).to_owned();
                self.directory = self.path(&to);
                None
            }
            "export" | "local" | "readonly" | "declare" | "typeset" => {
                for word in arguments {
                    if let Some((name, value)) = word.text.split_once('=') {
                        let value = self.value(&Word { text: value.to_owned(), ..word.clone() }, depth);
                        self.set(name, value);
                    }
                }
                None
            }
            "read" | "mapfile" | "readarray" => {
                for word in operands(arguments, "adinNptu") {
                    self.set(&word.text, input);
                }
                None
            }
            "echo" | "printf" => self.first_value(arguments, depth),
            "tee" => {
                for word in operands(arguments, "") {
                    self.put(&word.text, input);
                }
                input
            }
            "dd" => {
                let of = |name: &str| arguments.iter().find_map(|word| word.text.strip_prefix(name));
                let read = of("if=").map_or(input, |file| self.file(file));
                match of("of=") {
                    Some(file) => {
                        self.put(file, read);
                        None
                    }
                    None => read,
                }
            }
            "cp" | "mv" | "ln" => self.copy(&operands(arguments, "tS"), arguments),
            "install" => self.copy(&operands(arguments, "gmotS"), arguments),
            "gunzip" | "unxz" | "bunzip2" | "unzstd" | "gzip" | "xz" | "bzip2" | "zstd" => {
                for word in operands(arguments, "") {
                    let packed = self.file(&word.text);
                    if let Some((unpacked, _)) = word.text.rsplit_once('.').filter(|_| packed.is_some()) {
                        self.put(unpacked, packed);
                    }
                }
                self.first_file(arguments).or(input)
            }
            "test" | "[" | "[[" | "case" => {
                if arguments.iter().any(compares_digest) {
                    self.files.clear();
                }
                None
            }
            program if unpacks_to_output(program, arguments) => self.first_file(arguments).or(input),
            // What they unpack is another file, and what they print is about it.
            "tar" | "bsdtar" | "unzip" | "cpio" | "jar" | "wc" => None,
            // Whatever else reads a pipe may pass on what it reads; these print files as well.
            program if PRINTERS.contains(&program) => self.first_file(arguments).or(input),
            _ => input,
        }
    }

    /// Sends output where `redirects` say; gives what still goes on.
    fn keep(&mut self, redirects: &[(String, Word)], output: Fetched) -> Fetched {
        let mut rest = output;
        for (operator, word) in redirects {
            if matches!(operator.as_str(), ">" | ">>" | ">|" | "1>" | "1>>" | "&>" | "&>>") {
                rest = if is_output(&word.text) { rest } else { None };
                if output.is_some() || !operator.ends_with(">>") {
                    self.put(&word.text, output);
                }
            }
        }
        rest
    }

    /// A program that fetches; gives what it prints.
    fn fetch(&mut self, fetcher: &Fetcher, arguments: &[Word]) -> Fetched {
        let name = fetcher.names.first().copied()?;
        let (mut files, mut directory, mut remote_name) = (Vec::new(), None, fetcher.remote_name);
        let mut sources = Vec::new();
        let mut words = arguments.iter().map(|word| word.text.as_str());
        while let Some(word) = words.next() {
            if let Some(long) = word.strip_prefix("--") {
                let (option, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
                match option {
                    "output" | "output-document" | "out" => files.extend(value.or_else(|| words.next())),
                    "output-dir" | "directory-prefix" | "dir" => directory = value.or_else(|| words.next()),
                    "remote-name" | "remote-name-all" => remote_name = true,
                    "spider" | "head" => return None,
                    _ => {}
                }
            } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                for (at, letter) in letters.char_indices() {
                    let is_file = fetcher.file == letter;
                    if is_file || fetcher.directory == Some(letter) || fetcher.valued.contains(letter) {
                        let rest = letters.get(at + letter.len_utf8()..).filter(|rest| !rest.is_empty());
                        let value = rest.or_else(|| words.next());
                        if is_file {
                            files.extend(value);
                        } else if fetcher.directory == Some(letter) {
                            directory = value;
                        }
                        break;
                    }
                    remote_name |= fetcher.names.contains(&"curl") && letter == 'O';
                }
            } else {
                sources.push(word);
            }
        }
        if files.is_empty() && remote_name {
            for source in sources.iter().filter(|source| source.contains('/')) {
                let path = source.split(['?', '#']).next().unwrap_or(source);
                let file = path.rsplit('/').next().unwrap_or(path);
                let file = if file.is_empty() { "index.html" } else { file };
                let place = directory.map_or_else(|| file.to_owned(), |directory| format!("{directory}/{file}"));
                self.put(&place, Some(name));
            }
            return None;
        }
        for file in files.iter().filter(|file| !is_output(file)) {
            let place = directory.map_or_else(|| (*file).to_owned(), |directory| format!("{directory}/{file}"));
            self.put(&place, Some(name));
        }
        (files.is_empty() || files.iter().any(|file| is_output(file))).then_some(name)
    }

    /// `cp`, `mv`, `install`, `ln`: what lies at the source lies at the destination.
    fn copy(&mut self, words: &[&Word], arguments: &[Word]) -> Fetched {
        let option = arguments.iter().position(|word| matches!(word.text.as_str(), "-t" | "--target-directory"));
        let into = option.and_then(|at| arguments.get(at + 1));
        let (to, sources) = match into {
            Some(into) => (into, words),
            None => words.split_last().map(|(to, sources)| (*to, sources))?,
        };
        for source in sources {
            let fetched = self.file(&source.text);
            let base = source.text.rsplit('/').next().unwrap_or_default();
            self.put(&to.text, fetched);
            self.put(&format!("{}/{base}", to.text), fetched);
        }
        None
    }

    /// What the whole word stands for, when that was fetched.
    fn value(&mut self, word: &Word, depth: usize) -> Fetched {
        match word.expansion()? {
            Expansion::Variable(name) => self.variables.get(name).copied(),
            Expansion::Output(text) => {
                if depth >= DEEPEST {
                    return None;
                }
                self.budget = self.budget.checked_sub(text.len())?;
                let directory = self.directory.clone();
                let output = self.list(&Command::list(&text), None, depth + 1);
                self.directory = directory;
                output
            }
        }
    }

    fn first_value(&mut self, words: &[Word], depth: usize) -> Fetched {
        words.iter().find_map(|word| self.value(word, depth))
    }

    fn first_file(&self, words: &[Word]) -> Fetched {
        words.iter().find_map(|word| self.file(&word.text))
    }

    fn set(&mut self, name: &str, value: Fetched) {
        match value {
            Some(fetcher) => self.variables.insert(name.to_owned(), fetcher),
            None => self.variables.remove(name),
        };
    }

    /// Says what lies in the file at `path` from now on.
    fn put(&mut self, path: &str, value: Fetched) {
        if path.starts_with("/dev/") {
            return;
        }
        let path = self.path(path);
        match value {
            Some(fetcher) => self.files.insert(path, fetcher),
            None => self.files.remove(&path),
        };
    }

    fn file(&self, path: &str) -> Fetched {
        if self.files.is_empty() { None } else { self.files.get(&self.path(path)).copied() }
    }

    /// The fetched file that is started by this name: by a path, or found where programs lie.
    fn started(&self, name: &str) -> Option<(String, &'static str)> {
        if self.files.is_empty() {
            return None;
        }
        if name.contains('/') {
            return self.file(name).map(|fetcher| (name.to_owned(), fetcher));
        }
        let places = PROGRAM_DIRECTORIES.iter().map(|directory| format!("{directory}/{name}"));
        places.into_iter().find_map(|place| self.files.get(&place).map(|&fetcher| (place, fetcher)))
    }

    /// `path` as written, from the directory of the last `cd`, so that two ways to write it are one.
    fn path(&self, path: &str) -> String {
        let mut whole = path.replace("${", "$").replace('}', "");
        if !whole.starts_with(['/', '$', '~']) && !self.directory.is_empty() {
            whole = format!("{}/{whole}", self.directory);
        }
        let root = whole.starts_with('/');
        let parts: Vec<&str> = whole.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        let joined = format!("{}{}", if root { "/" } else { "" }, parts.join("/"));
        if joined.len() > LONGEST_PATH { String::new() } else { joined }
    }

    fn runs(&mut self, fetcher: &'static str, by: Option<&str>, file: Option<String>) {
        self.found.get_or_insert_with(|| Run { fetcher, by: by.map(str::to_owned), file });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let found = run(&Command::split(text));
        found.map_or_else(String::new, |run| {
            [Some(run.fetcher.to_owned()), run.file, run.by].into_iter().flatten().collect::<Vec<_>>().join(" ")
        })
    }

    #[test]
    fn through_pipes_and_groups() {
        for (text, want) in [
            ("curl u | sh", "curl sh"),
            ("(curl u; echo) | sh", "curl sh"),
            ("{ echo; curl u; } | bash -s -- -y", "curl bash"),
            ("if true; then curl u; fi | sh", "curl sh"),
            ("curl u | (cd /x && sh)", "curl sh"),
            ("curl u | { tee log | bash; }", "curl bash"),
            ("wget -O- u | sudo -E bash -", "wget bash"),
            ("wget -qO - u | python3.11 - --version 1", "wget python3.11"),
            ("curl u | base64 -d | sh -ex", "curl sh"),
            ("curl u | xargs -0 bash -c", "curl bash"),
            ("curl u | while read -r l; do eval \"$l\"; done", "curl eval"),
            ("cat a | sh", ""),
            ("curl u | tar xz && sh a", ""),
            ("curl u | jq .", ""),
            ("(curl u; echo) | cat; sh a", ""),
            ("curl u; sh", ""),
            ("curl -o /dev/null u | sh", ""),
            ("wget u/a | sh", ""),
            ("curl u | python -m json.tool", ""),
            ("curl u | perl -pe s/a/b/", ""),
            ("curl u | sha256sum -c - | sh", ""),
        ] {
            assert_eq!(shown(text), want, "{text}");
        }
    }

    #[test]
    fn through_files() {
        for (text, want) in [
            ("curl -o a.sh u && sh a.sh", "curl a.sh sh"),
            ("curl -fsSLo a.sh u && sh ./a.sh", "curl ./a.sh sh"),
            ("curl u > /tmp/a && chmod +x /tmp/a && /tmp/a", "curl /tmp/a"),
            ("curl u | tee a >/dev/null; . ./a", "curl ./a ."),
            ("{ curl u; } > a; sh < a", "curl sh"),
            ("cd /tmp && wget https://x/i.sh?v=1 && bash /tmp/i.sh", "wget /tmp/i.sh bash"),
            ("wget -P /opt https://x/i.sh; bash /opt/i.sh", "wget /opt/i.sh bash"),
            ("curl -O https://x/get-pip.py && python3 get-pip.py", "curl get-pip.py python3"),
            ("curl -o \"$f\" u; sh ${f}", "curl ${f} sh"),
            ("curl -o /tmp/x u && install -m 755 /tmp/x /usr/local/bin/x && x -i", "curl /usr/local/bin/x"),
            ("curl -o a.gz u && gunzip a.gz && sh a", "curl a sh"),
            ("curl -o a u; mv a /opt/; /opt/a", "curl /opt/a"),
            ("cat a | sh; curl -o b u; sh c", ""),
            ("curl -o a u", ""),
            ("curl -o a u; echo x > a; sh a", ""),
            ("curl -o a.tgz u && tar xf a.tgz && ./configure", ""),
            ("curl -o a u && echo 'h  a' | sha256sum -c - && sh a", ""),
            ("curl -o a u && gpg --verify a.asc a && sh a", ""),
            ("curl -o a u && [ \"$(sha256sum a | cut -c1-64)\" = h ] && sh a", ""),
            ("curl -o a u && sha256sum a | grep -q h && sh a", ""),
            ("curl -o a u && sha256sum a && sh a", "curl a sh"),
            ("sh a && curl -o a u", ""),
        ] {
            assert_eq!(shown(text), want, "{text}");
        }
    }

    #[test]
    fn through_words_and_variables() {
        for (text, want) in [
            ("sh -c \"$(curl u)\" -- -y", "curl sh"),
            ("python3 -c \"$(curl u)\"", "curl python3"),
            ("perl -we \"`wget -qO- u`\"", "wget perl"),
            ("bash <(curl u)", "curl bash"),
            ("bash < <(curl u)", "curl bash"),
            ("bash <<< \"$(curl u)\"", "curl bash"),
            ("source <(curl u)", "curl source"),
            ("eval \"$(curl u | sed s/a/b/)\"", "curl eval"),
            ("x=$(curl u); eval \"$x\"", "curl eval"),
            ("export X=\"$(curl u)\"; echo \"$X\" | sh", "curl sh"),
            ("x=$(curl -o a u; cat a); bash -c \"${x}\"", "curl bash"),
            ("$(curl u)", "curl the shell"),
            ("bash -c 'curl u | sh'", "curl sh"),
            ("v=$(curl u | jq -r .tag); curl -o a https://x/$v; tar xf a", ""),
            ("[ \"$(curl u)\" = ok ] && sh a", ""),
            ("sh -c 'echo $(curl u)'", ""),
            ("echo 'curl u | sh'", ""),
            ("x=$(curl u); x=1; eval \"$x\"", ""),
        ] {
            assert_eq!(shown(text), want, "{text}");
        }
    }

    #[test]
    fn bounded_whatever_comes() {
        for piece in ["curl -o a u; ", "(curl u; ", "x=$(curl $(", "cd a; ", "curl u | ", "tee a b c | ", "{ echo `"] {
            let _ = run(&Command::split(&piece.repeat(20_000)));
        }
    }
}
