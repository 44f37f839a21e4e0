//! What makes an image change after it was built and looked at.

use super::manager::{Task, asked};
use crate::facts::{EntryKind, Facts, InstructionKind, StartProgram, is_powerful};
use crate::model::{ImagePath, Location, visible_str};
use crate::rule::{Params, Sink};

/// A build step that upgrades whatever is installed.
pub fn upgrade_in_build(facts: &Facts, _: &Params, sink: &mut Sink) {
    for step in facts.history.steps.iter().filter(|step| step.instruction.kind == InstructionKind::Run) {
        let upgrade = step.instruction.commands.iter().filter_map(asked).find(|asked| asked.task == Task::UpgradeAll);
        if let Some(asked) = upgrade {
            let program = asked.as_written();
            let message = format!("{program} upgrades the whole system in place: rebuild on a newer base instead");
            sink.find(step.location(), program, message);
        }
    }
}

/// Directories that hold code or the system's own state.
const SYSTEM: &[&str] = &[
    "/",
    "/bin",
    "/boot",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/sbin",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/sbin",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/lib",
];
/// Directories of the kernel; what lies below them is theirs as well.
const KERNEL: &[&str] = &["/dev", "/proc", "/sys"];

/// A volume where code or the kernel's interfaces belong.
pub fn volume_on_system_directory(facts: &Facts, _: &Params, sink: &mut Sink) {
    let config = &facts.config.config;
    let working = (!config.working_dir.is_empty()).then(|| ImagePath::from(config.working_dir.as_str()));
    let real = |path: ImagePath| facts.tree.resolve(&path).map_or(path, |node| node.path());
    let (programs, code) = (programs(facts), code(facts));
    for volume in &config.volumes {
        let path = ImagePath::from(volume.as_str());
        // A volume lies where links lead.
        let below = real(path.clone());
        let covers = |paths: &[ImagePath]| paths.iter().any(|file| file.is_within(&below));
        let what = match () {
            () if SYSTEM.iter().any(|directory| path == ImagePath::from(*directory)) => "a system directory",
            () if KERNEL.iter().any(|directory| path.is_within(&ImagePath::from(*directory))) => {
                "a directory of the kernel"
            }
            () if covers(&programs) => "where the program lies that is started",
            () if covers(&code) => "where the code lies that is started",
            () if working.clone().is_some_and(|working| {
                let working = real(working);
                working.is_within(&below) && holds_files(facts, &working)
            }) =>
            {
                "where the working directory lies, which holds the application"
            }
            () => continue,
        };
        let shown = path.display();
        let message = format!("VOLUME '{}' is {what}", visible_str(&shown));
        let pointer = format!("/config/Volumes/{}", volume.replace('~', "~0").replace('/', "~1"));
        sink.find(Location::config(pointer), shown.clone(), message);
    }
}

/// What the start of the image runs, the arguments of a script that hands on included.
fn started(facts: &Facts) -> impl Iterator<Item = &StartProgram> {
    let handed = facts.start.handed.iter().filter(|_| facts.start.hands_on);
    facts.start.programs.iter().chain(handed)
}

/// Where the programs lie that are started.
fn programs(facts: &Facts) -> Vec<ImagePath> {
    started(facts).filter_map(|program| program.path.clone()).collect()
}

/// Arguments behind which an interpreter reads no file of code: modules and code by themselves.
const NO_FILE: &[&str] = &["-m", "-c", "-e", "--eval", "--module"];

/// Options of Java that are followed by a list of archives and directories of code.
const JAVA_PATHS: &[&str] = &["-jar", "-cp", "-classpath", "--class-path", "--module-path"];

/// The files of code that interpreters are started with, and Java's archives.
fn code(facts: &Facts) -> Vec<ImagePath> {
    let directory = ImagePath::clamp(facts.config.config.working_dir.as_bytes());
    let existing = |word: &str| facts.tree.resolve(&directory.join(word.as_bytes())).ok();
    let file = |word: &String| existing(word).filter(|node| node.kind() == EntryKind::File).map(|node| node.path());
    let mut found = Vec::new();
    for program in started(facts).filter(|program| is_powerful(base_name(&program.name).as_bytes())) {
        let arguments = &program.arguments;
        if base_name(&program.name).starts_with("java") {
            let lists = arguments.windows(2).filter(|pair| JAVA_PATHS.contains(&&*pair[0])).map(|pair| &pair[1]);
            let parts = lists.flat_map(|list| list.split(':')).map(|part| part.trim_end_matches("/*"));
            found.extend(parts.filter(|part| !part.is_empty()).filter_map(existing).map(|node| node.path()));
        } else {
            let before = arguments.iter().take_while(|argument| !NO_FILE.contains(&&***argument));
            found.extend(before.filter(|argument| !argument.starts_with('-')).find_map(file));
        }
    }
    found
}

fn base_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Whether the image itself puts something there: a volume over an empty directory hides nothing.
fn holds_files(facts: &Facts, directory: &ImagePath) -> bool {
    facts.tree.resolve(directory).is_ok_and(|node| node.children().next().is_some())
}
