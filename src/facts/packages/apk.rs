//! apk's database of installed packages: records of lines `X:value` (apk-package(5), "installed database").

use super::sum::{Sum, Wanted};
use super::{Package, PackageSystem, Reading, text};
use crate::facts::LayerFacts;
use crate::facts::file::{File, lines};
use crate::facts::secrets::from_base64;
use crate::layer::Tree;
use crate::model::ImagePath;
use std::collections::BTreeMap;

/// Where it lies: apk 2, then apk 3 on a merged /usr.
const DATABASES: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];

pub(super) fn read(reading: &mut Reading<'_>) {
    let mut seen = None;
    for path in DATABASES {
        let Some((bytes, at)) = reading.database(path) else { continue };
        // One file under both names when /lib is a link.
        if seen.as_ref() == Some(&at) {
            continue;
        }
        let mut package: Option<u32> = None;
        let mut directory: &[u8] = b"";
        for (number, line) in lines(&bytes) {
            let Some((letter, value)) = line.split_at_checked(2) else {
                package = None;
                continue;
            };
            match letter {
                b"P:" => {
                    directory = b"";
                    package = reading.add(Package {
                        system: PackageSystem::Apk,
                        name: text(value),
                        version: String::new(),
                        architecture: String::new(),
                        at: at.clone().at_line(number),
                    });
                }
                b"V:" => reading.change(package, |found| found.version = text(value)),
                b"A:" => reading.change(package, |found| found.architecture = text(value)),
                b"F:" => {
                    directory = value;
                    if let Some(package) = package {
                        reading.own(value, package);
                    }
                }
                b"R:" => {
                    if let Some(package) = package {
                        reading.own_in(directory, value, package);
                    }
                }
                _ => {}
            }
        }
        seen = Some(at);
    }
}

impl Reading<'_> {
    fn change(&mut self, package: Option<u32>, change: impl FnOnce(&mut Package)) {
        if let Some(found) = package.and_then(|number| self.found.get_mut(number as usize)) {
            change(found);
        }
    }
}

/// Adds what the lines `Z:` behind the names of `files` say: `Q1` and a SHA-1, `Q2` and a SHA-256, in base64.
pub(super) fn sums(
    tree: &Tree,
    layers: &[LayerFacts],
    files: &BTreeMap<&ImagePath, &Package>,
    add: &mut dyn FnMut(&ImagePath, Option<Sum>),
) {
    let wanted = Wanted::new(files.keys().copied());
    for database in DATABASES {
        let File::Held { bytes, .. } = File::read(tree, layers, &ImagePath::from(database)) else { continue };
        let mut directory: &[u8] = b"";
        let mut paths: &[&ImagePath] = &[];
        for (_, line) in lines(&bytes) {
            let (letter, value) = line.split_at_checked(2).unwrap_or_default();
            match letter {
                b"F:" => directory = value,
                b"R:" => {
                    paths = wanted.at(&[directory, b"/", value].concat());
                }
                b"Z:" => {
                    let sum = value.strip_prefix(b"Q1").or_else(|| value.strip_prefix(b"Q2"));
                    let sum = sum.and_then(from_base64).and_then(|bytes| Sum::from_bytes(&bytes));
                    for path in std::mem::take(&mut paths) {
                        add(path, sum);
                    }
                }
                b"P:" => paths = &[],
                _ => {}
            }
        }
    }
}
