//! The members of a tar inside a file: the layer's own walk, drawn from instead of fed.

use super::{Members, Stored};
use crate::layer::tar::is_header;
use crate::layer::{Entry, EntryKind, TarWalk, Visit};
use crate::model::Limits;
use std::collections::VecDeque;
use std::io;

/// Reads a tar, and what is another tar behind its end (`cat a.tar b.tar`, the parts of an Alpine package).
pub(super) struct Tar<'a, 'b> {
    stored: &'a mut Stored<'b>,
    walk: TarWalk,
    limits: Limits,
    shown: Shown,
    over: bool,
    /// What ended the walk, told behind what it showed before.
    failed: Option<io::Error>,
}

/// What the walk showed and nobody took yet: what one buffer holds.
#[derive(Default)]
struct Shown {
    events: VecDeque<Event>,
    is_file: bool,
    trailing: Vec<u8>,
}

enum Event {
    Entry(Vec<u8>),
    Data(Vec<u8>),
    End,
}

impl<'a, 'b> Tar<'a, 'b> {
    pub(super) fn new(stored: &'a mut Stored<'b>, limits: &Limits) -> Self {
        let (walk, limits) = (TarWalk::new(limits), limits.clone());
        Self { stored, walk, limits, shown: Shown::default(), over: false, failed: None }
    }

    /// The next event; `None` at the end.
    fn event(&mut self) -> io::Result<Option<Event>> {
        let wrong = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        loop {
            if let Some(event) = self.shown.events.pop_front() {
                return Ok(Some(event));
            }
            if self.over {
                return self.failed.take().map_or(Ok(None), Err);
            }
            let here = self.stored.fill()?;
            let count = here.len();
            let walked = match count {
                0 => self.walk.finish(&mut self.shown).map(drop),
                _ => self.walk.feed(here, &mut self.shown),
            };
            self.stored.consume(count);
            self.over = count == 0 || walked.is_err();
            match walked {
                Ok(()) => self.follow_another(),
                Err(error) => self.failed = Some(wrong(error)),
            }
        }
    }

    /// What stands behind the end is walked when it is a tar.
    fn follow_another(&mut self) {
        while is_header(&self.shown.trailing) {
            let trailing = std::mem::take(&mut self.shown.trailing);
            self.walk = TarWalk::new(&self.limits);
            self.over = self.walk.feed(&trailing, &mut self.shown).is_err();
        }
        // A header is 512 bytes; what is none will not become one.
        if self.shown.trailing.len() >= 512 {
            self.shown.trailing.truncate(512);
        }
    }
}

impl Members for Tar<'_, '_> {
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            match self.event()? {
                Some(Event::Entry(name)) => return Ok(Some(name)),
                Some(Event::Data(_) | Event::End) => {}
                None => return Ok(None),
            }
        }
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.event()? {
            Some(Event::Data(mut bytes)) => {
                let count = bytes.len().min(out.len());
                out[..count].copy_from_slice(&bytes[..count]);
                if count < bytes.len() {
                    bytes.drain(..count);
                    self.shown.events.push_front(Event::Data(bytes));
                }
                Ok(count)
            }
            Some(event) => {
                self.shown.events.push_front(event);
                Ok(0)
            }
            None => Ok(0),
        }
    }
}

impl Visit for Shown {
    fn entry(&mut self, entry: &Entry) {
        self.is_file = EntryKind::of(entry.type_flag) == EntryKind::File && entry.size > 0;
        if self.is_file {
            self.events.push_back(Event::Entry(entry.name.clone()));
        }
    }

    fn data(&mut self, _stream: u64, _file: u64, bytes: &[u8]) {
        if self.is_file {
            self.events.push_back(Event::Data(bytes.to_vec()));
        }
    }

    fn end(&mut self) {
        if self.is_file {
            self.events.push_back(Event::End);
        }
    }

    fn trailing(&mut self, _stream: u64, _at: u64, bytes: &[u8]) {
        self.trailing.extend_from_slice(bytes);
    }
}
