//! The weights of the features, and the score that they make. The weights are fitted by tests/generic/fit.py.

use super::features::Feature;
use std::sync::LazyLock;

/// A feature and its weight a line; the line `Bias` counts always.
pub(super) const TABLE: &str = include_str!("weights.txt");

struct Weights {
    bias: f32,
    of: Vec<f32>,
}

static WEIGHTS: LazyLock<Weights> = LazyLock::new(|| {
    let weight = |name: &str| {
        let mut lines = TABLE.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(feature, _)| *feature == name).and_then(|(_, weight)| weight.trim().parse().ok()).unwrap_or(0.0)
    };
    Weights { bias: weight("Bias"), of: Feature::ALL.iter().map(|feature| weight(&format!("{feature:?}"))).collect() }
});

/// From 0 to 1: how sure it is that an assignment with these features gives a credential away.
pub(super) fn score(features: &[Feature]) -> f32 {
    let weights = &*WEIGHTS;
    let sum: f32 = features.iter().filter_map(|feature| weights.of.get(*feature as usize)).sum();
    1.0 / (1.0 + (-(weights.bias + sum)).exp())
}
