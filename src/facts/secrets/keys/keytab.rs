//! Kerberos keytabs, version 5.2 (the file of MIT and Heimdal): principals with their keys, in the clear.

use super::Traits;

fn number(bytes: &mut &[u8], count: usize) -> Option<u32> {
    let (digits, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(digits.iter().fold(0, |number, &digit| number << 8 | u32::from(digit)))
}

fn counted<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = number(bytes, 2)? as usize;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(text)
}

/// The keytab that `bytes` is; with `cut`, their end may be missing. Every entry has to be whole and printable.
pub(super) fn read(bytes: &[u8], cut: bool) -> Option<Traits> {
    let mut rest = bytes.strip_prefix(&[5, 2])?;
    let (mut keys, mut first) = (0u32, None);
    while !rest.is_empty() {
        let Some(size) = number(&mut rest, 4) else {
            // Zeros may fill the end.
            break;
        };
        let size = size.cast_signed();
        if size == 0 {
            break;
        }
        let Some((entry, tail)) = rest.split_at_checked(size.unsigned_abs() as usize) else {
            if cut && keys > 0 {
                break;
            }
            return None;
        };
        rest = tail;
        // A negative size is a hole that a removed entry left.
        if size > 0 {
            let principal = principal(entry)?;
            first.get_or_insert(principal);
            keys += 1;
        }
    }
    let hints = vec![format!("principal '{}'", first?), format!("{keys} keys")];
    Some(Traits { hints, ..Traits::default() })
}

/// The principal of an entry that is sound: realm, components, name type, time, version, key.
fn principal(entry: &[u8]) -> Option<String> {
    let mut rest = entry;
    let count = number(&mut rest, 2).filter(|count| (1..=8).contains(count))?;
    let printable = |text: &[u8]| {
        let fits = (1..=256).contains(&text.len()) && text.iter().all(|byte| matches!(byte, b'!'..=b'~'));
        fits.then(|| String::from_utf8_lossy(text).into_owned())
    };
    let realm = printable(counted(&mut rest)?)?;
    let names = (0..count).map(|_| printable(counted(&mut rest)?)).collect::<Option<Vec<String>>>()?;
    let _ = (number(&mut rest, 4)?, number(&mut rest, 4)?, number(&mut rest, 1)?);
    let kind = number(&mut rest, 2)?;
    let key = counted(&mut rest)?;
    ((1..=64).contains(&kind) && matches!(key.len(), 8 | 16 | 24 | 32)).then(|| format!("{}@{realm}", names.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &[u8]) -> Vec<u8> {
        [&(text.len() as u16).to_be_bytes()[..], text].concat()
    }

    fn entry(key: usize) -> Vec<u8> {
        let parts = [vec![0, 2], counted(b"EXAMPLE.ORG"), counted(b"host"), counted(b"a.example.org")];
        let tail = [vec![0, 0, 0, 1, 0x60, 0, 0, 0, 2, 0, 18], counted(&vec![7; key]), vec![0, 0, 0, 2]];
        let body = [parts.concat(), tail.concat()].concat();
        [&(body.len() as u32).to_be_bytes()[..], &body].concat()
    }

    #[test]
    fn keytabs_are_told_to_the_end() {
        let hole = [vec![0xff, 0xff, 0xff, 0xfc], vec![0; 4]].concat();
        let tab = [vec![5, 2], entry(32), hole, entry(16)].concat();
        assert_eq!(
            read(&tab, false).expect("a keytab").sentence(),
            "principal 'host/a.example.org@EXAMPLE.ORG', 2 keys"
        );
        assert!(read(&tab[..tab.len() - 3], false).is_none());
        assert!(read(&tab[..tab.len() - 3], true).is_some());
        assert!(read(&[vec![5, 2], entry(15)].concat(), false).is_none());
        assert!(read(&[5, 2, 0, 0, 0, 0], false).is_none());
    }
}
