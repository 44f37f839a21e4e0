//! The marks of an assignment: what leads from a name to its value, what stands around that, and which bytes names have.

/// The longest value, bytes.
pub(super) const VALUE: usize = 400;
/// What leads from a name to its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// `=`, `:=`, `<-`
    Assign,
    /// `:`
    Colon,
    /// `=>`
    Arrow,
    /// `==`, `!=` and longer ones
    Compare,
    /// The next argument: `("name", "value")`.
    Comma,
    /// `setName("value")`
    Call,
    /// `<name>value</name>`
    Element,
    /// A member of its own: `name="NAME" value="VALUE"`, `name: NAME` and `value: VALUE` in the next line.
    Member,
    /// A blank, as on command lines.
    Blank,
    /// What stands in for a name that has no value: `||`, `or`, `:-`.
    Otherwise,
    /// The password of a URL.
    Url,
}

/// How a value is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quote {
    None,
    Single,
    Double,
    Back,
}

/// Whether a name may hold `byte`.
pub(super) fn is_name(byte: u8) -> bool {
    const NAMES: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            table[byte] = (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'_' | b'-' | b'.');
            byte += 1;
        }
        table
    };
    NAMES[usize::from(byte)]
}

/// How many bytes at the beginning of `bytes` are such.
pub(super) fn count(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is(**byte)).count()
}
