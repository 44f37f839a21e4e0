//! dpkg's database: /var/lib/dpkg/status with info/*.list, and distroless images' status.d (deb-control(5), dpkg(1)).

use super::sum::{Sum, Wanted};
use super::{Package, PackageSystem, Reading, text};
use crate::facts::LayerFacts;
use crate::facts::file::{File, lines};
use crate::layer::Tree;
use crate::model::{ImagePath, Location};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const STATUS: &str = "/var/lib/dpkg/status";
const STATUS_D: &str = "/var/lib/dpkg/status.d";
const INFO: &str = "/var/lib/dpkg/info";

/// The longest file name on Linux.
const NAME_MAX: usize = 255;

/// The fields of a stanza that are of use.
#[derive(Default)]
struct Stanza<'a> {
    line: u32,
    name: &'a [u8],
    version: &'a [u8],
    architecture: &'a [u8],
    status: Option<&'a [u8]>,
}

pub(super) fn read(reading: &mut Reading<'_>) {
    if let Some((bytes, at)) = reading.database(STATUS) {
        let numbers = add_stanzas(reading, &bytes, &at);
        read_lists(reading, &numbers);
    }
    read_status_d(reading);
}

/// Numbers of packages by name and architecture, and by name alone.
type Numbers = HashMap<Vec<u8>, u32>;

fn add_stanzas(reading: &mut Reading<'_>, bytes: &[u8], at: &Location) -> Numbers {
    let mut numbers = Numbers::new();
    for stanza in stanzas(bytes) {
        let Some(number) = stanza.add(reading, at) else { continue };
        if stanza.name.len() + stanza.architecture.len() > NAME_MAX {
            continue; // no list can have such a name
        }
        numbers.entry(stanza.name.to_vec()).or_insert(number);
        numbers.insert([stanza.name, b":", stanza.architecture].concat(), number);
    }
    numbers
}

/// `NAME.list` or `NAME:ARCH.list`, a path a line.
fn read_lists(reading: &mut Reading<'_>, numbers: &Numbers) {
    let tree: &Tree = reading.tree;
    let Ok(info) = tree.resolve(&ImagePath::from(INFO)) else { return };
    for node in info.children() {
        let Some(stem) = node.name().strip_suffix(b".list") else { continue };
        let Some(&number) = numbers.get(stem) else { continue };
        let file = File::of(node, reading.layers);
        if let Some((bytes, _)) = reading.held(file, &node.path().display()) {
            for (_, path) in lines(&bytes) {
                if path.starts_with(b"/") {
                    reading.own(path, number);
                }
            }
        }
    }
}

/// One file a package with its stanza, and beside it `FILE.md5sums` with the paths.
fn read_status_d(reading: &mut Reading<'_>) {
    let tree: &Tree = reading.tree;
    let Ok(directory) = tree.resolve(&ImagePath::from(STATUS_D)) else { return };
    for node in directory.children() {
        if node.name().ends_with(b".md5sums") {
            continue;
        }
        let file = File::of(node, reading.layers);
        let Some((bytes, at)) = reading.held(file, &node.path().display()) else { continue };
        let sums = node.path().join(b"..").join(&[node.name(), b".md5sums"].concat());
        for stanza in stanzas(&bytes).take(1) {
            let Some(number) = stanza.add(reading, &at) else { continue };
            let Some((bytes, _)) = reading.database(&sums.display()) else { continue };
            for (_, line) in lines(&bytes) {
                // `HASH  path`; the path is relative to the root and may hold blanks.
                let Some(blank) = memchr::memchr(b' ', line) else { continue };
                reading.own(line[blank..].trim_ascii_start(), number);
            }
        }
    }
}

impl Stanza<'_> {
    /// Adds the package when it is installed and says its number.
    fn add(&self, reading: &mut Reading<'_>, at: &Location) -> Option<u32> {
        if self.name.is_empty() || !self.is_installed() {
            return None;
        }
        reading.add(Package {
            system: PackageSystem::Dpkg,
            name: text(self.name),
            version: text(self.version),
            architecture: text(self.architecture),
            at: at.clone().at_line(self.line),
        })
    }

    /// Whether its files are there: the third word of `Status`, which status.d leaves out.
    fn is_installed(&self) -> bool {
        let Some(status) = self.status else { return true };
        let state = status.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).nth(2);
        !matches!(state, None | Some(b"not-installed" | b"config-files"))
    }
}

/// Stanzas are divided by blank lines; a line that begins with a blank continues the one before.
fn stanzas(bytes: &[u8]) -> impl Iterator<Item = Stanza<'_>> {
    let mut lines = lines(bytes);
    std::iter::from_fn(move || {
        let mut stanza: Option<Stanza<'_>> = None;
        for (number, line) in lines.by_ref() {
            if line.trim_ascii().is_empty() {
                if stanza.is_some() {
                    break;
                }
                continue;
            }
            let stanza = stanza.get_or_insert_with(|| Stanza { line: number, ..Stanza::default() });
            if line.first().is_some_and(u8::is_ascii_whitespace) {
                continue;
            }
            let Some(colon) = memchr::memchr(b':', line) else { continue };
            let value = line[colon + 1..].trim_ascii();
            match &line[..colon].to_ascii_lowercase()[..] {
                b"package" => stanza.name = value,
                b"version" => stanza.version = value,
                b"architecture" => stanza.architecture = value,
                b"status" => stanza.status = Some(value),
                _ => {}
            }
        }
        stanza
    })
}

/// Adds what `NAME.md5sums` and the status file's `Conffiles` say of `files`.
pub(super) fn sums(
    tree: &Tree,
    layers: &[LayerFacts],
    files: &BTreeMap<&ImagePath, &Package>,
    add: &mut dyn FnMut(&ImagePath, Option<Sum>),
) {
    let held = |path: &ImagePath| match File::read(tree, layers, path) {
        File::Held { bytes, .. } => Some(bytes),
        File::Missing | File::NotHeld { .. } => None,
    };
    let mut lists: BTreeMap<ImagePath, Vec<&ImagePath>> = BTreeMap::new();
    for (&path, package) in files {
        let Location::File { path: database, .. } = &package.at else { continue };
        if database.as_bytes() == STATUS.as_bytes() {
            let info = ImagePath::from(INFO);
            for stem in [package.name.clone(), format!("{}:{}", package.name, package.architecture)] {
                lists.entry(info.join(format!("{stem}.md5sums").as_bytes())).or_default().push(path);
            }
        } else {
            let list = ImagePath::clamp(&[database.as_bytes(), b".md5sums"].concat());
            lists.entry(list).or_default().push(path);
        }
    }
    for (list, paths) in lists {
        let wanted = Wanted::new(paths);
        // `HASH  path`, the path relative to the root.
        for (_, line) in held(&list).iter().flat_map(|bytes| lines(bytes)) {
            let Some((sum, written)) = line.split_at_checked(32) else { continue };
            let written = written.trim_ascii_start();
            for path in wanted.at(written) {
                add(path, Sum::from_hex(sum));
            }
        }
    }
    let names: BTreeSet<&[u8]> = files.values().map(|package| package.name.as_bytes()).collect();
    let wanted = Wanted::new(files.keys().copied());
    let (mut mine, mut conffiles) = (false, false);
    for (_, line) in held(&ImagePath::from(STATUS)).iter().flat_map(|bytes| lines(bytes)) {
        if let Some(name) = line.strip_prefix(b"Package:") {
            mine = names.contains(name.trim_ascii());
        }
        if !line.first().is_some_and(u8::is_ascii_whitespace) {
            conffiles = line.to_ascii_lowercase().starts_with(b"conffiles:");
        } else if mine && conffiles {
            // ` /path HASH`, and perhaps a word more.
            let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let (Some(written), Some(sum)) = (words.next(), words.next()) else { continue };
            for path in wanted.at(written) {
                add(path, Sum::from_hex(sum));
            }
        }
    }
}
