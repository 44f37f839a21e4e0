//! Installed packages and the files they own: dpkg, apk, rpm (sqlite), and Python's wheels as far as files are
//! asked for.

mod apk;
mod dpkg;
mod header;
mod owners;
mod rpm;
mod shipped;
mod sqlite;
mod sum;
mod wheel;

use super::LayerFacts;
use super::content::Sums;
use super::file::File;
use crate::layer::Tree;
use crate::model::{ImagePath, Limits, Location, visible};
use owners::{Owners, OwnersBuilder};
use shipped::Shipped;
use std::collections::{BTreeMap, BTreeSet};
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
    /// Who ships the files that were asked for, and the sums that packages give of them.
    shipped: BTreeMap<ImagePath, Shipped>,
}

/// Where a file comes from, as far as packages tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance<'a> {
    /// No package has it.
    Own,
    /// This package ships it so: everybody can read it.
    Shipped(&'a str),
    /// This package ships another one.
    Changed(&'a str),
    /// This package has it, and gives no sum.
    Unknown(&'a str),
    /// This package has it and gives a sum; the file's is not known.
    NotCompared(&'a str),
}

/// What a reader of one database fills.
struct Reading<'a> {
    tree: &'a Tree,
    layers: &'a [LayerFacts],
    found: Vec<Package>,
    owners: OwnersBuilder<'a>,
    gaps: Vec<(Location, String)>,
    /// Bytes that packages and paths may still cost.
    budget: u64,
    /// Whether something did not fit.
    cut: bool,
    /// Longest path that a file may have.
    path: usize,
}

/// Bytes that a package costs beside its texts.
const PACKAGE_COST: usize = 512;

impl Packages {
    /// Reads every package database that a container sees. Never fails: what cannot be read is in `gaps`. Packages and
    /// owned paths together are bounded by `limits.packages`.
    #[must_use]
    pub fn read(tree: &Tree, layers: &[LayerFacts], limits: &Limits) -> Self {
        let mut reading = Reading {
            tree,
            layers,
            found: Vec::new(),
            owners: OwnersBuilder::new(tree),
            gaps: Vec::new(),
            budget: limits.packages,
            cut: false,
            path: limits.path,
        };
        dpkg::read(&mut reading);
        apk::read(&mut reading);
        rpm::read(&mut reading);
        if reading.cut {
            let why = format!("packages and their files: more than {} bytes, the rest was not read", limits.packages);
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
        Self { installed: found, gaps, owners, shipped: BTreeMap::new() }
    }

    /// Looks up the sums of the files at the paths `asked`, for [`Packages::provenance`].
    #[must_use]
    pub(super) fn with_sums(mut self, tree: &Tree, layers: &[LayerFacts], asked: &BTreeSet<ImagePath>) -> Self {
        self.shipped = shipped::shipped(&self, tree, layers, asked);
        self
    }

    /// Where the file at `path` comes from, given its content. Knows the paths that were asked for when the packages were
    /// read, and takes no other for a package's.
    #[must_use]
    pub fn provenance(&self, path: &ImagePath, content: Option<&Sums>) -> Provenance<'_> {
        let Some(shipped) = self.shipped.get(path) else { return Provenance::Own };
        match (shipped.sum, content) {
            (Some(sum), Some(content)) if sum.fits(content) => Provenance::Shipped(&shipped.package),
            (Some(_), Some(_)) => Provenance::Changed(&shipped.package),
            (None, _) => Provenance::Unknown(&shipped.package),
            (Some(_), None) => Provenance::NotCompared(&shipped.package),
        }
    }

    /// Whether a package gives a sum of the file at `path`.
    #[must_use]
    pub fn has_sum(&self, path: &ImagePath) -> bool {
        self.shipped.get(path).is_some_and(|shipped| shipped.sum.is_some())
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
        let texts = package.name.len() + package.version.len() + package.architecture.len();
        self.pay(PACKAGE_COST + 3 * texts)?;
        let number = u32::try_from(self.found.len()).ok()?;
        self.found.push(package);
        Some(number)
    }

    /// Notes that `package` owns `base` in `directory`, relative to the root. What is longer than a path can be is no file.
    fn own_in(&mut self, directory: &[u8], base: &[u8], package: u32) {
        if !self.cut && directory.len() + base.len() < self.path {
            self.own(&[directory, b"/", base].concat(), package);
        }
    }

    /// Notes that `package` owns `name`, relative to the root.
    fn own(&mut self, name: &[u8], package: u32) {
        if !self.cut && name.len() <= self.path {
            let cost = self.owners.add(name, package);
            self.pay(cost);
        }
    }

    /// Takes `cost` off the budget; once there is too little, nothing is added any more.
    fn pay(&mut self, cost: usize) -> Option<()> {
        let left = self.budget.checked_sub(cost as u64).filter(|_| !self.cut);
        self.cut = left.is_none();
        self.budget = left?;
        Some(())
    }
}

/// Bytes kept of a name, version or architecture.
const LONGEST_TEXT: usize = 1024;

/// A field of a database as text.
fn text(field: &[u8]) -> String {
    visible(&field[..field.len().min(LONGEST_TEXT)]).into_owned()
}

#[cfg(test)]
mod tests;
