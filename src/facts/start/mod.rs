//! What the image starts, as far as config and tree tell: the user, and the programs behind shells and shims. Scripts are
//! named, not read: what they do is another stage's, which begins where [`Start::programs`] ends.

mod elf;
mod handing;
mod look;
mod shell;
mod shim;
mod walk;

pub(super) use elf::head_length as elf_head_length;
pub(super) use handing::{TAIL, runs_its_arguments};
pub use look::{Content, Trouble};
pub use shell::{ShellForm, ShellKind};

use super::{Accounts, LayerFacts, ResolvedUser};
use crate::image::ImageConfig;
use crate::layer::Tree;
use crate::model::{ImagePath, Location};

/// How the container starts.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Entrypoint and Cmd joined, as the runtime does.
    pub argv: Vec<String>,
    /// The user's number through the image's own accounts; `None` when it cannot be known.
    pub uid: Option<u32>,
    /// The primary group's number.
    pub gid: Option<u32>,
    /// `User` resolved: supplementary groups, login name, and why a number is not known.
    pub user: ResolvedUser,
    /// The programs on the way from the first word to what stays: shims, shells, then the program itself. Empty when there is
    /// none. The last one is the end of what can be told: a script, a shell whose text is no simple list, or the program.
    pub programs: Vec<StartProgram>,
    /// What the arguments of the script at the end of `programs` start, should it run them; empty without such a script.
    pub handed: Vec<StartProgram>,
    /// Whether that script is known to run them in its place.
    pub hands_on: bool,
    /// Where a shim on the way gives the user up for another; the last such place.
    pub drops: Option<UserDrop>,
    /// The shell's `-c` form on the way, the outermost.
    pub shell_form: Option<ShellForm>,
    /// Where following stopped without a program: place and sentence.
    pub gaps: Vec<(Location, String)>,
}

/// One program on the way.
#[derive(Clone, Debug)]
pub struct StartProgram {
    /// Its name as written.
    pub name: String,
    /// Its arguments as written.
    pub arguments: Vec<String>,
    /// Where it lies, after PATH and symbolic links; `None` when it is not there.
    pub path: Option<ImagePath>,
    /// The same before symbolic links of the file itself are followed: where PATH found it, or as written.
    pub named: Option<ImagePath>,
    /// What it does on the way.
    pub role: Role,
    /// What its first bytes tell.
    pub content: Content,
    /// Why it will not start; `None` when nothing speaks against it. To be believed when file facts are complete.
    pub trouble: Option<Trouble>,
    /// Where it is named.
    pub at: Location,
}

/// What a program does on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Stays in front and forwards signals: tini, dumb-init, catatonit, docker-init.
    Init,
    /// Is replaced by the next program: env, nice, timeout and the like.
    Wrapper,
    /// Changes the user: gosu, su-exec, setpriv, sudo and the like.
    Drop,
    /// A shell.
    Shell,
    /// A script, by its `#!` line or as a shell's argument.
    Script,
    /// Anything else.
    Program,
}

/// A change of user in the arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserDrop {
    /// Base name of the program that does it.
    pub by: String,
    /// The new user as written, with its group when one is written.
    pub to: String,
    /// The new user's number; `None` when it cannot be known.
    pub uid: Option<u32>,
    /// Where it stands.
    pub at: Location,
}

/// A word of argv on the way, and the part of the config it comes from.
#[derive(Clone, Debug)]
struct Argument {
    text: String,
    /// JSON pointer.
    from: &'static str,
    /// Whether `text` is the value, not a variable that nobody knows.
    known: bool,
}

impl Argument {
    fn new(text: impl Into<String>, from: &'static str) -> Self {
        Self { text: text.into(), from, known: true }
    }
}

const ENTRYPOINT: &str = "/config/Entrypoint";
const CMD: &str = "/config/Cmd";
const HEALTHCHECK: &str = "/config/Healthcheck/Test";

impl Start {
    /// Reads what a plain start of the image (no arguments, no other user) runs. Programs are looked for in `tree`, and
    /// their first bytes in `layers`.
    #[must_use]
    pub fn read(config: &ImageConfig, tree: &Tree, layers: &[LayerFacts], accounts: &Accounts) -> Self {
        let container = &config.config;
        let entrypoint = container.entrypoint.as_deref().unwrap_or_default();
        let cmd = container.cmd.as_deref().unwrap_or_default();
        let argument = |from| move |text: &String| Argument::new(text, from);
        let words: Vec<Argument> =
            entrypoint.iter().map(argument(ENTRYPOINT)).chain(cmd.iter().map(argument(CMD))).collect();
        let mut start = Self::follow(words, config, look::Image { tree, layers, accounts });
        start.read_handed(cmd.len(), config, look::Image { tree, layers, accounts });
        start.shell_form = start.shell_form.take().or_else(|| {
            // What a script does with its arguments is not known here; often it is `exec "$@"`.
            let behind_script = !entrypoint.is_empty() && start.programs.last()?.role == Role::Script;
            if behind_script { walk::possible_shell_form(config, look::Image { tree, layers, accounts }) } else { None }
        });
        start
    }

    /// The same for the image's health check; `None` when it has none, or `NONE`.
    #[must_use]
    pub fn read_healthcheck(
        config: &ImageConfig,
        tree: &Tree,
        layers: &[LayerFacts],
        accounts: &Accounts,
    ) -> Option<Self> {
        let (kind, rest) = config.config.healthcheck.as_ref()?.test.split_first()?;
        let default = ["/bin/sh".to_owned(), "-c".to_owned()];
        let shell = config.config.shell.as_deref().filter(|shell| !shell.is_empty()).unwrap_or(&default);
        let before = match kind.as_str() {
            "CMD" => &[][..],
            "CMD-SHELL" => shell,
            _ => return None,
        };
        let words = before.iter().chain(rest).map(|word| Argument::new(word, HEALTHCHECK)).collect();
        Some(Self::follow(words, config, look::Image { tree, layers, accounts }))
    }

    /// Follows what the script at the end gets as its arguments, of which the last `cmd` stand in `Cmd`.
    fn read_handed(&mut self, cmd: usize, config: &ImageConfig, image: look::Image<'_>) {
        let Some(script) = self.programs.last().filter(|program| program.role == Role::Script) else { return };
        let entry = script.path.as_ref().and_then(|path| image.tree.resolve(path).ok()?.content());
        self.hands_on = entry
            .is_some_and(|(layer, entry)| image.layers.get(layer as usize).is_some_and(|facts| facts.hands_on(entry)));
        let own = script.arguments.len().saturating_sub(cmd);
        let from = |at: usize| if at < own { ENTRYPOINT } else { CMD };
        let words = script.arguments.iter().enumerate().map(|(at, text)| Argument::new(text, from(at)));
        let words = words.collect();
        self.handed = Self::follow(words, config, image).programs;
    }

    fn follow(words: Vec<Argument>, config: &ImageConfig, image: look::Image<'_>) -> Self {
        let mut start = Self { argv: words.iter().map(|word| word.text.clone()).collect(), ..Self::default() };
        if config.platform.os == "windows" {
            start.gaps.push((Location::Image, "an image for Windows: its start is not followed".to_owned()));
            return start;
        }
        start.user = image.accounts.resolve_user(&config.config.user);
        (start.uid, start.gid) = (start.user.uid, start.user.gid);
        walk::walk(&mut start, words, config, image);
        start
    }
}

#[cfg(test)]
mod tests;
