//! A line on standard error for a person who waits. Never part of the output.

use crate::model::visible_str;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A spinner that says what is being looked at and how much of it was read; nothing when nobody watches.
pub(super) struct Progress {
    bar: ProgressBar,
    read: Arc<AtomicU64>,
}

impl Progress {
    /// Shows itself when standard error is a terminal and `wanted`.
    pub(super) fn new(wanted: bool) -> Self {
        let shown = wanted && std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        let read = Arc::new(AtomicU64::new(0));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {read} ({elapsed})") {
            let seen = Arc::clone(&read);
            // Nobody is left to tell when the terminal takes no more.
            let bytes = move |_: &ProgressState, out: &mut dyn Write| {
                let _ = write!(out, "{}", HumanBytes(seen.load(Ordering::Relaxed)));
            };
            bar.set_style(style.with_key("read", bytes));
        }
        if shown {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self { bar, read }
    }

    /// Says what comes next.
    pub(super) fn say(&self, what: &str) {
        self.bar.set_message(visible_str(what).into_owned());
    }

    /// Where the bytes that are read are counted.
    pub(super) fn read(&self) -> &AtomicU64 {
        &self.read
    }

    /// Leaves the line as it was.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
