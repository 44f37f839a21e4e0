//! Credentials in a line of text that people write for shells and builders: assignments, options, headers, URLs. For
//! variables and history, not for files. Every find has its place in the text, so that what is named can be masked.

use super::credential::Credential;
use super::names::{is_secret_name, is_secret_value};
use super::shell_options;
use std::ops::Range;

/// Bytes of a value that are looked at to tell whether it is a credential. Every name before a long value asks anew.
const JUDGED: usize = 1 << 10;

/// A value that is longer and no credential is not looked into again: without this bound a word of a megabyte that names
/// a password in every tenth byte would be read a hundred thousand times.
const LONG: usize = 4 << 10;

/// Every credential in `text`, by place, not overlapping. `text` is a `created_by` of the history, an instruction, or a
/// command line.
#[must_use]
pub fn credentials(text: &str) -> Vec<Credential> {
    let mut found = Vec::new();
    assignments(text, &mut found);
    pairs_with_colon(text, &mut found);
    urls(text, &mut found);
    headers(text, &mut found);
    shell_options::options(text, &mut found);
    env_with_blank(text, &mut found);
    netrc(text, &mut found);
    found.retain(|credential: &Credential| credential.at.0 < credential.at.1);
    found.sort_by(|a, b| {
        (a.at.0, std::cmp::Reverse(a.at.1), &a.name).cmp(&(b.at.0, std::cmp::Reverse(b.at.1), &b.name))
    });
    let mut kept: Vec<Credential> = Vec::new();
    for credential in found {
        match kept.last_mut() {
            Some(last) if credential.at.0 < last.at.1 => last.at.1 = last.at.1.max(credential.at.1),
            _ => kept.push(credential),
        }
    }
    kept
}

/// `NAME=value`, also in the middle of words, quoted or not, with quotes that never close.
fn assignments(text: &str, found: &mut Vec<Credential>) {
    let bytes = text.as_bytes();
    let blanks = Blanks::of(text);
    let mut skip = 0;
    for equals in memchr::memchr_iter(b'=', bytes) {
        if equals < skip {
            continue;
        }
        let start = name_start(bytes, equals);
        let name = text[start..equals].trim_start_matches('-');
        if name.is_empty() || bytes.get(equals + 1) == Some(&b'=') || !is_secret_name(name) {
            continue;
        }
        let at = value(text, equals + 1, blanks.over(start));
        // Names of packages with a version, as in `apk add pass=1.7.4`.
        let package = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-+.".contains(&b));
        let version =
            package && text[at.clone()].starts_with(|c: char| c.is_ascii_digit()) && text[at.clone()].contains('.');
        let secret = !version && is_secret(name, &text[at.clone()]);
        if secret || at.len() > LONG {
            skip = at.end;
        }
        if secret {
            found.push(Credential { at: (at.start, at.end), name: name.to_owned() });
        }
    }
}

/// `"name": "value"`, `name: value` with a quoted value, as in JSON and YAML that a command writes.
fn pairs_with_colon(text: &str, found: &mut Vec<Credential>) {
    let bytes = text.as_bytes();
    let mut skip = 0;
    for colon in memchr::memchr_iter(b':', bytes) {
        if colon < skip {
            continue;
        }
        let mut end = colon;
        while end > 0 && matches!(bytes[end - 1], b'"' | b'\'' | b'\\' | b' ') {
            end -= 1;
        }
        let name = &text[name_start(bytes, end)..end];
        let rest = &text[colon + 1..];
        let begin = colon + 1 + (rest.len() - rest.trim_start_matches([' ', '\\']).len());
        if name.is_empty() || !matches!(bytes.get(begin), Some(b'"' | b'\'')) || !is_secret_name(name) {
            continue;
        }
        let at = value(text, begin, None);
        let secret = is_secret(name, &text[at.clone()]);
        if secret || at.len() > LONG {
            skip = at.end;
        }
        if secret {
            found.push(Credential { at: (at.start, at.end), name: name.to_owned() });
        }
    }
}

/// `scheme://user:password@host` and `scheme://token@host`.
fn urls(text: &str, found: &mut Vec<Credential>) {
    let bytes = text.as_bytes();
    for place in memchr::memmem::find_iter(bytes, b"://") {
        let from = place + 3;
        let stop = |byte: u8| byte.is_ascii_whitespace() || byte.is_ascii_control() || b"/\"'`<>|;?#".contains(&byte);
        let end = bytes[from..].iter().position(|&byte| stop(byte)).map_or(bytes.len(), |at| from + at);
        let Some(at_sign) = memchr::memrchr(b'@', &bytes[from..end]).map(|at| from + at) else { continue };
        let user = &text[from..at_sign];
        let secret = match user.split_once(':') {
            Some((name, _)) => from + name.len() + 1..at_sign,
            None if user.len() >= 20 && !super::looks::is_client_dsn(user, &text[end..]) => from..at_sign,
            None => continue,
        };
        if is_secret("password", &text[secret.clone()]) && !super::names::is_placeholder_in_url(&text[secret.clone()]) {
            let host = text[at_sign + 1..end].split(':').next().unwrap_or("");
            found.push(Credential { at: (secret.start, secret.end), name: format!("URL of {host}") });
        }
    }
}

/// The words between `Authorization:` and what it authorizes with.
const SCHEMES: &[&str] = &["bearer", "basic", "token", "digest", "apikey", "negotiate", "bot", "ssws"];

/// `Authorization: Bearer x` and headers whose name promises a credential.
fn headers(text: &str, found: &mut Vec<Credential>) {
    let bytes = text.as_bytes();
    let mut words = Words { bytes, last: 0..0 };
    let mut skip = 0;
    for colon in memchr::memchr_iter(b':', bytes) {
        if colon < skip {
            continue;
        }
        let name = &text[name_start(bytes, colon)..colon];
        let known = name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("proxy-authorization");
        let own = name.contains('-')
            && is_secret_name(name)
            && name
                .to_ascii_lowercase()
                .split('-')
                .any(|word| ["x", "api", "private", "auth", "access", "job", "deploy"].contains(&word));
        if name.is_empty() || !(known || own) {
            continue;
        }
        let rest = &text[colon + 1..];
        let mut begin = colon + 1 + (rest.len() - rest.trim_start_matches(' ').len());
        // Without quotes a header ends at a blank.
        let mut end = words.end(begin);
        if known && SCHEMES.iter().any(|scheme| text[begin..end].eq_ignore_ascii_case(scheme)) {
            let blank = usize::from(bytes.get(end) == Some(&b' '));
            begin = end + blank;
            end = if blank == 1 { words.end(begin) } else { end };
        }
        if is_secret("token", &text[begin..end]) {
            skip = end;
            found.push(Credential { at: (begin, end), name: format!("{name} header") });
        }
    }
}

/// Ends of the values of headers, each found once however many names stand before it.
struct Words<'a> {
    bytes: &'a [u8],
    /// Where the last answer was looked for, and the answer.
    last: Range<usize>,
}

impl Words<'_> {
    /// Where the word that goes on at `from` ends.
    fn end(&mut self, from: usize) -> usize {
        if !self.last.contains(&from) {
            let stop = |byte: &u8| b" ;|&\"'\\\n\r".contains(byte);
            let rest = self.bytes.get(from..).unwrap_or_default();
            self.last = from..from + rest.iter().position(stop).unwrap_or(rest.len());
        }
        self.last.end
    }
}

/// [`is_secret_value`] by the beginning of a value.
fn is_secret(name: &str, value: &str) -> bool {
    let end = (0..=value.len().min(JUDGED)).rev().find(|&end| value.is_char_boundary(end)).unwrap_or(0);
    is_secret_value(name, &value[..end])
}

/// `ENV NAME value`, the old form.
fn env_with_blank(text: &str, found: &mut Vec<Credential>) {
    let whole = text.trim_start();
    let inner = whole.split_once("#(nop)").map_or(whole, |(_, rest)| rest.trim_start());
    let Some(rest) = inner.strip_prefix("ENV ") else { return };
    let rest = rest.trim_start();
    let Some((name, value)) = rest.split_once([' ', '\t']) else { return };
    let value = value.trim();
    if !name.contains('=') && is_secret_name(name) && is_secret(name, value) {
        let start = text.len() - rest.len() + name.len() + 1;
        let start = start + (text[start..].len() - text[start..].trim_start().len());
        found.push(Credential { at: (start, start + value.len()), name: name.to_owned() });
    }
}

/// `machine HOST login NAME password VALUE`, the lines of a `.netrc` that a command writes.
fn netrc(text: &str, found: &mut Vec<Credential>) {
    let between = |c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'');
    for place in memchr::memmem::find_iter(text.as_bytes(), "password") {
        let low = (place.saturating_sub(NETRC)..=place).find(|&at| text.is_char_boundary(at)).unwrap_or(place);
        let mut before =
            text[low..place].rsplit("\\n").flat_map(|line| line.rsplit(between)).filter(|word| !word.is_empty());
        let apart = text[..place].ends_with(between) || text[..place].ends_with("\\n");
        if !apart || before.nth(1) != Some("login") {
            continue;
        }
        let rest = &text[place + "password".len()..];
        let value = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let start = text.len() - value.len();
        let end = value.find(|c: char| between(c) || c == '\\').map_or(text.len(), |end| start + end);
        if value.len() < rest.len() && is_secret("password", &text[start..end]) {
            found.push(Credential { at: (start, end), name: "a machine in .netrc".to_owned() });
        }
    }
}

/// Bytes before the word `password` that tell whether it stands in a `.netrc`.
const NETRC: usize = 256;

/// Where the name that ends at `end` begins.
fn name_start(bytes: &[u8], end: usize) -> usize {
    let run = bytes[..end]
        .iter()
        .rev()
        .take(128)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte))
        .count();
    end - run
}

/// Where values may hold blanks without quotes: histories write `ENV NAME=a value` and `|2 NAME=a value B=c /bin/sh -c`
/// with the quotes gone.
struct Blanks {
    /// The stretch, and what ends a value in it besides the next `NAME=`.
    stretch: Option<(Range<usize>, Option<usize>)>,
}

impl Blanks {
    fn of(text: &str) -> Self {
        let start = text.len() - text.trim_start().len();
        let after = text.find("#(nop)").map_or(start, |at| at + 6);
        let rest = text[after..].trim_start();
        let from = text.len() - rest.len();
        for word in ["ENV ", "ARG ", "LABEL "] {
            if rest.starts_with(word) {
                let end = text.rfind(" # buildkit").unwrap_or(text.len());
                return Self { stretch: Some((from..end, None)) };
            }
        }
        let run = rest.strip_prefix("RUN ").unwrap_or(rest);
        let from = text.len() - run.len();
        if run.starts_with('|') && run[1..].starts_with(|c: char| c.is_ascii_digit()) {
            let shell = [" /bin/", " /busybox/", " /usr/bin/", " cmd ", " powershell "]
                .iter()
                .filter_map(|shell| run.find(shell))
                .min();
            let end = shell.map_or(text.len(), |at| from + at);
            return Self { stretch: Some((from..end, None)) };
        }
        Self { stretch: None }
    }

    /// Where an unquoted value of the name at `place` has to end at the latest, when it may hold blanks.
    fn over(&self, place: usize) -> Option<usize> {
        self.stretch.as_ref().filter(|(stretch, _)| stretch.contains(&place)).map(|(stretch, _)| stretch.end)
    }
}

/// The value that begins at `from`: up to the closing quote, or to the end of the word; with `blanks` up to the next
/// `NAME=` or there. A quote that never closes holds the rest of the line.
fn value(text: &str, from: usize, blanks: Option<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let escaped = bytes.get(from) == Some(&b'\\') && matches!(bytes.get(from + 1), Some(b'"' | b'\''));
    let open = from + usize::from(escaped);
    if let Some(&quote @ (b'"' | b'\'')) = bytes.get(open) {
        let mut at = open + 1;
        while at < bytes.len() {
            let slash = bytes[at] == b'\\' && quote == b'"';
            if escaped && bytes[at] == b'\\' && bytes.get(at + 1) == Some(&quote) {
                return open + 1..at;
            }
            if bytes[at] == quote && !escaped {
                // `"a"b` goes on behind the quote; masking must, too.
                let goes_on =
                    bytes.get(at + 1).is_some_and(|&next| next.is_ascii_alphanumeric() || b"'\"$_-".contains(&next));
                return if goes_on { open + 1..word_end(text, at + 1) } else { open + 1..at };
            }
            at += if slash && !escaped { 2 } else { 1 };
        }
        // Nobody knows where it was meant to end.
        return open + 1..memchr::memchr(b'\n', &bytes[open + 1..]).map_or(bytes.len(), |at| open + 1 + at);
    }
    let Some(latest) = blanks else { return from..word_end(text, from) };
    // With the quotes gone, only the next assignment ends a value.
    let latest = latest.max(from);
    let mut end = latest;
    for equals in memchr::memchr_iter(b'=', &bytes[from..latest]).map(|at| from + at) {
        let start = name_start(bytes, equals);
        let named = start < equals && (bytes[start].is_ascii_alphabetic() || bytes[start] == b'_');
        if named && start > from && bytes[start - 1] == b' ' {
            end = start;
            break;
        }
    }
    from..from + text[from..end].trim_end().len()
}

/// Where the shell word that goes on at `from` ends.
fn word_end(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b')' | b'>' => break,
            b'"' | b'\'' => {
                // The end of a string around the assignment, or a quoted piece of the value.
                let outer = bytes.get(at + 1).is_none_or(|next| b" \t\n\r;&|),]}\\".contains(next));
                if outer {
                    break;
                }
                match memchr::memchr(byte, &bytes[at + 1..]) {
                    Some(length) => at += 1 + length,
                    None => break,
                }
            }
            _ => {}
        }
        at += 1;
    }
    let end = at.min(bytes.len());
    (from..=end).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, String)> {
        credentials(text).into_iter().map(|found| (found.name.clone(), text[found.range()].to_owned())).collect()
    }

    #[test]
    fn credentials_are_found_whole() {
        for (text, wanted) in [
            ("/bin/sh -c #(nop) ENV DB_PASSWORD=hunter2example", &["hunter2example"][..]),
            ("ENV DB_PASSWORD=hunter2example API_TOKEN=abcd1234efgh", &["hunter2example", "abcd1234efgh"]),
            ("ENV API_TOKEN=abcd1234=efgh5678", &["abcd1234=efgh5678"]),
            ("ENV DB_PASSWORD=hunter2\\$example", &["hunter2\\$example"]),
            ("ENV TOKEN=E", &["E"]),
            ("ENV DB_PASSWORD=\"hunter2 example\"", &["hunter2 example"]),
            ("ENV DB_PASSWORD=hunter2 example OTHER=x # buildkit", &["hunter2 example"]),
            ("ENV DB_PASSWORD hunter2 example", &["hunter2 example"]),
            ("/bin/sh -c echo it's fine && DB_PASSWORD=hunter2example ./x", &["hunter2example"]),
            (
                "/bin/sh -c curl -H 'Authorization: Bearer abcd1234efgh5678' https://example.com/x",
                &["abcd1234efgh5678"],
            ),
            ("RUN |2 TOKEN=with blank VERSION=1 /bin/sh -c make # buildkit", &["with blank"]),
            ("|1 NPM_TOKEN=abcd /bin/sh -c npm ci", &["abcd"]),
            ("RUN curl -u user:pa55 https://x.example", &["pa55"]),
            ("RUN curl -uuser:pa55 --proxy-user 'me:pr0xy' https://x.example", &["pa55", "pr0xy"]),
            ("RUN mysql -uroot -psecr3t -e 'select 1'", &["secr3t"]),
            ("RUN sh -c \"mysql -psecr3t\"", &["secr3t"]),
            ("RUN tool --password secr3t --api-key=k3y", &["secr3t", "k3y"]),
            ("RUN echo 'root:t00r' | chpasswd", &["t00r"]),
            ("RUN echo root:t00r|chpasswd && true", &["t00r"]),
            ("RUN printf 'a:b1\\nc:d2\\n' | chpasswd", &["b1", "d2"]),
            ("RUN echo t0ken | docker login -u me --password-stdin", &["t0ken"]),
            ("RUN docker login -u me -p t0ken r.example", &["t0ken"]),
            ("RUN git clone https://me:t0ken@git.example/x.git", &["t0ken"]),
            ("|1 PASSWORD2=hunter22 /bin/sh -c make", &["hunter22"]),
            ("/app --password1=hunter22 --db-token2 hunter23", &["hunter22", "hunter23"]),
            ("RUN passwd --stdin root <<< hush", &["hush"]),
            ("RUN passwd --stdin root <<<'hush hush'", &["hush hush"]),
            ("RUN chpasswd <<<\"root:hush\"", &["hush"]),
            ("RUN docker login -u me --password-stdin r.example <<< t0ken", &["t0ken"]),
            ("RUN aws configure set aws_secret_access_key abcd/efgh+1234", &["abcd/efgh+1234"]),
            ("RUN aws --profile x configure set aws_session_token abcd1234 --region x", &["abcd1234"]),
            ("RUN npm config set //r.example/:_authToken t0ken && true", &["t0ken"]),
            ("RUN composer config -g github-oauth-token.x t0ken", &["t0ken"]),
            ("RUN unzip -P 1234 x.zip", &["1234"]),
            ("RUN openssl rsa -passin pass:hush -in k", &["hush"]),
            ("RUN sshpass -p hush ssh h", &["hush"]),
            ("RUN htpasswd -bc /etc/pw admin hush", &["hush"]),
            ("RUN echo '{\"password\": \"hush\"}' > /x", &["hush"]),
            ("RUN echo \"PASSWORD=hush\" >> .env", &["hush"]),
            ("RUN PASS=ab\"cd ef\"gh ./x", &["ab\"cd ef\"gh"]),
            ("RUN wget --header='PRIVATE-TOKEN: abc-def' https://x.example", &["abc-def"]),
            ("RUN [\"sh\", \"-c\", \"mysql -psecr3t\"]", &["secr3t"]),
            ("RUN echo \"machine x.example login me password t0ken\" > ~/.netrc", &["t0ken"]),
            ("RUN printf 'machine x.example\\nlogin me\\npassword t0ken\\n' > ~/.netrc", &["t0ken"]),
        ] {
            let found: Vec<String> = values(text).into_iter().map(|(_, value)| value).collect();
            assert_eq!(found, wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_credential_is_left_alone() {
        for text in [
            "ENV COMPASS_VERSION=1.0.3",
            "/bin/sh -c apk add --no-cache keyutils-libs=1.6.3-r3 pass=1.7.4-r2",
            "ENV DB_PASSWORD_FILE=/run/secrets/db",
            "ENV DB_PASSWORD=",
            "|1 VERSION=1.2.3 /bin/sh -c make",
            "RUN docker run -p 80:80 x",
            "RUN unzip -P 8080 x",
            "RUN redis-cli -h db -a 6379",
            "RUN passwd --stdin root <<< $PW",
            "RUN passwd --stdin root <<< \"$PW\"",
            "RUN passwd -l root < /dev/null",
            "RUN aws configure set region eu-west-1",
            "RUN aws configure set aws_secret_access_key $KEY",
            "RUN npm config set //r.example/:_authToken ${TOKEN}",
            "RUN git config --global credential.helper store",
            "RUN git config --global user.signingkey ABCDEF01",
            "RUN ./configure --with-token --prefix /usr",
            "RUN npm config get token",
            "ENV SORT_KEY=name PASSWORD_HASHER=argon2",
            "RUN gh secret list && kubectl config set-context x",
            "RUN mkdir -p /var/lib/app",
            "RUN mysql -p -e x",
            "RUN adduser -D --disabled-password app",
            "RUN adduser --disabled-password --gecos '' app",
            "RUN TOKEN=$(cat /run/secrets/t) PASSWORD=\"$PW\" PASS=${X} ./x",
            "RUN curl -u \"$USER:$PASS\" https://x.example",
            "RUN echo \"root:$PW\" | chpasswd",
            "RUN --mount=type=secret,id=token,target=/run/t npm ci",
            "RUN gpg --batch --keyserver hkps://keys.example --recv-keys \"$GPG_KEY\"",
            "ENV GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568",
            "RUN key='B42F6819007F00F88E364FD4036A9C25BF357DD4'; gpg --recv-keys $key",
            "RUN git clone https://git@github.com/x/y && curl https://x.example/a@b",
            "RUN sed -i 's/http:\\/\\/a/b/' x; test -n \"$TOKEN\"",
            "RUN echo \"deb [signed-by=/usr/share/keyrings/x.gpg] https://x.example stable main\"",
            "RUN npm config set //r.example/:_authToken=${NPM_TOKEN}",
            "RUN openssl req -newkey rsa:2048 -nodes -keyout k.pem -passout pass:$PW",
            "RUN if [ \"$PASSWORD\" == \"x\" ]; then :; fi",
            "RUN echo \"machine x.example login me password $PW\" > ~/.netrc",
            "RUN echo give a login and a password please",
        ] {
            assert_eq!(values(text), [], "{text}");
        }
    }

    /// A megabyte of each: what is read anew for every name does not come to an end.
    #[test]
    fn long_texts_are_read_once() {
        for (piece, most) in [
            ("X-Api-Key:", 1),
            ("X-Api-Key:$", 1),
            ("Authorization: Bearer ", 60_000),
            ("PASSWORD=", 1),
            ("PASSWORD=$", 1),
            ("PASSWORD=\"$a\"", 1),
            ("PASSWORD='a' ", 100_000),
            ("\"password\":\"$a", 1),
            ("docker a ", 0),
            ("htpasswd ", 0),
            ("chpasswd ", 0),
            ("add_user rabbitmqctl ", 120_000),
            ("echo a | ", 0),
            ("login a password ", 100_000),
            ("login a password", 1),
            ("curl -u a:b; ", 100_000),
        ] {
            let text = piece.repeat((1 << 20) / piece.len());
            assert!(credentials(&text).len() <= most, "{piece}: {}", credentials(&text).len());
            let text = format!("ENV {text}");
            assert!(credentials(&text).len() <= most.max(1), "ENV {piece}: {}", credentials(&text).len());
        }
    }
}
