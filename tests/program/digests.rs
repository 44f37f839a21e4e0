//! Layers whose bytes are not those that were promised, among others that are, so that several are hashed at once.

use super::image::{Layer, Made, Members, Stored, folder, hex, hex_of, layout, plain};
use super::run::{Ran, plimsoll};
use rayon::prelude::*;
use sha2::{Digest as _, Sha512};
use std::io::Write as _;
use std::path::Path;

/// Layers of all sizes, also ones that fill no block and no buffer, or some exactly.
fn image() -> Made {
    let layers = [0, 1, 63, 64, 65, 1000, 256 << 10, (256 << 10) - 1536, 700_001, 1_300_000].iter().enumerate();
    let noise = |seed: u32, size: usize| -> Vec<u8> {
        (0..size as u32).map(|n| (n.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 11) as u8).collect()
    };
    let archive = |at: usize, size| Layer::default().file(format!("f{at}"), 0o644, noise(at as u32, size)).tar();
    plain(layers.map(|(at, &size)| [&archive(at, size)[..], b"\x01"].concat()).collect())
}

fn lint(members: &Members, threads: &str) -> Ran {
    let at = tempfile::tempdir().unwrap();
    folder(members, at.path());
    plimsoll(&[Path::new("-o"), Path::new("json"), Path::new("--threads"), Path::new(threads), at.path()])
}

fn gaps(ran: &Ran) -> Vec<String> {
    assert_eq!(ran.disorder(), None);
    ran.gaps()
}

/// A layout of the image in which these stored layers go by these digests.
fn members(image: &Made, ids: &[String], blobs: &[Vec<u8>]) -> Members {
    let layers = blobs.iter().map(|blob| ("application/vnd.oci.image.layer.v1.tar", blob.clone())).collect();
    layout(&image.config_promising(ids), layers, None)
}

fn ids(image: &Made) -> Vec<String> {
    image.layers.iter().map(|layer| format!("sha256:{}", hex(layer))).collect()
}

type Blob = Vec<u8>;

/// The layers as they are stored, and a change to one that changes nothing of its content.
fn blobs(image: &Made, stored: Stored) -> (Vec<Blob>, fn(&mut Blob)) {
    let plain = image.layers.iter().map(|layer| stored.store(layer));
    match stored {
        // The header has a time.
        Stored::Gzip => (plain.collect(), |blob| blob[5] ^= 1),
        // Each archive has a byte behind its end.
        Stored::Plain => (plain.collect(), |blob| *blob.last_mut().unwrap() ^= 1),
        // Behind the last frame comes one to skip.
        Stored::Zstd => {
            let skippable = b"\x50\x2a\x4d\x18\x04\0\0\0skip";
            (plain.map(|blob| [&blob[..], skippable].concat()).collect(), |blob| *blob.last_mut().unwrap() ^= 1)
        }
    }
}

const THREADS: [&str; 3] = ["1", "2", "5"];

#[test]
fn a_broken_layer_is_told_and_no_other() {
    let image = image();
    for stored in [Stored::Plain, Stored::Gzip, Stored::Zstd] {
        let (blobs, change) = blobs(&image, stored);
        let good = members(&image, &ids(&image), &blobs);
        for threads in THREADS {
            assert_eq!(gaps(&lint(&good, threads)), [""; 0], "{stored:?}");
        }
        (0..blobs.len()).into_par_iter().for_each(|index| {
            let name = hex(&blobs[index]);
            let mut members = good.clone();
            let member = members.iter_mut().find(|(path, _)| path.ends_with(&name)).unwrap();
            change(&mut member.1);
            let expected = format!("blob sha256:{name}: expected digest sha256:{name}, got sha256:{}", hex(&member.1));
            for threads in THREADS {
                let gaps = gaps(&lint(&members, threads));
                assert!(gaps.len() == 1 && gaps[0].ends_with(&expected), "{stored:?} {index}: {gaps:?}");
            }
        });
    }
}

#[test]
fn another_diff_id_is_told_and_no_other() {
    let image = image();
    for stored in [Stored::Plain, Stored::Gzip, Stored::Zstd] {
        let (blobs, _) = blobs(&image, stored);
        (0..blobs.len()).into_par_iter().for_each(|index| {
            let mut ids = ids(&image);
            let found = std::mem::replace(&mut ids[index], format!("sha256:{}", hex(b"else")));
            let expected = format!("the config promises {}, the layer has {found}", ids[index]);
            for threads in THREADS {
                let gaps = gaps(&lint(&members(&image, &ids, &blobs), threads));
                assert!(gaps.len() == 1 && gaps[0].ends_with(&expected), "{stored:?} {index}: {gaps:?}");
            }
        });
    }
}

/// Of a large layer the blob's digest is checked, and the diff id when that is asked for or when there is no other digest.
#[test]
fn the_diff_id_of_a_large_layer_is_checked_on_request() {
    let large = Layer::default().file("f", 0o644, vec![b'.'; 17 << 20]).tar();
    let image = plain(vec![Layer::default().file("g", 0o644, "").tar(), large]);
    let blobs: Vec<Blob> = image.layers.clone();
    for wrong in 0..2 {
        let mut ids = ids(&image);
        ids[wrong] = format!("sha256:{}", hex(b"else"));
        let at = tempfile::tempdir().unwrap();
        folder(&members(&image, &ids, &blobs), at.path());
        let told = |options: &[&str]| {
            let options = ["-o", "json"].iter().chain(options).map(Path::new);
            let ran = plimsoll(&options.chain([at.path()]).collect::<Vec<_>>());
            let checked = |layer: usize| ran.json()["images"][0]["layers"][layer]["diff_id_checked"] == true;
            (gaps(&ran).len(), [checked(0), checked(1)])
        };
        assert_eq!(told(&[]), (usize::from(wrong == 0), [true, false]));
        assert_eq!(told(&["--check-diff-ids"]), (1, [true, true]));
    }
}

/// Two checks fail for one reason: what was promised is told, and only that.
#[test]
fn a_changed_checksum_is_a_changed_blob() {
    let image = image();
    for stored in [Stored::Gzip, Stored::Zstd] {
        let mut blobs: Vec<Blob> = image.layers.iter().map(|layer| stored.store(layer)).collect();
        if stored == Stored::Zstd {
            let with_checksum = |layer: &Vec<u8>| {
                let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
                encoder.include_checksum(true).unwrap();
                encoder.write_all(layer).unwrap();
                encoder.finish().unwrap()
            };
            blobs = image.layers.iter().map(with_checksum).collect();
        }
        let good = members(&image, &ids(&image), &blobs);
        for index in [0, 9] {
            let name = hex(&blobs[index]);
            let mut members = good.clone();
            let member = members.iter_mut().find(|(path, _)| path.ends_with(&name)).unwrap();
            // gzip: the length; zstd: the checksum.
            *member.1.last_mut().unwrap() ^= 1;
            let expected = format!("expected digest sha256:{name}, got sha256:{}", hex(&member.1));
            for threads in THREADS {
                let gaps = gaps(&lint(&members, threads));
                assert!(gaps.len() == 1 && gaps[0].ends_with(&expected), "{stored:?} {index}: {gaps:?}");
            }
            // Where nothing else is promised, the checksum is.
            let mut blobs = blobs.clone();
            *blobs[index].last_mut().unwrap() ^= 1;
            let gaps = gaps(&lint(&self::members(&image, &ids(&image), &blobs), "2"));
            assert!(gaps.len() == 1 && !gaps[0].contains("digest"), "{stored:?} {index}: {gaps:?}");
        }
    }
}

#[test]
fn sha512_beside_sha256() {
    let image = image();
    let blobs: Vec<Blob> = image.layers.iter().map(|layer| Stored::Gzip.store(layer)).collect();
    let mut good = members(&image, &ids(&image), &blobs);
    let sha512 = |bytes: &[u8]| hex_of(&Sha512::digest(bytes));
    let renamed = [1, 7, 9].map(|index| (hex(&blobs[index]), sha512(&blobs[index])));
    let is_manifest = |bytes: &[u8]| bytes.windows(9).any(|word| word == b"\"layers\":");
    let manifest = good.iter().position(|(_, bytes)| is_manifest(bytes)).unwrap();
    let old = hex(&good[manifest].1);
    let mut text = String::from_utf8(good[manifest].1.clone()).unwrap();
    for (sha256, sha512) in &renamed {
        text = text.replace(&format!("sha256:{sha256}"), &format!("sha512:{sha512}"));
        let member = good.iter_mut().find(|(path, _)| path.ends_with(sha256)).unwrap();
        member.0 = format!("blobs/sha512/{sha512}");
    }
    let (new, size) = (hex(text.as_bytes()), text.len());
    let old_size = good[manifest].1.len();
    good[manifest] = (format!("blobs/sha256/{new}"), text.into_bytes());
    let index = good.iter_mut().find(|(path, _)| path == "index.json").unwrap();
    let text = String::from_utf8(index.1.clone()).unwrap().replace(&old, &new);
    index.1 = text.replace(&format!("\"size\":{old_size}"), &format!("\"size\":{size}")).into_bytes();
    for threads in THREADS {
        assert_eq!(gaps(&lint(&good, threads)), [""; 0]);
        for (_, name) in &renamed {
            let mut members = good.clone();
            let member = members.iter_mut().find(|(path, _)| path.ends_with(name)).unwrap();
            member.1[5] ^= 1;
            let expected = format!("expected digest sha512:{name}, got sha512:{}", sha512(&member.1));
            let gaps = gaps(&lint(&members, threads));
            assert!(gaps.len() == 1 && gaps[0].ends_with(&expected), "{gaps:?}");
        }
    }
}
