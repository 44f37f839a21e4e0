//! `os/architecture[/variant]`.

use std::fmt;

/// A platform as OCI indexes and configs name it; unset parts are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform {
    /// Such as `linux`.
    pub os: String,
    /// Such as `amd64`.
    pub architecture: String,
    /// Such as `v8`.
    pub variant: String,
}

/// Names that other systems give to an architecture: theirs, ours.
const ALIASES: &[(&str, &str)] = &[
    ("aarch64", "arm64"),
    ("armel", "arm"),
    ("armhf", "arm"),
    ("i386", "386"),
    ("i686", "386"),
    ("powerpc64le", "ppc64le"),
    ("x86", "386"),
    ("x86-64", "amd64"),
    ("x86_64", "amd64"),
];

impl Platform {
    /// Reads `OS/ARCH[/VARIANT]`; the architecture may have the name that `uname -m` gives it. Errors with a sentence
    /// that names the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split('/');
        let (os, architecture, variant) = (parts.next(), parts.next(), parts.next());
        let known = [os, architecture].into_iter().chain(variant.map(Some));
        if parts.next().is_some() || !known.into_iter().all(|part| part.is_some_and(is_word)) {
            let text = crate::model::visible_str(text);
            return Err(format!("platform '{text}': expected OS/ARCH or OS/ARCH/VARIANT, such as linux/arm64"));
        }
        Ok(Self::named(os.unwrap_or_default(), architecture.unwrap_or_default(), variant.unwrap_or_default()))
    }

    /// The platform of these names as runtimes read them (containerd's platforms, database.go): without regard to case,
    /// and by any name of an architecture. An empty one stays empty.
    #[must_use]
    pub fn named(os: &str, architecture: &str, variant: &str) -> Self {
        let [os, architecture, variant] = [os, architecture, variant].map(str::to_ascii_lowercase);
        let variant = match (architecture.as_str(), variant.as_str()) {
            ("armhf", _) => "v7".to_owned(),
            ("armel", _) => "v6".to_owned(),
            ("arm" | "arm64" | "aarch64", "5" | "6" | "7" | "8") => format!("v{variant}"),
            _ => variant,
        };
        let os = if os == "macos" { "darwin".to_owned() } else { os };
        Self { os, architecture: canonical(&architecture).to_owned(), variant }
    }

    /// Linux on this architecture, by any of its names.
    #[must_use]
    pub fn linux(architecture: &str) -> Self {
        Self { os: "linux".to_owned(), architecture: canonical(architecture).to_owned(), variant: String::new() }
    }

    /// Whether nothing is known of it.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        (self.os.is_empty() || self.os == "unknown") && (self.architecture.is_empty() || self.architecture == "unknown")
    }

    /// How well an image for `offered` serves who wants this: 0 exactly, more the worse, `None` not at all. An older
    /// variant serves a newer machine; a newer one serves only who named no variant.
    #[must_use]
    pub fn fit(&self, offered: &Self) -> Option<u32> {
        if self.os != offered.os || canonical(&self.architecture) != canonical(&offered.architecture) {
            return None;
        }
        let (wanted, has) = (self.level(), offered.level());
        match (wanted, has) {
            (Some(wanted), Some(has)) if has <= wanted => Some(wanted - has),
            (Some(wanted), Some(has)) => self.variant.is_empty().then(|| 1000 + (has - wanted).min(1000)),
            _ if self.variant == offered.variant => Some(0),
            _ => self.variant.is_empty().then_some(2000),
        }
    }

    /// The number of the variant, `8` for `v8`; where it is unset, the one that is meant (as containerd reads it).
    fn level(&self) -> Option<u32> {
        match (self.variant.as_str(), canonical(&self.architecture)) {
            ("", "arm") => Some(7),
            ("", "arm64") => Some(8),
            ("", _) => Some(1),
            (variant, _) => variant.strip_prefix('v').unwrap_or(variant).parse().ok(),
        }
    }
}

fn canonical(architecture: &str) -> &str {
    ALIASES.iter().find(|(theirs, _)| *theirs == architecture).map_or(architecture, |(_, ours)| ours)
}

fn is_word(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [os, architecture] =
            [&self.os, &self.architecture].map(|part| if part.is_empty() { "unknown" } else { part });
        write!(f, "{os}/{architecture}")?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_platform() {
        assert_eq!(Platform::parse("linux/arm/v7").unwrap().to_string(), "linux/arm/v7");
        assert_eq!(Platform::parse("Linux/x86_64").unwrap(), Platform::linux("amd64"));
        assert_eq!(Platform { os: "linux".into(), ..Platform::default() }.to_string(), "linux/unknown");
        for bad in ["", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux/a b", "linux/arm/"] {
            assert!(Platform::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_as_runtimes_read_them() {
        for (os, architecture, variant, is) in [
            ("Linux", "AMD64", "", "linux/amd64"),
            ("LINUX", "X86_64", "V2", "linux/amd64/v2"),
            ("linux", "AArch64", "8", "linux/arm64/v8"),
            ("linux", "armhf", "", "linux/arm/v7"),
            ("linux", "armel", "", "linux/arm/v6"),
            ("macOS", "arm64", "", "darwin/arm64"),
            ("Windows", "i386", "", "windows/386"),
            ("", "", "", "unknown/unknown"),
            ("plan 9", "Odd", "X", "plan 9/odd/x"),
        ] {
            assert_eq!(Platform::named(os, architecture, variant).to_string(), is);
        }
    }

    #[test]
    fn the_nearest_variant_serves() {
        let fit =
            |wanted: &str, offered: &str| Platform::parse(wanted).unwrap().fit(&Platform::parse(offered).unwrap());
        assert_eq!(fit("linux/amd64", "linux/amd64"), Some(0));
        assert_eq!(fit("linux/arm64", "linux/arm64/v8"), Some(0));
        assert_eq!(fit("linux/aarch64/v8", "linux/arm64"), Some(0));
        assert_eq!(fit("linux/amd64", "linux/arm64"), None);
        assert_eq!(fit("linux/amd64", "windows/amd64"), None);
        assert_eq!(fit("linux/arm/v7", "linux/arm/v6"), Some(1));
        assert_eq!(fit("linux/arm/v6", "linux/arm/v7"), None);
        assert!(fit("linux/amd64", "linux/amd64/v3") > fit("linux/amd64", "linux/amd64/v2"));
        assert!(fit("linux/amd64", "linux/amd64/odd").is_some());
        assert_eq!(fit("linux/amd64/v2", "linux/amd64/odd"), None);
    }
}
