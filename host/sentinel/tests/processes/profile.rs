//! Chromium's profile survives its host's death (A7).

use std::{
    io::{Read, Write},
    net::TcpListener,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::harness::{Debugger, Family, Home, Keeper, count, figures};

/// A page that counts in a database, and tells a number only once it is kept.
const PAGE: &str = r#"<!doctype html><script>
const count = () => new Promise((done, failed) => {
  const opening = indexedDB.open("counter", 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore("numbers")
  opening.onerror = () => failed(opening.error)
  opening.onsuccess = () => {
    const change = opening.result.transaction("numbers", "readwrite", {durability: "strict"})
    const numbers = change.objectStore("numbers")
    let next
    numbers.get("last").onsuccess = event => {
      next = (event.target.result ?? 0) + 1
      numbers.put(next, "last")
    }
    change.oncomplete = () => { opening.result.close(); done(next) }
    change.onabort = () => failed(change.error)
  }
})
</script>"#;

fn serve_page() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    // Ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // Chromium opens connections ahead, too.
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                if stream.read(&mut request).is_ok_and(|read| read > 0) {
                    let length = PAGE.len();
                    let head = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                    );
                    let _ = stream.write_all(format!("{head}{PAGE}").as_bytes());
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_killed_hosts_profile_opens_again_with_all_that_was_kept() {
    let (home, page) = (Home::new(), serve_page());
    let rounds = count("PROFILE_KILLS", 3);
    let mut times = Vec::new();
    let (mut kept, mut clean) = (0, 0);
    for round in 0..=rounds {
        let mut keeper = Keeper::start(&home, &home.chromium(), Duration::from_secs(45));
        let mut debugger = Debugger::attach(&keeper.address).await;
        let session = debugger.open(&page).await;
        while debugger.evaluate(&session, "typeof count").await != "function" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for _ in 0..5 {
            let number = debugger.evaluate(&session, "count()").await.as_u64().unwrap();
            // One more may have been kept than was told.
            assert!(number > kept && number <= kept + 2, "round {round}: {number} after {kept}");
            kept = number;
        }
        if round == rounds {
            let _ = debugger.ask("", "Browser.close", json!({})).await;
            assert_eq!(keeper.end(), "exit status: 0");
            break;
        }
        // The host dies while the page is writing.
        let writing = json!({"expression": "count()"});
        debugger.ask(&session, "Runtime.evaluate", writing).await;
        let family = Family::of(keeper.sentinel);
        let since = Instant::now();
        keeper.kill();
        times.push(family.gone_after(since));
        assert!(home.is_unlocked());
        let preferences = std::fs::read(home.path("profile/Default/Preferences")).unwrap();
        let preferences: Value = serde_json::from_slice(&preferences).unwrap();
        clean += usize::from(preferences["profile"]["exit_type"] == "Normal");
        let mark = home.path("profile/SingletonLock");
        if mark.symlink_metadata().is_ok() {
            // It did not get as far as to remove it; the engine does before a start.
            std::fs::remove_file(mark).unwrap();
        }
    }
    figures("host killed, all gone (Chromium)", times);
    println!("{clean} of {rounds} closed by themselves; last number {kept}");
}
