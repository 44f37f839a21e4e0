//! The beginning of an ELF file: which machine it is for, and which interpreter loads it (elf(5)). Reads no sections.

/// `PT_INTERP`.
const INTERPRETER: u64 = 3;

/// Program headers looked at; real programs have about a dozen.
const MOST_HEADERS: u64 = 64;

/// What the beginning tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Elf {
    /// `e_machine`.
    pub(super) machine: u16,
    /// The dynamic loader; `None` for a static program, and when it stands behind the bytes that are held.
    pub(super) interpreter: Option<Vec<u8>>,
    /// Bytes from the file's beginning that told all this.
    length: usize,
}

/// Bytes of the beginning of an ELF file that are worth keeping; `None` when it is none.
pub(in crate::facts) fn head_length(bytes: &[u8]) -> Option<usize> {
    Elf::read(bytes).map(|elf| elf.length)
}

impl Elf {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(b"\x7fELF") {
            return None;
        }
        let wide = match bytes.get(4)? {
            1 => false,
            2 => true,
            _ => return None,
        };
        let big = *bytes.get(5)? == 2;
        let number = |at: usize, size: usize| -> Option<u64> {
            let field = bytes.get(at..at.checked_add(size)?)?;
            let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
            Some(if big { field.iter().fold(0, join) } else { field.iter().rev().fold(0, join) })
        };
        // An address or offset: 4 bytes at one place, or 8 at another.
        let offset = |narrow_at: usize, wide_at: usize| if wide { number(wide_at, 8) } else { number(narrow_at, 4) };
        let mut this = Self { machine: u16::try_from(number(18, 2)?).ok()?, interpreter: None, length: 64 };
        let at = |wide_at: usize, narrow_at: usize| if wide { wide_at } else { narrow_at };
        let (Some(table), Some(size), Some(count)) = (offset(28, 32), number(at(54, 42), 2), number(at(56, 44), 2))
        else {
            return Some(this);
        };
        for index in 0..count.min(MOST_HEADERS) {
            let Some(header) = table.checked_add(index * size).and_then(|at| usize::try_from(at).ok()) else { break };
            let Some(kind) = number(header, 4) else { break };
            this.length = this.length.max(header.saturating_add(56));
            if kind != INTERPRETER {
                continue;
            }
            let place = if wide { number(header + 8, 8) } else { number(header + 4, 4) };
            let length = if wide { number(header + 32, 8) } else { number(header + 16, 4) };
            let range = place.zip(length).and_then(|(place, length)| {
                Some(usize::try_from(place).ok()?..usize::try_from(place.checked_add(length)?).ok()?)
            });
            if let Some(range) = range
                && let Some(name) = bytes.get(range.clone())
            {
                let end = memchr::memchr(0, name).unwrap_or(name.len());
                this.interpreter = Some(name[..end].to_vec());
                this.length = this.length.max(range.end);
            }
        }
        this.length = this.length.min(bytes.len());
        Some(this)
    }
}

/// Machines that a kernel of this architecture (GOARCH) runs, with their names; empty when it is not in the table.
pub(super) fn machines(architecture: &str) -> &'static [u16] {
    match architecture {
        "amd64" => &[62, 3],
        "386" => &[3],
        "arm64" => &[183, 40],
        "arm" => &[40],
        "ppc64" | "ppc64le" => &[21],
        "s390x" => &[22],
        "riscv64" => &[243],
        "loong64" => &[258],
        "mips" | "mipsle" | "mips64" | "mips64le" => &[8],
        _ => &[],
    }
}

/// The architecture's name for `e_machine`.
pub(super) fn machine_name(machine: u16) -> String {
    let name = match machine {
        3 => "386",
        8 => "mips",
        21 => "ppc64",
        22 => "s390x",
        40 => "arm",
        62 => "amd64",
        183 => "arm64",
        243 => "riscv64",
        258 => "loong64",
        other => return format!("ELF machine {other}"),
    };
    name.to_owned()
}

/// An ELF file for tests: one PT_INTERP header, when an interpreter is given, its name at `place`.
#[cfg(test)]
pub(in crate::facts) fn made(wide: bool, machine: u16, interpreter: Option<&str>, place: usize) -> Vec<u8> {
    let mut bytes = vec![0u8; place];
    bytes[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', if wide { 2 } else { 1 }, 1]);
    bytes[18..20].copy_from_slice(&machine.to_le_bytes());
    let Some(name) = interpreter else { return bytes };
    let mut put =
        |at: usize, value: usize, size: usize| bytes[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
    let length = name.len() + 1;
    if wide {
        [(32, 64, 8), (54, 56, 2), (56, 1, 2), (64, 3, 4), (72, place, 8), (96, length, 8)]
    } else {
        [(28, 52, 4), (42, 32, 2), (44, 1, 2), (52, 3, 4), (56, place, 4), (68, length, 4)]
    }
    .into_iter()
    .for_each(|(at, value, size)| put(at, value, size));
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_and_interpreter() {
        for (wide, machine, place) in [(true, 62, 4000), (false, 40, 200), (true, 183, 120)] {
            let mut bytes = made(wide, machine, Some("/lib/ld.so"), place);
            bytes.extend([9; 500]);
            let elf = Elf::read(&bytes).unwrap();
            assert_eq!(elf.machine, machine);
            assert_eq!(elf.interpreter.as_deref(), Some(&b"/lib/ld.so"[..]));
            let kept = &bytes[..head_length(&bytes).unwrap()];
            assert_eq!(kept.len(), place + 11);
            assert_eq!(Elf::read(kept), Some(elf));
        }
        let fixed = made(true, 62, None, 64);
        assert_eq!(Elf::read(&fixed).unwrap().interpreter, None);
        assert_eq!(Elf::read(b"#!/bin/sh"), None);
    }

    #[test]
    fn any_bytes_do_no_harm() {
        let good = made(true, 62, Some("/lib/ld.so"), 130);
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] = 0xff;
            assert!(head_length(&bad).unwrap_or(0) <= bad.len());
            let _ = head_length(&good[..at]);
        }
    }
}
