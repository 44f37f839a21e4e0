//! The table of configuration files: by what names they go, how they are written, which keys hold a credential, what it
//! opens. A new file is a row, and no code.

use crate::model::Severity;
use std::collections::HashMap;
use std::sync::LazyLock;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// Sections, keys and values; between them one of these characters.
    Ini(&'static str),
    Properties,
    Dotenv,
    Json,
    Yaml,
    Xml,
    /// String literals in the source of a program.
    Source,
    Netrc,
    /// This field, from 0, of lines with at least so many, between colons.
    Colons(usize, usize),
    /// This field, from 0, of lines of words.
    Blanks(usize),
    /// A directive and a value on each line.
    Words,
    Ipsec,
    /// URLs, one a line.
    Urls,
    /// Commands, one a line.
    Commands,
    /// The whole file is the credential.
    Whole,
}
use Syntax::{
    Blanks, Colons, Commands, Dotenv, Ini, Ipsec, Json, Netrc, Properties, Source, Urls, Whole, Words, Xml, Yaml,
};

/// What the value of a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    /// No credential, whatever its name promises.
    Nothing,
    /// A credential when its name and its value look so.
    Plain,
    /// A credential whatever the key is called.
    Secret,
    /// The same in base64.
    Base64,
    /// `user:password` in base64.
    Pair,
    /// `user:password`.
    Accounts,
    /// Hidden by a method without a secret.
    Obscured,
    /// In braces encrypted, else as it is.
    Braced,
    /// A name that lets in, unless it is one that every device is shipped with.
    Community,
    /// One of several that are made together; the first is told.
    Salt,
    /// A one-way hash.
    Hash,
}
use Carries::{Accounts, Base64, Braced, Community, Hash, Nothing, Obscured, Pair, Plain, Salt, Secret};

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    /// The last components of paths; `*` stands for any bytes in one. In any case of letters behind `~`.
    files: &'static [&'static str],
    /// How it is written.
    pub(super) syntax: Syntax,
    /// What it holds, as part of a sentence.
    pub(super) what: &'static str,
    /// How bad.
    pub(super) severity: Severity,
    /// One of these stands in the file, and in YAML in the document; empty when any file will do.
    pub(super) needs: &'static [&'static str],
    /// The last components of the ways to values, between `/`, in any case; `*` stands for any bytes in one.
    pub(super) keys: &'static [(&'static str, Carries)],
    /// Whether other keys whose words promise a credential count, too.
    pub(super) judged: bool,
    /// Whether a file without a find is known to hold none.
    pub(super) certain: bool,
}

impl Row {
    /// Whether `text` says what a file of this row does.
    pub(super) fn takes(&self, text: &str) -> bool {
        self.needs.is_empty() || self.needs.iter().any(|word| text.contains(word))
    }
}

const HIGH: Severity = Severity::High;
const MEDIUM: Severity = Severity::Medium;

/// A file of a client whose keys are known.
const fn known(
    files: &'static [&'static str],
    syntax: Syntax,
    what: &'static str,
    severity: Severity,
    keys: &'static [(&'static str, Carries)],
) -> Row {
    Row { files, syntax, what, severity, needs: &[], keys, judged: false, certain: true }
}

/// A file where the words of a key tell what it holds.
const fn judged(
    files: &'static [&'static str],
    syntax: Syntax,
    what: &'static str,
    severity: Severity,
    keys: &'static [(&'static str, Carries)],
) -> Row {
    Row { files, syntax, what, severity, needs: &[], keys, judged: true, certain: false }
}

/// The same for a name that other files have, too.
const fn needing(row: Row, needs: &'static [&'static str]) -> Row {
    Row { needs, ..row }
}

/// The same where a file without a find holds none.
const fn certain(row: Row) -> Row {
    Row { certain: true, ..row }
}

const PASSWORD: &[(&str, Carries)] = &[("password", Secret), ("passwd", Secret), ("pass", Secret)];
const AUTHS: &[(&str, Carries)] = &[
    ("auth", Pair),
    ("identitytoken", Secret),
    ("registrytoken", Secret),
    ("password", Secret),
    ("HttpHeaders/*", Plain),
];
const CLOUD: &[(&str, Carries)] = &[
    ("client_secret", Secret),
    ("refresh_token", Secret),
    ("access_token", Secret),
    ("id_token", Secret),
    ("private_key", Nothing),
    ("secret", Secret),
    ("*/refreshToken", Secret),
    ("accessToken", Secret),
    ("client_key", Secret),
];
const ACCOUNT: &[(&str, Carries)] = &[("password", Hash)];
const SALTS: &[(&str, Carries)] = &[("DB_PASSWORD", Secret), ("*_KEY", Salt), ("*_SALT", Salt), ("FTP_PASS", Secret)];

/// The rows. A file is read by the first that names it.
static ROWS: &[Row] = &[
    // clients of hosts
    certain(known(&[".netrc", "_netrc", "netrc"], Netrc, "a password for a host", HIGH, &[("password", Secret)])),
    known(&[".git-credentials", "git/credentials"], Urls, "a password for a Git host", HIGH, &[]),
    known(
        &[".git/config", ".gitconfig", "git/config"],
        Ini("="),
        "a password for a Git host",
        HIGH,
        &[("token", Secret), ("password", Secret), ("smtppass", Secret), ("oauth-token", Secret)],
    ),
    known(
        &["gh/hosts.yml", "glab-cli/config.yml", ".config/hub"],
        Yaml,
        "a token for a Git host",
        HIGH,
        &[("oauth_token", Secret), ("token", Secret)],
    ),
    known(
        &[".curlrc", "_curlrc"],
        Words,
        "a password for curl",
        HIGH,
        &[
            ("user", Accounts),
            ("-u", Accounts),
            ("--user", Accounts),
            ("proxy-user", Accounts),
            ("oauth2-bearer", Secret),
        ],
    ),
    known(
        &[".wgetrc", "wgetrc"],
        Ini("="),
        "a password for wget",
        HIGH,
        &[
            ("password", Secret),
            ("http_password", Secret),
            ("http-password", Secret),
            ("ftp_password", Secret),
            ("proxy_password", Secret),
        ],
    ),
    // databases
    known(&[".pgpass", "pgpass.conf"], Colons(4, 5), "a PostgreSQL password", HIGH, &[("password", Secret)]),
    known(&[".pg_service.conf", "pg_service.conf"], Ini("="), "a PostgreSQL password", HIGH, PASSWORD),
    known(
        &[".my.cnf", "my.cnf", "~my.ini", "debian.cnf", "conf.d/client.cnf", "mysql.cnf", ".mytop"],
        Ini("="),
        "a MySQL password",
        HIGH,
        &[("password", Secret), ("pass", Secret), ("master-password", Secret), ("wsrep_sst_auth", Accounts)],
    ),
    known(&[".dbshell/config", ".mongorc.js"], Source, "a MongoDB password", HIGH, PASSWORD),
    known(
        &["redis.conf", "sentinel.conf"],
        Words,
        "a Redis password",
        HIGH,
        &[("requirepass", Secret), ("masterauth", Secret)],
    ),
    known(
        &[".snowsql/config", ".snowflake/connections.toml", ".snowflake/config.toml", "snowflake/config.toml"],
        Ini("="),
        "access to Snowflake",
        HIGH,
        &[
            ("password", Secret),
            ("passphrase", Secret),
            ("token", Secret),
            ("private_key_passphrase", Secret),
            ("proxy_password", Secret),
        ],
    ),
    known(
        &[".databrickscfg"],
        Ini("="),
        "a Databricks token",
        HIGH,
        &[("token", Secret), ("password", Secret), ("client_secret", Secret), ("azure_client_secret", Secret)],
    ),
    known(
        &["robomongo.json", "robo3t.json"],
        Json,
        "a MongoDB password",
        HIGH,
        &[("userPassword", Obscured), ("sshUserPassword", Obscured), ("sshPassphrase", Obscured)],
    ),
    known(
        &["dbeaver-data-sources.xml", ".dbeaver-data-sources.xml"],
        Xml,
        "a password of a database",
        HIGH,
        &[("password", Obscured)],
    ),
    known(&["mongoid.yml"], Yaml, "a MongoDB password", HIGH, PASSWORD),
    known(
        &[".tugboat"],
        Yaml,
        "a token of DigitalOcean",
        HIGH,
        &[("access_token", Secret), ("api_key", Secret), ("client_key", Secret)],
    ),
    known(&[".purple/accounts.xml"], Xml, "a password for chat", MEDIUM, &[("password", Secret)]),
    known(
        &[".dbt/profiles.yml", "profiles.yml"],
        Yaml,
        "access to a database",
        HIGH,
        &[
            ("password", Secret),
            ("pass", Secret),
            ("token", Secret),
            ("private_key_passphrase", Secret),
            ("client_secret", Secret),
        ],
    ),
    // registries of packages
    known(
        &[".npmrc", "etc/npmrc", "npmrc"],
        Ini("="),
        "a token of the npm registry",
        HIGH,
        &[("*_authToken", Secret), ("*_auth", Pair), ("*_password", Base64)],
    ),
    known(
        &[".yarnrc.yml"],
        Yaml,
        "a token of the npm registry",
        HIGH,
        &[("npmAuthToken", Secret), ("npmAuthIdent", Pair)],
    ),
    known(
        &[".yarnrc"],
        Words,
        "a token of the npm registry",
        HIGH,
        &[("*_authToken*", Secret), ("*_password*", Base64)],
    ),
    known(
        &[".bunfig.toml", "bunfig.toml"],
        Ini("="),
        "a token of the npm registry",
        HIGH,
        &[("token", Secret), ("password", Secret)],
    ),
    known(&[".pypirc", "_pypirc"], Ini("=:"), "a password of a Python index", HIGH, &[("password", Secret)]),
    known(&["pip.conf", "~pip.ini", "uv.toml"], Ini("="), "a password of a Python index", HIGH, &[]),
    known(
        &["pypoetry/auth.toml"],
        Ini("="),
        "a password of a Python index",
        HIGH,
        &[("password", Secret), ("pypi", Secret), ("pypi-token/*", Secret)],
    ),
    known(
        &[".condarc", "condarc"],
        Yaml,
        "a token of a Conda channel",
        HIGH,
        &[("*token", Secret), ("*password", Secret)],
    ),
    known(
        &[".cargo/credentials", ".cargo/credentials.toml", "cargo/credentials.toml", "credentials.toml"],
        Ini("="),
        "the token of a package registry",
        HIGH,
        &[("token", Secret), ("secret-key", Secret)],
    ),
    judged(
        &["gradle.properties"],
        Properties,
        "a credential of a build",
        HIGH,
        &[("*storePassword", Secret), ("*keyPassword", Secret), ("*password", Secret), ("*passphrase", Secret)],
    ),
    known(
        &["settings.xml", "settings-security.xml"],
        Xml,
        "the password of a Maven repository",
        HIGH,
        &[
            ("server/password", Braced),
            ("server/passphrase", Braced),
            ("proxy/password", Braced),
            ("settingsSecurity/master", Braced),
        ],
    ),
    known(
        &["~nuget.config"],
        Xml,
        "the password of a NuGet feed",
        HIGH,
        &[("ClearTextPassword", Secret), ("Password", Nothing), ("apikeys/*", Nothing)],
    ),
    needing(
        known(
            &["auth.json"],
            Json,
            "a credential of Composer",
            HIGH,
            &[
                ("http-basic/*/password", Secret),
                ("github-oauth/*", Secret),
                ("gitlab-oauth/*", Secret),
                ("gitlab-oauth/*/token", Secret),
                ("gitlab-token/*", Secret),
                ("gitlab-token/*/token", Secret),
                ("bitbucket-oauth/*/consumer-secret", Secret),
                ("bearer/*", Secret),
            ],
        ),
        &["http-basic", "oauth", "bearer", "gitlab-token"],
    ),
    known(
        &[".bundle/config", "bundle/config"],
        Yaml,
        "the password of a gem source",
        HIGH,
        &[("BUNDLE_*__*", Accounts), ("BUNDLE_PATH*", Nothing)],
    ),
    known(
        &[".gem/credentials", "gem/credentials"],
        Yaml,
        "a key of a gem registry",
        HIGH,
        &[("*api_key", Secret), (":*", Secret), ("*key", Secret)],
    ),
    known(&[".hex/hex.config"], Words, "a key of the Hex registry", HIGH, PASSWORD),
    known(&["hackage/config", ".cabal/config"], Ini(":"), "a password of Hackage", HIGH, &[("password", Secret)]),
    known(
        &[".sbt/.credentials", ".ivy2/.credentials", ".credentials"],
        Properties,
        "the password of an Ivy repository",
        HIGH,
        &[("password", Secret)],
    ),
    known(
        &["apt/auth.conf", "auth.conf.d/*"],
        Netrc,
        "the password of a package source",
        HIGH,
        &[("password", Secret)],
    ),
    known(
        &["yum.repos.d/*.repo", "yum.conf", "dnf.conf", "zypp/credentials.d/*"],
        Ini("="),
        "the password of a package source",
        HIGH,
        &[("password", Secret), ("proxy_password", Secret)],
    ),
    // containers and clusters
    known(
        &[
            ".docker/config.json",
            "containers/auth.json",
            ".dockercfg",
            ".dockerconfigjson",
            "kaniko/.docker/config.json",
        ],
        Json,
        "a password of a container registry",
        HIGH,
        AUTHS,
    ),
    known(
        &[
            ".kube/config",
            "kubeconfig",
            "*.kubeconfig",
            "kubeconfig.yml",
            "kubeconfig.yaml",
            "kubernetes/admin.conf",
            "kubernetes/super-admin.conf",
            "kubernetes/kubelet.conf",
            "kubernetes/controller-manager.conf",
            "kubernetes/scheduler.conf",
            "k3s.yaml",
        ],
        Yaml,
        "access to a Kubernetes cluster",
        HIGH,
        &[
            ("user/token", Secret),
            ("user/password", Secret),
            ("user/client-key-data", Base64),
            ("config/access-token", Secret),
            ("config/refresh-token", Secret),
            ("config/id-token", Secret),
            ("config/client-secret", Secret),
        ],
    ),
    needing(
        known(
            &[
                "~*secret*.yaml",
                "~*secret*.yml",
                "manifests/*.yaml",
                "manifests/*.yml",
                "k8s/*.yaml",
                "k8s/*.yml",
                "kubernetes/*.yaml",
                "kubernetes/*.yml",
                "deploy/*.yaml",
                "deploy/*.yml",
            ],
            Yaml,
            "a value of a Kubernetes Secret",
            HIGH,
            &[
                ("items/data/*", Base64),
                ("data/ca.crt", Nothing),
                ("data/tls.crt", Nothing),
                ("data/namespace", Nothing),
                ("data/*user*", Nothing),
                ("data/*host*", Nothing),
                ("data/*port", Nothing),
                ("data/*name", Nothing),
                ("data/*", Base64),
                ("stringData/tls.crt", Nothing),
                ("stringData/*user*", Nothing),
                ("stringData/*host*", Nothing),
                ("stringData/*name", Nothing),
                ("stringData/*", Plain),
            ],
        ),
        &["kind: Secret", "\"kind\": \"Secret\"", "kind: \"Secret\""],
    ),
    known(
        &[".helm/repositories.yaml", "helm/repositories.yaml", "repository/repositories.yaml"],
        Yaml,
        "the password of a chart repository",
        HIGH,
        &[("password", Secret)],
    ),
    known(
        &["argocd/config", ".argocd/config"],
        Yaml,
        "a token of Argo CD",
        HIGH,
        &[("auth-token", Secret), ("refresh-token", Secret)],
    ),
    // clouds
    known(
        &[".aws/credentials", ".aws/config", "aws/credentials"],
        Ini("="),
        "a key of AWS",
        HIGH,
        &[("aws_secret_access_key", Secret), ("aws_session_token", Secret), ("aws_security_token", Secret)],
    ),
    known(
        &[".aws/cli/cache/*.json", ".aws/sso/cache/*.json"],
        Json,
        "a key of AWS",
        HIGH,
        &[
            ("SecretAccessKey", Secret),
            ("SessionToken", Secret),
            ("accessToken", Secret),
            ("refreshToken", Secret),
            ("clientSecret", Secret),
        ],
    ),
    known(
        &["application_default_credentials.json", "legacy_credentials/*/adc.json", "gcloud/*.json", "*adc.json"],
        Json,
        "credentials of Google Cloud",
        HIGH,
        CLOUD,
    ),
    known(
        &[".azure/*.json", ".azure/*.bin"],
        Json,
        "a token of Azure",
        HIGH,
        &[
            ("secret", Secret),
            ("accessToken", Secret),
            ("refreshToken", Secret),
            ("client_secret", Secret),
            ("servicePrincipalKey", Secret),
            ("password", Secret),
        ],
    ),
    known(
        &[".azure/config"],
        Ini("="),
        "a key of Azure",
        HIGH,
        &[("key", Secret), ("sas_token", Secret), ("connection_string", Plain), ("password", Secret)],
    ),
    known(
        &[".boto", "boto.cfg", "legacy_credentials/*/.boto"],
        Ini("="),
        "a key of a cloud",
        HIGH,
        &[
            ("aws_secret_access_key", Secret),
            ("gs_secret_access_key", Secret),
            ("gs_oauth2_refresh_token", Secret),
            ("gs_service_key_file_password", Secret),
            ("proxy_pass", Secret),
            ("client_secret", Secret),
        ],
    ),
    known(
        &[".s3cfg"],
        Ini("="),
        "a key of an object store",
        HIGH,
        &[("secret_key", Secret), ("access_token", Secret), ("gpg_passphrase", Secret)],
    ),
    known(&[".passwd-s3fs", "passwd-s3fs"], Colons(1, 2), "a key of an object store", HIGH, &[("password", Secret)]),
    known(
        &[".mc/config.json", ".mcli/config.json"],
        Json,
        "a key of an object store",
        HIGH,
        &[("secretKey", Secret), ("sessionToken", Secret)],
    ),
    known(
        &["rclone.conf", ".rclone.conf"],
        Ini("="),
        "a key of an object store",
        HIGH,
        &[
            ("pass", Obscured),
            ("password", Obscured),
            ("password2", Obscured),
            ("secret_access_key", Secret),
            ("client_secret", Secret),
            ("token", Plain),
            ("key", Secret),
            ("bearer_token", Secret),
            ("service_account_credentials", Plain),
            ("sas_url", Secret),
            ("api_password", Obscured),
            ("account_key", Secret),
        ],
    ),
    known(
        &["doctl/config.yaml"],
        Yaml,
        "a token of DigitalOcean",
        HIGH,
        &[("access-token", Secret), ("auth-contexts/*", Secret)],
    ),
    known(
        &["hcloud/cli.toml", "linode-cli", ".linode-cli", "scw/config.yaml", ".vultr-cli.yaml"],
        Ini("=:"),
        "a token of a cloud",
        HIGH,
        &[("token", Secret), ("secret_key", Secret), ("api-key", Secret)],
    ),
    known(
        &[
            ".netlify/config.json",
            "netlify/config.json",
            ".config/configstore/*.json",
            "com.vercel.cli/auth.json",
            ".vercel/auth.json",
            ".fly/config.yml",
        ],
        Yaml,
        "a token of a host",
        HIGH,
        &[("token", Secret), ("auth/token", Secret), ("access_token", Secret), ("refresh_token", Secret)],
    ),
    known(
        &[".wrangler/config/default.toml"],
        Ini("="),
        "a token of Cloudflare",
        HIGH,
        &[("oauth_token", Secret), ("refresh_token", Secret), ("api_token", Secret)],
    ),
    known(&[".vault-token"], Whole, "a Vault token", HIGH, &[("*", Secret)]),
    known(&[".terraformrc", "~terraform.rc"], Ini("="), "a Terraform token", HIGH, &[("token", Secret)]),
    known(&["credentials.tfrc.json"], Json, "a Terraform token", HIGH, &[("token", Secret)]),
    judged(&["*.tfvars", "*.auto.tfvars"], Ini("="), "a credential of an infrastructure", HIGH, &[]),
    judged(&["*.tfvars.json"], Json, "a credential of an infrastructure", HIGH, &[]),
    known(
        &["op/config", ".op/config"],
        Json,
        "the secret key of a 1Password account",
        HIGH,
        &[("secretKey", Secret), ("accountKey", Secret)],
    ),
    // transfers
    known(
        &["~sitemanager.xml", "~recentservers.xml", "~filezilla.xml"],
        Xml,
        "a password for FTP",
        HIGH,
        &[("Pass@base64", Base64), ("Pass", Secret), ("Last*Pass*", Secret)],
    ),
    known(
        &[
            "sftp-config.json",
            ".ftpconfig",
            ".remote-sync.json",
            ".vscode/sftp.json",
            "sftp.json",
            ".vscode/ftp-sync.json",
            "deployment-config.json",
        ],
        Json,
        "a password for FTP or SSH",
        HIGH,
        &[("password", Secret), ("pass", Secret), ("passphrase", Secret)],
    ),
    known(&[".lftprc", "lftp/rc"], Urls, "a password for FTP", HIGH, &[]),
    known(&["~winscp.ini"], Ini("="), "a password for SSH", HIGH, &[("Password", Obscured)]),
    known(
        &[".idea/webservers.xml", ".idea/webServers.xml"],
        Xml,
        "a password for FTP",
        HIGH,
        &[("password", Obscured)],
    ),
    known(
        &[".msmtprc", ".esmtprc", "msmtprc", "ssmtp.conf"],
        Words,
        "a password for mail",
        HIGH,
        &[("password", Secret), ("AuthPass", Secret)],
    ),
    known(&["sasl_passwd", "sasl/passwd"], Blanks(1), "a password for mail", HIGH, &[("secret", Accounts)]),
    known(&[".fetchmailrc", ".getmailrc"], Ini("="), "a password for mail", HIGH, &[("password", Secret)]),
    known(&[".irssi/config", ".weechat/irc.conf"], Ini("="), "a password for IRC", MEDIUM, &[("*password", Secret)]),
    // frameworks
    known(&["wp-config.php"], Source, "a credential of WordPress", HIGH, SALTS),
    known(
        &["config/master.key", "config/credentials/*.key", "credentials/*.key"],
        Whole,
        "the master key of a Rails application",
        HIGH,
        &[("*", Secret)],
    ),
    judged(
        &[
            "config/secrets.yml",
            "secrets.yml",
            "secrets.yaml",
            "config/database.yml",
            "database.yml",
            "config/storage.yml",
            "config/application.yml",
            "config/settings.yml",
            "config/cable.yml",
        ],
        Yaml,
        "a secret of an application",
        HIGH,
        &[("secret_key_base", Secret)],
    ),
    judged(
        &[
            "secret_token.rb",
            "initializers/devise.rb",
            "initializers/omniauth.rb",
            "initializers/carrierwave.rb",
            "omniauth.rb",
            "carrierwave.rb",
            "knife.rb",
        ],
        Source,
        "a secret of an application",
        HIGH,
        &[("secret_key_base", Secret), ("secret_token", Secret), ("pepper", Secret)],
    ),
    judged(
        &[
            "settings.py",
            "local_settings.py",
            "settings/*.py",
            "settings_*.py",
            "*_settings.py",
            "production.py",
            "superset_config.py",
            "webserver_config.py",
        ],
        Source,
        "a secret of a Django application",
        HIGH,
        &[("SECRET_KEY", Secret), ("PASSWORD", Secret)],
    ),
    judged(
        &[
            "~application*.properties",
            "~bootstrap*.properties",
            "jdbc.properties",
            "db.properties",
            "database.properties",
            "datasource.properties",
            "hibernate.properties",
            "mail.properties",
            "kafka*.properties",
            "client.properties",
            "server.properties",
            "connect*.properties",
            "log4j.properties",
            "quartz.properties",
            "secrets.properties",
            "credentials.properties",
            "local.properties",
            "keystore.properties",
            "key.properties",
            "sonar-project.properties",
            "config.properties",
        ],
        Properties,
        "a secret of an application",
        HIGH,
        &[("*password", Secret)],
    ),
    judged(
        &["~application*.yml", "~application*.yaml", "~bootstrap*.yml", "~bootstrap*.yaml"],
        Yaml,
        "a secret of an application",
        HIGH,
        &[("password", Secret)],
    ),
    judged(
        &["~appsettings*.json", "~connectionstrings*.json", "~secrets.json", "local.settings.json"],
        Json,
        "a secret of an application",
        HIGH,
        &[],
    ),
    judged(
        &[
            "~web.config",
            "~app.config",
            "~web.*.config",
            "~machine.config",
            "~connectionstrings.config",
            "~*.exe.config",
            "~*.dll.config",
            "~appsettings.config",
        ],
        Xml,
        "a secret of an application",
        HIGH,
        &[
            ("publicKeyToken", Nothing),
            ("machineKey/validationKey", Secret),
            ("machineKey/decryptionKey", Secret),
            ("add/key", Nothing),
        ],
    ),
    judged(
        &[
            "context.xml",
            "server.xml",
            "hibernate.cfg.xml",
            "persistence.xml",
            "standalone*.xml",
            "*-ds.xml",
            "core-site.xml",
            "hive-site.xml",
            "jetty*.xml",
        ],
        Xml,
        "a secret of an application",
        HIGH,
        &[("*password", Secret), ("*Pass", Secret), ("property/name", Nothing)],
    ),
    known(&["tomcat-users.xml"], Xml, "a password of Tomcat", HIGH, &[("user/password", Secret)]),
    judged(
        &[
            "settings.php",
            "settings.local.php",
            "sites/default/settings.php",
            "configuration.php",
            "LocalSettings.php",
            "local.xml.php",
            "config/database.php",
            "config.inc.php",
            "config.php",
            "config/config.php",
            "parameters.php",
            "app/etc/env.php",
            "database.php",
            "db.php",
            "env.php",
            "dbconfig.php",
        ],
        Source,
        "a secret of an application",
        HIGH,
        &[
            ("hash_salt", Secret),
            ("*smtppass", Secret),
            ("*ftp_pass", Secret),
            ("*dbpass*", Secret),
            ("*upgradekey", Secret),
            ("*secretkey", Secret),
            ("blowfish_secret", Secret),
            ("passwordsalt", Secret),
        ],
    ),
    judged(
        &["app/etc/local.xml"],
        Xml,
        "a secret of an application",
        HIGH,
        &[("crypt/key", Secret), ("password", Secret)],
    ),
    judged(
        &["parameters.yml", "parameters.yaml", "config/config.yml", "config/packages/*.yaml"],
        Yaml,
        "a secret of an application",
        HIGH,
        &[],
    ),
    judged(
        &[
            "config.json",
            "credentials.json",
            "credential.json",
            "secrets.json",
            "settings.json",
            "parameters.json",
            "env.json",
        ],
        Json,
        "a secret of an application",
        HIGH,
        &[],
    ),
    judged(
        &["config.js", "database.js", "ormconfig.js", "ecosystem.config.js"],
        Source,
        "a secret of an application",
        HIGH,
        &[],
    ),
    judged(&["ormconfig.json"], Json, "a secret of an application", HIGH, &[]),
    judged(
        &[
            "docker-compose*.yml",
            "docker-compose*.yaml",
            "compose.yml",
            "compose.yaml",
            "compose.*.yml",
            "compose.*.yaml",
            "values.yaml",
            "values-*.yaml",
            "config.yml",
            "config.yaml",
            "*.secret.yml",
            "group_vars/*.yml",
            "group_vars/*/*.yml",
            "host_vars/*.yml",
            "prometheus.yml",
            "alertmanager.yml",
            ".travis.yml",
            ".gitlab-ci.yml",
            "serverless.yml",
        ],
        Yaml,
        "a secret of a service",
        HIGH,
        &[],
    ),
    judged(
        &["config.toml", "settings.toml", ".secrets.toml", "secrets.toml", "Rocket.toml"],
        Ini("="),
        "a secret of an application",
        HIGH,
        &[],
    ),
    judged(
        &[
            "config.ini",
            "database.ini",
            "db.ini",
            "settings.ini",
            "alembic.ini",
            "app.ini",
            "airflow.cfg",
            "odoo.conf",
            ".odoorc",
            "grafana.ini",
            "parameters.ini",
            "secrets.ini",
            "credentials.ini",
            "credentials",
            ".ftpquota",
            "supervisord.conf",
        ],
        Ini("="),
        "a secret of an application",
        HIGH,
        &[("admin_passwd", Secret), ("*password", Secret)],
    ),
    judged(
        &[
            ".env",
            ".envrc",
            ".env.*",
            "*.env",
            ".flaskenv",
            "etc/environment",
            "etc/default/*",
            "etc/sysconfig/*",
            "profile.d/*.sh",
            ".bashrc",
            ".bash_profile",
            ".profile",
            ".zshrc",
            ".zshenv",
            ".zprofile",
            "etc/profile",
            "bash.bashrc",
            ".Renviron",
        ],
        Dotenv,
        "a secret in a file of variables",
        HIGH,
        &[],
    ),
    // servers
    certain(known(
        &[".htpasswd", "htpasswd", "*.htpasswd", ".htpasswd-*", "htpasswd.users"],
        Colons(1, 2),
        "the hash of a web server's password",
        MEDIUM,
        ACCOUNT,
    )),
    known(
        &[".htdigest", "htdigest"],
        Colons(2, 3),
        "the hash of a web server's password",
        MEDIUM,
        &[("password", Secret)],
    ),
    known(
        &[
            "proftpd/ftpd.passwd",
            "ftpd.passwd",
            "proftpd.passwd",
            "pureftpd.passwd",
            "pure-ftpd/*.passwd",
            "dovecot/passwd",
            "dovecot/users",
            "dovecot/*.passwd",
            "exim4/passwd",
            "exim4/passwd.client",
            "mosquitto/passwd",
            "mosquitto/password*",
            "mosquitto/pwfile",
        ],
        Colons(1, 2),
        "the hash of a server's password",
        MEDIUM,
        ACCOUNT,
    ),
    known(
        &[
            "etc/shadow.bak",
            "etc/shadow.old",
            "etc/shadow~",
            "etc/shadow.orig",
            "etc/shadow.save",
            "backups/shadow.bak",
        ],
        Colons(1, 6),
        "the hash of a user's password",
        MEDIUM,
        ACCOUNT,
    ),
    known(&["pg_auth", "userlist.txt"], Blanks(1), "a password of a connection pool", HIGH, &[("secret", Secret)]),
    known(
        &["ppp/chap-secrets", "ppp/pap-secrets", "chap-secrets", "pap-secrets"],
        Blanks(2),
        "a password for PPP",
        HIGH,
        &[("secret", Secret)],
    ),
    known(
        &["ipsec.secrets", "ipsec.*.secrets", "ipsec.d/*.secrets"],
        Ipsec,
        "a shared secret of IPsec",
        HIGH,
        &[("*", Secret)],
    ),
    known(
        &["wpa_supplicant.conf", "wpa_supplicant-*.conf"],
        Ini("="),
        "the key of a wireless network",
        HIGH,
        &[
            ("psk", Secret),
            ("password", Secret),
            ("wep_key*", Secret),
            ("private_key_passwd", Secret),
            ("sae_password", Secret),
        ],
    ),
    known(
        &["hostapd.conf"],
        Ini("="),
        "the key of a wireless network",
        HIGH,
        &[("wpa_passphrase", Secret), ("wpa_psk", Secret), ("*shared_secret", Secret), ("sae_password", Secret)],
    ),
    known(
        &["system-connections/*", "*.nmconnection"],
        Ini("="),
        "the key of a network",
        HIGH,
        &[("psk", Secret), ("password", Secret), ("*-password", Secret), ("wep-key*", Secret), ("secret", Secret)],
    ),
    known(
        &["snmpd.conf", "snmp.conf", "snmptrapd.conf"],
        Words,
        "a community of SNMP",
        HIGH,
        &[
            ("rocommunity*", Community),
            ("rwcommunity*", Community),
            ("trapcommunity", Community),
            ("defCommunity", Community),
            ("com2sec*", Nothing),
            ("defAuthPassphrase", Secret),
            ("defPrivPassphrase", Secret),
        ],
    ),
    known(
        &["rndc.key", "rndc.conf", "named.conf.keys", "tsig.key", "*.tsig"],
        Words,
        "a key of a name server",
        MEDIUM,
        &[("secret", Secret)],
    ),
    known(&[".erlang.cookie"], Whole, "the cookie of an Erlang cluster", MEDIUM, &[("*", Secret)]),
    known(
        &["openvpn/auth.txt", "openvpn/credentials", "auth-user-pass.txt"],
        Whole,
        "a password of a VPN",
        HIGH,
        &[("*", Secret)],
    ),
    known(
        &["slapd.conf", "ldap.conf", "nslcd.conf", "ldap.secret", "pam_ldap.conf", "libnss-ldap.conf"],
        Words,
        "a password of a directory",
        HIGH,
        &[("bindpw", Secret), ("rootbindpw", Secret), ("rootpw", Secret), ("rootpwmodpw", Secret)],
    ),
    known(&["sssd.conf"], Ini("="), "a password of a directory", HIGH, &[("ldap_default_authtok", Secret)]),
    known(&["rabbitmq.conf"], Ini("="), "a password of RabbitMQ", HIGH, &[("*_pass", Secret), ("*.password", Secret)]),
    known(
        &["turnserver.conf"],
        Ini("="),
        "a secret of a TURN server",
        HIGH,
        &[("static-auth-secret", Secret), ("cli-password", Secret), ("user", Accounts)],
    ),
    known(
        &["smbcredentials", ".smbcredentials", "*.smbcredentials", ".cifs", ".smbclient.conf"],
        Ini("="),
        "a password of a file server",
        HIGH,
        &[("password", Secret)],
    ),
    known(&["davfs2/secrets"], Blanks(2), "a password of a file server", HIGH, &[("secret", Secret)]),
    known(
        &["vault_pass", ".vault_pass", "vault_pass.txt", ".vault_pass.txt", ".vault-password", ".ansible_vault_pass"],
        Whole,
        "the password of an Ansible vault",
        HIGH,
        &[("*", Secret)],
    ),
    known(
        &[
            "jenkins/secrets/initialAdminPassword",
            "secrets/initialAdminPassword",
            "initialAdminPassword",
            "initial_root_password",
        ],
        Whole,
        "the first password of an administrator",
        HIGH,
        &[("*", Secret)],
    ),
    // what somebody typed
    judged(
        &[
            ".bash_history",
            ".zsh_history",
            ".ash_history",
            ".sh_history",
            ".ksh_history",
            ".history",
            "fish_history",
            ".psql_history",
            ".mysql_history",
            ".mariadb_history",
            ".python_history",
            ".rediscli_history",
            ".node_repl_history",
            ".irb_history",
            ".dbshell",
            ".mongosh_repl_history",
            ".sqlite_history",
            "ConsoleHost_history.txt",
        ],
        Commands,
        "a credential that somebody typed",
        HIGH,
        &[("statement/*", Secret)],
    ),
];

/// What comes behind `.env.`, or in another name, when the file is a pattern for people to copy.
const PATTERNS: &[&str] = &[
    "example", "examples", "sample", "template", "tmpl", "tpl", "dist", "defaults", "default", "schema", "md", "test",
    "ci", "j2", "erb", "skel", "stub",
];

/// Rows by the last component of their names, and those whose last component has a `*`.
struct Index {
    named: HashMap<String, Vec<(usize, &'static str)>>,
    open: Vec<(usize, &'static str)>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index { named: HashMap::new(), open: Vec::new() };
    for (number, row) in ROWS.iter().enumerate() {
        for pattern in row.files {
            let last = pattern.trim_start_matches('~').rsplit('/').next().unwrap_or(pattern);
            if last.contains('*') {
                index.open.push((number, pattern));
            } else {
                index.named.entry(last.to_ascii_lowercase()).or_default().push((number, pattern));
            }
        }
    }
    index
});

/// The rows for the file at `path`, in order; which one it is may hang on what the file says.
pub(super) fn rows(path: &[u8]) -> Vec<&'static Row> {
    let Ok(path) = std::str::from_utf8(path) else { return Vec::new() };
    let Some(name) = path.rsplit('/').find(|part| !part.is_empty() && *part != ".") else { return Vec::new() };
    let lower = name.to_ascii_lowercase();
    let copies = is_pattern(&lower);
    let exact = INDEX.named.get(&lower).into_iter().flatten();
    let open = INDEX.open.iter().filter(|(_, pattern)| !copies && may_fit(pattern, &lower));
    let all = exact.chain(open).filter(|(_, pattern)| is_file(pattern, path));
    let mut numbers: Vec<usize> = all.map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into_iter().filter_map(|number| ROWS.get(number)).collect()
}

/// A first look at the last component of `pattern`, by its longer literal side.
fn may_fit(pattern: &str, lower: &str) -> bool {
    let last = pattern.trim_start_matches('~').rsplit('/').next().unwrap_or(pattern);
    let (begin, end) = (last.split('*').next().unwrap_or(""), last.rsplit('*').next().unwrap_or(""));
    let has = |bytes: Option<&str>, part: &str| bytes.is_some_and(|bytes| bytes.eq_ignore_ascii_case(part));
    lower.len() >= begin.len() + end.len()
        && has(lower.get(..begin.len()), begin)
        && has(lower.get(lower.len() - end.len()..), end)
}

/// Whether a name says that people are to copy the file.
fn is_pattern(lower: &str) -> bool {
    let words: Vec<&str> = lower.split(['.', '-', '_']).filter(|word| !word.is_empty()).collect();
    words.len() > 1 && words.iter().skip(1).any(|word| PATTERNS.contains(word))
}

/// Whether the last components of `path` are those of `pattern`.
fn is_file(pattern: &str, path: &str) -> bool {
    let (pattern, fold) = match pattern.strip_prefix('~') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = path.rsplit('/').filter(|part| !part.is_empty() && *part != ".");
    pattern.rsplit('/').all(|wanted| parts.next().is_some_and(|part| fits(wanted, part, fold)))
}

/// Whether the last steps of the way to a value are those of `pattern`.
pub(super) fn is_key(pattern: &str, path: &[String]) -> bool {
    let mut steps = path.iter().rev();
    pattern.rsplit('/').all(|wanted| steps.next().is_some_and(|step| fits(wanted, step, true)))
}

/// Whether `text` is `pattern`, in which `*` stands for any bytes.
fn fits(pattern: &str, text: &str, fold: bool) -> bool {
    let same = |a: u8, b: u8| if fold { a.eq_ignore_ascii_case(&b) } else { a == b };
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where the last star stood, and how far it reached: going back there is enough.
    let mut star: Option<(usize, usize)> = None;
    while let Some(&byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&wanted) if same(wanted, byte) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, reached)) => {
                    star = Some((at, reached + 1));
                    p = at + 1;
                    t = reached + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_rows() {
        let what = |path: &str| rows(path.as_bytes()).first().map(|row| row.what);
        assert_eq!(what("root/.npmrc"), Some("a token of the npm registry"));
        assert_eq!(what("/root/.docker/config.json"), Some("a password of a container registry"));
        assert_eq!(what("/app/config.json"), Some("a secret of an application"));
        assert_eq!(what("/x/NUGET.config"), Some("the password of a NuGet feed"));
        assert_eq!(what("./root/.aws/credentials"), Some("a key of AWS"));
        assert_eq!(what("/srv/application-prod.YML"), Some("a secret of an application"));
        for path in [
            "/root/.NPMRC",
            "/app/.env.example",
            "/app/appsettings.sample.json",
            "/x/awscredentials",
            "/",
            "",
            "/a/.env/b",
        ] {
            assert_eq!(what(path), None, "{path}");
        }
    }

    #[test]
    fn stars() {
        assert!(fits("a*b*c", "a-b-b-c", false) && fits("*", "", false) && fits("*", "x", false));
        assert!(!fits("a*b", "a-c", false) && !fits("A", "a", false) && fits("A", "a", true));
    }
}
