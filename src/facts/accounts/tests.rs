use super::*;
use crate::facts::testing::{Made, file, image, link};
use std::fmt::Write as _;

fn read(files: Vec<Made>) -> Accounts {
    let (tree, layers) = image(vec![files]);
    Accounts::read(&tree, &layers, &Limits::default())
}

fn ids(accounts: &Accounts, user: &str) -> (Option<u32>, Option<u32>, Vec<u32>) {
    let found = accounts.resolve_user(user);
    (found.uid, found.gid, found.groups)
}

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n# daemon:x:1:1\n\napp:x:1000:1001:App,,,:/srv:/bin/sh\n\
                      toor::0:7::/root:\n1337:x:5:5::/:\nshort:x:9:9\n";
const GROUP: &str = "root:x:0:\napp:x:1001:\nwheel:x:10:root, app\ndocker:x:998:app,bob\n#old:x:50:app\n";

#[test]
fn lines_of_every_kind() {
    let accounts = read(vec![
        file("etc/passwd", format!("{PASSWD}+::::::\nbad:x:many:0::/:\nfew:x\nnul\0:x:3:3::/:\nlast:x:7:7::/:/bin/sh")),
        file("etc/group", GROUP.replace('\n', "\r\n")),
        file("etc/shadow", "root:*:1::::::\napp::1::::::\nnonsense\n"),
        file("etc/master.passwd", "bsd::1:1::0:0:Name:/:/bin/sh\n"),
    ]);
    let names: Vec<&str> = accounts.users.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(names, ["root", "app", "toor", "1337", "short", "last"]);
    let app = accounts.user("app").unwrap();
    assert_eq!((app.uid, app.gid, app.home.as_str(), app.shell.as_str()), (1000, 1001, "/srv", "/bin/sh"));
    assert_eq!(app.at, Location::file(ImagePath::from("/etc/passwd"), 0).at_line(4));
    assert_eq!(accounts.user_by_id(0).unwrap().name, "root");
    assert_eq!(accounts.user("toor").unwrap().password, "");
    assert!(accounts.user("zz").is_none() && accounts.user_by_id(77).is_none());
    let wheel = accounts.group("wheel").unwrap();
    assert_eq!(wheel.members, ["root", "app"]);
    assert_eq!(accounts.group_by_id(998).unwrap().members, ["app", "bob"]);
    assert_eq!(accounts.members(accounts.group("app").unwrap()).into_iter().collect::<Vec<_>>(), ["app"]);
    let shadow: Vec<_> = accounts.shadow.iter().map(|row| (row.name.as_str(), row.password.as_str())).collect();
    assert_eq!(shadow, [("root", "*"), ("app", ""), ("bsd", "")]);
    assert_eq!(accounts.shadow_of("app").unwrap().at.clone(), accounts.shadow[1].at);
    // NIS, bad id, few fields, NUL; carriage returns of group; the shadow line without a colon.
    assert_eq!(accounts.problems.len(), 6, "{:?}", accounts.problems);
    assert!(accounts.gaps.is_empty());
}

#[test]
fn users_as_runtimes_find_them() {
    let accounts = read(vec![file("etc/passwd", PASSWD), file("etc/group", GROUP)]);
    // `wheel` lists ` app` with a space: runtimes do not trim members, libc does.
    for (user, want) in [
        ("", (Some(0), Some(0), vec![10])),
        ("root", (Some(0), Some(0), vec![10])),
        ("0", (Some(0), Some(0), vec![10])),
        ("00", (Some(0), Some(0), vec![10])),
        ("+0", (Some(0), Some(0), vec![10])),
        ("-0", (Some(0), Some(0), vec![10])),
        ("toor", (Some(0), Some(7), vec![])),
        ("1000", (Some(1000), Some(1001), vec![998])),
        ("4242", (Some(4242), Some(0), vec![])),
        // A number is a uid, whatever login has these digits for its name.
        ("1337", (Some(1337), Some(0), vec![])),
        ("app", (Some(1000), Some(1001), vec![998])),
        ("app:docker", (Some(1000), Some(998), vec![])),
        ("1000:0", (Some(1000), Some(0), vec![])),
        (":docker", (Some(0), Some(998), vec![])),
        ("app:77", (Some(1000), Some(77), vec![])),
        ("app:nobody", (Some(1000), None, vec![])),
        ("nobody", (None, None, vec![])),
        ("-1", (None, None, vec![])),
        ("2147483648", (None, None, vec![])),
        ("99999999999999999999999", (None, None, vec![])),
        ("0x0", (None, None, vec![])),
        (" 0", (None, None, vec![])),
    ] {
        assert_eq!(ids(&accounts, user), want, "{user:?}");
        let found = accounts.resolve_user(user);
        assert_eq!(found.why.is_some(), found.uid.is_none() || found.gid.is_none(), "{user:?}");
    }
    assert_eq!(accounts.resolve_user("1000").name.as_deref(), Some("app"));
}

#[test]
fn a_malformed_line_is_root_to_a_runtime() {
    let accounts = read(vec![file("etc/passwd", "root:x:0:0:::\napp\nweb:x:oops:5::/:/bin/sh\n")]);
    assert!(accounts.user("app").is_none());
    assert_eq!(ids(&accounts, "app"), (Some(0), Some(0), vec![]));
    assert_eq!(ids(&accounts, "web"), (Some(0), Some(5), vec![]));
}

#[test]
fn without_files_only_numbers_are_users() {
    let accounts = read(vec![]);
    assert!(!accounts.has_passwd && !accounts.has_group && !accounts.has_shadow);
    assert_eq!(ids(&accounts, "65532"), (Some(65532), Some(0), vec![]));
    assert_eq!(ids(&accounts, "app"), (None, None, vec![]));
}

#[test]
fn links_are_followed_and_upper_layers_win() {
    let (tree, layers) = image(vec![
        vec![file("etc/passwd", "old:x:1:1::/:\n"), file("nix/store/x/etc/passwd", "new:x:2:2::/:\n")],
        vec![link("etc/passwd", "../nix/store/x/etc/passwd")],
    ]);
    let accounts = Accounts::read(&tree, &layers, &Limits::default());
    assert_eq!(accounts.users.len(), 1);
    assert_eq!(accounts.users[0].at, Location::file(ImagePath::from("/nix/store/x/etc/passwd"), 0).at_line(1));
}

#[test]
fn what_is_not_read_is_said() {
    let accounts = read(vec![file("etc/passwd", "x").not_held(), file("etc/group", "g:x:1:").not_held()]);
    assert_eq!(accounts.gaps.len(), 2);
    assert!(!accounts.has_passwd);
    let root = accounts.resolve_user("0");
    assert_eq!((root.uid, root.gid), (Some(0), None));
    assert!(accounts.resolve_user("app").why.unwrap().contains("not read"));
}

#[test]
fn huge_lines_and_many_groups() {
    let mut group = String::new();
    for gid in 0..70_000 {
        writeln!(group, "g{gid}:x:{gid}:").unwrap();
    }
    group.push_str("late:x:400000:app\n");
    let passwd = format!("big:x:1:1:{}:/:/bin/sh\napp:x:2:2::/:\n", "x".repeat(2 << 20));
    let accounts = read(vec![file("etc/passwd", passwd), file("etc/group", group)]);
    assert_eq!(accounts.users.len(), 1);
    assert_eq!(accounts.groups.len(), 65_536);
    assert_eq!(accounts.gaps.len(), 2, "{:?}", accounts.gaps);
    assert_eq!(ids(&accounts, "app"), (Some(2), Some(2), vec![400_000]));

    let group = format!("a:x:1:{}\nb:x:2:{}\nc:x:3:m\n", "m,".repeat(200_000), "m,".repeat(200_000));
    let accounts = read(vec![file("etc/group", group)]);
    assert_eq!(accounts.groups.iter().map(|group| group.members.len()).collect::<Vec<_>>(), [200_000]);
    assert!(accounts.gaps[0].1.starts_with("2 more lines"), "{:?}", accounts.gaps);
}
