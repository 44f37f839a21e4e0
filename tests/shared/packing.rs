//! Writes archives and compressed files of every kind in memory.

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use std::io::Write as _;

pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub(crate) fn bz2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(0)).expect("options");
    writer.write_all(bytes).expect("memory");
    writer.finish().expect("memory")
}

pub(crate) fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("memory")
}

pub(crate) fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub(crate) fn tar(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, &bytes[..]).expect("memory");
    }
    builder.into_inner().expect("memory")
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Zip {
    Stored,
    Deflated,
    /// Sizes behind the content.
    Streamed,
    StreamedStored,
}

pub(crate) fn zip(how: Zip, files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let packed = if matches!(how, Zip::Stored | Zip::StreamedStored) {
            bytes.clone()
        } else {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).expect("memory");
            encoder.finish().expect("memory")
        };
        let streamed = matches!(how, Zip::Streamed | Zip::StreamedStored);
        let method: u16 = if packed == *bytes { 0 } else { 8 };
        let flags: u16 = if streamed { 8 } else { 0 };
        let sizes = [packed.len() as u32, bytes.len() as u32];
        let at = out.len() as u32;
        let common = |sizes: [u32; 2]| {
            let mut head = Vec::new();
            for word in [20, flags, method, 0, 0] {
                head.extend(word.to_le_bytes());
            }
            for word in [0, sizes[0], sizes[1]] {
                head.extend(word.to_le_bytes());
            }
            head.extend((name.len() as u16).to_le_bytes());
            head.extend(0u16.to_le_bytes());
            head
        };
        out.extend(b"PK\x03\x04");
        out.extend(common(if streamed { [0, 0] } else { sizes }));
        out.extend(name.bytes());
        out.extend(&packed);
        if streamed {
            out.extend(b"PK\x07\x08\0\0\0\0");
            out.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
        }
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(common(sizes));
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.bytes());
    }
    let at = out.len() as u32;
    let count = (files.len() as u16).to_le_bytes();
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count, count].concat());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0, 0]);
    out
}

pub(crate) fn deb(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, bytes) in [("debian-binary", b"2.0\n".to_vec())].iter().chain(files) {
        out.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, bytes.len()).bytes());
        out.extend(bytes);
        out.extend((bytes.len() % 2 == 1).then_some(b'\n'));
    }
    out
}

pub(crate) fn cpio(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in files.iter().chain(&[("TRAILER!!!", Vec::new())]) {
        out.extend(b"070701");
        for number in [1, 0o100_644, 0, 0, 1, 0, bytes.len(), 0, 0, 0, 0, name.len() + 1, 0] {
            out.extend(format!("{number:08x}").bytes());
        }
        out.extend(name.bytes().chain([0]));
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend(bytes);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

pub(crate) fn rpm(payload: &[u8]) -> Vec<u8> {
    let header = |store: usize| {
        let mut header = b"\x8e\xad\xe8\x01\0\0\0\0\0\0\0\x01".to_vec();
        header.extend((store as u32).to_be_bytes());
        header.extend(vec![0; 16 + store]);
        header
    };
    let mut out = b"\xed\xab\xee\xdb".to_vec();
    out.resize(96, 0);
    out.extend(header(5));
    out.resize(out.len().next_multiple_of(8), 0);
    [out, header(9), payload.to_vec()].concat()
}
