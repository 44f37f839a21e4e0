//! A finding's identity: the same defect has the same value over rebuilds. Baselines, diffs and code scanning match on it.

use crate::model::{Finding, Location, push_hex};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fmt::Write as _;

/// SHA-256, in hex, of the netstrings of `v1`, the rule, the kind of place and the target. A file's target is its path
/// without the leading slash. Tag, digest, layer, line, message and severity are left out: they change while the defect
/// stays.
#[must_use]
pub fn fingerprint(finding: &Finding) -> String {
    let kind = match &finding.at {
        Location::Image => "image",
        Location::Config { .. } => "config",
        Location::History { .. } => "history",
        Location::File { .. } => "file",
        Location::Annotation { .. } => "annotation",
    };
    let target = match kind {
        "file" => finding.target.strip_prefix('/').unwrap_or(&finding.target),
        _ => &finding.target,
    };
    let mut hash = Sha256::new();
    for part in ["v1", &finding.rule, kind, target] {
        hash.update(format!("{}:", part.len()));
        hash.update(part);
        hash.update(",");
    }
    let mut hex = String::with_capacity(64);
    push_hex(&mut hex, &hash.finalize());
    hex
}

/// The fingerprints of one image's findings, in their order. Equal ones are told apart by `:2`, `:3` and so on.
#[must_use]
pub fn fingerprints(findings: &[Finding]) -> Vec<String> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    findings
        .iter()
        .map(|finding| {
            let mut id = fingerprint(finding);
            let count = seen.entry(id.clone()).or_default();
            *count += 1;
            if *count > 1 {
                let _ = write!(id, ":{count}");
            }
            id
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::verdict::tests::finding;

    #[test]
    fn it_holds_over_rebuilds() {
        let old = finding("setuid-file", "/usr/bin/sudo", 3);
        let mut new = finding("setuid-file", "usr/bin/sudo", 7);
        new.message = "said in other words".to_owned();
        new.severity = crate::model::Severity::Info;
        assert_eq!(fingerprint(&old), fingerprint(&new));
        assert_ne!(fingerprint(&old), fingerprint(&finding("setgid-file", "/usr/bin/sudo", 3)));
        assert_ne!(fingerprint(&old), fingerprint(&finding("setuid-file", "/usr/bin/su", 3)));
        let mut elsewhere = old.clone();
        elsewhere.at = Location::Image;
        assert_ne!(fingerprint(&old), fingerprint(&elsewhere));
    }

    #[test]
    fn its_value_is_frozen() {
        // printf '2:v1,11:setuid-file,4:file,12:usr/bin/sudo,' | sha256sum
        assert_eq!(fingerprint(&finding("setuid-file", "/usr/bin/sudo", 0)), FROZEN);
    }

    const FROZEN: &str = "268d0bc44b120fda33a24d0ed51bec939f6dc762ae9f390a8eaa30d4f3b2d907";

    #[test]
    fn equal_ones_are_counted() {
        let twice = finding("setuid-file", "/a", 0);
        let ids = fingerprints(&[twice.clone(), finding("setuid-file", "/b", 0), twice.clone(), twice]);
        assert_eq!(ids[2], format!("{}:2", ids[0]));
        assert_eq!(ids[3], format!("{}:3", ids[0]));
        assert_eq!(ids[1].len(), 64);
    }
}
