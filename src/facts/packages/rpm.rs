//! rpm's database: the sqlite backend is read, the older ones are named.

use super::header::Header;
use super::sqlite::{Database, Trouble};
use super::sum::{Sum, Wanted};
use super::{Package, PackageSystem, Reading};
use crate::facts::LayerFacts;
use crate::facts::file::File;
use crate::layer::Tree;
use crate::model::{ImagePath, Location};
use std::collections::{BTreeMap, BTreeSet};

/// Where the database lies: rpm's own place, SUSE's and Fedora's, ostree's.
const DIRECTORIES: [&str; 3] = ["/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm"];

/// Files of backends that are not read.
const OTHERS: [(&str, &str); 2] = [("Packages", "Berkeley"), ("Packages.db", "ndb")];

pub(super) fn read(reading: &mut Reading<'_>) {
    let mut seen: Vec<Location> = Vec::new();
    let mut others: Vec<(Location, String)> = Vec::new();
    let mut read_one = false;
    for directory in DIRECTORIES {
        let directory = ImagePath::from(directory);
        for (name, backend) in OTHERS {
            let path = directory.join(name.as_bytes());
            if let Ok(node) = reading.tree.resolve(&path) {
                let at = Location::file(node.path(), node.layer().unwrap_or(0));
                others.push((at, format!("rpm database {}: in {backend} format, not read", node.path())));
            }
        }
        let path = directory.join(b"rpmdb.sqlite");
        let Some((bytes, at)) = reading.database(&path.display()) else { continue };
        if seen.contains(&at) {
            continue;
        }
        let log = ImagePath::clamp(&[path.as_bytes(), b"-wal"].concat());
        if reading.tree.resolve(&log).is_ok_and(|node| node.size() > 0) {
            let why = format!("rpm database {path}: has a write-ahead log, whose changes were not read");
            reading.gaps.push((at.clone(), why));
        }
        read_one = true;
        let mut broken = 0usize;
        let outcome = Database::open(&bytes).and_then(|database| {
            database.column("Packages", 1, |blob| broken += usize::from(add(reading, blob, &at).is_none()))
        });
        if let Err(trouble) = outcome {
            let why = match trouble {
                Trouble::NotADatabase => "no SQLite database",
                Trouble::Corrupt => "damaged, read in part",
                Trouble::NoTable => "has no table of packages",
            };
            reading.gaps.push((at.clone(), format!("rpm database {path}: {why}")));
        }
        if broken > 0 {
            reading.gaps.push((at.clone(), format!("rpm database {path}: {broken} records could not be read")));
        }
        seen.push(at);
    }
    // An old database that was left behind by a conversion says nothing new.
    if !read_one {
        others.sort();
        others.dedup();
        reading.gaps.extend(others);
    }
}

/// Adds the package of a record; `None` when it is no header.
fn add(reading: &mut Reading<'_>, blob: &[u8], at: &Location) -> Option<()> {
    let header = Header::open(blob)?;
    let package = Package {
        system: PackageSystem::Rpm,
        name: header.name()?,
        version: header.version(),
        architecture: header.architecture(),
        at: at.clone(),
    };
    if let Some(number) = reading.add(package) {
        for (directory, base) in header.files()? {
            reading.own_in(directory, base, number);
        }
    }
    Some(())
}

/// Adds what headers say of `files`.
pub(super) fn sums(
    tree: &Tree,
    layers: &[LayerFacts],
    files: &BTreeMap<&ImagePath, &Package>,
    add: &mut dyn FnMut(&ImagePath, Option<Sum>),
) {
    let mut paths: BTreeMap<&str, Vec<&ImagePath>> = BTreeMap::new();
    for (path, package) in files {
        paths.entry(&package.name).or_default().push(path);
    }
    let by_package: BTreeMap<&str, Wanted<'_>> =
        paths.into_iter().map(|(name, paths)| (name, Wanted::new(paths))).collect();
    let databases: BTreeSet<&Location> = files.values().map(|package| &package.at).collect();
    for at in databases {
        let Location::File { path, .. } = at else { continue };
        let File::Held { bytes, .. } = File::read(tree, layers, path) else { continue };
        // What cannot be read was told when the packages were.
        let _ = Database::open(&bytes).and_then(|database| {
            database.column("Packages", 1, |blob| {
                let Some(header) = Header::open(blob) else { return };
                let name = header.name().unwrap_or_default();
                let Some(wanted) = by_package.get(name.as_str()) else { return };
                for ((directory, base), digest) in header.files().into_iter().flatten().zip(header.digests()) {
                    let written = [directory, base].concat();
                    for path in wanted.at(&written) {
                        add(path, Sum::from_hex(digest));
                    }
                }
            })
        });
    }
}
