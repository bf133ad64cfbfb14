//! The page: what it says by itself and what it answers. Time is given to it, so
//! that it can be tested without any.

use std::{
    io,
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    arguments::{Arguments, Behaviour},
    book::Book,
};

/// The file in the profile by which a page is linked; holds the phone's number.
const LINK: &str = "fake-link";
/// From one state to the next while it boots or links.
const STEP: Duration = Duration::from_millis(20);
/// How long a lost connection stays lost.
const LOST: Duration = Duration::from_millis(10);

/// Where the page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Opening,
    Unpaired,
    Pairing,
    Connected,
    Lost,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Opening => "OPENING",
            Self::Unpaired => "UNPAIRED",
            Self::Pairing => "PAIRING",
            Self::Connected => "CONNECTED",
            Self::Lost => "TIMEOUT",
        }
    }
}

pub(crate) struct Page {
    behaviour: Behaviour,
    profile: PathBuf,
    book: Book,
    /// Counts documents; each is another.
    document: u32,
    sequence: u64,
    state: State,
    /// A pairing code was asked for.
    by_code: bool,
    codes: u32,
    /// When the page goes on by itself, and when the phone scans.
    next: Option<Instant>,
    scan: Option<Instant>,
    name: String,
}

impl Page {
    pub(crate) fn new(arguments: &Arguments, book: Book) -> Self {
        Self {
            behaviour: arguments.fake.clone(),
            profile: arguments.profile.clone(),
            book,
            document: 0,
            sequence: 0,
            state: State::Opening,
            by_code: false,
            codes: 0,
            next: None,
            scan: None,
            name: String::new(),
        }
    }

    /// When it has something to say by itself.
    pub(crate) fn due(&self) -> Option<Instant> {
        [self.next, self.scan].into_iter().flatten().min()
    }

    /// A new document; gives what its agent says first.
    pub(crate) fn load(&mut self, now: Instant) -> Vec<String> {
        self.document += 1;
        self.sequence = 0;
        self.state = State::Opening;
        self.by_code = false;
        (self.next, self.scan) = (Some(now + STEP), None);
        vec![
            self.message("hello", json!({ "loggedOut": false })),
            self.message("begun", json!({})),
            self.snapshot(),
        ]
    }

    /// Goes on by itself, if it is time.
    pub(crate) fn go_on(&mut self, now: Instant) -> io::Result<Vec<String>> {
        if self.scan.is_some_and(|scan| scan <= now) {
            self.scan = None;
            self.state = State::Pairing;
            self.next = Some(now + STEP);
            std::fs::write(self.profile.join(LINK), self.number())?;
            return Ok(vec![self.snapshot()]);
        }
        if self.next.is_none_or(|next| next > now) {
            return Ok(Vec::new());
        }
        match self.state {
            State::Opening if !self.is_linked() => Ok(self.show_code(now, true)),
            State::Opening | State::Pairing | State::Lost => self.connect(now),
            State::Unpaired => Ok(self.show_code(now, false)),
            State::Connected => {
                self.state = State::Lost;
                self.next = Some(now + LOST);
                Ok(vec![self.snapshot()])
            }
        }
    }

    /// What the agent answers, and what it says besides.
    pub(crate) fn answer(
        &mut self,
        question: &str,
        now: Instant,
    ) -> io::Result<(Value, Vec<String>)> {
        let nothing = (json!({ "answer": null }), Vec::new());
        Ok(match question {
            "ping" => (json!({ "answer": { "state": self.state.word() } }), Vec::new()),
            "refresh-qr" | "leave-code" if self.state == State::Unpaired => {
                self.by_code = false;
                (nothing.0, self.show_code(now, true))
            }
            "make-code" if self.state == State::Unpaired => {
                self.by_code = true;
                self.next = None;
                self.codes += 1;
                let said = vec![self.snapshot()];
                (json!({ "answer": format!("FAKE{:04}", self.codes) }), said)
            }
            "make-code" => (json!({ "error": { "name": "NotUnpaired" } }), Vec::new()),
            "log-out" => {
                std::fs::remove_file(self.profile.join(LINK))?;
                self.state = State::Unpaired;
                (self.next, self.scan) = (None, None);
                (nothing.0, vec![self.snapshot()])
            }
            _ => nothing,
        })
    }

    fn show_code(&mut self, now: Instant, begins: bool) -> Vec<String> {
        self.state = State::Unpaired;
        self.codes += 1;
        self.next = Some(now + self.behaviour.code_every);
        if begins && !self.never_links() {
            self.scan = self.behaviour.links_after.map(|after| now + after);
        }
        let payload = format!("2@fake{},{},key", self.document, self.codes);
        vec![self.snapshot(), self.message("qr", json!({ "payload": payload }))]
    }

    /// Each connection has a name of its own, by which its event is known again.
    fn connect(&mut self, now: Instant) -> io::Result<Vec<String>> {
        self.state = State::Connected;
        self.name = format!("n{}", self.book.number()?);
        self.next = self.behaviour.flap_every.map(|every| now + every);
        Ok(vec![self.snapshot()])
    }

    fn is_linked(&self) -> bool {
        self.profile.join(LINK).exists()
    }

    /// The phone leaves sessions of such a name alone.
    fn never_links(&self) -> bool {
        let name = self.profile.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with("unlinked")
    }

    /// Made of the profile's name, so that each session has another.
    fn number(&self) -> String {
        let name = self.profile.file_name().unwrap_or_default().to_string_lossy();
        let sum = name.bytes().fold(7_u64, |sum, byte| {
            (sum.wrapping_mul(131).wrapping_add(byte.into())) % 90_000_000
        });
        format!("55119{}", 10_000_000 + sum)
    }

    fn snapshot(&mut self) -> String {
        let is_unpaired = self.state == State::Unpaired;
        let mut snapshot = json!({
            "state": self.state.word(),
            "synced": self.state == State::Connected,
            "ref": is_unpaired,
            "byCode": self.by_code && is_unpaired,
        });
        if self.state == State::Connected {
            snapshot["account"] = json!({ "phoneNumber": self.number(), "name": self.name });
        }
        self.message("state", snapshot)
    }

    fn message(&mut self, kind: &str, mut more: Value) -> String {
        self.sequence += 1;
        more["doc"] = format!("{}-{}", std::process::id(), self.document).into();
        more["seq"] = self.sequence.into();
        more["kind"] = kind.into();
        more.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(line: &str) -> (Page, PathBuf) {
        let folder = std::env::temp_dir().join(format!(
            "fake-page-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::create_dir_all(&folder).unwrap();
        let words = format!("--user-data-dir={} {line}", folder.display());
        let arguments = Arguments::read(words.split_whitespace().map(str::to_owned));
        let book = Book::open(&folder).unwrap();
        (Page::new(&arguments, book), folder)
    }

    /// All that is said in this time, as JSON.
    fn said(page: &mut Page, begun: Instant, time: Duration) -> Vec<Value> {
        let mut all = Vec::new();
        while let Some(due) = page.due().filter(|due| *due <= begun + time) {
            let messages = page.go_on(due).unwrap();
            all.extend(messages.iter().map(|text| serde_json::from_str(text).unwrap()));
        }
        all
    }

    #[test]
    fn it_links_itself_and_then_flaps_with_a_counting_name() {
        let (mut page, folder) = page("--fake-links-after=100 --fake-flap-every=200");
        let begun = Instant::now();
        assert_eq!(page.load(begun).len(), 3);
        let all = said(&mut page, begun, Duration::from_secs(1));
        let states: Vec<_> = all.iter().filter_map(|message| message["state"].as_str()).collect();
        assert_eq!(
            states[..6],
            ["UNPAIRED", "PAIRING", "CONNECTED", "TIMEOUT", "CONNECTED", "TIMEOUT"]
        );
        assert_eq!(all[1]["kind"], "qr");
        let names: Vec<_> =
            all.iter().filter_map(|message| message["account"]["name"].as_str()).collect();
        assert_eq!(names[..3], ["n1", "n2", "n3"]);
        let sequences: Vec<_> =
            all.iter().map(|message| message["seq"].as_u64().unwrap()).collect();
        assert!(sequences.windows(2).all(|two| two[1] == two[0] + 1));
        // Linked once, it is linked in its next life.
        page.load(begun);
        assert_eq!(said(&mut page, begun, STEP)[0]["state"], "CONNECTED");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn it_makes_codes_when_asked_and_forgets_its_link_when_told() {
        let (mut page, folder) = page("");
        let begun = Instant::now();
        page.load(begun);
        said(&mut page, begun, STEP);
        let (answer, said) = page.answer("make-code", begun).unwrap();
        assert_eq!(answer["answer"].as_str().unwrap().len(), 8);
        assert!(said[0].contains("\"byCode\":true"));
        std::fs::write(folder.join(LINK), "1").unwrap();
        page.answer("log-out", begun).unwrap();
        assert!(!page.is_linked());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
