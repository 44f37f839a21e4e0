use super::super::encode::base64;
use super::*;

/// A value that looks like a password somebody chose, made here.
fn value() -> String {
    ["q7w", "Zk9", "mBt", "4x"].join("-")
}

/// `{S}` stands for the value, `{B}` for it in base64, `{U}` for `user:value` in base64, `{H}` for 64 hex digits.
fn filled(template: &str) -> String {
    let value = value();
    let hex: String = (0..64u32).map(|at| char::from_digit(at * 7 % 16, 16).expect("a digit")).collect();
    template
        .replace("{S}", &value)
        .replace("{B}", &base64(value.as_bytes()))
        .replace("{U}", &base64(format!("user:{value}").as_bytes()))
        .replace("{H}", &hex)
}

fn read(path: &str, template: &str) -> ConfigFile {
    in_file(0, path.as_bytes(), filled(template).as_bytes(), true).unwrap_or_else(|| panic!("{path} is no known file"))
}

/// Path, text, key, line.
const FILES: &[(&str, &str, &str, u32)] = &[
    ("/root/.netrc", "machine a.example login me password {S}", "password", 1),
    (
        "/root/_netrc",
        "machine a.example\nlogin password\npassword {S}\n\nmacdef init\npassword other\n\n",
        "password",
        3,
    ),
    ("/root/.git-credentials", "https://me:{S}@git.example\n", "URL of git.example", 1),
    ("/srv/.git/config", "[remote \"origin\"]\n\turl = https://me:{S}@git.example/a.git\n", "url", 2),
    (
        "/srv/.git/config",
        "[http \"https://git.example/\"]\n\textraheader = AUTHORIZATION: basic {U}\n",
        "extraheader",
        2,
    ),
    ("/root/.config/gh/hosts.yml", "github.com:\n    user: me\n    oauth_token: {S}\n", "oauth_token", 3),
    ("/root/.config/hub", "github.com:\n- user: me\n  oauth_token: {S}\n", "oauth_token", 3),
    ("/root/.pgpass", "# hosts\ndb.example:5432:*:app\\:x:{S}\n", "password", 2),
    ("/root/.my.cnf", "[client]\nuser=root\npassword=\"{S}\"\n", "password", 3),
    ("/etc/mysql/my.cnf", "[mysqld]\nport=3306\n[client]\npassword = {S} # me\n", "password", 4),
    ("/root/.npmrc", "//r.example/:_authToken={S}\n", "//r.example/:_authToken", 1),
    ("/root/.npmrc", "_auth={U}\nalways-auth=true\n", "_auth", 1),
    ("/root/.npmrc", "//r.example/:username=me\n//r.example/:_password={B}\n", "//r.example/:_password", 2),
    ("/app/.yarnrc.yml", "npmScopes:\n  x:\n    npmAuthToken: \"{S}\"\n", "npmAuthToken", 3),
    ("/root/.pypirc", "[pypi]\nusername: me\npassword: {S}\n", "password", 3),
    ("/etc/pip.conf", "[global]\nindex-url = https://me:{S}@pypi.example/simple\n", "index-url", 2),
    ("/root/.condarc", "channels:\n  - https://me:{S}@conda.example/x\n", "URL of conda.example", 2),
    ("/root/.cargo/credentials.toml", "[registries.x]\ntoken = \"{S}\"\n", "token", 2),
    ("/app/gradle.properties", "nexusUser=me\nnexusPassword={S}\n", "nexusPassword", 2),
    (
        "/root/.m2/settings.xml",
        "<settings><servers>\n<server><id>x</id><password>{S}</password></server></servers></settings>",
        "password",
        2,
    ),
    (
        "/root/.nuget/NuGet/NuGet.Config",
        "<configuration><packageSourceCredentials><x>\n<add key=\"Username\" value=\"me\" />\n<add key=\"ClearTextPassword\" value=\"{S}\" /></x>",
        "ClearTextPassword",
        3,
    ),
    (
        "/app/auth.json",
        "{\"http-basic\": {\"r.example\": {\"username\": \"me\", \"password\": \"{S}\"}}}",
        "password",
        1,
    ),
    ("/app/auth.json", "{\n\"github-oauth\": {\"github.com\": \"{S}\"}}", "github.com", 2),
    ("/root/.docker/config.json", "{\"auths\": {\"r.example\": {\n\"auth\": \"{U}\"}}}", "auth", 2),
    ("/root/.dockercfg", "{\"r.example\": {\"auth\": \"{U}\", \"email\": \"\"}}", "auth", 1),
    ("/root/.docker/config.json", "{\"auths\":{\"r.example\":{\"identitytoken\":\"{S}\"}}}", "identitytoken", 1),
    ("/root/.kube/config", "apiVersion: v1\nkind: Config\nusers:\n- name: me\n  user:\n    token: {S}\n", "token", 6),
    ("/root/.kube/config", "{\"users\":[{\"name\":\"me\",\"user\":{\"password\":\"{S}\"}}]}", "password", 1),
    ("/root/.kube/config", "users:\n- name: me\n  user: {token: {S}}\n", "token", 3),
    ("/root/kubeconfig", "users:\n- user:\n    client-key-data: {B}\n", "client-key-data", 3),
    (
        "/app/k8s/secret.yaml",
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  password: open\n---\nkind: Secret\ndata:\n  tls.crt: AAAA\n  pw: {B}\n",
        "pw",
        9,
    ),
    ("/app/db-secret.yml", "kind: Secret\nstringData:\n  password: |\n    {S}\n", "password", 4),
    (
        "/root/.aws/credentials",
        "[default]\naws_access_key_id = x\naws_secret_access_key = {S}\n",
        "aws_secret_access_key",
        3,
    ),
    (
        "/root/.config/gcloud/application_default_credentials.json",
        "{\"client_id\": \"x\", \"refresh_token\": \"{S}\", \"type\": \"authorized_user\"}",
        "refresh_token",
        1,
    ),
    ("/root/.azure/accessTokens.json", "[{\"refreshToken\": \"{S}\"}]", "refreshToken", 1),
    ("/root/.boto", "[Credentials]\ngs_secret_access_key = {S}\n", "gs_secret_access_key", 2),
    ("/root/.s3cfg", "[default]\nsecret_key = {S}\n", "secret_key", 2),
    ("/root/.config/rclone/rclone.conf", "[x]\ntype = sftp\npass = {S}\n", "pass", 3),
    ("/root/.vault-token", "{S}aaaa\n", "", 1),
    ("/root/.terraformrc", "credentials \"app.example\" {\n  token = \"{S}\"\n}\n", "token", 2),
    (
        "/root/.terraform.d/credentials.tfrc.json",
        "{\"credentials\": {\"app.example\": {\"token\": \"{S}\"}}}",
        "token",
        1,
    ),
    ("/root/.snowsql/config", "[connections]\npassword = {S}\n", "password", 2),
    ("/root/.databrickscfg", "[DEFAULT]\nhost = https://x.example\ntoken = {S}\n", "token", 3),
    ("/root/.config/doctl/config.yaml", "access-token: {S}\ncontext: default\n", "access-token", 1),
    ("/root/.bundle/config", "---\nBUNDLE_GEMS__EXAMPLE__COM: \"me:{S}\"\n", "BUNDLE_GEMS__EXAMPLE__COM", 2),
    ("/root/.gem/credentials", "---\n:rubygems_api_key: {S}\n", ":rubygems_api_key", 2),
    (
        "/root/.filezilla/sitemanager.xml",
        "<FileZilla3><Servers><Server><Host>h</Host>\n<Pass encoding=\"base64\">{B}</Pass></Server>",
        "Pass",
        2,
    ),
    ("/root/recentservers.xml", "<Server><Pass>{S}</Pass></Server>", "Pass", 1),
    (
        "/app/sftp-config.json",
        "{\n    // sftp, ftp or ftps\n    \"type\": \"sftp\",\n    \"password\": \"{S}\",\n    //\"port\": \"22\",\n}",
        "password",
        4,
    ),
    ("/app/.ftpconfig", "{\"protocol\": \"ftp\", \"pass\": \"{S}\"}", "pass", 1),
    ("/app/.remote-sync.json", "{\"uploadOnSave\": true, \"password\": \"{S}\"}", "password", 1),
    (
        "/var/www/wp-config.php",
        "<?php\n// define('DB_PASSWORD', 'no');\ndefine( 'DB_PASSWORD', '{S}' );\n",
        "DB_PASSWORD",
        3,
    ),
    ("/var/www/wp-config.php", "<?php define(\"AUTH_KEY\",\n  \"{S}\");", "AUTH_KEY", 2),
    ("/app/config/master.key", "{S}aaaa", "", 1),
    ("/app/config/secrets.yml", "production:\n  secret_key_base: {S}\n", "secret_key_base", 2),
    (
        "/app/config/database.yml",
        "production:\n  password: <%= ENV['X'] %>\nstaging:\n  password: {S}\n",
        "password",
        4,
    ),
    ("/app/site/settings.py", "DEBUG = True\nSECRET_KEY = '{S}'\n", "SECRET_KEY", 2),
    ("/app/site/settings.py", "DATABASES = {'default': {'NAME': 'x', 'PASSWORD': '{S}'}}\n", "PASSWORD", 1),
    ("/app/.env", "APP_KEY=base64:{S}\n", "", 1),
    ("/app/.env.local", "export DB_PASSWORD=\"{S}\" # here\n", "DB_PASSWORD", 1),
    ("/app/.env", "DATABASE_URL=postgres://app:{S}@db.example/app\n", "DATABASE_URL", 1),
    ("/app/application-prod.properties", "spring.datasource.password={S}\n", "spring.datasource.password", 1),
    (
        "/app/application.properties",
        "spring.datasource.url=jdbc:postgresql://h/d?user=me&password={S}\n",
        "spring.datasource.url",
        1,
    ),
    ("/app/application.yml", "spring:\n  datasource:\n    username: me\n    password: '{S}'\n", "password", 4),
    (
        "/app/appsettings.Production.json",
        "{\"ConnectionStrings\": {\"Main\": \"Server=h;User Id=sa;Password={S};\"}}",
        "Main",
        1,
    ),
    (
        "/app/Web.config",
        "<configuration><connectionStrings><add name=\"Main\" connectionString=\"Server=h;Pwd={S};\" providerName=\"x\"/>",
        "Main",
        1,
    ),
    ("/app/web.config", "<system.web>\n<machineKey validationKey=\"{H}\" validation=\"SHA1\"/>", "validationKey", 2),
    ("/var/www/configuration.php", "<?php class JConfig {\n public $password = '{S}';\n}", "password", 2),
    ("/var/www/sites/default/settings.php", "<?php\n$settings['hash_salt'] = '{S}';\n", "hash_salt", 2),
    (
        "/var/www/sites/default/settings.php",
        "<?php\n$databases['default']['default'] = array (\n 'password' => '{S}',\n);",
        "password",
        3,
    ),
    ("/var/www/app/etc/env.php", "<?php return ['crypt' => ['key' => '{S}']];", "key", 1),
    ("/app/config/packages/x.yaml", "framework:\n  secret: {S}\n", "secret", 2),
    ("/etc/ppp/chap-secrets", "# client server secret ip\nme * \"{S}\" *\n", "secret", 2),
    ("/etc/ipsec.secrets", "a.example b.example : PSK \"{S}\"\n", "PSK", 1),
    ("/etc/wpa_supplicant/wpa_supplicant.conf", "network={\n ssid=\"x\"\n psk=\"{S}\"\n}\n", "psk", 3),
    ("/etc/snmp/snmpd.conf", "sysLocation here\nrocommunity {S} 10.0.0.0/8\n", "rocommunity", 2),
    ("/root/.bash_history", "ls\nmysql -p{S} x\n", "mysql -p", 2),
    ("/root/.zsh_history", ": 1700000000:0;export DB_PASSWORD={S}\n", "DB_PASSWORD", 1),
    ("/root/.psql_history", "alter user me with password '{S}';\n", "password", 1),
    ("/root/.mysql_history", "CREATE USER me IDENTIFIED BY '{S}';\n", "identified by", 1),
    ("/root/.rediscli_history", "auth {S}\n", "auth", 1),
    ("/root/.python_history", "requests.get(u, password='{S}')\n", "password", 1),
    ("/etc/redis/redis.conf", "port 6379\nrequirepass {S}\n", "requirepass", 2),
    ("/etc/mysql/debian.cnf", "[client]\npassword = {S}\n", "password", 2),
    (
        "/app/compose.yml",
        "services:\n  db:\n    environment:\n      - POSTGRES_PASSWORD={S}\n      POSTGRES_USER: x\n",
        "POSTGRES_PASSWORD",
        4,
    ),
];

/// A file of each kind holds the value once, under this key, in this line.
#[test]
fn every_syntax_gives_its_credential() {
    let mut wrong: Vec<String> = Vec::new();
    for &(path, text, key, line) in FILES {
        let file = read(path, text);
        let told: Vec<_> = file.secrets.iter().map(|found| (found.key.as_str(), found.line)).collect();
        let same = text.contains("{H}") || text.contains("base64:{S}") || text.contains("{S}aaaa");
        let whole = file.secrets.iter().all(|found| same || found.secret.hash == credential_info(&value()).hash);
        if told.len() != 1 || told[0].1 != line || !key.is_empty() && told[0].0 != key || !whole {
            wrong.push(format!("{path}: {text:?}: {told:?} {whole}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

/// What holds no credential gives none.
#[test]
fn near_misses() {
    let mut wrong: Vec<String> = Vec::new();
    for (path, text) in [
        ("/root/.netrc", "machine a.example login me\n"),
        ("/root/.netrc", "machine a.example login me password <your-password>\n"),
        ("/root/.npmrc", "registry=https://r.example/\n//r.example/:_authToken=${NPM_TOKEN}\nalways-auth=true\n"),
        ("/root/.pgpass", "#hostname:port:database:username:password\n"),
        ("/root/.pgpass", "db:5432:*:me:\n"),
        ("/root/.my.cnf", "[client]\npassword=\nssl-key=/etc/x.pem\n"),
        ("/root/.pypirc", "[pypi]\nusername = __token__\n"),
        ("/etc/pip.conf", "[global]\nindex-url = https://pypi.example/simple\n"),
        (
            "/root/.docker/config.json",
            "{\"auths\":{\"r.example\":{}},\"credsStore\":\"x\",\"credHelpers\":{\"a\":\"gcloud\"}}",
        ),
        ("/root/.docker/config.json", "{\"auths\":{\"r.example\":{\"auth\":\"\"}}}"),
        (
            "/root/.kube/config",
            "users:\n- name: me\n  user:\n    exec:\n      command: aws\n      args:\n      - token\n      env:\n      - name: TOKEN\n        value: x\n",
        ),
        ("/root/.kube/config", "users:\n- user:\n    client-certificate-data: {B}\n    tokenFile: /var/run/x\n"),
        ("/app/secret.yaml", "kind: SealedSecret\nspec:\n  encryptedData:\n    password: {B}\n"),
        ("/app/secret.yaml", "kind: ConfigMap\ndata:\n  password: {B}\n"),
        ("/root/.aws/config", "[default]\nregion = eu-west-1\ncredential_process = /bin/x\n"),
        (
            "/root/.config/gcloud/application_default_credentials.json",
            "{\"type\":\"external_account\",\"token_url\":\"https://x.example\"}",
        ),
        (
            "/var/www/wp-config.php",
            "<?php define('DB_PASSWORD', 'password_here'); define('AUTH_KEY', 'put your unique phrase here');",
        ),
        ("/var/www/wp-config.php", "<?php define('DB_PASSWORD', getenv('DB_PASSWORD')); define('DB_NAME', '{S}');"),
        (
            "/app/rate_settings.py",
            "LIMITS = {'change_password': '5/m/user'}\nu = f'pg://{user}:{quote(password)}@{host}/'\n",
        ),
        ("/app/settings.py", "SECRET_KEY = os.environ['SECRET_KEY']\nAUTH_PASSWORD_VALIDATORS = [{'NAME': 'x.y'}]\n"),
        (
            "/app/application.properties",
            "spring.datasource.password=${DB_PASSWORD}\na.password=ENC(abcdefgh)\nb.password=\n",
        ),
        ("/app/application.yml", "spring:\n  datasource:\n    password: ${DB_PASSWORD:}\n    key: '{cipher}abcd'\n"),
        (
            "/app/appsettings.json",
            "{\"ConnectionStrings\":{\"Main\":\"Server=h;Integrated Security=true\"},\"Token\":{\"Lifetime\":\"3600\"}}",
        ),
        (
            "/app/web.config",
            "<add assembly=\"x, PublicKeyToken=b03f5f7f11d50a3a\"/><machineKey validationKey=\"AutoGenerate,IsolateApps\"/>",
        ),
        (
            "/root/.m2/settings.xml",
            "<settings><servers><server><password>${env.PW}</password></server></servers></settings>",
        ),
        (
            "/root/nuget.config",
            "<packageSources><add key=\"nuget.org\" value=\"https://nuget.example/v3\" /></packageSources>",
        ),
        (
            "/app/.env",
            "DB_PASSWORD=\nTOKEN_URL=https://x.example/t\nAPP_ENV=production\nDB_PASSWORD_FILE=/run/secrets/x\n",
        ),
        ("/root/.bash_history", "ls -la\nexport PATH=/bin\nmysql -p\nssh-keygen\n"),
        ("/etc/snmp/snmpd.conf", "rocommunity public default\n"),
        ("/etc/ipsec.secrets", ": RSA key.pem\n"),
        ("/etc/nginx/.htpasswd", "# none\n"),
        ("/root/.git-credentials", "https://git.example\n"),
        ("/root/.config/rclone/rclone.conf", "[x]\ntype = s3\nenv_auth = true\n"),
        (
            "/app/config.json",
            "{\"key\": \"value\", \"sep_token\": \"[SEP]\", \"token\": [\"db_token_12\"], \"apiKey\": \"YOUR_API_KEY\"}",
        ),
        ("/app/compose.yml", "services:\n  db:\n    secrets:\n      - db_password\n"),
        ("/root/.terraformrc", "plugin_cache_dir = \"/x\"\n"),
    ] {
        for found in
            in_file(0, path.as_bytes(), filled(text).as_bytes(), true).into_iter().flat_map(|file| file.secrets)
        {
            wrong.push(format!("{path}: {text:?}: {}\n", found.key));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn forms_and_grades() {
    let one = |path: &str, text: &str| {
        let file = read(path, text);
        let [found] = &file.secrets[..] else { panic!("{path}: {:?}", file.secrets) };
        (found.form, found.severity)
    };
    let braced = "<server><password>{COQLCE6DU6GtcS5P=}</password></server>";
    assert_eq!(one("/root/.m2/settings.xml", braced), (Form::Encrypted, Severity::Low));
    assert_eq!(one("/root/rclone.conf", "[x]\npass = {S}\n"), (Form::Obscured, Severity::High));
    assert_eq!(one("/app/settings.py", "SECRET_KEY = 'django-insecure-{S}'\n"), (Form::Clear, Severity::Low));
    assert_eq!(one("/app/settings.py", "MAIL_PASSWORD = '{S}'\n"), (Form::Clear, Severity::High));
    assert_eq!(one("/app/settings.py", "x = {'mail_password': '{S}'}\n"), (Form::Clear, Severity::Medium));
    assert_eq!(one("/srv/.htpasswd", "me:$apr1$abcdefgh$abcdefghabcdefghabcdef\n"), (Form::Hash, Severity::Medium));
    assert_eq!(
        one("/etc/shadow.bak", "root:$6$abcdefgh$abcdefghabcdefgh:1:0:9:7:::\n"),
        (Form::Hash, Severity::Medium)
    );
}

#[test]
fn odd_texts_are_read_in_place() {
    let utf16: Vec<u8> = std::iter::once(0xfeffu16)
        .chain(filled("<a>\r\n<add name=\"M\" connectionString=\"Server=h;Password={S};\"/>").encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let file = in_file(0, b"app/web.config", &utf16, true).expect("a known file");
    assert_eq!(file.secrets.iter().map(|found| found.line).collect::<Vec<_>>(), [2]);
    let mut latin = b"# caf\xe9\n".to_vec();
    latin.extend_from_slice(filled("[client]\npassword={S}\n").as_bytes());
    let file = in_file(0, b"root/.my.cnf", &latin, true).expect("a known file");
    assert_eq!(file.secrets.iter().map(|found| (found.line, found.column)).collect::<Vec<_>>(), [(3, 10)]);
    assert_eq!(in_file(0, b"root/.my.cnf", b"\0\0password=x", true), None);
    assert!(!in_file(0, b"root/.my.cnf", b"[client]", false).expect("a known file").certain);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]

    /// Whatever is done to a file, it is read to its end, and what is told lies in it.
    #[test]
    fn changed_files_are_read(
        file in 0..FILES.len(),
        path in 0..FILES.len(),
        edits in proptest::collection::vec((proptest::prelude::any::<u16>(), "[\"'{}\\[\\]<>/\\\\:=,\n -]{0,3}|.{0,2}"), 0..8),
    ) {
        let mut bytes = filled(FILES[file].1).into_bytes();
        for (place, with) in edits {
            let at = usize::from(place) % (bytes.len() + 1);
            let to = (at + usize::from(place) % 4).min(bytes.len());
            bytes.splice(at..to, with.bytes());
        }
        for path in [FILES[file].0, FILES[path].0] {
            for found in in_file(0, path.as_bytes(), &bytes, true).into_iter().flat_map(|file| file.secrets) {
                proptest::prop_assert!(found.at.start <= found.at.end && found.at.end <= bytes.len());
                proptest::prop_assert!(found.line > 0 && found.column > 0);
            }
        }
    }
}

/// Long files of one piece are read once.
#[test]
fn long_files_are_read_once() {
    for path in FILES.iter().map(|(path, ..)| path) {
        for piece in [
            "{",
            "[",
            "\"",
            "'",
            "<a ",
            "<a>",
            "- ",
            "a:\n ",
            "/*",
            "a=",
            "\\",
            "password ",
            "\"\"\"",
            "<![CDATA[",
            "a: |\n",
        ] {
            let text = piece.repeat((64 << 10) / piece.len());
            assert!(in_file(0, path.as_bytes(), text.as_bytes(), true).is_none_or(|file| file.secrets.len() <= MOST));
        }
    }
}

#[test]
fn what_is_understood() {
    for (path, text, certain) in [
        ("/root/.aws/credentials", "[default]\n", false),
        ("/root/.aws/credentials", "[default]\ncredential_process = /bin/x\n", true),
        ("/root/.pgpass", "# none\n", true),
        ("/root/.vault-token", "a sentence and no token\n", false),
        ("/app/.env", "A=b\n", false),
        ("/app/.env", "A=b\nDB_PASSWORD=${PW}\n", true),
        ("/app/config/secrets.yml", "production:\n  secret_key_base: <%= ENV['X'] %>\n", true),
    ] {
        assert_eq!(read(path, text).certain, certain, "{path}: {text}");
    }
}

#[test]
fn a_file_of_too_many_credentials_says_so() {
    let of = |count: usize| {
        let line = |at: usize| format!("KEY_{at}_PASSWORD=hunter{at}example\n");
        let file = in_file(0, b"app/.env", (0..count).map(line).collect::<Vec<_>>().concat().as_bytes(), true);
        file.map(|file| (file.secrets.len(), file.cut))
    };
    assert_eq!(of(256), Some((256, false)));
    assert_eq!(of(257), Some((256, true)));
}
