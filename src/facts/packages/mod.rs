//! Installed packages and the files they own: dpkg, apk, rpm (sqlite). Compares nothing with the files themselves.

mod apk;
mod dpkg;
mod header;
mod owners;
mod rpm;
mod sqlite;

use super::LayerFacts;
use super::file::File;
use crate::layer::Tree;
use crate::model::{ImagePath, Limits, Location};
use owners::{Owners, OwnersBuilder};
use std::sync::Arc;

/// Which database a package stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PackageSystem {
    /// Debian's.
    Dpkg,
    /// Alpine's.
    Apk,
    /// Red Hat's and SUSE's.
    Rpm,
}

/// An installed package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Database.
    pub system: PackageSystem,
    /// Name.
    pub name: String,
    /// Version as the database writes it; for rpm `[epoch:]version-release`.
    pub version: String,
    /// Architecture as the database writes it; may be empty.
    pub architecture: String,
    /// The database, with the line where the record begins when it is text.
    pub at: Location,
}

/// All installed packages, sorted by system and name, and who owns which path.
#[derive(Clone, Debug, Default)]
pub struct Packages {
    /// The packages.
    pub installed: Vec<Package>,
    /// Databases, or parts of them, that exist and were not read: place and sentence.
    pub gaps: Vec<(Location, String)>,
    owners: Owners,
}

/// What a reader of one database fills.
struct Reading<'a> {
    tree: &'a Tree,
    layers: &'a [LayerFacts],
    found: Vec<Package>,
    owners: OwnersBuilder<'a>,
    gaps: Vec<(Location, String)>,
    /// Packages and paths that may still be added.
    budget: usize,
}

impl Packages {
    /// Reads every package database that a container sees. Never fails: what cannot be read is in `gaps`. Packages and
    /// owned paths together are bounded by `limits.entries`.
    #[must_use]
    pub fn read(tree: &Tree, layers: &[LayerFacts], limits: &Limits) -> Self {
        let mut reading = Reading {
            tree,
            layers,
            found: Vec::new(),
            owners: OwnersBuilder::new(tree),
            gaps: Vec::new(),
            budget: limits.entries,
        };
        dpkg::read(&mut reading);
        apk::read(&mut reading);
        rpm::read(&mut reading);
        if reading.budget == 0 {
            let why = format!("packages and their files: more than {}, the rest was not read", limits.entries);
            reading.gaps.push((Location::Image, why));
        }
        let Reading { mut found, owners, gaps, .. } = reading;
        // Owners name packages by their place in `found`; the sort gives each a new one.
        let mut order: Vec<u32> = (0..found.len()).map_while(|at| u32::try_from(at).ok()).collect();
        order.sort_by(|&a, &b| {
            let key = |at: u32| found.get(at as usize).map(|package| (package.system, &package.name, &package.version));
            key(a).cmp(&key(b))
        });
        let mut place = vec![0u32; order.len()];
        for (new, &old) in order.iter().enumerate() {
            place[old as usize] = new as u32;
        }
        let owners = owners.finish(|old| place.get(old as usize).copied().unwrap_or(old));
        found.sort_by(|a, b| (a.system, &a.name, &a.version).cmp(&(b.system, &b.name, &b.version)));
        Self { installed: found, gaps, owners }
    }

    /// Who owns `path`, symbolic links in directories (merged /usr) considered on both sides. A path that several
    /// packages have belongs to the first of them.
    #[must_use]
    pub fn owner(&self, path: &ImagePath) -> Option<&Package> {
        self.installed.get(self.owners.find(path)? as usize)
    }

    /// Whether any package tells its files: without, that a file has no owner means nothing.
    #[must_use]
    pub fn tells_files(&self) -> bool {
        !self.owners.is_empty()
    }

    /// The first installed package of that name, of whichever system.
    #[must_use]
    pub fn package(&self, name: &str) -> Option<&Package> {
        self.installed.iter().find(|package| package.name == name)
    }
}

impl Reading<'_> {
    /// The bytes of the database at `path`; what stands in the way becomes a gap.
    fn database(&mut self, path: &str) -> Option<(Arc<[u8]>, Location)> {
        self.held(File::read(self.tree, self.layers, &ImagePath::from(path)), path)
    }

    fn held(&mut self, file: File, path: &str) -> Option<(Arc<[u8]>, Location)> {
        match file {
            File::Missing => None,
            File::NotHeld { at } => {
                self.gaps.push((at, format!("package database {path}: was not read")));
                None
            }
            File::Held { bytes, at, cut } => {
                self.gaps.extend(cut.map(|why| (at.clone(), format!("package database {why}"))));
                Some((bytes, at))
            }
        }
    }

    /// Adds a package and says its number; `None` when there are too many.
    fn add(&mut self, package: Package) -> Option<u32> {
        self.budget = self.budget.checked_sub(1)?;
        let number = u32::try_from(self.found.len()).ok()?;
        self.found.push(package);
        Some(number)
    }

    /// Notes that `package` owns `name`, relative to the root.
    fn own(&mut self, name: &[u8], package: u32) {
        if let Some(left) = self.budget.checked_sub(1) {
            self.budget = left;
            self.owners.add(name, package);
        }
    }
}

#[cfg(test)]
mod tests;
