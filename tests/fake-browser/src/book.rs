//! What the page said, numbered, in a file of its own in the profile: a JSON line
//! each. It outlives the browser, and the next one counts on. What was written is
//! not synced, since no test pulls the plug.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
};

use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

/// Its name in the profile.
const NAME: &str = "fake-page.log";

pub(crate) struct Book {
    file: File,
    /// How often a browser was started on this profile.
    life: u64,
    /// The number of what was said last.
    number: u64,
}

impl Book {
    /// Begins a life.
    pub(crate) fn open(profile: &Path) -> io::Result<Self> {
        let path = profile.join(NAME);
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        let lines = before.lines().rev();
        // A browser that was killed may have left half a line.
        let last = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()).next();
        let of = |name: &str| last.as_ref().and_then(|last| last[name].as_u64()).unwrap_or(0);
        let (life, number) = (of("life") + 1, of("number"));
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        if !before.is_empty() && !before.ends_with('\n') {
            file.write_all(b"\n")?;
        }
        let mut book = Self { file, life, number };
        book.note("begins")?;
        Ok(book)
    }

    /// The number of what is said next; in the book before it is said.
    pub(crate) fn number(&mut self) -> io::Result<u64> {
        self.number += 1;
        self.note("ready")?;
        Ok(self.number)
    }

    /// One line, by one write: a kill leaves all of it or nothing.
    pub(crate) fn note(&mut self, what: &str) -> io::Result<()> {
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map_err(io::Error::from)?;
        let at = now.tv_sec() * 1000 + now.tv_nsec() / 1_000_000;
        let line = json!({ "life": self.life, "number": self.number, "what": what, "at": at });
        self.file.write_all(format!("{line}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_on_over_lives_even_after_half_a_line() {
        let folder = std::env::temp_dir().join(format!("fake-book-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut first = Book::open(&folder).unwrap();
        assert_eq!((first.number().unwrap(), first.number().unwrap()), (1, 2));
        first.file.write_all(b"{\"life\":1,\"num").unwrap();
        let mut second = Book::open(&folder).unwrap();
        assert_eq!((second.life, second.number().unwrap()), (2, 3));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
