//! A table of variables as images have them: those that hold a credential, and their neighbours that hold none.

use super::super::encode::base64;
use super::{is_secret_name, is_secret_value};

fn holds(entry: &str) -> bool {
    let (name, value) = entry.split_once('=').expect("an assignment");
    is_secret_name(name) && is_secret_value(name, value)
}

/// A key of chance; the repository holds none.
fn key() -> String {
    (0..32u32).map(|i| char::from_digit((i * i * 7 + i * 5 + 3) % 16, 16).expect("a digit")).collect()
}

#[test]
fn variables_that_hold_a_credential() {
    let pair = base64(b"robot:hunter2example");
    let made = [
        format!("ENCRYPTION_KEY={}", key()),
        format!("STORAGE_KEY={}", key()),
        format!("DEPLOY_KEY={}", key()),
        format!("SESSION_KEY={}", key()),
        format!("S3_KEY={}", key()),
        format!("KEY={}", key()),
        format!("GITHUB_PAT={}", key()),
        format!("AZURE_DEVOPS_EXT_PAT={}", key()),
        format!("AUTH=Basic {pair}"),
        format!("REGISTRY_AUTH={pair}"),
        format!("HTTP_AUTHORIZATION=Bearer {}", key()),
        format!("auth={pair}"),
    ];
    let plain = [
        "PASSWORD1=hunter1x",
        "DB_PASSWORD2=hunter1x",
        "SECRET1=x9sk2laa",
        "TOKEN3=hunter22",
        "PASSWORD_2=hunter22",
        "API_KEY2=k3y",
        "DbPassword1=hunter22",
        "db.password1=hunter22",
        "MYPASS=hunter22",
        "SMTPPASS=hunter22",
        "ROOTPASSWD1=hunter22",
        "appsecret=hunter22",
        "requirepass=hunter22",
        "MYSQLPWD=hunter22",
        "LDAP_BIND_PW=hunter22",
        "DB_PASSWORD=12345",
        "DB_PASSWORD=p",
        "TOKEN=E",
        "REDIS_AUTH=hunter2",
        "REGISTRY_AUTH=robot:hunter22",
        "API_KEY=hunter",
        "API_KEY_PROD=hunter22",
        "RAILS_MASTER_KEY=abc",
        "SECRET_KEY_BASE=words-of-a-secret",
        "APP_SECRET=vaulted",
        "PASS=hunter22",
    ];
    for entry in made.iter().map(String::as_str).chain(plain) {
        assert!(holds(entry), "{entry}");
    }
}

#[test]
fn variables_that_hold_none() {
    for entry in [
        "PARTITION_KEY=user_id",
        "SORT_KEY=name",
        "ROUTING_KEY=orders.new",
        "SESSION_KEY=sid",
        "LOOKUP_KEY=email",
        "S3_KEY=logs/app.tar.gz",
        "CACHE_KEY=assets-v1",
        "TRANSLATION_KEY=home.title",
        "HEADER_KEY=X-Id",
        "DEPLOY_KEY=id",
        "STORAGE_KEY=user-preferences",
        "CONFIG_KEY=app/config",
        "EVENT_KEY=order.created.v2",
        "GROUP_KEY=tenantId",
        "FEATURE_KEY=newCheckoutFlow",
        "KEY=value",
        "MENU_KEY=ctrl+shift+p",
        "RELEASE_KEY=2024-01-31",
        "PAT=^[a-z]+$",
        "FILE_PAT=*.tar.gz",
        "AUTH=ldap",
        "DEFAULT_AUTH=oauth2",
        "SMTP_AUTH=plain",
        "HTTP_AUTH=Basic realm",
        "AUTH=Bearer ${TOKEN}",
        "PASSWORD_HASHER=argon2",
        "PASSWORD_ENCODER=bcrypt",
        "PASSWORD_POLICY=strong",
        "PASSWORD_MIN_LENGTH1=12",
        "SECRET_ROTATION_DAYS=30",
        "TOKEN_EXPIRY2=3600",
        "TOKEN_COOKIE=session",
        "PASSWORD_FILE1=db",
        "VAULT_TOKEN=vault:secret/x#y",
        "DB_PASSWORD=op://ops/db/password",
        "DB_PASSWORD=awssm:prod/db",
        "DB_PASSWORD=ref+vault://x/y",
        "DB_PASSWORD=ENC(9fK2b7)",
        "DB_PASSWORD=arn:aws:secretsmanager:eu-west-1:1:secret:x",
        "DB_PASSWORD=projects/p/secrets/db/versions/1",
        "DB_PASSWORD={{ db_password }}",
        "SHOW_PASSWORD=1",
        "ENCOMPASS=hunter22",
        "OLDPWD=x",
        "BYPASS2=hunter22",
    ] {
        assert!(!holds(entry), "{entry}");
    }
}
