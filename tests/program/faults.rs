//! Reading that fails: at any call, or because the image ends anywhere. Never a panic, and never a clean pass.

use super::doors::rich;
use super::image::{Made, Stored, archive};
use plimsoll::facts::secrets::Patterns;
use plimsoll::image::{Platform, Reference};
use plimsoll::model::{Limits, Outcome};
use plimsoll::rule::RuleSet;
use plimsoll::scan::{Reading, scan};
use plimsoll::source::{Choice, Image, MemorySource, Source, StoredLayer, open};
use rayon::prelude::*;
use std::fs;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It fails.
    Fails,
    /// It says that the layer is at its end.
    Ends,
    /// It gives a single byte; no fault at all.
    Short,
    /// It is interrupted, which asks to be called again.
    Interrupted,
}

/// A source one of whose calls goes wrong, counted over all layers.
struct Faulty {
    inner: MemorySource,
    fault: Fault,
    /// Counts from 0.
    at: usize,
    calls: AtomicUsize,
}

impl Source for Faulty {
    fn image(&self) -> &Image {
        self.inner.image()
    }

    fn layer(&self, index: usize) -> io::Result<Box<dyn StoredLayer + '_>> {
        let inner = self.inner.layer(index)?;
        match self.turn() {
            Some(Fault::Fails) => Err(io::Error::other("the disk is gone")),
            _ => Ok(Box::new(FaultyReader { source: self, inner, ended: false })),
        }
    }
}

impl Faulty {
    /// What this call meets.
    fn turn(&self) -> Option<Fault> {
        (self.calls.fetch_add(1, Ordering::Relaxed) == self.at).then_some(self.fault)
    }
}

struct FaultyReader<'a> {
    source: &'a Faulty,
    inner: Box<dyn StoredLayer + 'a>,
    ended: bool,
}

/// Bytes a call: many calls for a small layer.
const CALL: usize = 512;

impl StoredLayer for FaultyReader<'_> {}

impl Read for FaultyReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(CALL);
        match self.source.turn() {
            _ if self.ended => Ok(0),
            Some(Fault::Fails) => Err(io::Error::other("the disk is gone")),
            Some(Fault::Interrupted) => Err(io::ErrorKind::Interrupted.into()),
            Some(Fault::Ends) => {
                self.ended = true;
                Ok(0)
            }
            Some(Fault::Short) => self.inner.read(&mut out[..most.min(1)]),
            None => self.inner.read(&mut out[..most]),
        }
    }
}

/// The rules, compiled once.
pub(super) struct Linter {
    rules: RuleSet,
    pub(super) patterns: Patterns,
}

impl Linter {
    pub(super) fn new() -> Self {
        let rules = RuleSet::builtin().unwrap();
        Self { patterns: rules.patterns().unwrap(), rules }
    }

    pub(super) fn lint(&self, source: &dyn Source) -> Outcome {
        let (limits, progress) = (Limits::default(), AtomicU64::new(0));
        let reading = Reading {
            hash_files: false,
            limits: &limits,
            threads: 1,
            patterns: &self.patterns,
            content: true,
            progress: &progress,
        };
        scan(source, &self.rules, &|_| true, reading).outcome
    }
}

fn faulty(image: &Made, stored: Stored, fault: Fault, at: usize) -> Faulty {
    let layers = image.layers.iter().map(|layer| stored.store(layer)).collect();
    let inner =
        MemorySource::new("faulty", image.tags.clone(), Vec::new(), &image.config_json(), layers, &Limits::default());
    Faulty { inner: inner.unwrap(), fault, at, calls: AtomicUsize::new(0) }
}

/// The rich image with little noise.
fn small() -> Made {
    let mut image = rich();
    let noisy = image.layers.iter_mut().max_by_key(|layer| layer.len()).unwrap();
    *noisy = super::image::Layer::default().file("srv/noise", 0o644, "n".repeat(2000)).tar();
    image
}

#[test]
fn any_call_may_fail() {
    let linter = Linter::new();
    let image = small();
    for stored in [Stored::Plain, Stored::Gzip, Stored::Zstd] {
        let whole = faulty(&image, stored, Fault::Short, usize::MAX);
        let expected = linter.lint(&whole);
        assert!(!expected.findings.is_empty() && expected.gaps.is_empty(), "{:?}", expected.gaps);
        let calls = whole.calls.load(Ordering::Relaxed);
        assert!(calls > 2 * image.layers.len());
        for fault in [Fault::Fails, Fault::Ends, Fault::Short, Fault::Interrupted] {
            (0..calls).into_par_iter().for_each(|at| {
                let source = faulty(&image, stored, fault, at);
                let outcome = linter.lint(&source);
                let shown = format!("{stored:?} {fault:?} at call {at}: {:?}", outcome.gaps);
                let harmless = matches!(fault, Fault::Short | Fault::Interrupted);
                // An end is a fault only before the end; what stood behind it tells.
                if harmless || fault == Fault::Ends && outcome.gaps.is_empty() {
                    assert_eq!(names(&outcome), names(&expected), "{shown}");
                    assert!(outcome.gaps.is_empty(), "{shown}");
                } else {
                    assert!(!outcome.gaps.is_empty(), "{shown}");
                }
            });
        }
    }
}

/// What was found, in order.
fn names(outcome: &Outcome) -> Vec<String> {
    outcome.findings.iter().map(|finding| format!("{} {} {:?}", finding.rule, finding.message, finding.at)).collect()
}

/// Cut anywhere, an archive does not open, or has gaps, or nothing is missing.
#[test]
fn any_archive_may_end_early() {
    let linter = Linter::new();
    let image = small();
    let docker = archive(&image.docker(Stored::Plain));
    let archives = [
        ("docker", docker.clone()),
        ("docker, gzip", Stored::Gzip.store(&docker)),
        ("oci, zstd layers", archive(&image.oci(Stored::Zstd))),
        ("oci, gzip layers, zstd", Stored::Zstd.store(&archive(&image.oci(Stored::Gzip)))),
    ];
    let place = tempfile::tempdir().unwrap();
    let mut expected = None;
    for (name, bytes) in &archives {
        let cuts: Vec<usize> = (0..bytes.len()).step_by(97).chain([bytes.len()]).collect();
        let reached: Vec<Option<Outcome>> = cuts
            .par_iter()
            .map(|cut| {
                let path = place.path().join(format!("{name}-{cut}"));
                fs::write(&path, &bytes[..*cut]).unwrap();
                let choice = Choice { host: Platform::linux("amd64"), ..Choice::default() };
                let source = open(&Reference::parse(&path).unwrap(), &choice, &Limits::default());
                source.ok().map(|source| linter.lint(&*source))
            })
            .collect();
        let whole = names(reached.last().unwrap().as_ref().unwrap());
        assert_eq!(&whole, expected.get_or_insert_with(|| whole.clone()), "{name}");
        for (cut, outcome) in cuts.iter().zip(reached) {
            let clean = outcome.filter(|outcome| outcome.gaps.is_empty());
            if let Some(outcome) = clean {
                assert_eq!(names(&outcome), whole, "{name}, cut at {cut} of {}", bytes.len());
            }
        }
    }
}
