//! What makes an image change after it was built and looked at.

use super::manager::{Task, asked};
use crate::facts::{Facts, InstructionKind};
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
    let program = facts.start.programs.last().and_then(|program| program.path.as_ref()?.parent());
    for volume in &config.volumes {
        let path = ImagePath::from(volume.as_str());
        let is = |other: &Option<ImagePath>| other.as_ref() == Some(&path);
        let what = match () {
            () if SYSTEM.iter().any(|directory| path == ImagePath::from(*directory)) => "a system directory",
            () if KERNEL.iter().any(|directory| path.is_within(&ImagePath::from(*directory))) => {
                "a directory of the kernel"
            }
            () if is(&program) => "the directory of the program that is started",
            () if is(&working) && holds_files(facts, &path) => "the working directory, which holds the application",
            () => continue,
        };
        let shown = path.display();
        let message = format!("VOLUME '{}' is {what}", visible_str(&shown));
        let pointer = format!("/config/Volumes/{}", volume.replace('~', "~0").replace('/', "~1"));
        sink.find(Location::config(pointer), shown.clone(), message);
    }
}

/// Whether the image itself puts something there: a volume over an empty directory hides nothing.
fn holds_files(facts: &Facts, directory: &ImagePath) -> bool {
    facts.tree.resolve(directory).is_ok_and(|node| node.children().next().is_some())
}
