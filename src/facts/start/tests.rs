use super::*;
use crate::facts::testing::{Made, dir, file, hard_link, image, link, program};
use crate::image::{ContainerConfig, Healthcheck, Platform};
use crate::model::Limits;

const PASSWD: &str = "root:x:0:0::/root:/bin/bash\napp:x:1000:1000::/srv:/bin/sh\n";

fn elf(interpreter: Option<&str>) -> Vec<u8> {
    elf::made(true, 62, interpreter, 200)
}

/// A small system: static programs under /usr, a merged /bin, dash.
fn system() -> Vec<Made> {
    let mut files = vec![dir("usr/bin"), link("bin", "usr/bin"), file("etc/passwd", PASSWD)];
    let names = "dash bash busybox tini dumb-init env gosu setpriv nice timeout sudo node nginx curl su chroot";
    files.extend(names.split(' ').map(|name| program(&format!("usr/bin/{name}"), elf(None))));
    files.push(link("usr/bin/sh", "dash"));
    files
}

fn config(entrypoint: &[&str], cmd: &[&str]) -> ImageConfig {
    let words = |words: &[&str]| Some(words.iter().map(|&word| word.to_owned()).collect());
    ImageConfig {
        platform: Platform { os: "linux".into(), architecture: "amd64".into(), ..Platform::default() },
        config: ContainerConfig { entrypoint: words(entrypoint), cmd: words(cmd), ..ContainerConfig::default() },
        ..ImageConfig::default()
    }
}

fn read(config: &ImageConfig, files: Vec<Made>) -> Start {
    let (tree, layers) = image(vec![files]);
    let accounts = Accounts::read(&tree, &layers, &Limits::default());
    Start::read(config, &tree, &layers, &accounts)
}

fn start(entrypoint: &[&str], cmd: &[&str]) -> Start {
    read(&config(entrypoint, cmd), system())
}

fn names(start: &Start) -> String {
    start.programs.iter().map(|program| program.name.as_str()).collect::<Vec<_>>().join(" > ")
}

/// What the one program of this image has against it.
fn trouble(config: &ImageConfig, files: Vec<Made>) -> Option<Trouble> {
    read(config, files).programs.swap_remove(0).trouble
}

#[test]
fn entrypoint_and_cmd_are_joined() {
    for (entrypoint, cmd, argv) in [
        (&["a"][..], &["b"][..], &["a", "b"][..]),
        (&[], &["b", "c"], &["b", "c"]),
        (&["a"], &[], &["a"]),
        (&[], &[], &[]),
    ] {
        assert_eq!(start(entrypoint, cmd).argv, argv);
    }
    let none = ImageConfig::default();
    let nothing = read(&none, vec![]);
    assert!(nothing.argv.is_empty() && nothing.programs.is_empty());
    assert_eq!((nothing.uid, nothing.gid), (Some(0), Some(0)));
    let both = start(&["tini", "--"], &["node", "x"]);
    assert_eq!(both.programs[0].at, Location::config("/config/Entrypoint"));
    assert_eq!(both.programs[1].at, Location::config("/config/Cmd"));
    assert_eq!(both.programs[1].arguments, ["x"]);
}

#[test]
fn shims_come_off() {
    for (words, want) in [
        ("node app", "node"),
        ("/usr/bin/tini -g -p SIGTERM -e143 -- node app", "/usr/bin/tini > node"),
        ("tini node", "tini > node"),
        ("dumb-init -r 15:3 --rewrite 2:9 -c -- node", "dumb-init > node"),
        ("gosu app node", "gosu > node"),
        ("setpriv --reuid=app --regid 5 --clear-groups -- node x", "setpriv > node"),
        ("env -u A -i B=c /usr/bin/node", "env > /usr/bin/node"),
        ("nice -n 5 timeout -k 3 10 node", "nice > timeout > node"),
        ("tini -- gosu app env A=b node", "tini > gosu > env > node"),
        ("sudo -u app -E -- node", "sudo > node"),
        ("busybox nice -n 3 node", "busybox > nice > node"),
        ("chroot --userspec=app / node", "chroot > node"),
        ("chroot /mnt node", "chroot"),
        ("tini", "tini"),
        ("tini --", "tini"),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        assert_eq!(names(&start(&words, &[])), want, "{words:?}");
    }
    let split = start(&["env", "-S", "A=b node --x", "y"], &[]);
    assert_eq!(names(&split), "env > node");
    assert_eq!(split.programs[1].arguments, ["--x", "y"]);
    let roles: Vec<Role> =
        start(&["tini", "gosu", "app", "env", "node"], &[]).programs.iter().map(|p| p.role).collect();
    assert_eq!(roles, [Role::Init, Role::Drop, Role::Wrapper, Role::Program]);
    let many = ["env"; 5000];
    assert_eq!(start(&many, &[]).gaps.len(), 1);
    assert_eq!(start(&["busybox"; 5000], &[]).gaps.len(), 1);
}

#[test]
fn drops_of_the_user() {
    for (words, by, to, uid) in [
        (&["gosu", "app", "node"][..], "gosu", "app", Some(1000)),
        (&["tini", "/usr/bin/gosu", "app:root", "node"], "gosu", "app:root", Some(1000)),
        (&["setpriv", "--reuid", "1000", "--init-groups", "node"], "setpriv", "1000", Some(1000)),
        (&["sudo", "-u", "#1001", "node"], "sudo", "1001", Some(1001)),
        (&["chroot", "--userspec=app:app", "/", "node"], "chroot", "app:app", Some(1000)),
        (&["su", "-s", "/bin/bash", "app", "-c", "exec node x"], "su", "app", Some(1000)),
        (&["su", "-", "app", "--command=node x"], "su", "app", Some(1000)),
        (&["sh", "-c", "exec gosu app node"], "gosu", "app", Some(1000)),
        (&["gosu", "nobody", "node"], "gosu", "nobody", None),
    ] {
        let start = start(words, &[]);
        let drop = start.drops.as_ref().unwrap_or_else(|| panic!("{words:?}"));
        assert_eq!((drop.by.as_str(), drop.to.as_str(), drop.uid), (by, to, uid), "{words:?}");
        assert_eq!(start.programs.last().unwrap().name, "node", "{words:?}");
        assert_eq!(start.uid, Some(0), "who starts is not changed");
    }
    assert_eq!(start(&["sudo", "node"], &[]).drops, None);
    assert_eq!(names(&start(&["su", "-s", "/bin/bash", "app", "-c", "exec node x"], &[])), "su > /bin/bash > node");
}

#[test]
fn shell_texts() {
    for (text, want) in [
        ("node app", "/bin/sh > node"),
        ("exec node app", "/bin/sh > node"),
        ("cd /srv && exec -a name node app", "/bin/sh > node"),
        ("set -e; export A=1; node app", "/bin/sh > node"),
        ("mkdir -p /x && chown app /x; exec gosu app node", "/bin/sh > gosu > node"),
        ("node a | tee log", "/bin/sh > node"),
        ("node a || exit 1", "/bin/sh > node"),
        ("node a || nginx", "/bin/sh > node"),
        ("nginx & node a", "/bin/sh > node"),
        ("exec $PROG -x", "/bin/sh > node"),
        ("exec ${PROG:-nginx}", "/bin/sh > node"),
        ("exec ${OTHER:-nginx}", "/bin/sh > nginx"),
        ("exec \"$OTHER\" nginx", "/bin/sh > "),
        ("$OTHER nginx", "/bin/sh > nginx"),
        ("exec $HOME/run", "/bin/sh"),
        ("exec gosu app $HOME/run", "/bin/sh > gosu"),
        ("exec $(which node)", "/bin/sh"),
        ("while true; do node; done", "/bin/sh"),
        ("if a; then b; fi; exec node", "/bin/sh > node"),
        ("bash -c 'exec node x'", "/bin/sh > bash > node"),
        ("echo hello", "/bin/sh"),
        ("", "/bin/sh"),
    ] {
        let mut config = config(&["/bin/sh", "-c", text], &["ignored"]);
        config.config.env = vec!["PROG=node".to_owned()];
        assert_eq!(names(&read(&config, system())), want, "{text}");
    }
    let arguments = start(&["/bin/bash", "-ec", "exec \"$@\"", "--"], &["node", "x y"]);
    assert_eq!(names(&arguments), "/bin/bash > node");
    assert_eq!(arguments.programs[1].arguments, ["x y"]);
    let options = start(&["bash", "-o", "pipefail", "-c", "node"], &[]);
    assert_eq!(names(&options), "bash > node");
}

#[test]
fn shells_are_told_by_what_they_are() {
    let with = |shell: Vec<Made>| {
        let mut files = vec![program("usr/bin/node", elf(None))];
        files.extend(shell);
        let form = read(&config(&[], &["/bin/sh", "-c", "node app"]), files).shell_form.unwrap();
        (form.kind, form.hands_over)
    };
    let of = |name: &str| program(name, elf(None));
    assert_eq!(with(vec![of("bin/dash"), link("bin/sh", "dash")]), (ShellKind::Dash, Some(false)));
    assert_eq!(
        with(vec![of("usr/bin/bash"), link("bin", "usr/bin"), link("usr/bin/sh", "bash")]),
        (ShellKind::Bash, Some(true))
    );
    assert_eq!(with(vec![of("bin/busybox"), link("bin/sh", "/bin/busybox")]), (ShellKind::Busybox, Some(true)));
    // Docker's busybox image: every applet is a hard link to the first of them.
    let linked = vec![of("bin/["), hard_link("bin/busybox", "bin/["), hard_link("bin/sh", "bin/[")];
    assert_eq!(with(linked), (ShellKind::Busybox, Some(true)));
    assert_eq!(with(vec![of("bin/sh")]), (ShellKind::Other, None));
    assert_eq!(with(vec![]), (ShellKind::Other, None));
}

#[test]
fn where_a_shell_form_stands() {
    let form = |entrypoint: &[&str], cmd: &[&str], files: Vec<Made>| read(&config(entrypoint, cmd), files).shell_form;
    let shell = &["/bin/sh", "-c", "node app"];
    let own = form(shell, &[], system()).unwrap();
    assert_eq!((own.at, own.certain), (Location::config("/config/Entrypoint"), true));
    assert_eq!(own.shell_path, Some(ImagePath::from("/usr/bin/dash")));
    let cmd = form(&[], shell, system()).unwrap();
    assert_eq!((cmd.at, cmd.text.as_str()), (Location::config("/config/Cmd"), "node app"));
    let behind_init = form(&["tini", "--"], shell, system()).unwrap();
    assert!(behind_init.certain);
    // Arguments of a program are no shell; those of a script may be.
    assert!(form(&["node"], shell, system()).is_none());
    let mut files = system();
    files.push(program("entry.sh", "#!/bin/sh\nexec \"$@\"\n"));
    let behind_script = form(&["/entry.sh"], shell, files).unwrap();
    assert!(!behind_script.certain);
    assert!(form(&["/bin/sh", "-c", "exec node"], shell, system()).unwrap().hands_over == Some(true));
}

#[test]
fn programs_are_found_as_runtimes_find_them() {
    let path = |config: &ImageConfig, files: Vec<Made>| read(config, files).programs.swap_remove(0).path;
    let mut own = config(&["run"], &[]);
    let files = || vec![program("srv/app/run", elf(None)), program("opt/bin/run", elf(None))];
    assert_eq!(path(&own, files()), None);
    own.config.env = vec!["PATH=/nope:/opt/bin".to_owned()];
    assert_eq!(path(&own, files()), Some(ImagePath::from("/opt/bin/run")));
    own.config.working_dir = "/srv/app".to_owned();
    own.config.entrypoint = Some(vec!["./run".to_owned()]);
    assert_eq!(path(&own, files()), Some(ImagePath::from("/srv/app/run")));
    own.config.entrypoint = Some(vec!["../../opt/bin/run".to_owned()]);
    assert_eq!(path(&own, files()), Some(ImagePath::from("/opt/bin/run")));
    own.config.entrypoint = Some(vec!["run".to_owned()]);
    own.config.env = vec!["PATH=.:/opt/bin".to_owned()];
    assert_eq!(trouble(&own, files()), Some(Trouble::FoundRelative));
    // One without the bit is passed over.
    own.config.env = vec!["PATH=/a:/opt/bin".to_owned()];
    let mut more = files();
    more.push(file("a/run", "x"));
    assert_eq!(path(&own, more), Some(ImagePath::from("/opt/bin/run")));
    // Links keep the name by which it was called.
    let linked = read(&config(&["/bin/node"], &[]), system());
    assert_eq!(linked.programs[0].path, Some(ImagePath::from("/usr/bin/node")));
    assert_eq!(linked.programs[0].named, Some(ImagePath::from("/bin/node")));
}

#[test]
fn troubles() {
    let run = config(&["/app/run"], &[]);
    let of = |files: Vec<Made>| trouble(&run, files);
    let path = || ImagePath::from("/app/run");
    assert_eq!(of(vec![program("app/run", elf(None))]), None);
    assert!(matches!(of(vec![]), Some(Trouble::NotFound(_))));
    assert!(matches!(of(vec![link("app/run", "gone")]), Some(Trouble::Dangling { .. })));
    assert_eq!(of(vec![link("app/run", "run")]), Some(Trouble::Loop));
    assert_eq!(of(vec![dir("app/run")]), Some(Trouble::NotAFile(path())));
    assert_eq!(of(vec![file("app/run", elf(None))]), Some(Trouble::NotExecutable(path())));
    assert_eq!(of(vec![program("app/run", "echo hi\n")]), Some(Trouble::NoFormat));
    assert_eq!(of(vec![program("app/run", "\u{feff}#!/bin/sh\n")]), Some(Trouble::NoFormat));
    assert_eq!(of(vec![program("app/run", "")]), Some(Trouble::NoFormat));
    let arm = elf::made(true, 183, None, 100);
    assert_eq!(
        of(vec![program("app/run", arm)]),
        Some(Trouble::WrongArchitecture { found: "arm64".into(), wanted: "amd64".into() })
    );
    assert_eq!(of(vec![program("app/run", elf::made(false, 3, None, 100))]), None);
    let missing = |name: &str| Some(Trouble::MissingInterpreter(name.to_owned()));
    let loader = "/lib64/ld-linux-x86-64.so.2";
    assert_eq!(of(vec![program("app/run", elf(Some(loader)))]), missing(loader));
    assert_eq!(of(vec![program("app/run", elf(Some(loader))), file(&loader[1..], "x")]), None);
    for (line, want) in [
        ("#!/bin/sh\n", None),
        ("#! /bin/sh -e\n", None),
        ("#!/bin/sh", None),
        ("#!/bin/sh\r\n", missing("/bin/sh\r")),
        ("#!/bin/zsh\n", missing("/bin/zsh")),
        ("#!/usr/bin/env node\n", None),
        ("#!/usr/bin/env -S A=b node -x\n", None),
        ("#!/usr/bin/env python\n", missing("python")),
        ("#!/usr/bin/env node\r\n", missing("node\r")),
        ("#!\n", Some(Trouble::NoFormat)),
    ] {
        let mut files = system();
        files.push(program("app/run", line));
        assert_eq!(of(files), want, "{line:?}");
    }
    assert_eq!(trouble(&config(&["run"], &[]), system()), Some(Trouble::NotInPath));
    assert_eq!(trouble(&config(&[""], &[]), system()), Some(Trouble::NotInPath));
    assert!(trouble(&config(&["/bin/node --flag"], &[]), system()).is_some());
    // Bytes that are not held say nothing.
    assert_eq!(of(vec![program("app/run", "x").not_held()]), None);
    // A shell needs no bit on its script; nobody knows what a program made before.
    let script = |files| read(&config(&["bash", "/app/run"], &[]), files).programs;
    let mut files = system();
    files.push(file("app/run", "echo"));
    let programs = script(files);
    assert_eq!((programs[1].role, &programs[1].trouble), (Role::Script, &None));
    assert!(script(system())[1].trouble.is_some());
    let text = |text| read(&config(&["sh", "-c", text], &[]), system()).programs.pop().unwrap().trouble;
    assert!(text("exec ./made").is_some());
    assert!(text("curl -o made http://x; exec ./made").is_none());
    assert!(text("cd $HOME; ./made").is_none());
}

#[test]
fn permission_is_the_users() {
    let with = |user: &str, files: Vec<Made>| {
        let mut config = config(&["/app/run"], &[]);
        config.config.user = user.to_owned();
        trouble(&config, files)
    };
    let private = || vec![dir("app"), program("app/run", elf(None)).mode(0o700)];
    assert_eq!(with("", private()), None);
    let forbidden = |path: &str| Some(Trouble::Forbidden { path: ImagePath::from(path), uid: 1000 });
    assert_eq!(with("1000", private()), forbidden("/app/run"));
    assert_eq!(with("1000:0", vec![program("app/run", elf(None)).mode(0o710)]), None);
    let closed = vec![dir("app").mode(0o700), program("app/run", elf(None))];
    assert_eq!(with("1000", closed), forbidden("/app"));
    // Behind a change of user it is the new one's.
    let mut files = system();
    files.extend([dir("root").mode(0o700), program("root/run", elf(None))]);
    let dropped = read(&config(&["gosu", "app", "/root/run"], &[]), files);
    assert_eq!(dropped.programs[1].trouble, forbidden("/root"));
}

#[test]
fn users_and_platforms() {
    let mut own = config(&["node"], &[]);
    own.config.user = "app".to_owned();
    let start = read(&own, system());
    assert_eq!((start.uid, start.gid, start.user.name.as_deref()), (Some(1000), Some(1000), Some("app")));
    own.config.user = "ghost".to_owned();
    let start = read(&own, system());
    assert_eq!((start.uid, start.programs[0].trouble.clone()), (None, None));
    own.platform.os = "windows".to_owned();
    let start = read(&own, system());
    assert!(start.programs.is_empty() && start.gaps.len() == 1);
}

#[test]
fn health_checks() {
    let with = |test: &[&str]| {
        let mut own = config(&["node"], &[]);
        let test = test.iter().map(|&word| word.to_owned()).collect();
        own.config.healthcheck = Some(Healthcheck { test, ..Healthcheck::default() });
        let (tree, layers) = image(vec![system()]);
        let accounts = Accounts::read(&tree, &layers, &Limits::default());
        Start::read_healthcheck(&own, &tree, &layers, &accounts)
    };
    assert_eq!(names(&with(&["CMD-SHELL", "curl -f http://localhost || exit 1"]).unwrap()), "/bin/sh > curl");
    let wget = with(&["CMD", "wget", "-q"]).unwrap();
    assert_eq!(wget.programs[0].trouble, Some(Trouble::NotInPath));
    assert_eq!(wget.programs[0].at, Location::config("/config/Healthcheck/Test"));
    assert!(with(&["NONE"]).is_none() && with(&[]).is_none());
}

#[test]
fn what_linux_would_not_start_is_not_followed() {
    let gaps = |start: &Start| start.gaps.iter().map(|(_, why)| why.clone()).collect::<Vec<_>>();
    let long = start(&["/bin/sh", "-c", &"env ".repeat(40_000)], &[]);
    assert_eq!((names(&long), gaps(&long).len()), ("/bin/sh".to_owned(), 1), "{:?}", gaps(&long));
    assert!(long.shell_form.is_some());
    // Every `$@` becomes all the words behind the text.
    let words: Vec<&str> = std::iter::repeat_n("x", 10_000).collect();
    for text in ["env $@ $@ $@ $@", "cd $@ $@ $@ $@; env"] {
        let many = start(&[&["/bin/sh", "-c", text], &words[..]].concat(), &[]);
        let most = many.programs.iter().map(|program| program.arguments.len()).max();
        assert!(most.is_some_and(|most| most < 20_000), "{text}: {most:?}");
    }
    let many = start(&["/bin/sh"], &[&["env"], &words[..], &words[..]].concat());
    assert_eq!(gaps(&many).len(), 1, "{:?}", gaps(&many));
}
