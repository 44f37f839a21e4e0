//! What packages say of the content of their files: dpkg's MD5, apk's SHA-1, rpm's digests, the RECORD of Python's wheels.
//! Only for the few files that are asked for.

use super::sum::Sum;
use super::{Package, PackageSystem, Packages, apk, dpkg, rpm, wheel};
use crate::facts::LayerFacts;
use crate::layer::Tree;
use crate::model::ImagePath;
use std::collections::{BTreeMap, BTreeSet};

/// Who ships a file, and its sum when the package gives one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shipped {
    pub(super) package: String,
    pub(super) sum: Option<Sum>,
}

/// What packages say of the files at the paths `asked`.
pub(super) fn shipped(
    packages: &Packages,
    tree: &Tree,
    layers: &[LayerFacts],
    asked: &BTreeSet<ImagePath>,
) -> BTreeMap<ImagePath, Shipped> {
    let mut shipped: BTreeMap<ImagePath, Shipped> = BTreeMap::new();
    let mut by_system: BTreeMap<PackageSystem, BTreeMap<&ImagePath, &Package>> = BTreeMap::new();
    let mut others = BTreeSet::new();
    for path in asked {
        match packages.owner(path) {
            Some(package) => {
                shipped.insert(path.clone(), Shipped { package: package.name.clone(), sum: None });
                by_system.entry(package.system).or_default().insert(path, package);
            }
            None => {
                others.insert(path);
            }
        }
    }
    let mut add = |path: &ImagePath, sum: Option<Sum>| {
        if let Some(known) = shipped.get_mut(path) {
            known.sum = sum.or(known.sum);
        }
    };
    for (system, files) in &by_system {
        match system {
            PackageSystem::Dpkg => dpkg::sums(tree, layers, files, &mut add),
            PackageSystem::Apk => apk::sums(tree, layers, files, &mut add),
            PackageSystem::Rpm => rpm::sums(tree, layers, files, &mut add),
        }
    }
    for (path, package, sum) in wheel::sums(tree, layers, &others) {
        shipped.insert(path, Shipped { package, sum });
    }
    shipped
}
