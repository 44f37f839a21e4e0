//! File capabilities: the value of the extended attribute `security.capability`, decoded (capabilities(7),
//! linux/capability.h `vfs_cap_data`). Judges nothing but which capabilities amount to root.

use crate::layer::{EntryKind, Node, Tree};
use crate::model::{LayerIndex, visible_str};

/// A decoded `security.capability`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileCapabilities {
    /// What the program gets whoever starts it, a bit each.
    pub permitted: u64,
    /// What it keeps of its starter's inheritable set.
    pub inheritable: u64,
    /// Whether the permitted ones are on from the start; otherwise the program must raise them itself.
    pub effective: bool,
    /// The uid in whose user namespace they hold; 0 for the whole system (version 3 only).
    pub root: u32,
}

/// Names in order of their numbers.
const NAMES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

/// Each of these leads to root, or to other containers' traffic and files.
const DANGEROUS: &[&str] = &[
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_net_admin",
    "cap_net_raw",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_mknod",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_bpf",
];

/// Malformed values that are told one by one.
const MOST_NOTES: usize = 100;

/// Visible files whose capabilities do not decode: layer, and a sentence that says what is wrong.
pub(super) fn malformed(tree: &Tree) -> Vec<(LayerIndex, String)> {
    let mut notes = Vec::new();
    let mut beyond = 0u64;
    for node in tree.iter() {
        let Some(Err(why)) = FileCapabilities::of(node) else { continue };
        if notes.len() >= MOST_NOTES {
            beyond += 1;
            continue;
        }
        let path = node.path();
        let note = format!(
            "'{}': security.capability has {why}: the kernel refuses to run the file",
            visible_str(&path.display())
        );
        notes.push((node.layer().unwrap_or(0), note));
    }
    if beyond > 0 {
        notes.push((0, format!("{beyond} more files have a security.capability that does not decode")));
    }
    notes
}

impl FileCapabilities {
    /// The capabilities of a regular file; `None` when it has no such attribute.
    #[must_use]
    pub fn of(node: Node<'_>) -> Option<Result<Self, String>> {
        if node.kind() != EntryKind::File {
            return None;
        }
        let xattrs = node.xattrs();
        let (_, value) = xattrs.iter().find(|(name, _)| *name == b"security.capability")?;
        Some(Self::decode(value))
    }

    /// Reads the attribute's value.
    ///
    /// # Errors
    /// What is wrong with it; the kernel refuses to run such a file.
    pub fn decode(value: &[u8]) -> Result<Self, String> {
        let word = |index: usize| {
            let bytes = value.get(index * 4..index * 4 + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?))
        };
        let head = word(0).ok_or_else(|| format!("{} bytes, expected 12, 20 or 24", value.len()))?;
        let (version, size) = match head >> 24 {
            1 => (1, 12),
            2 => (2, 20),
            3 => (3, 24),
            other => return Err(format!("version {other}, expected 1 to 3")),
        };
        if value.len() != size {
            return Err(format!("{} bytes, expected {size} for version {version}", value.len()));
        }
        let set = |low: usize| {
            let high = if version == 1 { 0 } else { word(low + 2).unwrap_or(0) };
            u64::from(word(low).unwrap_or(0)) | u64::from(high) << 32
        };
        Ok(Self { permitted: set(1), inheritable: set(2), effective: head & 1 == 1, root: word(5).unwrap_or(0) })
    }

    /// Whether the file names `capability` as permitted.
    #[must_use]
    pub fn permits(&self, capability: &str) -> bool {
        NAMES.iter().position(|name| *name == capability).is_some_and(|bit| self.permitted >> bit & 1 == 1)
    }

    /// As setcap(8) writes it: `cap_net_raw,cap_setuid+ep`.
    #[must_use]
    pub fn text(&self) -> String {
        let mut flags = String::new();
        if self.effective {
            flags.push('e');
        }
        if self.inheritable != 0 {
            flags.push('i');
        }
        if self.permitted != 0 {
            flags.push('p');
        }
        format!("{}+{flags}", names(self.permitted | self.inheritable).join(","))
    }

    /// The permitted capabilities that amount to root.
    #[must_use]
    pub fn dangerous(&self) -> Vec<String> {
        names(self.permitted).into_iter().filter(|name| DANGEROUS.contains(&&**name)).collect()
    }
}

/// Names of the bits in `set`, those without a name by number.
fn names(set: u64) -> Vec<String> {
    let name = |bit: usize| NAMES.get(bit).map_or_else(|| format!("cap_{bit}"), |name| (*name).to_owned());
    (0..64).filter(|bit| set >> bit & 1 == 1).map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn all_three_versions() {
        let net_raw = 1 << 13;
        for words in
            [&[0x0100_0001, net_raw, 0][..], &[0x0200_0001, net_raw, 0, 0, 0], &[0x0300_0001, net_raw, 0, 0, 0, 1000]]
        {
            let caps = FileCapabilities::decode(&value(words)).expect("well-formed");
            assert_eq!(caps.text(), "cap_net_raw+ep");
            assert_eq!(caps.root, words.get(5).copied().unwrap_or(0));
        }
    }

    #[test]
    fn high_bits_and_unnamed_ones() {
        let caps =
            FileCapabilities::decode(&value(&[0x0200_0000, 1 << 7, 1, 1 << 7 | 1 << 30, 0])).expect("well-formed");
        assert_eq!(caps.text(), "cap_chown,cap_setuid,cap_bpf,cap_62+ip");
        assert_eq!(caps.dangerous(), ["cap_setuid", "cap_bpf"]);
        assert!(caps.permits("cap_setuid") && !caps.permits("cap_chown") && !caps.effective);
    }

    #[test]
    fn what_the_kernel_refuses() {
        for bad in [&[][..], &[0, 0, 0], &[0; 20], &[0, 0, 0, 2, 0], &[0, 0, 0, 9]] {
            assert!(FileCapabilities::decode(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            FileCapabilities::decode(&value(&[0x0200_0000, 0, 0])),
            Err("12 bytes, expected 20 for version 2".to_owned())
        );
    }
}
