//! A path on its way through a tree: component by component, symbolic links put in where they are met.

use std::borrow::Cow;

/// Bytes of paths that following links may build for one image (or one question): far more than any real one needs, and
/// a bound where forty links of four thousand bytes meet a million entries.
pub(super) const LINK_STEPS: usize = 128 << 20;

/// What of a path is still to go.
pub(super) struct Way<'p> {
    text: Cow<'p, [u8]>,
    at: usize,
    links_left: usize,
    followed: bool,
}

impl<'p> Way<'p> {
    /// The whole of `path`, with at most `links` symbolic links.
    pub(super) fn new(path: &'p [u8], links: usize) -> Self {
        Self { text: Cow::Borrowed(path), at: 0, links_left: links, followed: false }
    }

    /// The next component; it may be `.` or `..` when it comes from a link.
    pub(super) fn next_component(&mut self) -> Option<&[u8]> {
        let start = self.at + self.text[self.at..].iter().position(|&byte| byte != b'/')?;
        self.at = memchr::memchr(b'/', &self.text[start..]).map_or(self.text.len(), |length| start + length);
        Some(&self.text[start..self.at])
    }

    /// Goes through a link to `target`, and says whether it starts from the root. `None` when it is one link too many.
    pub(super) fn follow(&mut self, target: &[u8], steps: &mut usize) -> Option<bool> {
        self.links_left = self.links_left.checked_sub(1)?;
        let rest = &self.text[self.at..];
        *steps = steps.checked_sub(target.len() + rest.len())?;
        self.text = Cow::Owned([target, rest].concat());
        self.at = 0;
        self.followed = true;
        Some(target.starts_with(b"/"))
    }

    /// Whether it went through any link.
    pub(super) fn has_followed(&self) -> bool {
        self.followed
    }
}
