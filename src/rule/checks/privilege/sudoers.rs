//! sudoers(5) read tolerantly: who may run what as whom, and where no password is asked. What cannot be read is skipped.

/// What a sudoers file says, in order. Included files are named, not read.
#[derive(Debug, Default)]
pub struct Sudoers {
    /// User specifications, one for each list of users and privilege.
    pub grants: Vec<Grant>,
    /// `Defaults` that set or clear `authenticate`: scope, value, line.
    pub authenticate: Vec<(Scope, bool, u32)>,
    /// `Defaults` that name the group which is never asked for a password: the group, empty where it is cleared; line.
    pub exempt: Vec<(String, u32)>,
    /// Directories and files that are read as well.
    pub includes: Vec<Include>,
    /// `Kind_Alias NAME = members`, in order; sudo refuses a name that is defined twice, here the last one holds.
    pub aliases: Vec<(Kind, String, Vec<String>)>,
}

/// What an alias stands for. One name may be an alias of every kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `User_Alias`.
    User,
    /// `Runas_Alias`.
    RunAs,
    /// `Cmnd_Alias`.
    Command,
}

/// One privilege of a user specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The users as written: `name`, `#uid`, `%group`, `%#gid`, `ALL`, `User_Alias` names, each with `!` when excluded.
    pub users: Vec<String>,
    /// The target users as written; empty means root.
    pub run_as: Vec<String>,
    /// The commands for which no password is asked; empty when one always is.
    pub without_password: Vec<String>,
    /// Whether it allows any command; one that only has commands taken out (`!ALL`) does not.
    pub allows: bool,
    /// Its first line, from 1.
    pub line: u32,
}

/// Whom a `Defaults` line is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everybody.
    All,
    /// These users, as in [`Grant::users`].
    Users(Vec<String>),
    /// Some commands, hosts or target users only, as written.
    Other(String),
}

/// `@include`, `@includedir` and their older spelling with `#`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// The path as written.
    pub path: String,
    /// Whether it is a directory.
    pub directory: bool,
}

impl Sudoers {
    /// Reads the text of one file.
    pub fn read(text: &str) -> Self {
        let mut sudoers = Self::default();
        for (line, number) in logical_lines(text) {
            sudoers.line(&line, number);
        }
        sudoers
    }

    fn line(&mut self, line: &str, number: u32) {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        match word {
            "@include" | "#include" => self.includes.push(Include { path: unquoted(rest), directory: false }),
            "@includedir" | "#includedir" => self.includes.push(Include { path: unquoted(rest), directory: true }),
            "User_Alias" => self.alias(Kind::User, rest),
            "Runas_Alias" => self.alias(Kind::RunAs, rest),
            "Cmnd_Alias" | "Cmd_Alias" => self.alias(Kind::Command, rest),
            "Host_Alias" => {}
            _ if word.starts_with("Defaults") => self.defaults(&line["Defaults".len()..], number),
            _ => self.specification(line, number),
        }
    }

    fn alias(&mut self, kind: Kind, definitions: &str) {
        for definition in split(definitions, ':') {
            if let Some((name, members)) = definition.split_once('=') {
                self.aliases.push((kind, name.trim().trim_end_matches('+').to_owned(), split(members, ',')));
            }
        }
    }

    /// What follows `Defaults`: scope directly behind it, then settings.
    fn defaults(&mut self, rest: &str, number: u32) {
        let (scope, settings) = match rest.as_bytes().first() {
            Some(b':') => {
                let (users, settings) = list_and_rest(&rest[1..]);
                (Scope::Users(split(users, ',')), settings)
            }
            Some(b'@' | b'>' | b'!') => {
                let (scope, settings) = list_and_rest(&rest[1..]);
                (Scope::Other(format!("{}{scope}", &rest[..1])), settings)
            }
            _ => (Scope::All, rest),
        };
        for setting in split(settings, ',') {
            match setting.split_whitespace().collect::<String>().as_str() {
                "authenticate" => self.authenticate.push((scope.clone(), true, number)),
                "!authenticate" => self.authenticate.push((scope.clone(), false, number)),
                "!exempt_group" => self.exempt.push((String::new(), number)),
                other => {
                    if let Some(group) = other.strip_prefix("exempt_group=") {
                        self.exempt.push((unquoted(group), number));
                    }
                }
            }
        }
    }

    /// `users hosts = (run_as) TAG: command, ... : hosts = ...`.
    fn specification(&mut self, line: &str, number: u32) {
        let Some((left, right)) = cut(line, '=') else {
            return;
        };
        let (users, _hosts) = list_and_rest(left);
        let users = split(users, ',');
        if users.is_empty() {
            return;
        }
        // A colon divides privileges only where another `hosts =` follows; elsewhere it ends a tag or divides a run-as list.
        let mut privileges = vec![String::new()];
        for piece in split_keeping(right, ':') {
            let open = privileges.last().is_some_and(|last| last.contains('(') && !last.contains(')'));
            let current = privileges.last_mut().expect("never empty");
            let next = cut(&piece, '=').filter(|(hosts, _)| !open && !ends_with_tag(current) && is_host_list(hosts));
            if let Some((_, commands)) = next {
                privileges.push(commands.to_owned());
                continue;
            }
            if !current.is_empty() {
                current.push(':');
            }
            current.push_str(&piece);
        }
        for privilege in privileges {
            self.privilege(&users, &privilege, number);
        }
    }

    /// `(run_as) TAG: command, (run_as) TAG: command`; tags and run-as lists hold until the next ones.
    fn privilege(&mut self, users: &[String], text: &str, number: u32) {
        let mut run_as: Vec<String> = Vec::new();
        let mut asks = true;
        let mut grants: Vec<Grant> = Vec::new();
        for command in split_commands(text) {
            let mut rest = command.trim();
            if let Some((list, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
                run_as = split(list.split(':').next().unwrap_or(""), ',');
                rest = after.trim_start();
            }
            while let Some((tag, after)) = leading_tag(rest).or_else(|| leading_option(rest)) {
                match tag {
                    "NOPASSWD" => asks = false,
                    "PASSWD" => asks = true,
                    _ => {}
                }
                rest = after;
            }
            if rest.is_empty() {
                continue;
            }
            if grants.last().is_none_or(|last| last.run_as != run_as) {
                let (users, run_as) = (users.to_vec(), run_as.clone());
                grants.push(Grant { users, run_as, without_password: Vec::new(), allows: false, line: number });
            }
            let grant = grants.last_mut().expect("pushed above when there was none");
            let taken_out = rest.bytes().take_while(|&byte| byte == b'!').count() % 2 == 1;
            // What is taken out counts only behind what was allowed; of everything nothing is left.
            grant.allows = !taken_out || grant.allows && rest.trim_start_matches('!') != "ALL";
            if !asks {
                grant.without_password.push(rest.to_owned());
            }
        }
        self.grants.extend(grants);
    }
}

/// Lines with their first number, continued ones joined, comments and blank ones left out. `#` followed by a digit is a uid.
fn logical_lines(text: &str) -> Vec<(String, u32)> {
    let mut out: Vec<(String, u32)> = Vec::new();
    let mut joined: Option<(String, u32)> = None;
    for (line, number) in text.lines().zip(1u32..) {
        let (mut whole, first) = joined.take().unwrap_or((String::new(), number));
        if let Some(continued) = line.trim_end_matches('\r').strip_suffix('\\') {
            whole.push_str(continued);
            joined = Some((whole, first));
            continue;
        }
        whole.push_str(line);
        out.push((whole, first));
    }
    out.extend(joined);
    out.into_iter()
        .map(|(line, number)| (without_comment(&line).trim().to_owned(), number))
        .filter(|(line, _)| !line.is_empty())
        .collect()
}

fn without_comment(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with("#include") {
        return line;
    }
    let mut quoted = false;
    let mut before = ' ';
    for (index, c) in line.char_indices() {
        let uid = line[index + c.len_utf8()..].starts_with(|next: char| next.is_ascii_digit());
        match c {
            '"' if before != '\\' => quoted = !quoted,
            '#' if !quoted && before != '\\' && !uid => return &line[..index],
            _ => {}
        }
        before = c;
    }
    line
}

/// The list at the beginning (words joined by commas, blanks around the commas allowed) and what follows it.
fn list_and_rest(text: &str) -> (&str, &str) {
    let text = text.trim();
    let bytes = text.as_bytes();
    let (mut index, mut quoted) = (0, false);
    while index < bytes.len() {
        match bytes[index] {
            b'\\' => index += 1,
            b'"' => quoted = !quoted,
            b if b.is_ascii_whitespace() && !quoted => {
                let next = text[index..].trim_start();
                let list_goes_on = text[..index].ends_with([',', '!']) || next.starts_with(',');
                if !list_goes_on {
                    return (&text[..index], next);
                }
                index += text[index..].len() - next.len();
                continue;
            }
            _ => {}
        }
        index += 1;
    }
    (text, "")
}

/// `text` cut at every `mark` outside quotes and escapes, trimmed and unquoted; empty pieces are left out.
fn split(text: &str, mark: char) -> Vec<String> {
    let pieces = split_keeping(text, mark);
    pieces.iter().map(|piece| unquoted(piece.trim())).filter(|piece| !piece.is_empty()).collect()
}

/// `text` cut at every `mark` outside quotes and escapes, otherwise as written.
fn split_keeping(text: &str, mark: char) -> Vec<String> {
    let mut out = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        if c == mark && !quoted && !escaped {
            out.push(String::new());
            continue;
        }
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped;
        out.last_mut().expect("never empty").push(c);
    }
    out
}

/// Commands of a privilege: commas inside a run-as list do not divide.
fn split_commands(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for piece in split_keeping(text, ',') {
        match out.last_mut() {
            Some(last) if last.contains('(') && !last.contains(')') => {
                last.push(',');
                last.push_str(&piece);
            }
            _ => out.push(piece),
        }
    }
    out
}

/// `text` at the first `mark` outside quotes and escapes.
fn cut(text: &str, mark: char) -> Option<(&str, &str)> {
    let first = split_keeping(text, mark).first().map_or(0, String::len);
    (first < text.len()).then(|| (&text[..first], &text[first + mark.len_utf8()..]))
}

fn leading_tag(text: &str) -> Option<(&str, &str)> {
    let (tag, rest) = text.split_once(':')?;
    let tag = tag.trim_end();
    let is_tag = !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    is_tag.then(|| (tag, rest.trim_start()))
}

/// `CWD=/srv`, `TIMEOUT=5m`: options stand where tags do.
fn leading_option(text: &str) -> Option<(&str, &str)> {
    let (option, rest) = text.split_once(char::is_whitespace)?;
    let (name, _) = option.split_once('=')?;
    let is_option = !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    is_option.then(|| (option, rest.trim_start()))
}

fn ends_with_tag(text: &str) -> bool {
    let last = text.rsplit([' ', '\t', ',', ')', ':']).next().unwrap_or("");
    matches!(last, "NOPASSWD" | "PASSWD" | "NOEXEC" | "EXEC" | "SETENV" | "NOSETENV" | "LOG_INPUT" | "NOLOG_INPUT")
        || matches!(last, "LOG_OUTPUT" | "NOLOG_OUTPUT" | "FOLLOW" | "NOFOLLOW" | "MAIL" | "NOMAIL" | "INTERCEPT")
}

/// Whether `text` may be the hosts before a `=`: words without a path.
fn is_host_list(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && !text.contains(['/', '(']) && (!text.contains(char::is_whitespace) || text.contains(','))
}

fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut escaped = false;
    for c in text.chars() {
        if !escaped && (c == '"' || c == '\\') {
            escaped = c == '\\';
            continue;
        }
        escaped = false;
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(text: &str) -> Vec<(String, String, String)> {
        let sudoers = Sudoers::read(text);
        let shape = |grant: &Grant| (grant.users.join(" "), grant.run_as.join(" "), grant.without_password.join(" "));
        sudoers.grants.iter().map(shape).collect()
    }

    fn row(users: &str, run_as: &str, free: &str) -> (String, String, String) {
        (users.to_owned(), run_as.to_owned(), free.to_owned())
    }

    #[test]
    fn plain_specifications() {
        assert_eq!(grants("root ALL=(ALL:ALL) ALL"), [row("root", "ALL", "")]);
        assert_eq!(grants("app ALL=(ALL) NOPASSWD: ALL"), [row("app", "ALL", "ALL")]);
        assert_eq!(grants("app ALL=(ALL) NOPASSWD:ALL"), [row("app", "ALL", "ALL")]);
        assert_eq!(grants("app\tALL = NOPASSWD : /bin/a , /bin/b"), [row("app", "", "/bin/a /bin/b")]);
        assert_eq!(grants("app ALL=(root) CWD=/srv NOPASSWD: ALL"), [row("app", "root", "ALL")]);
        assert_eq!(grants("# app ALL=(ALL) NOPASSWD: ALL"), []);
        assert_eq!(grants("#1000 ALL=(ALL) NOPASSWD:SETENV: ALL # why"), [row("#1000", "ALL", "ALL")]);
    }

    #[test]
    fn tags_hold_until_the_next() {
        assert_eq!(
            grants("app ALL = NOPASSWD: /bin/a, PASSWD: /bin/b, NOPASSWD: /bin/c"),
            [row("app", "", "/bin/a /bin/c")]
        );
        assert_eq!(
            grants("app ALL = (www) NOPASSWD: /bin/a, (root) /bin/b"),
            [row("app", "www", "/bin/a"), row("app", "root", "/bin/b")]
        );
        assert_eq!(grants("app ALL = (a, b : g) NOPASSWD: /bin/a"), [row("app", "a b", "/bin/a")]);
    }

    #[test]
    fn several_hosts_and_users() {
        assert_eq!(
            grants("a, b,%wheel h1, h2 = /bin/x : h3 = NOPASSWD: /bin/y"),
            [row("a b %wheel", "", ""), row("a b %wheel", "", "/bin/y")]
        );
        assert_eq!(grants("a ALL=NOPASSWD: /bin/x k\\=v, /bin/y a\\:b"), [row("a", "", "/bin/x k\\=v /bin/y a\\:b")]);
    }

    #[test]
    fn aliases_and_continued_lines() {
        let text = "User_Alias OPS = app, \\\n  !root : NEST = OPS\nNEST ALL=(ALL) \\\n  NOPASSWD: ALL\n";
        assert_eq!(grants(text), [row("NEST", "ALL", "ALL")]);
        let read = Sudoers::read(text);
        assert_eq!(read.grants[0].line, 3);
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let expected = [
            (Kind::User, "OPS".to_owned(), owned(&["app", "!root"])),
            (Kind::User, "NEST".to_owned(), owned(&["OPS"])),
        ];
        assert_eq!(read.aliases, expected);
    }

    #[test]
    fn defaults() {
        let scope = |text| Sudoers::read(text).authenticate;
        assert_eq!(scope("Defaults !authenticate"), [(Scope::All, false, 1)]);
        assert_eq!(scope("Defaults env_reset, ! authenticate"), [(Scope::All, false, 1)]);
        assert_eq!(
            scope("\nDefaults:app, b !authenticate"),
            [(Scope::Users(vec!["app".to_owned(), "b".to_owned()]), false, 2)]
        );
        assert_eq!(scope("Defaults!/bin/ls !authenticate"), [(Scope::Other("!/bin/ls".to_owned()), false, 1)]);
        assert_eq!(scope("Defaults authenticate"), [(Scope::All, true, 1)]);
        let exempt = |text| Sudoers::read(text).exempt;
        assert_eq!(exempt("Defaults exempt_group = wheel, env_reset"), [("wheel".to_owned(), 1)]);
        assert_eq!(exempt("Defaults exempt_group=\"ops\"\nDefaults !exempt_group")[1], (String::new(), 2));
        assert_eq!(scope("Defaults badpass_message=\"x, !authenticate\""), []);
    }

    #[test]
    fn includes() {
        let text =
            "@includedir /etc/sudoers.d\n#includedir /etc/other.d\n#include /etc/one\n# include x\n@include \"/a b\"";
        let found: Vec<_> = Sudoers::read(text).includes.into_iter().map(|i| (i.path, i.directory)).collect();
        let expected = [("/etc/sudoers.d", true), ("/etc/other.d", true), ("/etc/one", false), ("/a b", false)];
        assert_eq!(found, expected.map(|(path, directory)| (path.to_owned(), directory)));
    }

    #[test]
    fn nonsense_is_skipped() {
        for text in ["=", "a", "\\", "a =", "a b = (", "a b = (:", ", = ,", "\"", "Defaults", "Defaults:", "User_Alias"]
        {
            let _ = Sudoers::read(text);
        }
    }
}
