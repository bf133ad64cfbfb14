//! Each language's template, from nothing to a handler that works, breaks and is
//! mended on a host that runs.

use pairing_core::{event::EventData, session::Reason};
use pairing_tests::{TestHost, WrittenJournal, until};

use super::{author::Author, chat::Chat};

/// How to break a handler on purpose, and what its log must hold then.
struct Break {
    file: &'static str,
    after: &'static str,
    with: &'static str,
    said: &'static [&'static str],
}

const RUST: Break = Break {
    file: "src/lib.rs",
    after: "let name = event.session_name;",
    with: "if !name.is_empty() { panic!(\"broken on purpose\") }",
    said: &["broken on purpose", "trapped: wasm trap", "at <chat_alert::Handler"],
};
const JAVASCRIPT: Break = Break {
    file: "handler.js",
    after: "async handle(event, delivery) {",
    with: "console.log('about to break'); null.broken();",
    said: &["about to break", "of null", "handle@handler.js:", "trapped: "],
};
const PYTHON: Break = Break {
    file: "handler.py",
    after: "def handle(self, event: Event, delivery: Delivery) -> None:",
    with: "\n        print('about to break'); raise RuntimeError('broken on purpose')",
    said: &["about to break", "RuntimeError: broken on purpose", "trapped: "],
};

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_in_rust_works_breaks_and_is_mended() {
    works_breaks_and_is_mended("rust", RUST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_in_javascript_works_breaks_and_is_mended() {
    works_breaks_and_is_mended("javascript", JAVASCRIPT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_in_python_works_breaks_and_is_mended() {
    works_breaks_and_is_mended("python", PYTHON).await;
}

async fn works_breaks_and_is_mended(language: &str, damage: Break) {
    let host = TestHost::on("http://127.0.0.1:9/").set("PAIRING_MODE", "development");
    let host = host.set("PAIRING_RATE_LIMITS", "off").start().await;
    let (journal, chat) = (WrittenJournal::of(&host).await, Chat::open().await);
    let author = Author::of("chat-alert", language).at(&host);
    author.build();
    let tools = author.reads(&["doctor"]);
    assert!(!tools.contains("FAIL"), "{tools}");
    let tried = author.reads(&["test"]);
    assert!(tried.contains("3 vectors, 0 failed"), "{tried}");

    // What it imports must be granted first.
    let component = author.component();
    author.reads(&["push", "chat-alert", component.to_str().unwrap()]);
    std::fs::write(author.folder().join("token.txt"), "s3cret-of-the-chat\n").unwrap();
    let set = format!("url={}", chat.url());
    let few = ["grant", "chat-alert", "--log", "--config-access", "--set", &set];
    let more = ["--secret", "chat-token=@token.txt", "--retry", "1s,1s,1s,1s,1s,1s,1s,1s,1s,1s"];
    author.reads(&[&few[..], &more].concat());
    let refused = author.plugin(&["activate", "chat-alert", &author.digest()]);
    let refused = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.contains("`wasi:http/"), "{refused}");
    author.reads(&["grant", "chat-alert", "--http", &chat.url()]);

    // Broken on purpose, it costs nobody but itself.
    author.edit(damage.file, damage.after, &format!("{} {}", damage.after, damage.with));
    author.build();
    author.activate();
    journal.tell("sales", vec![gone(Reason::UnlinkedFromPhone)]).await;
    let log = until("the log tells of the break", async || {
        let log = author.reads(&["logs", "chat-alert"]);
        damage.said.iter().all(|said| log.contains(said)).then_some(log)
    })
    .await;
    assert!(!log.contains("s3cret"), "{log}");
    let state = host.get("/plugins/chat-alert/subscriptions/default").await;
    assert!(state.to_string().contains("\"attempts\":"), "it is tried again: {state}");
    host.init("another").await;
    assert!(chat.messages().is_empty());

    // Mended, it does what was left undone; the secret was filled in by the host.
    author.edit(damage.file, &format!("{} {}", damage.after, damage.with), damage.after);
    author.build();
    author.activate();
    let message = chat.until("sales is disconnected: unlinked-from-phone").await;
    assert_eq!(message.authorization, "Bearer s3cret-of-the-chat");
    journal.tell("support", vec![gone(Reason::LoggedOut)]).await;
    chat.until("support is disconnected: logged-out").await;
    let log = author.reads(&["logs", "chat-alert"]);
    assert!(log.contains("told the chat that support is disconnected"), "{log}");
}

fn gone(reason: Reason) -> EventData {
    EventData::SessionDisconnected { reason }
}
