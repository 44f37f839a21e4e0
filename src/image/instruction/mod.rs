//! What a history entry's `created_by` says, whichever builder wrote it. Reads text alone; knows no layers.

mod arguments;
mod origin;

use super::Command;
use origin::Origin;

/// The instruction words of a Dockerfile, and what else stands in histories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InstructionKind {
    /// `ADD`.
    Add,
    /// `ARG`.
    Arg,
    /// `CMD`.
    Cmd,
    /// `COPY`.
    Copy,
    /// `ENTRYPOINT`.
    Entrypoint,
    /// `ENV`.
    Env,
    /// `EXPOSE`.
    Expose,
    /// `HEALTHCHECK`.
    Healthcheck,
    /// `LABEL`.
    Label,
    /// `MAINTAINER`.
    Maintainer,
    /// `ONBUILD`.
    OnBuild,
    /// `RUN`, also a bare shell command of the classic builder.
    Run,
    /// `SHELL`.
    Shell,
    /// `STOPSIGNAL`.
    StopSignal,
    /// `USER`.
    User,
    /// `VOLUME`.
    Volume,
    /// `WORKDIR`.
    Workdir,
    /// Anything else: other builders' words, an empty entry.
    Other,
}

/// A `created_by`, parsed.
#[derive(Clone, Debug)]
pub struct Instruction {
    /// Which.
    pub kind: InstructionKind,
    /// Its text behind the word, builder's marks removed (`#(nop)`, ` # buildkit`, `|2 A=b`, `/bin/sh -c`).
    pub text: String,
    /// Build arguments of a `RUN` (`|n NAME=value ...`), as far as they can be told apart.
    pub build_args: Vec<(String, String)>,
    /// The words of `ENV`, `LABEL`, `ARG` as name and value.
    pub pairs: Vec<(String, Option<String>)>,
    /// The sources and the destination of `ADD` and `COPY`, flags left out, destination last; `file:HASH`, `dir:HASH`,
    /// `multi:HASH` and the bare hash of a URL's content stay. The words of an exec form (`CMD`, `ENTRYPOINT`, `HEALTHCHECK`, `RUN`), of `SHELL`,
    /// `VOLUME` and `EXPOSE`.
    pub operands: Vec<String>,
    /// Flags of the instruction, such as `--from=build`.
    pub flags: Vec<String>,
    /// The simple commands of a `RUN`, as [`Command::split`] lists them; also those of `CMD`, `ENTRYPOINT` and
    /// `HEALTHCHECK`. None for scripts of Windows' shells.
    pub commands: Vec<Command>,
}

impl InstructionKind {
    /// The words of a Dockerfile, in capitals.
    const WORDS: &'static [(&'static str, Self)] = &[
        ("ADD", Self::Add),
        ("ARG", Self::Arg),
        ("CMD", Self::Cmd),
        ("COPY", Self::Copy),
        ("ENTRYPOINT", Self::Entrypoint),
        ("ENV", Self::Env),
        ("EXPOSE", Self::Expose),
        ("HEALTHCHECK", Self::Healthcheck),
        ("LABEL", Self::Label),
        ("MAINTAINER", Self::Maintainer),
        ("ONBUILD", Self::OnBuild),
        ("RUN", Self::Run),
        ("SHELL", Self::Shell),
        ("STOPSIGNAL", Self::StopSignal),
        ("USER", Self::User),
        ("VOLUME", Self::Volume),
        ("WORKDIR", Self::Workdir),
    ];
}

impl Instruction {
    /// Whether `source`, an operand of `ADD`, is the hash of what the classic builder fetched from a URL.
    #[must_use]
    pub fn is_fetched_hash(source: &str) -> bool {
        arguments::is_bare_hash(source)
    }

    /// Reads `created_by` as BuildKit, the classic builder, buildah and kaniko write it. Never fails: what is no
    /// instruction is [`InstructionKind::Other`].
    #[must_use]
    pub fn read(created_by: &str) -> Self {
        let origin = origin::of(created_by);
        let Origin { kind, resolved, windows, .. } = origin;
        let mut read = Self::of(kind, origin.text);
        read.build_args = origin.build_args;
        let text = read.text.clone();
        match kind {
            InstructionKind::Run => read.run(&text, windows),
            InstructionKind::Cmd | InstructionKind::Entrypoint => read.start(&text),
            InstructionKind::Healthcheck => read.healthcheck(&text),
            InstructionKind::Add | InstructionKind::Copy => {
                let rest;
                (read.flags, rest) = arguments::flags(&text);
                read.operands = arguments::files(rest);
            }
            InstructionKind::Env | InstructionKind::Label => read.pairs = arguments::pairs(&text, resolved, true),
            InstructionKind::Arg => read.pairs = arguments::pairs(&text, resolved, false),
            InstructionKind::Shell | InstructionKind::Volume => read.operands = arguments::words(&text),
            InstructionKind::Expose => read.operands = arguments::ports(&text),
            _ => {}
        }
        read
    }

    /// Kind and text alone, for what is too long to be read in full.
    #[must_use]
    pub fn outline(created_by: &str) -> Self {
        let origin = origin::of(created_by);
        Self::of(origin.kind, origin.text)
    }

    fn of(kind: InstructionKind, text: &str) -> Self {
        Self {
            kind,
            text: text.trim().to_owned(),
            build_args: Vec::new(),
            pairs: Vec::new(),
            operands: Vec::new(),
            flags: Vec::new(),
            commands: Vec::new(),
        }
    }

    /// Flags that buildah and kaniko keep, then the exec form or shell text.
    fn run(&mut self, text: &str, windows: bool) {
        let (flags, rest) = arguments::flags_named(text, &["mount", "network", "security", "device"]);
        self.flags = flags;
        rest.clone_into(&mut self.text);
        if !windows {
            self.start(rest);
        }
    }

    fn start(&mut self, text: &str) {
        match arguments::exec_form(text) {
            Some(words) => {
                self.commands = Command::of_words(words.iter().cloned()).with_nested();
                self.operands = words;
            }
            None => self.commands = Command::split(text),
        }
    }

    /// `&{["CMD" "x"] "30s" ...}` (Go's print of the struct), or as in the Dockerfile.
    fn healthcheck(&mut self, text: &str) {
        if let Some(printed) = text.strip_prefix("&{") {
            let mut words = arguments::list(printed).unwrap_or_default();
            let kind = if words.is_empty() { String::new() } else { words.remove(0) };
            match kind.as_str() {
                "CMD" => {
                    self.commands = Command::of_words(words.iter().cloned()).with_nested();
                    self.operands = words;
                }
                "CMD-SHELL" => self.commands = Command::split(&words.join(" ")),
                _ => {}
            }
            return;
        }
        let (flags, rest) = arguments::flags(text);
        self.flags = flags;
        if let Some(("CMD" | "cmd", test)) = rest.split_once(char::is_whitespace) {
            self.start(test.trim());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(created_by: &str) -> Vec<String> {
        let line =
            |command: &Command| command.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        Instruction::read(created_by).commands.iter().map(line).collect()
    }

    #[test]
    fn runs_of_every_builder() {
        for (created_by, text, first) in [
            ("RUN /bin/sh -c apt-get update && x # buildkit", "apt-get update && x", "apt-get update"),
            ("RUN /bin/sh -c set -e\necho x\n # buildkit", "set -e\necho x", "set -e"),
            ("RUN |2 V=2.4.1 T= /bin/sh -c fetch # buildkit", "fetch", "fetch"),
            ("RUN /bin/bash -o pipefail -c a | b # buildkit", "a | b", "a"),
            ("RUN /bin/bash -euxo pipefail -c a # buildkit", "a", "a"),
            ("RUN /usr/bin/env bash -c a # buildkit", "a", "a"),
            ("RUN install -d /x # buildkit", "install -d /x", "install -d /x"),
            ("RUN apt-get update", "apt-get update", "apt-get update"),
            ("RUN [\"a\", \"b c\"]", "[\"a\", \"b c\"]", "a b c"),
            ("/bin/sh -c adduser app", "adduser app", "adduser app"),
            ("/bin/sh -c   true", "true", "true"),
            ("/bin/bash -o pipefail -c a | b", "a | b", "a"),
            ("|1 V=1 /bin/sh -c a", "a", "a"),
            ("install -d /var/lib/app", "install -d /var/lib/app", "install -d /var/lib/app"),
            ("/bin/sh -c [\"install\", \"-d\", \"/x\"]", "[\"install\", \"-d\", \"/x\"]", "install -d /x"),
            ("/bin/sh -c [ -f x ]", "[ -f x ]", "[ -f x ]"),
            ("/bin/sh -c --mount=type=cache,target=/x   --network=none  a", "a", "a"),
            ("/bin/sh -c <<EOF\nset -e\nb", "<<EOF\nset -e\nb", ""),
            ("/bin/sh -ec a", "a", "a"),
            ("RUN \"/opt/a b/c\" -d && x", "\"/opt/a b/c\" -d && x", "/opt/a b/c -d"),
            ("/bin/sh -c \"$HOME/c\" -d && x", "\"$HOME/c\" -d && x", "$HOME/c -d"),
            ("[\"a\", \"b c\"]", "[\"a\", \"b c\"]", "a b c"),
            ("[\"/bin/sh\" \"-c\" \"a | b\"]", "[\"/bin/sh\" \"-c\" \"a | b\"]", "/bin/sh -c a | b"),
            ("[/bin/sh -c a && b]", "a && b", "a"),
            ("|1 V=1 [\"a\"]", "[\"a\"]", "a"),
        ] {
            let read = Instruction::read(created_by);
            assert_eq!((read.kind, read.text.as_str()), (InstructionKind::Run, text), "{created_by}");
            assert_eq!(commands(created_by)[0], first, "{created_by}");
        }
        assert_eq!(commands("RUN [\"sh\", \"-c\", \"a; b\"]"), ["sh -c a; b", "a", "b"]);
        assert_eq!(commands("[\"/bin/sh\",\"-c\",\"a; b\"]"), ["/bin/sh -c a; b", "a", "b"]);
        assert_eq!(commands("/bin/sh -c <<EOF\nset -e\nb"), ["", "set -e", "b"]);
    }

    #[test]
    fn scripts_as_somebody_wrote_them() {
        for written in [
            "bash -c \"a && b\"",
            "/bin/bash -c 'a && b'",
            "/bin/sh -eux -o pipefail -c \"a\nb\"",
            "/usr/bin/env bash -c $'a\\nb'",
            "busybox sh -c 'a; b'",
            "env X=y sh -c 'a; b'",
            "X=y sh -c 'a; b'",
            "timeout 5 bash -c 'a; b'",
            "chroot /mnt /bin/bash -c 'a; b'",
            "su -c 'a; b'",
            "su app -s /bin/sh -c 'a; b'",
            "su --command='a; b' app",
            "runuser -u app -- sh -c 'a; b'",
            "sudo -u app bash -lc 'a; b'",
            "unshare -r sh -c 'a; b'",
            "nsenter -t 1 -m -- sh -c 'a; b'",
            "scl enable gcc-toolset-12 'a; b'",
            "sg app -c 'a; b'",
            "script -qec 'a; b' /dev/null",
            "bash -c \"bash -c 'a; b'\"",
            "bash -c 'a; b' && c",
            "bash -c -l 'a; b'",
            "bash --login -c 'a; b'",
            "xvfb-run -a bash -c 'a; b'",
            "su app <<'EOF'\na\nb\nEOF\n",
            "[\"bash\",\"-c\",\"a; b\"]",
            "[\"su\", \"app\", \"-c\", \"a; b\"]",
            "--mount=type=cache,target=/x bash -c 'a; b'",
        ] {
            for created_by in [format!("RUN {written}"), format!("RUN /bin/sh -c {written} # buildkit")] {
                let found = commands(&created_by);
                assert!(found.contains(&"a".to_owned()) && found.contains(&"b".to_owned()), "{created_by}: {found:?}");
            }
        }
        for bare in
            ["/bin/bash -c \"a && b\"", "bash -c 'a; b'", "|1 X=y /bin/bash -c \"a; b\"", "/bin/sh -c bash -c 'a; b'"]
        {
            let found = commands(bare);
            assert!(found.contains(&"a".to_owned()) && found.contains(&"b".to_owned()), "{bare}: {found:?}");
        }
    }

    #[test]
    fn windows() {
        for (created_by, text) in [
            ("cmd /S /C mkdir C:\\app", "mkdir C:\\app"),
            ("RUN cmd /S /C mkdir C:\\app # buildkit", "mkdir C:\\app"),
            ("powershell -NoLogo -ExecutionPolicy Bypass -Command $x = 'a; b'", "$x = 'a; b'"),
            ("C:\\Windows\\System32\\cmd.exe /C x", "x"),
        ] {
            let read = Instruction::read(created_by);
            assert_eq!((read.kind, read.text.as_str()), (InstructionKind::Run, text), "{created_by}");
            assert!(read.commands.is_empty());
        }
        assert_eq!(Instruction::read("cmd /S /C #(nop) WORKDIR C:\\app").kind, InstructionKind::Workdir);
    }

    #[test]
    fn other_words() {
        for created_by in [
            "",
            "  ",
            "/bin/bash",
            "bash",
            "/bin/sh",
            "/bin/bash -l",
            "bazel build ...",
            "bazel build //app:image",
            "jib-maven-plugin:3.4.0",
            "Adding folder /srv",
            "# debian.sh --arch 'amd64' out/ 'bookworm'",
            "debootstrap --variant=minbase bookworm",
            "ko build ko://example.com/x",
            "[]",
            "[auto] base layer",
            "[\"\"]",
            "Buildpacks Launcher Config",
            "nix-build -A image",
            "imported from tarball",
            "/bin/sh -c #(nop) ",
            "/bin/sh -c #(nop) FROM x",
            "Run things",
            "add a b",
        ] {
            let read = Instruction::read(created_by);
            assert_eq!((read.kind, read.commands.len()), (InstructionKind::Other, 0), "{created_by}");
        }
    }

    #[test]
    fn build_arguments() {
        let read = |created_by: &str| {
            let read = Instruction::read(created_by);
            let args: Vec<_> = read.build_args.iter().map(|(name, value)| format!("{name}={value}")).collect();
            (args.join(";"), read.text)
        };
        for (created_by, args, text) in [
            ("RUN |3 V=2.4.1 T= LATE=with blank /bin/sh -c x # buildkit", "V=2.4.1;T=;LATE=with blank", "x"),
            ("|2 LATE=with blank V=2.4.1 /bin/sh -c x", "LATE=with blank;V=2.4.1", "x"),
            ("|3 LATE=with blank V=2.4.1 /bin/sh -c x", "LATE=with blank;V=2.4.1", "x"),
            ("RUN |2 A=run /bin/sh -c y B=2 /bin/sh -c real # buildkit", "A=run /bin/sh -c y;B=2", "real"),
            ("RUN |1 A=x /bin/sh -c B=1 sh -c 'y' # buildkit", "A=x", "B=1 sh -c 'y'"),
            ("RUN |1 OPTS=a B=c /bin/sh -c x # buildkit", "OPTS=a B=c", "x"),
            ("RUN |1 A=b install -d /x # buildkit", "A=b", "install -d /x"),
            ("RUN |1 A=  two  blanks /bin/bash -o pipefail -c x # buildkit", "A=  two  blanks", "x"),
            ("|0 /bin/sh -c x", "", "x"),
            ("RUN |2 A=1 B=x\ny /bin/sh -c z # buildkit", "A=1;B=x\ny", "z"),
        ] {
            assert_eq!(read(created_by), (args.to_owned(), text.to_owned()), "{created_by}");
        }
        for broken in ["|", "|x", "|9", "|99999999999999999999 A=1 /bin/sh -c x", "RUN |1", "|1 A", "|3 A=1"] {
            let _ = Instruction::read(broken);
        }
    }

    #[test]
    fn names_and_values() {
        let read = |created_by: &str| -> Vec<String> {
            let show = |(name, value): &(String, Option<String>)| match value {
                Some(value) => format!("{name}={value}"),
                None => name.clone(),
            };
            Instruction::read(created_by).pairs.iter().map(show).collect()
        };
        for (created_by, want) in [
            ("ENV A=1 B=two words C=three words", vec!["A=1", "B=two words", "C=three words"]),
            ("/bin/sh -c #(nop)  ENV PATH_OF_DATA=/var/data with blanks", vec!["PATH_OF_DATA=/var/data with blanks"]),
            ("/bin/sh -c #(nop) ENV PATH_OF_DATA /var/data with blanks", vec!["PATH_OF_DATA=/var/data with blanks"]),
            ("/bin/sh -c #(nop) ENV A=1 B=\"two words\" C=three\\ words", vec!["A=1", "B=two words", "C=three words"]),
            ("/bin/sh -c #(nop) env Key=Value", vec!["Key=Value"]),
            ("ENV EMPTY=", vec!["EMPTY="]),
            ("ENV A=\"x y\" B='z'", vec!["A=x y", "B=z"]),
            ("ENV A=it's here B=2", vec!["A=it's here", "B=2"]),
            ("/bin/sh -c #(nop) LABEL one=1 two=\"2\"   three='3'", vec!["one=1", "two=2", "three=3"]),
            (
                "LABEL maintainer=ops org.opencontainers.image.title=led ger",
                vec!["maintainer=ops", "org.opencontainers.image.title=led ger"],
            ),
            ("LABEL url=see http://x/?a=b now", vec!["url=see http://x/?a=b now"]),
            ("/bin/sh -c #(nop) LABEL \"com.example.key\"=\"a b\"", vec!["com.example.key=a b"]),
            ("ARG LATE=with blank", vec!["LATE=with blank"]),
            ("/bin/sh -c #(nop) ARG LATE VERSION", vec!["LATE", "VERSION"]),
            ("ARG TARGET", vec!["TARGET"]),
        ] {
            assert_eq!(read(created_by), want, "{created_by}");
        }
    }

    #[test]
    fn files_and_lists() {
        for (created_by, flags, operands) in [
            ("ADD conf/a.ini conf/b.ini /etc/ # buildkit", vec![], vec!["conf/a.ini", "conf/b.ini", "/etc/"]),
            ("COPY --chown=1:1 --chmod=755 a /b # buildkit", vec!["--chown=1:1", "--chmod=755"], vec!["a", "/b"]),
            ("/bin/sh -c #(nop) ADD file:abc in / ", vec![], vec!["file:abc", "/"]),
            ("/bin/sh -c #(nop) ADD tarsum.v1+sha256:HASH in /x ", vec![], vec!["tarsum.v1+sha256:HASH", "/x"]),
            ("/bin/sh -c #(nop) ADD HASH in /a b ", vec![], vec!["HASH", "/a b"]),
            ("/bin/sh -c #(nop) ADD abc in /x ", vec![], vec!["abc", "in", "/x"]),
            (
                "/bin/sh -c #(nop) COPY --chown=1 multi:abc in /with blank ",
                vec!["--chown=1"],
                vec!["multi:abc", "/with blank"],
            ),
            ("COPY [\"a b\", \"/c d/\"]", vec![], vec!["a b", "/c d/"]),
            ("COPY <<a.txt <<b.txt /etc/many/ # buildkit", vec![], vec!["<<a.txt", "<<b.txt", "/etc/many/"]),
            ("COPY <<EOF /etc/motd\nhello\nEOF", vec![], vec!["<<EOF", "/etc/motd"]),
            ("ADD https://x/y.tgz /z # buildkit", vec![], vec!["https://x/y.tgz", "/z"]),
            ("EXPOSE map[443/tcp:{} 8080/tcp:{}]", vec![], vec!["443/tcp", "8080/tcp"]),
            ("EXPOSE 443 8080/tcp", vec![], vec!["443", "8080/tcp"]),
            ("VOLUME [/var/log/app /x]", vec![], vec!["/var/log/app", "/x"]),
            ("VOLUME [\"/a\", \"/b\"]", vec![], vec!["/a", "/b"]),
            ("VOLUME /a", vec![], vec!["/a"]),
            ("SHELL [/bin/bash -o pipefail -c]", vec![], vec!["/bin/bash", "-o", "pipefail", "-c"]),
        ] {
            let hash = "0d9ba6f7".repeat(8);
            let read = Instruction::read(&created_by.replace("HASH", &hash));
            let operands: Vec<String> = operands.into_iter().map(|word| word.replace("HASH", &hash)).collect();
            assert_eq!(read.flags, flags, "{created_by}");
            assert_eq!(read.operands, operands, "{created_by}");
        }
    }

    #[test]
    fn what_starts() {
        for (created_by, want) in [
            ("CMD [\"/bin/sh\" \"-c\" \"exec a\"]", vec!["/bin/sh -c exec a", "exec a"]),
            ("CMD [\"a\\tb\" \"\\\"c\\\"\"]", vec!["a\tb \"c\""]),
            ("/bin/sh -c #(nop) ENTRYPOINT exec /srv/run", vec!["exec /srv/run"]),
            (
                "HEALTHCHECK &{[\"CMD-SHELL\" \"curl x || exit 1\"] \"30s\" \"3s\" \"0s\" \"0s\" '\\x00'}",
                vec!["curl x", "exit 1"],
            ),
            ("HEALTHCHECK &{[\"CMD\" \"probe\" \"-q\"] \"0s\" '\\x05'}", vec!["probe -q"]),
            ("HEALTHCHECK &{[\"NONE\"] \"0s\"}", vec![]),
            ("/bin/sh -c #(nop) HEALTHCHECK --interval=5m     CMD [\"probe\", \"80\"]", vec!["probe 80"]),
            ("/bin/sh -c #(nop) HEALTHCHECK CMD curl x", vec!["curl x"]),
            ("/bin/sh -c #(nop) HEALTHCHECK NONE", vec![]),
            ("/bin/sh -c #(nop)  ONBUILD RUN pip install x", vec![]),
        ] {
            assert_eq!(commands(created_by), want, "{created_by}");
        }
    }

    proptest::proptest! {
        /// Whatever stands in a history is read without a panic, and an outline agrees with the full reading.
        #[test]
        fn never_panics(
            mark in "(RUN |\\|2 |\\|1 A=|RUN \\|3 A=b |/bin/sh -c |/bin/sh -c #\\(nop\\) {1,2}|cmd /S /C |)",
            text in "(ENV |CMD |COPY |HEALTHCHECK |LABEL |EXPOSE map|[\\[\\]\"'\\\\ =A,{}&\n<-]|/bin/sh -c |file:a in |ü){0,30}",
        ) {
            let created_by = format!("{mark}{text}");
            let read = Instruction::read(&created_by);
            proptest::prop_assert_eq!(Instruction::outline(&created_by).kind, read.kind);
        }
    }
}
