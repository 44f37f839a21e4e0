//! apk's database of installed packages: records of lines `X:value` (apk-package(5), "installed database").

use super::{Package, PackageSystem, Reading, text};
use crate::facts::file::lines;

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
