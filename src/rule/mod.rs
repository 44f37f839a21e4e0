//! Rules: read from rules/, matched or checked against facts, run in parallel.
//!
//! A rule is one Markdown file ([`Rule`]): a TOML head, a page for people, examples. Its logic is a [`Matcher`] written
//! in the head, a function from the table of checks, or the pattern of a secret that the content scan looks for. Knows
//! no configuration and no report; a rule sees facts and parameters.

pub mod checks;
mod example;
mod file;
mod lines;
mod matcher;
mod page;
mod problem;
mod set;
mod table;

pub use example::{ExampleConfig, ExampleEntry, ExampleImage, ExampleKind, ExampleStep, Generate};
pub use file::{Logic, Rule};
pub use matcher::Matcher;
pub use page::{Example, Expected, explain};
pub use problem::{Look, Problem, check_examples};
pub use set::{Overrides, RuleSet};
pub use table::{CheckFn, Cut, Found, Params, Sink};
