//! Prints generated secrets, a JSON line each with the rule that names its type: what measure.py plants.
//!
//!     cargo run --release --example corpus-secrets -- COUNT SEED

use plimsoll::facts::secrets::generate;
use plimsoll::model::Severity;
use plimsoll::rule::RuleSet;

fn main() {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u64>().expect("a number"));
    let (count, seed) = (numbers.next().unwrap_or(300), numbers.next().unwrap_or(1));
    let set = RuleSet::builtin().expect("the built-in rules");
    let patterns = set.patterns().expect("their secrets");
    let rules: Vec<_> = patterns.rules().iter().filter(|rule| rule.severity >= Severity::Medium).collect();
    // Each type about as often as any other.
    for number in 0..count {
        let index = (number.wrapping_mul(7919).wrapping_add(seed.wrapping_mul(104_729))) % rules.len() as u64;
        let rule = rules[usize::try_from(index).expect("an index")];
        let text = generate(&patterns, &rule.name, seed.wrapping_mul(1_000_003).wrapping_add(number));
        let text = text.unwrap_or_else(|| panic!("{}: nothing generated", rule.name));
        println!("{}", serde_json::json!({ "rule": rule.name, "text": text }));
    }
}
