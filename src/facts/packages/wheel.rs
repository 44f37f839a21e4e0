//! The RECORD of installed Python distributions: each file with its SHA-256 ("Recording installed projects", PyPA).

use super::sum::Sum;
use crate::facts::LayerFacts;
use crate::facts::file::{File, lines};
use crate::layer::Tree;
use crate::model::{ImagePath, visible};
use std::collections::{BTreeMap, BTreeSet};

/// Folders that distributions are installed in.
const SITES: [&[u8]; 2] = [b"site-packages", b"dist-packages"];

/// What the distributions that list the files `asked` say of them: path, name, sum.
pub(super) fn sums(
    tree: &Tree,
    layers: &[LayerFacts],
    asked: &BTreeSet<&ImagePath>,
) -> Vec<(ImagePath, String, Option<Sum>)> {
    let mut by_site: BTreeMap<ImagePath, BTreeMap<&[u8], &ImagePath>> = BTreeMap::new();
    for &path in asked {
        if let Some((site, rest)) = site_of(path) {
            by_site.entry(site).or_default().insert(rest, path);
        }
    }
    let mut found = Vec::new();
    for (site, files) in by_site {
        let Ok(folder) = tree.resolve(&site) else { continue };
        for node in folder.children() {
            let Some(name) = node.name().strip_suffix(b".dist-info") else { continue };
            let record = node.path().join(b"RECORD");
            let File::Held { bytes, .. } = File::read(tree, layers, &record) else { continue };
            let name = name.split(|&byte| byte == b'-').next().unwrap_or(name);
            for (_, line) in lines(&bytes) {
                let Some((path, sum)) = read(line) else { continue };
                if let Some(asked) = files.get(path) {
                    found.push(((*asked).clone(), visible(name).into_owned(), sum));
                }
            }
        }
    }
    found
}

/// The folder that distributions lie in, and where in it the file at `path` lies.
fn site_of(path: &ImagePath) -> Option<(ImagePath, &[u8])> {
    let whole = path.as_bytes();
    let mut begin = 0;
    for part in whole.split(|&byte| byte == b'/') {
        let end = begin + part.len();
        if SITES.contains(&part) {
            return Some((ImagePath::clamp(&whole[..end]), whole.get(end + 1..)?));
        }
        begin = end + 1;
    }
    None
}

/// A line `path,sha256=SUM,size`. Paths with commas or quotes are written in quotes, and are left out.
fn read(line: &[u8]) -> Option<(&[u8], Option<Sum>)> {
    let mut fields = line.trim_ascii_end().split(|&byte| byte == b',');
    let path = fields.next().filter(|path| !path.is_empty() && !path.starts_with(b"\""))?;
    let sum = fields.next()?.strip_prefix(b"sha256=").and_then(crate::facts::secrets::from_base64);
    Some((path, sum.and_then(|bytes| Sum::from_bytes(&bytes))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_record() {
        let sum = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
        let line = format!("a/b.py,sha256={sum},0");
        let (path, sum) = read(line.as_bytes()).expect("a line");
        assert_eq!(path, b"a/b.py");
        assert!(sum.expect("a sum").fits(&crate::facts::content::Sums::of(b"")));
        assert_eq!(read(b"a-1.dist-info/RECORD,,"), Some((&b"a-1.dist-info/RECORD"[..], None)));
        assert_eq!(read(b""), None);
        assert_eq!(read(b"\"a,b\",sha256=x,1"), None);
    }

    #[test]
    fn where_distributions_lie() {
        let of = |path: &str| {
            let path = ImagePath::from(path);
            site_of(&path).map(|(site, rest)| format!("{site} {}", String::from_utf8_lossy(rest)))
        };
        assert_eq!(
            of("/usr/lib/python3/dist-packages/a/b.py").as_deref(),
            Some("/usr/lib/python3/dist-packages a/b.py")
        );
        assert_eq!(of("/usr/lib/python3/a.py"), None);
        assert_eq!(of("/x/site-packages"), None);
    }
}
