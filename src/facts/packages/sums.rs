//! What packages say of the content of their files: dpkg's MD5, apk's SHA-1, rpm's digests, the RECORD of Python's wheels.
//! Only for the few files that are asked for.

use super::{Package, PackageSystem, Packages, apk, dpkg, rpm, wheel};
use crate::facts::LayerFacts;
use crate::facts::content::Sums;
use crate::layer::Tree;
use crate::model::ImagePath;
use std::collections::{BTreeMap, BTreeSet};

/// A sum that a package gives of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sum {
    Md5([u8; 16]),
    Sha1([u8; 20]),
    Sha256([u8; 32]),
}

impl Sum {
    /// Reads hex digits; how many there are tells which sum it is.
    pub(super) fn from_hex(text: &[u8]) -> Option<Self> {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let bytes: Option<Vec<u8>> =
            text.chunks(2).map(|pair| Some((digit(pair[0])? << 4 | digit(*pair.get(1)?)?) as u8)).collect();
        Self::from_bytes(&bytes?)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.len() {
            16 => bytes.try_into().ok().map(Self::Md5),
            20 => bytes.try_into().ok().map(Self::Sha1),
            32 => bytes.try_into().ok().map(Self::Sha256),
            _ => None,
        }
    }

    pub(super) fn fits(&self, content: &Sums) -> bool {
        match self {
            Self::Md5(sum) => *sum == content.md5,
            Self::Sha1(sum) => *sum == content.sha1,
            Self::Sha256(sum) => *sum == content.sha256,
        }
    }
}

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
            known.sum = sum;
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

/// Whether `written`, as a package writes the path of a file relative to the root, is the file at `path`: also when one of
/// both goes through a link of a merged /usr.
pub(super) fn is_at(written: &[u8], path: &ImagePath) -> bool {
    let bare = |text: &'_ [u8]| -> usize { if text.starts_with(b"usr/") { 4 } else { 0 } };
    let written = written.strip_prefix(b"./").unwrap_or(written);
    let written = written.strip_prefix(b"/").unwrap_or(written);
    let path = path.as_bytes().strip_prefix(b"/").unwrap_or_default();
    written == path || written[bare(written)..] == path[bare(path)..]
}
