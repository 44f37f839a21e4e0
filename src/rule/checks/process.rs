//! What becomes process 1, by its resolved program: whether it is there, hears signals, and is one application. Scripts are
//! not read here.

use super::quote::quote;
use crate::facts::{EntryKind, Facts, Node, Role, Start, StartProgram, Trouble};
use crate::model::{Confidence, ImagePath, Location, visible_str};
use crate::rule::{Params, Sink};

/// Neither ENTRYPOINT nor CMD.
pub fn no_entrypoint(facts: &Facts, _: &Params, sink: &mut Sink) {
    let empty = |words: &Option<Vec<String>>| words.as_ref().is_none_or(Vec::is_empty);
    if empty(&facts.config.config.entrypoint) && empty(&facts.config.config.cmd) {
        let message = "neither ENTRYPOINT nor CMD says what to run: write ENTRYPOINT with the application";
        sink.find(Location::config("/config/Entrypoint"), "ENTRYPOINT", message);
    }
}

/// A program on the way to the application is not in the image, or cannot be started.
pub fn entrypoint_unresolvable(facts: &Facts, _: &Params, sink: &mut Sink) {
    let Some((program, trouble)) = first_trouble(&facts.start) else {
        return;
    };
    let word = instruction(&program.at);
    if !facts.incomplete.is_empty() {
        sink.gap(program.at.clone(), format!("{word}: what it names may lie in a part not read"));
        return;
    }
    let message = format!("{word} runs {}, but {trouble}: containers of this image do not start", quote(&program.name));
    sink.find(program.at.clone(), &*program.name, message);
}

/// The first program of a start that cannot be started, and why. A file of no known format is left alone: the host may
/// have an interpreter for it (binfmt_misc).
pub(super) fn first_trouble(start: &Start) -> Option<(&StartProgram, String)> {
    start.programs.iter().find_map(|program| {
        let trouble = program.trouble.as_ref().filter(|trouble| **trouble != Trouble::NoFormat)?;
        let text = match trouble {
            Trouble::NotInPath | Trouble::Loop | Trouble::FoundRelative | Trouble::WrongArchitecture { .. } => {
                format!("it {trouble}")
            }
            _ => trouble.to_string(),
        };
        Some((program, visible_str(&text).into_owned()))
    })
}

/// `ENTRYPOINT` or `CMD`, from the place in the config.
fn instruction(at: &Location) -> &'static str {
    match at {
        Location::Config { pointer } if pointer.starts_with("/config/Cmd") => "CMD",
        _ => "ENTRYPOINT",
    }
}

/// A shell stays between the runtime and the application, and hears its signals. A shell that only may run, because a
/// script gets it as its arguments, is left alone.
pub fn shell_form_entrypoint(facts: &Facts, _: &Params, sink: &mut Sink) {
    let Some(form) = facts.start.shell_form.as_ref().filter(|form| form.certain && form.hands_over != Some(true))
    else {
        return;
    };
    // These hand over their last command; bash and busybox are told apart by the facts.
    if form.hands_over.is_none() && matches!(base(&form.shell), "zsh" | "ksh" | "mksh") {
        return;
    }
    let stop = facts.config.config.stop_signal.to_ascii_uppercase();
    let stop = match stop.strip_prefix("SIG").unwrap_or(&stop) {
        "" | "15" => "TERM",
        "2" => "INT",
        "3" => "QUIT",
        other => other,
    };
    if form.passes_on.iter().any(|signal| signal == stop) {
        return; // the shell waits, and passes on what it traps
    }
    let before = facts.start.programs.iter().take_while(|program| program.role != Role::Shell);
    let init = before.filter(|program| program.role == Role::Init).last();
    if init.is_some_and(|init| signals_group(init, facts)) {
        return; // the application hears what the shell does not pass on
    }
    let word = instruction(&form.at);
    let shell = quote(&form.shell);
    let who = match init {
        Some(init) => format!("{} signals {shell} alone, which passes nothing on", quote(base(&init.name))),
        None => format!("{shell} stays process 1 and passes no signal on"),
    };
    let message = format!(
        "{word} in shell form: {who}, so that a stop kills the application: write it as a JSON array, or begin its last \
         command with exec"
    );
    let found = sink.find(form.at.clone(), word, message);
    if form.hands_over.is_none() {
        found.confidence = Some(Confidence::Medium);
    }
}

/// Whether this init signals all processes of the group that it starts, not its child alone: dumb-init unless told
/// otherwise, tini when told.
fn signals_group(init: &StartProgram, facts: &Facts) -> bool {
    let env = |name: &str| facts.config.config.env_value(name);
    let options: Vec<&str> = init
        .arguments
        .iter()
        .map(String::as_str)
        .take_while(|argument| argument.starts_with('-') && *argument != "--")
        .collect();
    let has = |letter: char| options.iter().any(|option| !option.starts_with("--") && option.contains(letter));
    match base(&init.name) {
        "dumb-init" => {
            !(has('c')
                || options.contains(&"--single-child")
                || env("DUMB_INIT_SETSID").is_some_and(|value| value == "0"))
        }
        _ => has('g') || env("TINI_KILL_PROCESS_GROUP").is_some(),
    }
}

/// Init systems by the base name of their program.
const INITS: &[(&str, &str)] = &[
    ("systemd", "systemd"),
    ("openrc-init", "OpenRC"),
    ("openrc", "OpenRC"),
    ("upstart", "Upstart"),
    ("my_init", "my_init"),
    ("runit-init", "runit"),
    ("sysvinit", "System V init"),
    ("telinit", "System V init"),
    ("finit", "Finit"),
    ("shepherd", "Shepherd"),
];

/// Small inits that start one program, forward signals to it and reap its children.
const SHIMS: &[&str] = &["tini", "tini-static", "dumb-init", "catatonit", "docker-init"];

/// Process 1 is an init system.
pub fn init_system(facts: &Facts, _: &Params, sink: &mut Sink) {
    let advice = "start the one application, behind tini if it has children to reap";
    let started = |programs: &'_ [StartProgram]| {
        let last = programs.last()?;
        Some((last.at.clone(), last.name.clone(), init_of(facts, last)?))
    };
    if let Some((at, name, system)) = started(&facts.start.programs) {
        let message = format!("process 1 is {system} ({}), which runs a system of services: {advice}", quote(&name));
        sink.find(at, base(&name), message);
    } else if let Some((at, name, system)) = started(&facts.start.handed) {
        let Some(script) = handing_script(facts, &at, &name, sink) else { return };
        let message =
            format!("{script} hands over to {system} ({}), which runs a system of services: {advice}", quote(&name));
        sink.find(at, base(&name), message).confidence = Some(Confidence::Medium);
    } else if is_systemds(&facts.config.config.stop_signal) && find_program(facts, SYSTEMD).is_some() {
        let message = format!("STOPSIGNAL is the one that systemd waits for, and systemd is in the image: {advice}");
        sink.find(Location::config("/config/StopSignal"), "systemd", message).confidence = Some(Confidence::Medium);
    }
}

/// The script at the end of the way, when it is known to run its arguments; otherwise says that this cannot be told of
/// what it is given.
fn handing_script(facts: &Facts, at: &Location, given: &str, sink: &mut Sink) -> Option<String> {
    let script = quote(&facts.start.programs.last()?.name);
    if !facts.start.hands_on {
        sink.gap(at.clone(), format!("whether {script} starts its argument {} cannot be told", quote(given)));
        return None;
    }
    Some(script)
}

/// Whether this is SIGRTMIN+3, by name or by the number that runtimes take for it.
fn is_systemds(signal: &str) -> bool {
    let upper = signal.to_ascii_uppercase();
    matches!(upper.strip_prefix("SIG").unwrap_or(&upper), "RTMIN+3" | "37")
}

const SYSTEMD: &str = "/lib/systemd/systemd";

/// What init system `program` is.
fn init_of(facts: &Facts, program: &StartProgram) -> Option<&'static str> {
    let real = program.path.as_ref().and_then(|path| facts.tree.resolve(path).ok());
    let real = real.map_or_else(String::new, |node| String::from_utf8_lossy(node.name()).into_owned());
    if SHIMS.contains(&&*real) {
        return None;
    }
    let known = INITS.iter().find(|(name, _)| [base(&program.name), &*real].contains(name));
    known.map(|(_, init)| *init).or_else(|| {
        let is_init = matches!(&*program.name, "/sbin/init" | "/usr/sbin/init" | "init" | "/linuxrc" | "linuxrc");
        is_init.then_some(if real == "busybox" { "busybox init" } else { "an init system" })
    })
}

/// Supervisors by the base name of their program.
const SUPERVISORS: &[&str] = &[
    "supervisord",
    "runsvdir",
    "runsvinit",
    "runsvdir-start",
    "s6-svscan",
    "s6-overlay-suexec",
    "svscan",
    "svscanboot",
    "monit",
    "circusd",
    "god",
    "multirun",
    "pm2",
    "pm2-runtime",
    "pm2-docker",
    "foreman",
    "honcho",
    "forego",
    "goreman",
    "hivemind",
    "overmind",
    "immortaldir",
    "dinit",
    "runit",
    "s6-linux-init",
    "nitro",
    "process-compose",
    "parallel-run",
    "concurrently",
];

/// Process 1 is a program that starts and watches others.
pub fn process_supervisor(facts: &Facts, _: &Params, sink: &mut Sink) {
    let advice = "which hides crashes from the runtime: give each program an image of its own and start it directly";
    let among = |programs: &[StartProgram]| {
        programs.iter().find_map(|program| Some((program.at.clone(), supervisor(facts, program)?)))
    };
    if let Some((at, name)) = among(&facts.start.programs) {
        let message = format!("process 1 is the supervisor {}, {advice}", quote(&name));
        sink.find(at, name, message);
    } else if let Some((at, name)) = among(&facts.start.handed) {
        let Some(script) = handing_script(facts, &at, &name, sink) else { return };
        let message = format!("{script} hands over to the supervisor {}, {advice}", quote(&name));
        sink.find(at, name, message).confidence = Some(Confidence::Medium);
    }
}

/// Programs that run another program of a project: name, the word before that program (empty: none), options with a value.
const RUNNERS: &[(&str, &str, &[&str])] = &[
    ("bundle", "exec", &["--gemfile"]),
    ("bundler", "exec", &["--gemfile"]),
    ("npx", "", &["-p", "--package"]),
    ("bunx", "", &["-p", "--package"]),
    ("npm", "exec", &["-p", "--package"]),
    ("pnpm", "exec", &["-C", "--dir"]),
    ("yarn", "exec", &["--cwd"]),
    ("poetry", "run", &["-C", "--directory", "-P", "--project"]),
    ("pipenv", "run", &[]),
    ("pdm", "run", &["-p", "--project"]),
    ("uv", "run", &["--with", "--project", "--directory", "-p", "--python"]),
    ("rbenv", "exec", &[]),
];

/// Interpreters and their options with a value.
const INTERPRETERS: &[(&str, &[&str])] = &[
    ("python", &["-W", "-X", "-Q", "--check-hash-based-pycs"]),
    ("pypy", &["-W", "-X"]),
    ("ruby", &["-I", "-r", "-C", "-E"]),
    ("node", &["-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions"]),
    ("perl", &["-I"]),
];

/// The first argument that is neither an option nor an option's value, and those behind it.
fn first_operand<'a>(arguments: &'a [String], valued: &[&str]) -> Option<(&'a str, &'a [String])> {
    let mut at = 0;
    while let Some(argument) = arguments.get(at).filter(|argument| argument.starts_with('-')) {
        at += 1 + usize::from(valued.contains(&argument.as_str()));
    }
    Some((arguments.get(at)?, arguments.get(at + 1..)?))
}

/// The supervisor that `program` is, or that it interprets as a script or module.
fn supervisor(facts: &Facts, program: &StartProgram) -> Option<String> {
    let known = |name: &str| SUPERVISORS.contains(&name).then(|| name.to_owned());
    let name = base(&program.name);
    let real = || {
        let node = facts.tree.resolve(program.path.as_ref()?).ok()?;
        known(&String::from_utf8_lossy(node.name()))
    };
    if let Some(found) = known(name).or_else(real) {
        return Some(found);
    }
    // Canonical's, which runs services; a test server of the same name does not know these words.
    if name == "pebble" && matches!(first_operand(&program.arguments, &[]), Some(("run" | "enter", _))) {
        return Some(name.to_owned());
    }
    let s6 =
        ["/etc/s6-overlay", "/etc/services.d", "/run/s6", "/command/s6-svscan", "/etc/s6/init", "/package/admin/s6"];
    let of_s6 = |path: &ImagePath| path.display().contains("/s6-overlay");
    if [&program.path, &program.named].into_iter().flatten().any(|path| path.as_bytes() == b"/init")
        && (program.path.as_ref().is_some_and(of_s6)
            || s6.iter().any(|path| facts.tree.get(&ImagePath::from(*path)).is_some()))
    {
        return Some("s6-overlay".to_owned());
    }
    if let Some((_, word, valued)) = RUNNERS.iter().find(|(runner, ..)| *runner == name) {
        let (first, rest) = first_operand(&program.arguments, valued)?;
        let run = match *word {
            "" => first,
            word if word == first => first_operand(rest, valued)?.0,
            _ => return None,
        };
        return known(base(run));
    }
    let (_, valued) = INTERPRETERS.iter().find(|(interpreter, _)| name.starts_with(interpreter))?;
    match first_operand(&program.arguments, valued)?.0 {
        "supervisor.supervisord" => Some("supervisord".to_owned()),
        "circus.circusd" => Some("circusd".to_owned()),
        script => known(base(script)),
    }
}

/// What the runtime executes for `name`: itself when it has a slash (from the working directory), else the first hit in
/// PATH. Symbolic links are followed.
pub(super) fn find_program<'a>(facts: &'a Facts, name: &str) -> Option<Node<'a>> {
    if name.is_empty() {
        return None;
    }
    if name.contains('/') {
        let from = ImagePath::clamp(facts.config.config.working_dir.as_bytes());
        return facts.tree.resolve(&from.join(name.as_bytes())).ok();
    }
    let path = facts.config.config.env_value("PATH").unwrap_or(DEFAULT_PATH);
    let directories = path.split(':').filter(|directory| directory.starts_with('/')).map(ImagePath::from);
    let hits = directories.filter_map(|directory| facts.tree.resolve(&directory.join(name.as_bytes())).ok());
    hits.filter(|node| node.kind() == EntryKind::File).max_by_key(|node| node.mode() & 0o111 != 0)
}

/// What runtimes set when the image does not.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Whether shells run `name` without a program of that name.
pub(super) fn is_builtin(name: &str) -> bool {
    const BUILTINS: &[&str] = &[
        ".", ":", "[", "[[", "alias", "bg", "break", "cd", "command", "continue", "declare", "echo", "eval", "exec",
        "exit", "export", "false", "fg", "getopts", "hash", "jobs", "kill", "let", "local", "printf", "pwd", "read",
        "readonly", "return", "set", "shift", "shopt", "source", "test", "times", "trap", "true", "type", "ulimit",
        "umask", "unalias", "unset", "until", "wait", "while", "if", "for", "case", "!", "{", "(",
    ];
    BUILTINS.contains(&name)
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or("")
}
