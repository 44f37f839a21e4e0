//! `[match.package]`: installed packages by name.

use super::words::{Globs, Template};
use crate::facts::{Facts, PackageSystem};
use crate::model::{ImagePath, Location};
use crate::rule::Sink;

/// Every condition that is given must hold.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::rule) struct PackageMatch {
    name: Globs,
    system: Option<System>,
    message: Template,
}

#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum System {
    Dpkg,
    Apk,
    Rpm,
}

impl PackageMatch {
    pub(super) fn validate(&self) -> Result<(), String> {
        self.message.validate(&["name", "version"])
    }

    pub(super) fn run(&self, facts: &Facts, sink: &mut Sink) {
        for package in &facts.packages.installed {
            let system = System::of(package.system);
            if self.system.is_none_or(|wanted| wanted == system) && self.name.matches(package.name.as_bytes(), false) {
                let message = self.message.render(&[("name", &package.name), ("version", &package.version)]);
                sink.find(system.database(facts), package.name.as_str(), message);
            }
        }
    }
}

impl System {
    fn of(system: PackageSystem) -> Self {
        match system {
            PackageSystem::Dpkg => Self::Dpkg,
            PackageSystem::Apk => Self::Apk,
            PackageSystem::Rpm => Self::Rpm,
        }
    }

    /// Where the image keeps the database.
    fn database(self, facts: &Facts) -> Location {
        let places: &[&str] = match self {
            Self::Dpkg => &["/var/lib/dpkg/status", "/var/lib/dpkg/status.d"],
            Self::Apk => &["/lib/apk/db/installed", "/usr/lib/apk/db/installed"],
            Self::Rpm => &["/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite"],
        };
        let found = places.iter().find_map(|place| facts.tree.resolve(&ImagePath::from(*place)).ok());
        found.map_or(Location::Image, |node| facts.at(node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Package;

    #[test]
    fn packages_by_glob_and_system() {
        let package = |system, name: &str| Package {
            system,
            name: name.to_owned(),
            version: "1-2".to_owned(),
            architecture: String::new(),
            at: Location::Image,
        };
        let mut facts = Facts::default();
        facts.packages.installed = vec![
            package(PackageSystem::Dpkg, "telnetd"),
            package(PackageSystem::Dpkg, "telnetd-doc"),
            package(PackageSystem::Apk, "inetutils-telnet"),
        ];
        let says = |text: &str| {
            let matcher: PackageMatch = toml::from_str(text).expect("well formed");
            matcher.validate().expect("whole");
            let mut sink = Sink::default();
            matcher.run(&facts, &mut sink);
            sink.found.into_iter().map(|found| found.message).collect::<Vec<_>>()
        };
        let name = "name = ['telnetd', 'inetutils-*']\nmessage = '{name} {version}'\n";
        assert_eq!(says(name), ["telnetd 1-2", "inetutils-telnet 1-2"]);
        assert_eq!(says(&format!("{name}system = 'apk'")), ["inetutils-telnet 1-2"]);
    }
}
