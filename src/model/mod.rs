//! The shared words of the project: where a thing is, what was found, what was not looked at. No I/O, no judgement.

mod escape;
mod finding;
mod limits;
mod location;
mod path;
mod rule_info;
mod step_text;

pub use escape::{begins_command, is_unsafe, push_hex, system_says, visible, visible_str};
pub use finding::{Confidence, Finding, Gap, Origin, Outcome, SecretInfo, Severity};
pub use limits::Limits;
pub use location::{LayerIndex, Location, Presence};
pub use path::ImagePath;
pub use rule_info::{Group, Level, RuleInfo};
pub use step_text::{STEP_TEXT, StepText, cut_end, cut_middle};
