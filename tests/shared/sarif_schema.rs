//! The official schema of SARIF 2.1.0.

use serde_json::Value;

/// The schema, with a mend.
pub(crate) fn official() -> Value {
    let mut official: Value =
        serde_json::from_str(include_str!("../../testdata/sarif-schema-2.1.0.json")).expect("JSON");
    // Its pattern for languages has a bracket too many, which a strict validator refuses.
    for owner in ["run", "toolComponent"] {
        let language = &mut official["definitions"][owner]["properties"]["language"];
        assert!(language["pattern"].as_str().is_some_and(|pattern| pattern.ends_with("]?$")), "mended upstream?");
        language["pattern"] = "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$".into();
    }
    official
}
