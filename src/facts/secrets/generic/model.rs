//! The weights of the features, and the score that they make. The weights are fitted by tests/generic/fit.py.

use super::features::{Feature, OF_LINES};
use std::sync::LazyLock;

/// A feature and its weight a line; the line `Bias` counts always.
pub(super) const TABLE: &str = include_str!("weights.txt");

struct Weights {
    bias: f32,
    of: Vec<f32>,
    /// The most that the features of a line may add.
    lines: f32,
}

static WEIGHTS: LazyLock<Weights> = LazyLock::new(|| {
    let weight = |name: &str| {
        let mut lines = TABLE.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(feature, _)| *feature == name).and_then(|(_, weight)| weight.trim().parse().ok()).unwrap_or(0.0)
    };
    let of: Vec<f32> = Feature::ALL.iter().map(|feature| weight(&format!("{feature:?}"))).collect();
    let most = |group: &&[Feature]| group.iter().map(|feature| of[*feature as usize]).fold(0.0, f32::max);
    Weights { bias: weight("Bias"), lines: OF_LINES.iter().map(most).sum(), of }
});

/// From 0 to 1: how sure it is that an assignment with these features gives a credential away.
pub(super) fn score(features: &[Feature]) -> f32 {
    let weights = &*WEIGHTS;
    certainty(weights.bias + sum(weights, features))
}

/// The most that an assignment with these features may score, whatever its line adds.
pub(super) fn most(features: &[Feature]) -> f32 {
    let weights = &*WEIGHTS;
    // In another order, sums differ in their last digits.
    certainty(weights.bias + sum(weights, features) + weights.lines + 0.01)
}

fn sum(weights: &Weights, features: &[Feature]) -> f32 {
    features.iter().filter_map(|feature| weights.of.get(*feature as usize)).sum()
}

fn certainty(sum: f32) -> f32 {
    1.0 / (1.0 + (-sum).exp())
}
