//! What a build command asks of a package manager, whichever one it is. Reads words; judges nothing.

use crate::image::{Command, Word};

/// What a package manager is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Refresh its lists of packages.
    Refresh,
    /// Install named packages.
    Install,
    /// Bring everything that is installed to its newest version.
    UpgradeAll,
    /// Bring named packages to their newest version.
    UpgradeSome,
    /// Throw away what it fetched.
    Clean,
}

/// The package managers, as far as they can be told apart by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// apt, apt-get, aptitude.
    Apt,
    /// apk.
    Apk,
    /// yum, dnf and their kin.
    Yum,
    /// zypper.
    Zypper,
    /// pacman.
    Pacman,
}

/// Program, manager, options that take the next word, and its words for each task.
type Row = (&'static str, Manager, &'static [&'static str], &'static [(&'static str, Task)]);

const APT_OPTIONS: &[&str] = &["-o", "--option", "-c", "--config-file", "-t", "--target-release", "--default-release"];
const APT: &[(&str, Task)] = &[
    ("update", Task::Refresh),
    ("install", Task::Install),
    ("reinstall", Task::Install),
    ("build-dep", Task::Install),
    ("satisfy", Task::Install),
    ("upgrade", Task::UpgradeAll),
    ("dist-upgrade", Task::UpgradeAll),
    ("full-upgrade", Task::UpgradeAll),
    ("safe-upgrade", Task::UpgradeAll),
    ("dselect-upgrade", Task::UpgradeAll),
    ("dist-clean", Task::Clean),
    ("distclean", Task::Clean),
];
const YUM_OPTIONS: &[&str] = &[
    "-c",
    "--config",
    "-d",
    "-e",
    "-x",
    "--exclude",
    "--installroot",
    "--releasever",
    "--repo",
    "--enablerepo",
    "--disablerepo",
];
const YUM: &[(&str, Task)] = &[
    ("makecache", Task::Refresh),
    ("check-update", Task::Refresh),
    ("install", Task::Install),
    ("groupinstall", Task::Install),
    ("localinstall", Task::Install),
    ("reinstall", Task::Install),
    ("update", Task::UpgradeAll),
    ("upgrade", Task::UpgradeAll),
    ("up", Task::UpgradeAll),
    ("distro-sync", Task::UpgradeAll),
    ("update-minimal", Task::UpgradeAll),
    ("upgrade-minimal", Task::UpgradeAll),
    ("clean", Task::Clean),
];
const ZYPPER: &[(&str, Task)] = &[
    ("refresh", Task::Refresh),
    ("ref", Task::Refresh),
    ("install", Task::Install),
    ("in", Task::Install),
    ("update", Task::UpgradeAll),
    ("up", Task::UpgradeAll),
    ("patch", Task::UpgradeAll),
    ("dist-upgrade", Task::UpgradeAll),
    ("dup", Task::UpgradeAll),
    ("clean", Task::Clean),
];
const APK: &[(&str, Task)] =
    &[("update", Task::Refresh), ("add", Task::Install), ("upgrade", Task::UpgradeAll), ("cache", Task::Clean)];
const APK_OPTIONS: &[&str] =
    &["-X", "--repository", "-p", "--root", "-t", "--virtual", "--arch", "--keys-dir", "--repositories-file", "--wait"];

const MANAGERS: &[Row] = &[
    ("apt", Manager::Apt, APT_OPTIONS, APT),
    ("apt-get", Manager::Apt, APT_OPTIONS, APT),
    ("aptitude", Manager::Apt, APT_OPTIONS, APT),
    ("apk", Manager::Apk, APK_OPTIONS, APK),
    ("yum", Manager::Yum, YUM_OPTIONS, YUM),
    ("dnf", Manager::Yum, YUM_OPTIONS, YUM),
    ("dnf5", Manager::Yum, YUM_OPTIONS, YUM),
    ("microdnf", Manager::Yum, YUM_OPTIONS, YUM),
    ("tdnf", Manager::Yum, YUM_OPTIONS, YUM),
    ("zypper", Manager::Zypper, &["-R", "--root", "-D", "--reposd-dir", "-c", "--config", "-p", "--plus-repo"], ZYPPER),
];

/// The package manager that a command runs, its task, and the words behind the task's.
pub struct Asked<'a> {
    /// Which one.
    pub manager: Manager,
    /// For what.
    pub task: Task,
    /// The task as written, such as `dist-upgrade`.
    pub word: &'a str,
    /// Every argument as written.
    pub arguments: &'a [Word],
}

/// What `command` asks of a package manager; `None` when it is none, or does something else.
#[must_use]
pub fn asked(command: &Command) -> Option<Asked<'_>> {
    let effective = command.effective()?;
    if effective.program == "pacman" {
        return pacman(effective.arguments);
    }
    let (_, manager, valued, tasks) = MANAGERS.iter().find(|(name, ..)| *name == effective.program)?;
    let mut operands = operands(effective.arguments, valued);
    let word = operands.next()?;
    let (_, task) = tasks.iter().find(|(name, _)| *name == word)?;
    let named = operands.next().is_some();
    let only = effective.arguments.iter().any(|argument| argument.text == "--only-upgrade");
    let task = match task {
        Task::UpgradeAll if named => Task::UpgradeSome,
        Task::Install if only => Task::UpgradeSome,
        task => *task,
    };
    Some(Asked { manager: *manager, task, word, arguments: effective.arguments })
}

/// pacman has letters for words: S installs, y refreshes, u upgrades.
fn pacman(arguments: &[Word]) -> Option<Asked<'_>> {
    let letters = arguments.iter().find(|word| word.text.starts_with("-S"))?;
    let has = |letter| letters.text.contains(letter);
    let named = operands(arguments, &[]).next().is_some();
    let task = match () {
        () if has('c') => Task::Clean,
        () if has('u') => Task::UpgradeAll,
        () if named => Task::Install,
        () if has('y') => Task::Refresh,
        () => return None,
    };
    Some(Asked { manager: Manager::Pacman, task, word: &letters.text, arguments })
}

/// The words that are no options and no options' values.
fn operands<'a>(arguments: &'a [Word], valued: &'static [&'static str]) -> impl Iterator<Item = &'a str> {
    let mut skip = false;
    arguments.iter().map(|word| word.text.as_str()).filter(move |text| {
        let is_value = std::mem::take(&mut skip);
        if !is_value && text.starts_with('-') {
            skip = valued.contains(text);
            return false;
        }
        !is_value
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(line: &str) -> Option<Task> {
        let commands = Command::split(line);
        assert_eq!(commands.len(), 1, "{line}");
        asked(&commands[0]).map(|asked| asked.task)
    }

    #[test]
    fn tasks() {
        for (line, expected) in [
            ("apt-get -y update", Some(Task::Refresh)),
            ("apt-get -o Dpkg::Options::=--force-confold upgrade -y", Some(Task::UpgradeAll)),
            ("apt-get install --only-upgrade -y openssl", Some(Task::UpgradeSome)),
            ("sudo apt full-upgrade", Some(Task::UpgradeAll)),
            ("env DEBIAN_FRONTEND=noninteractive /usr/bin/apt-get install -y curl", Some(Task::Install)),
            ("apt-get remove curl", None),
            ("echo apt-get update", None),
            ("yum -y update", Some(Task::UpgradeAll)),
            ("yum update -y openssl", Some(Task::UpgradeSome)),
            ("apk --no-cache add -t .deps gcc", Some(Task::Install)),
            ("apk upgrade --no-cache", Some(Task::UpgradeAll)),
            ("pacman -Syu --noconfirm", Some(Task::UpgradeAll)),
            ("pacman -Sy", Some(Task::Refresh)),
            ("pacman -S --noconfirm curl", Some(Task::Install)),
            ("zypper -n up", Some(Task::UpgradeAll)),
        ] {
            assert_eq!(task(line), expected, "{line}");
        }
    }
}
