//! What the surroundings of a value say of it: a value that only a name makes a secret says less among examples, and
//! nothing when it repeats itself; a format that proves itself stays what it is.

use super::{PATTERNS, whole};
use plimsoll::facts::secrets::generate;
use plimsoll::model::Severity;

fn made(kind: &str) -> String {
    generate(&PATTERNS, kind, 11).expect("a value")
}

/// The only hit in `text`.
fn only(text: &str) -> (String, Severity, bool) {
    let hits = whole(text.as_bytes());
    let [hit] = &hits[..] else { panic!("{text}: {hits:?}") };
    (hit.rule.clone(), hit.severity, hit.public_in_packages)
}

#[test]
fn what_a_name_makes_a_secret_is_less_among_examples() {
    let value = made("datadog-key/0/bare");
    let given = format!("datadog_api_key: {value}\n");
    assert_eq!(only(&given), ("datadog-key".to_owned(), Severity::High, true));
    assert_eq!(only(&format!("EXAMPLES = '''\n{given}'''\n")).1, Severity::Medium);
    // The names of hosts are no examples.
    assert_eq!(only(&format!("url: https://db.example.org/\n{given}")).1, Severity::High);
    let token = format!("For example:\ntoken: {}\n", made("github-token"));
    assert_eq!(only(&token), ("github-token".to_owned(), Severity::Critical, false));
}

#[test]
fn what_repeats_itself_is_an_example() {
    let info = |value: &str| only(&format!("pagerduty_key = {value}\n")).1;
    for value in
        ["abc123abc123abc123abc123abc123ab", "1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f", "00ff12400ff12400ff12400ff12400ff"]
    {
        assert_eq!(info(value), Severity::Info, "{value}");
    }
    let value = made("pagerduty-key/1/bare");
    assert_eq!(info(&value), Severity::High);
    // Half of it twice: nobody writes that by hand.
    let twice = value[..16].repeat(2);
    assert_eq!(info(&twice), Severity::High);
}
