//! The one file of this floor that opens images and knows rules: everything else here works on reports.

use super::Problem;
use super::args::OpenArgs;
use crate::facts::secrets::{self, Patterns, Redactor};
use crate::facts::{Facts, LayerFacts};
use crate::image::{Platform, Reference};
use crate::layer::{EntryKind, Node};
use crate::model::{ImagePath, Limits, Origin, Outcome, Presence, RuleInfo};
use crate::policy::Decision;
use crate::report::files::{EntryRow, FileKind, FileRow};
use crate::report::{ImageReport, Layer, Tool, User};
use crate::rule::{self, RuleSet, check_examples};
use crate::scan::{self, Reading};
use crate::source::{Choice, Image, Source, SourceError, open};
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicU64;

/// An image that was looked at: what is known of it, and what the rules found. `image.decision` is empty; the policy
/// fills it from `outcome`.
pub(super) struct Looked {
    /// Everything but the decision.
    pub image: ImageReport,
    /// What the rules found.
    pub outcome: Outcome,
}

/// What `rules check` found.
pub(super) struct Checked {
    /// How many rules there are.
    pub rules: usize,
    /// What is wrong with them, a line each.
    pub problems: Vec<String>,
}

/// The rules of one invocation, read and compiled once.
pub(super) struct Rules {
    set: RuleSet,
    patterns: Patterns,
}

impl Rules {
    /// The built-in rules, and those of `directory` beside them.
    pub(super) fn read(directory: Option<&Path>) -> Result<Self, Problem> {
        let built_in = RuleSet::builtin();
        let set = match directory {
            None => built_in,
            Some(directory) => built_in.and_then(|set| set.with_dir(directory)),
        };
        let set = set.map_err(|problems| unreadable(&problems))?;
        let patterns = set.patterns().map_err(Problem::new)?;
        Ok(Self { set, patterns })
    }

    /// The program and these rules.
    pub(super) fn tool(&self) -> Tool {
        Tool { version: env!("CARGO_PKG_VERSION").to_owned(), rules_digest: self.set.digest() }
    }

    /// What may be said about each rule, by group and name.
    pub(super) fn infos(&self) -> Vec<RuleInfo> {
        self.set.infos().into_iter().cloned().collect()
    }
}

/// A rule's page for `explain`, Markdown.
pub(super) fn page(rule: &RuleInfo) -> String {
    rule::explain(rule)
}

/// Checks the form of the rules of `directory` and runs their examples.
pub(super) fn check_rules(directory: &Path) -> Result<Checked, Problem> {
    if !directory.is_dir() {
        return Err(Problem::new(format!("{}: no such directory", directory.display())));
    }
    let (set, mut problems) = RuleSet::readable(directory);
    let patterns = set.patterns().map_err(Problem::new)?;
    // Texts that no rule file may hold are made by the types' own descriptions, the built-in ones included.
    let built_in = RuleSet::builtin().map_err(|problems| unreadable(&problems))?;
    let all = built_in.patterns().map_err(Problem::new)?;
    let generate = |kind: &str| secrets::generate(&patterns, kind, 1).or_else(|| secrets::generate(&all, kind, 1));
    problems.extend(set.taken(&built_in));
    problems.extend(set.problems());
    problems.extend(check_examples(&set, &generate, &|example| scan::look_at_example(example, &patterns)));
    Ok(Checked { rules: set.rules().len(), problems: problems.iter().map(ToString::to_string).collect() })
}

/// Opens `reference` and runs the rules that `wanted` lets through. `content` is whether layers are looked into.
pub(super) fn look(
    reference: &OsStr,
    args: &OpenArgs,
    content: bool,
    rules: &Rules,
    progress: &AtomicU64,
    wanted: &(dyn Fn(&RuleInfo) -> bool + Sync),
) -> Result<Looked, Problem> {
    let limits = limits(args);
    let source = open_image(reference, args, &limits).map_err(|problem| clean(problem, &rules.patterns))?;
    let reading = Reading {
        hash_files: false,
        limits: &limits,
        threads: threads(args),
        patterns: &rules.patterns,
        content,
        progress,
    };
    let scan = scan::scan(&*source, &rules.set, wanted, reading);
    Ok(Looked { image: describe(source.image(), &scan.facts, &scan.redactor, &limits), outcome: scan.outcome })
}

/// Opens `reference` and hands over the rows of its merged tree, sorted by path; with what was `removed` when asked.
/// Ends early when `row` fails. The number is the exit code.
pub(super) fn files(
    reference: &OsStr,
    args: &OpenArgs,
    removed: bool,
    row: &mut dyn FnMut(&FileRow) -> io::Result<()>,
) -> Result<io::Result<u8>, Problem> {
    let patterns = patterns()?;
    let (facts, outcome) = gather(reference, args, &patterns)?;
    let redactor = Redactor::of_image(&facts.config, &facts.annotations, &patterns);
    let exit = if outcome.gaps.is_empty() { 0 } else { 3 };
    for gap in &outcome.gaps {
        Problem::new(format!("not looked at: {}", redactor.redact(&gap.reason))).print();
    }
    let told = each_row(&facts, removed, &mut |mut file| {
        file.each_text(|text| *text = redactor.redact_bytes(text));
        row(&file)
    });
    Ok(told.map(|()| exit))
}

/// Opens `reference` and hands over what each layer's tar holds, in order. Ends early when `row` fails. The number is
/// the exit code.
pub(super) fn entries(
    reference: &OsStr,
    args: &OpenArgs,
    row: &mut dyn FnMut(&EntryRow) -> io::Result<()>,
) -> Result<io::Result<u8>, Problem> {
    let patterns = patterns()?;
    let (facts, _) = gather(reference, args, &patterns)?;
    let redactor = Redactor::of_image(&facts.config, &facts.annotations, &patterns);
    let mut exit = 0;
    for (layer, held) in (0..).zip(&facts.layers) {
        for record in held.entries.iter() {
            let (mode, uid, gid) = held.entries.numbers(record.index).unwrap_or_default();
            let told = row(&EntryRow::Entry {
                layer,
                entry: record.index,
                name: redactor.redact_bytes(record.name),
                type_flag: record.type_flag,
                size: record.size,
                mode,
                uid,
                gid,
                link: redactor.redact_bytes(record.link),
                sha256: digest_of(held, record.index),
            });
            if let Err(error) = told {
                return Ok(Err(error));
            }
        }
        let errors: Vec<&str> =
            held.gaps.iter().filter(|(entry, _)| entry.is_none()).map(|(_, error)| error.as_str()).collect();
        if !errors.is_empty() {
            exit = 3;
            if let Err(error) = row(&EntryRow::Error { layer, error: redactor.redact(&errors.join("; ")) }) {
                return Ok(Err(error));
            }
        }
    }
    Ok(Ok(exit))
}

/// Whether `reference` is standard input.
pub(super) fn is_stdin(reference: &OsStr) -> bool {
    Reference::parse(reference).is_ok_and(|reference| reference.is_stdin())
}

fn open_image(reference: &OsStr, args: &OpenArgs, limits: &Limits) -> Result<Box<dyn Source>, Problem> {
    let platform = args.platform.as_deref().map(Platform::parse).transpose().map_err(Problem::new)?;
    let choice = Choice { platform, tag: args.tag.clone(), host: Platform::linux(std::env::consts::ARCH) };
    let reference = Reference::parse(reference).map_err(Problem::new)?;
    open(&reference, &choice, limits).map_err(|error| problem(&error))
}

fn problem(error: &SourceError) -> Problem {
    Problem { message: error.to_string(), advice: error.advice() }
}

fn limits(args: &OpenArgs) -> Limits {
    let limits = Limits::default();
    if args.check_diff_ids { Limits { diff_ids: u64::MAX, ..limits } } else { limits }
}

fn threads(args: &OpenArgs) -> usize {
    args.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, std::num::NonZeroUsize::get)
}

/// A problem with an image, without the secrets that its words show: names in an archive are foreign text, too.
fn clean(problem: Problem, patterns: &Patterns) -> Problem {
    let redactor = Redactor::new(patterns);
    Problem {
        message: redactor.redact(&problem.message),
        advice: problem.advice.map(|advice| redactor.redact(&advice)),
    }
}

/// The built-in types of secrets: what the listings mask.
fn patterns() -> Result<Patterns, Problem> {
    RuleSet::builtin().map_err(|problems| unreadable(&problems))?.patterns().map_err(Problem::new)
}

/// Entries and hashes of every layer, no rules.
fn gather(reference: &OsStr, args: &OpenArgs, patterns: &Patterns) -> Result<(Facts, Outcome), Problem> {
    let limits = limits(args);
    let source = open_image(reference, args, &limits).map_err(|problem| clean(problem, patterns))?;
    let progress = AtomicU64::new(0);
    let reading = Reading {
        limits: &limits,
        threads: threads(args),
        patterns,
        content: false,
        hash_files: true,
        progress: &progress,
    };
    Ok(scan::gather(&*source, reading))
}

/// What is said of the image itself; secrets masked in every text of it.
fn describe(image: &Image, facts: &Facts, redactor: &Redactor<'_>, limits: &Limits) -> ImageReport {
    let layers = (0..)
        .zip(image.layers.iter().zip(scan::diff_ids_checked(&image.layers, limits)))
        .map(|(index, (layer, diff_id_checked))| Layer {
            index,
            digest: layer.digest.clone(),
            diff_id: layer.diff_id.clone(),
            diff_id_checked,
            size: layer.size,
            created_by: facts.history.of_layer(index).map(|step| redactor.redact(&step.entry.created_by)),
            origin: Origin::Unknown,
        })
        .collect();
    let mut report = ImageReport {
        source: image.source.clone(),
        names: image.names.clone(),
        manifest_digest: image.manifest_digest.clone(),
        config_digest: image.config_digest.clone(),
        platform: image.platform.clone(),
        created: image.config.created.clone(),
        user: User { config: image.config.config.user.clone(), uid: facts.start.uid, gid: facts.start.gid },
        layers,
        decision: Decision::default(),
    };
    report.each_text(|text| *text = redactor.redact_name(text));
    report
}

fn visible_row(facts: &Facts, node: Node<'_>) -> FileRow {
    let kind = kind_of(node.kind());
    let sha256 = node
        .content()
        .filter(|_| kind == FileKind::File)
        .and_then(|(layer, entry)| digest_of(facts.layers.get(layer as usize)?, entry));
    FileRow {
        path: node.path(),
        kind,
        mode: node.mode(),
        uid: node.uid(),
        gid: node.gid(),
        size: node.size(),
        link: (kind == FileKind::Symlink).then(|| node.link().to_vec()),
        layer: node.layer(),
        sha256,
        xattrs: node.xattrs().into_iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect(),
        removed_by: None,
    }
}

/// The rows of the merged tree by path, one at a time: an image may have millions. With what was `removed` when asked.
fn each_row(facts: &Facts, removed: bool, tell: &mut dyn FnMut(FileRow) -> io::Result<()>) -> io::Result<()> {
    let mut hidden = if removed { hidden(facts) } else { Vec::new() }.into_iter().peekable();
    for node in facts.tree.iter() {
        let visible = visible_row(facts, node);
        while let Some((_, layer, entry, by)) = hidden.next_if(|(path, ..)| *path < visible.path) {
            hidden_row(facts, layer, entry, by).map_or(Ok(()), &mut *tell)?;
        }
        tell(visible)?;
    }
    hidden.try_for_each(|(_, layer, entry, by)| hidden_row(facts, layer, entry, by).map_or(Ok(()), &mut *tell))
}

/// What later layers hid, by path, who hid it, and layer: with layer, entry, and who.
fn hidden(facts: &Facts) -> Vec<(ImagePath, u32, u32, u32)> {
    let rows = facts.tree.hidden().iter().filter_map(|hidden| {
        let by = match hidden.presence {
            Presence::Visible => return None,
            Presence::Removed { by } | Presence::Overwritten { by } => by,
        };
        let path = facts.layers.get(hidden.layer as usize)?.entries.get(hidden.entry)?.path();
        Some((path, hidden.layer, hidden.entry, by))
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by(|a, b| (&a.0, a.3, a.1, a.2).cmp(&(&b.0, b.3, b.1, b.2)));
    rows
}

fn hidden_row(facts: &Facts, layer: u32, entry: u32, by: u32) -> Option<FileRow> {
    let held = facts.layers.get(layer as usize)?;
    let record = held.entries.get(entry)?;
    let kind = kind_of(record.kind());
    Some(FileRow {
        path: record.path(),
        kind,
        mode: record.mode,
        uid: record.uid,
        gid: record.gid,
        size: if kind == FileKind::File { record.size } else { 0 },
        link: (!record.link.is_empty()).then(|| record.link.to_vec()),
        layer: Some(layer),
        sha256: digest_of(held, entry),
        xattrs: record.xattrs().map(|(name, value)| (name.to_vec(), value.to_vec())).collect(),
        removed_by: Some(by),
    })
}

fn digest_of(layer: &LayerFacts, entry: u32) -> Option<[u8; 32]> {
    let at = layer.digests.binary_search_by_key(&entry, |(entry, _)| *entry).ok()?;
    Some(layer.digests[at].1)
}

fn kind_of(kind: EntryKind) -> FileKind {
    match kind {
        EntryKind::File | EntryKind::Other(_) => FileKind::File,
        EntryKind::HardLink => FileKind::Hardlink,
        EntryKind::Symlink => FileKind::Symlink,
        EntryKind::Char => FileKind::Char,
        EntryKind::Block => FileKind::Block,
        EntryKind::Dir => FileKind::Dir,
        EntryKind::Fifo => FileKind::Fifo,
    }
}

fn unreadable(problems: &[rule::Problem]) -> Problem {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let (first, rest) = lines.split_first().map_or(("rules cannot be read", &[][..]), |(first, rest)| (first, rest));
    let problem = Problem::new(first);
    if rest.is_empty() { problem } else { problem.help(rest.join("\n")) }
}
