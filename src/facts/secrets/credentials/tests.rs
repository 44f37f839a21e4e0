//! Commands and instructions that hold credentials, and their neighbours that hold none.

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
        ("/bin/sh -c curl -H 'Authorization: Bearer abcd1234efgh5678' https://example.com/x", &["abcd1234efgh5678"]),
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
        ("RUN echo \"password=hush in=x\" >> .env", &["hush"]),
        ("RUN ./login --password=hush in here", &["hush"]),
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
        "RUN echo \"use --password to log in\" >> /etc/motd",
        "RUN echo \"set token=abc in config\"",
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
        ("$(", 0),
        ("\"$(", 0),
        ("a`\"${", 0),
        ("\\\"'", 0),
        ("identified user ", 0),
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

fn found(text: &str) -> Vec<String> {
    values(text).into_iter().map(|(_, value)| value).collect()
}

/// Each as a step of the history; what stands in it as PW is the password, once.
#[test]
fn commands_give_their_password_whole() {
    let password = ["Winter", "2024!"].concat();
    for command in [
        "htpasswd -bc /x admin PW",
        "htpasswd -bn admin PW",
        "htpasswd -nbB admin PW > /x",
        "htpasswd -cb /x admin \"PW\"",
        "htpasswd -b -c /x admin 'PW'",
        "htpasswd -nbBC 10 admin PW",
        "useradd -p \"$(openssl passwd -1 PW)\" u",
        "useradd -p $(openssl passwd -1 PW) u",
        "useradd -p `openssl passwd -6 -salt ab PW` u",
        "mysql -uroot -p\"PW\" -e x",
        "mysql -uroot -p'PW' -e x",
        "mysql -uroot -pPW -e x",
        "sshpass -p\"PW\" ssh h",
        "docker login -u me -p\"PW\" r.example",
        "redis-cli -a\"PW\" ping",
        "curl -u user:\"PW\" h",
        "curl --user=user:PW h",
        "foo --token PW > /x",
        "foo --token PW 2>&1 | tee y",
        "foo --token PW # --token other",
        "gh auth login --with-token <<< PW",
        "sed -i \"s/password=.*/password=PW/\" f",
        "sed -i 's|\"password\": \".*\"|\"password\": \"PW\"|' f",
        "perl -pi -e 's,^token=.*,token=PW,g' f",
        "sh -c \"export TOKEN=\\\"PW\\\"\"",
        "echo \"X-Api-Key: PW\" > h",
        "echo mysql-server mysql-server/root_password password PW | debconf-set-selections",
        "echo \"mysql-server mysql-server/root_password_again password PW\" | debconf-set-selections",
        "debconf-set-selections <<< 'p p/app-pass password PW'",
        "mysql -e \"ALTER USER root IDENTIFIED BY 'PW'\"",
        "mysql -e 'CREATE USER me IDENTIFIED WITH mysql_native_password BY \"PW\"'",
        "mysql -e \"GRANT ALL ON *.* TO me IDENTIFIED BY 'PW'; FLUSH PRIVILEGES\"",
        "mysql -e \"SET PASSWORD FOR root = PASSWORD('PW')\"",
        "mysql -e \"SET PASSWORD = 'PW'\"",
        "psql -c \"ALTER USER x PASSWORD 'PW'\"",
        "psql -c \"CREATE ROLE x WITH LOGIN PASSWORD 'PW';\"",
        "mysqladmin -u root password PW",
        "mysqladmin -u root password 'PW'",
        "mosquitto_passwd -b f u PW",
        "mosquitto_passwd -c -b f u PW",
        "rabbitmqctl add_user u PW",
        "echo \"a:$(openssl passwd -apr1 PW)\" > .htpasswd",
        "composer config http-basic.repo.x user PW",
        "composer config --global http-basic.repo.x user PW",
        "poetry config http-basic.x user PW",
        "composer config github-oauth.github.com PW",
        "composer config --global --auth github-oauth.github.com \"PW\"",
        "/usr/local/bin/composer -n config -g gitlab-token.gitlab.com PW",
        "composer config gitlab-token.gitlab.com user PW",
        "composer config bearer.repo.x PW",
        "composer config bitbucket-oauth.bitbucket.org id PW",
        "php composer.phar config github-oauth.github.com PW",
        "bash -c \"composer config github-oauth.github.com PW\"",
        "smbclient -U user%PW //h/s",
        "smbclient //h/s -U 'user%PW'",
        "lftp -u user,PW h",
        "yes PW | passwd root",
        "echo PW | sudo -S true",
        "echo PW | /usr/bin/passwd --stdin root",
    ] {
        let text = format!("RUN /bin/sh -c {} # buildkit", command.replace("PW", &password));
        assert_eq!(found(&text), [password.as_str()], "{text}");
    }
    for command in [
        "printf \"PW\\nPW\\n\" | adduser u",
        "(echo PW; echo PW) | smbpasswd -s",
        "{ echo PW; echo PW; } | smbpasswd -as u",
        "printf '%s\\n%s\\n' PW PW | passwd u",
    ] {
        let text = format!("RUN /bin/sh -c {} # buildkit", command.replace("PW", &password));
        assert_eq!(found(&text), [password.as_str(), password.as_str()], "{text}");
    }
}

#[test]
fn commands_without_a_password() {
    for command in [
        "htpasswd -bc /x admin \"$PW\"",
        "htpasswd -bc /x admin $(cat /p)",
        "htpasswd -c /x admin",
        "foo --with-token",
        "foo --ask-password",
        "foo --password",
        "foo --token # with a token",
        "ansible --ask-become-pass",
        "ansible --ask-become-pass all -m ping",
        "gh auth login --with-token < /run/secrets/t && make",
        "foo --with-token > /x",
        "foo --password < /x",
        "foo --password 2>&1",
        "foo --password 2> /x",
        "foo --password >/x",
        "foo --password &> /x",
        "redis-cli -a $(cat /run/secrets/p)",
        "redis-cli -a `cat /run/secrets/p`",
        "redis-cli -a\"$P\"",
        "mysql -p$(cat /run/secrets/p)",
        "mysql -p`cat /run/secrets/p`",
        "sshpass -p $(cat /p) ssh h",
        "docker login -u x -p $(cat /p)",
        "docker login -u x -p\"$P\"",
        "curl -u user:$(cat /p) h",
        "curl -u \"$U\":\"$P\" h",
        "foo --password $(cat /p)",
        "useradd -p $(openssl rand -base64 12) u",
        "useradd -p \"$(openssl passwd -1 $PW)\" u",
        "mysql -uroot -p\"$MYSQL_ROOT_PASSWORD\"",
        "mysql -uroot -p\"${MYSQL_ROOT_PASSWORD}\"",
        "mysql -uroot -p\"$(cat /p)\"",
        "mysqldump -p\"$P\" db",
        "mysqladmin -p\"$P\" ping",
        "sshpass -p\"$P\" ssh h",
        "7z x -p\"$PW\" a",
        "read -p \"Password: \" p",
        "grep -q \"password=\" /etc/x",
        "grep -q 'password=' /etc/x && echo 'x y'",
        "sh -c \"grep 'password=' /etc/x; make\"",
        "grep -r \"api_key=\" . || true",
        "if grep -q \"secret:\" /x; then y; fi",
        "sed -i \"s/password=.*/password=@@PASS@@/\" f",
        "sed -i \"s/^password=.*/password=${PW}/g\" f",
        "sed -i 's/^#password=.*$/password=__PASS__/' f",
        "echo \"Enter token: \" && make",
        "echo \"Error: api-key: not set\"",
        "echo \"Error: api-key: missing\"",
        "jq \".password=env.P\" a",
        "echo \"token=\\$TOKEN\" > x",
        "./configure --with-password-hash=bcrypt",
        "mysql -e \"ALTER USER root IDENTIFIED BY '$PW'\"",
        "psql -c \"ALTER USER x PASSWORD '${PW}'\"",
        "mysql -e \"select user, password from mysql.user where user = 'x'\"",
        "mysqladmin -u root password \"$PW\"",
        "mosquitto_passwd -b f u \"$PW\"",
        "composer config http-basic.repo.x user \"$PW\"",
        "composer config github-oauth.github.com $PW",
        "composer config --unset github-oauth.github.com",
        "composer config github-protocols https",
        "smbclient -U user%$PW //h/s",
        "smbclient -U user //h/s",
        "lftp -u user,$PW h",
        "yes | adduser u",
        "yes \"$PW\" | passwd root",
        "(echo $P; echo $P) | smbpasswd -s",
        "echo \"$P\" | debconf-set-selections",
        "echo p p/x password | debconf-set-selections",
        "echo \"app:x:1000:1000::/:/bin/sh\" | tee -a /etc/passwd",
        "echo hello | adduser -D app",
        "echo done | sudo tee /x",
    ] {
        let text = format!("RUN /bin/sh -c {command} # buildkit");
        assert_eq!(values(&text), [], "{text}");
    }
    let twice = "dotnet nuget add source u -u x --password PW --store-password-in-clear-text";
    let password = ["Winter", "2024!"].concat();
    let text = format!("RUN /bin/sh -c {} # buildkit", twice.replace("PW", &password));
    assert_eq!(found(&text), [password]);
}

/// What looked before the name for a script began behind the name.
#[test]
fn a_string_that_begins_between_a_name_and_its_mark_is_survived() {
    for text in ["perl password\": \"hunter2example\" x", "sed x, \"\"password\": \"hunter2example\""] {
        assert!(credentials(text).len() < 2, "{text}");
    }
}
