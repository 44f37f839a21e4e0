//! What inputs are made of that are dense with candidates.

use std::fmt::Write as _;

/// What dense inputs are made of.
pub const PIECES: &[&str] = &[
    "AKIA",
    "AKIAAKIA ",
    "patpatpat=",
    "ghp_ ",
    "npm_ghp_",
    "eyJ",
    "eyJ.",
    "eyJhbGciOiJIUzI1NiJ9.eyJ ",
    "-----BEGIN",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nMIIE\n",
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEpAIBAAKCAQEA7bq8m1v2c3d4e5f6g7h8j9k0\n",
    "PuTTY-User-Key-File-2: ssh-rsa\n",
    "\"kty\":\"RSA\",\"d\":\"x\",",
    "PrivateKey = aGVsbG8=\n",
    "b3BlbnNzaC1rZXktdjEAAAAA",
    "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t\n",
    "SGVsbG8gd29ybGQsIHRoaXMgaXMgYSB0ZXh0IGluIGJhc2U2NC4K ",
    "U0dWc2JHOGdkMjl5YkdRc0lIUm9hWE1nYVhNZ1lTQjBaWGgwSUdsdUlHSmhjMlUyTkM0Sw== ",
    "48656c6c6f20776f726c642c2074686973206973206120746578742e ",
    "h\0e\0l\0l\0o\0 \0w\0o\0r\0l\0d\0,\0 \0h\0i\0 \0",
    "%68%65%6c%6c%6f ",
    "%41%42",
    "%2541",
    "\\x41",
    "\\u0068\\u0065",
    "&#65;&#x42;",
    "&amp;#65;",
    "sk-proj-",
    "sk_",
    "re_ up_ st. ",
    "T3BlbkFJ",
    "8Q~",
    "SG.",
    "password = x\n",
    "password = \"Zq8wk2mnv\"\n",
    "key = \"value\"\n",
    "key = \"",
    "password",
    "password ",
    "password=",
    "pass\n",
    "key: a, ",
    "key:\n  key: ",
    "{\"token\":",
    "{\"token\":{\"secret\":\"a1\",",
    "\"key\":[\"",
    "\"'`",
    "'password', \"",
    "setPassword(\"",
    "<password>x</password>",
    "<key",
    "- name: PASSWORD\n  value: ",
    "secret_token_key_password = ",
    "secret?token&key=1&auth=2&",
    "--password x --token y ",
    "Authorization: Bearer x\n",
    "amqp://a:b@c ",
    "https://user:Zq8wk2mnv@host/ ",
    "https://host:80/path?x=1 ",
    "a://b:@",
    "://",
    "://a:",
    "datadog 0123456789abcdef0123456789abcdef ",
    "datadog_api_key = 0123456789abcdef0123456789abcde ",
    "datadog ",
    "0123456789abcdef",
    "a1B2c3D4e5F6g7H8 ",
];

/// Lines with a number in them, so that none is like another.
pub const CHANGING: &[(&str, &str)] = &[
    ("other keys and values", "key# = \"v#\"\n"),
    ("other passwords", "password_# = \"Zq8#wk2mnv\"\n"),
    ("other tokens in JSON", "{\"token\": \"a#b\", \"secret#\": {\"key\": \"#\"}},\n"),
    ("other keys in YAML", "  key_#:\n    secret: x#\n"),
    ("other passwords in one line", "password=a#b;"),
    ("other URLs", "https://u#:p#x@h.example/#\n"),
    ("other calls", "set_token(get_token(#), key#, 'a#')\n"),
    ("other keyed values", "datadog_api_key = \"0123456789abcdef0123456789#\"\n"),
    ("other near misses", "ghp_#a1B2c3D4e5F6g7H8a1B2c3D4e5F AKIA#ABCDEFGH \n"),
    ("other base64", "c29tZSB0ZXh0IGluIGJhc2U2NA#c29tZSB0ZXh0IGluIGJhc2U2NA\n"),
];

/// So many bytes of `line` with another number at each of its marks.
pub fn changing(line: &str, length: usize) -> Vec<u8> {
    let mut all = String::new();
    let mut number: u32 = 1;
    while all.len() < length {
        for (at, part) in line.split('#').enumerate() {
            if at > 0 {
                number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                write!(all, "{:06x}", number >> 8).expect("memory");
            }
            all.push_str(part);
        }
    }
    all.into_bytes()
}
