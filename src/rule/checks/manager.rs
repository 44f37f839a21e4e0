//! What a build command asks of a package manager, whichever one it is. Reads words; judges nothing.

use crate::facts::{Command, Word};

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
    /// emerge.
    Emerge,
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
    /// The program as written, such as `microdnf`.
    pub program: &'a str,
    /// For what.
    pub task: Task,
    /// The task as written, such as `dist-upgrade`; empty for a program of one task.
    pub word: &'a str,
    /// Every argument as written.
    pub arguments: &'a [Word],
}

impl Asked<'_> {
    /// The program and the task as written: `dnf upgrade`.
    #[must_use]
    pub fn as_written(&self) -> String {
        format!("{} {}", self.program, self.word).trim_end().to_owned()
    }
}

/// What `command` asks of a package manager; `None` when it is none, or does something else.
#[must_use]
pub fn asked(command: &Command) -> Option<Asked<'_>> {
    let effective = command.effective()?;
    if only_asks(effective.program, effective.arguments) {
        return None;
    }
    match effective.program {
        "pacman" => return pacman(effective.arguments),
        "emerge" => return emerge(effective.arguments),
        program @ ("unattended-upgrade" | "unattended-upgrades") => {
            let (manager, task) = (Manager::Apt, Task::UpgradeAll);
            return Some(Asked { manager, program, task, word: "", arguments: effective.arguments });
        }
        _ => {}
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
    Some(Asked { manager: *manager, program: effective.program, task, word, arguments: effective.arguments })
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
    Some(Asked { manager: Manager::Pacman, program: "pacman", task, word: &letters.text, arguments })
}

/// Options under which a package manager says what it would do, prints help, or fetches without installing.
const ASKING: &[&str] = &[
    "--help",
    "--version",
    "--simulate",
    "--just-print",
    "--dry-run",
    "--recon",
    "--no-act",
    "--print-uris",
    "--print",
    "--pretend",
    "--assumeno",
    "--download-only",
    "--downloadonly",
];

/// Programs and the letters that mean the same to them.
const ASKING_LETTERS: &[(&str, &str)] = &[
    ("apt", "shd"),
    ("apt-get", "shd"),
    ("aptitude", "shd"),
    ("apk", "sh"),
    ("yum", "h"),
    ("dnf", "h"),
    ("dnf5", "h"),
    ("pacman", "pwh"),
    ("emerge", "pfFh"),
];

fn only_asks(program: &str, arguments: &[Word]) -> bool {
    let letters = ASKING_LETTERS.iter().find(|(name, _)| *name == program).map_or("", |(_, letters)| letters);
    let valued = MANAGERS.iter().find(|(name, ..)| *name == program).map_or(&[][..], |(_, _, valued, _)| valued);
    let mut words = arguments.iter().map(|word| word.text.as_str());
    while let Some(word) = words.next() {
        if valued.contains(&word) {
            words.next();
        } else if ASKING.contains(&word) {
            return true;
        } else if let Some(cluster) = word.strip_prefix('-').filter(|rest| !rest.starts_with('-')) {
            // `-oNAME=VALUE`: what follows a letter with a value is the value.
            let takes =
                |letter: char| valued.iter().any(|option| option.strip_prefix('-') == Some(&*letter.to_string()));
            if cluster.chars().take_while(|&letter| !takes(letter)).any(|letter| letters.contains(letter)) {
                return true;
            }
        }
    }
    false
}

/// emerge installs what it is given; `-u` upgrades, and a set such as `@world` is all there is.
fn emerge(arguments: &[Word]) -> Option<Asked<'_>> {
    let short = |text: &str, letter| text.starts_with('-') && !text.starts_with("--") && text.contains(letter);
    let has = |long: &str, letter| arguments.iter().any(|word| word.text == long || short(&word.text, letter));
    let mut named = operands(arguments, &[]);
    let set = operands(arguments, &[]).find(|name| matches!(*name, "@world" | "world" | "@system" | "system"));
    let updates = has("--update", 'u');
    let (task, word) = match (set, named.next()) {
        (Some(set), _) if updates => (Task::UpgradeAll, set),
        (_, Some(name)) if updates => (Task::UpgradeSome, name),
        (_, Some(name)) => (Task::Install, name),
        (None, None) if arguments.iter().any(|word| word.text == "--sync") => (Task::Refresh, "--sync"),
        _ => return None,
    };
    Some(Asked { manager: Manager::Emerge, program: "emerge", task, word, arguments })
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
            ("apt-get -s dist-upgrade", None),
            ("apt-get -ys dist-upgrade", None),
            ("apt-get -o Debug::x=-s dist-upgrade", Some(Task::UpgradeAll)),
            ("apt-get dist-upgrade --help", None),
            ("apk -s upgrade", None),
            ("yum check-update", None),
            ("dnf upgrade --assumeno", None),
            ("unattended-upgrade -v", Some(Task::UpgradeAll)),
            ("unattended-upgrade --dry-run", None),
            ("emerge -uDN @world", Some(Task::UpgradeAll)),
            ("emerge -puDN @world", None),
            ("emerge --update app/x", Some(Task::UpgradeSome)),
            ("emerge app/x", Some(Task::Install)),
            ("emerge --sync", Some(Task::Refresh)),
        ] {
            assert_eq!(task(line), expected, "{line}");
        }
    }
}
