//! Stands outside the host and knows what it acknowledged and what it delivered:
//! reads the socket and resumes by cursor, receives a webhook, sends commands, and
//! at the end holds all of it against the journal and the fake pages' own books.
//! It shares no code with the host.
//!
//! It says `ready` once it listens, ends when its standard input does, and prints
//! the verdict as one line of JSON. Its exit code is 0 if nothing is wrong.

mod book;
mod commands;
mod event;
mod host;
mod pages;
mod receiver;
mod socket;
mod verdict;

use std::{collections::HashMap, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, anyhow};
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::{
    book::Book, commands::Commands, host::Host, pages::Pages, receiver::Receiver, verdict::Verdict,
};

/// `--name value` pairs.
struct Arguments(HashMap<String, String>);

impl Arguments {
    fn read() -> Self {
        let words: Vec<String> = std::env::args().skip(1).collect();
        let pairs = words.chunks(2).filter_map(|pair| match pair {
            [name, value] => Some((name.trim_start_matches("--").to_owned(), value.clone())),
            _ => None,
        });
        Self(pairs.collect())
    }

    fn get(&self, name: &str) -> anyhow::Result<&str> {
        self.0.get(name).map(String::as_str).ok_or_else(|| anyhow!("--{name} is missing"))
    }

    fn names(&self, name: &str) -> Vec<String> {
        let text = self.0.get(name).map_or("", String::as_str);
        text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    fn number(&self, name: &str, default: u64) -> anyhow::Result<u64> {
        match self.0.get(name) {
            Some(text) => text.parse().with_context(|| format!("--{name} {text}")),
            None => Ok(default),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::read()).await {
        Ok(verdict) => {
            println!("{}", verdict.json());
            if verdict.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            println!("{}", json!({ "oracle": format!("{error:#}") }));
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<Verdict> {
    let host = Host::new(arguments.get("host")?, arguments.get("token")?)?;
    let patience = Duration::from_secs(arguments.number("patience", 90)?);
    let book = Arc::new(Book::create(&PathBuf::from(arguments.get("book")?))?);
    let receiver = Receiver::listen(book.clone()).await?;
    host.subscribe("oracle", &receiver.url()).await?;
    // Whatever comes from here on must reach both readers.
    let start = host.head().await?;
    let socket = tokio::spawn(socket::read(host.clone(), start, book.clone()));
    let commands = Commands::begin(
        host.clone(),
        book.clone(),
        arguments.names("commanded"),
        arguments.number("commands-every", 200)?,
        arguments.number("seed", 1)?,
    );
    println!("ready");

    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    let orders = commands.end().await;
    let read_pages = || match arguments.0.get("profiles") {
        Some(folder) => Pages::read(&PathBuf::from(folder)),
        None => Ok(Pages::default()),
    };
    let settled =
        settle(&host, &book, &arguments.names("sessions"), &read_pages()?, patience).await;
    socket.abort();
    let (head, trouble) = match settled {
        Ok(head) => (head, None),
        Err(error) => (host.head().await?, Some(format!("{error:#}"))),
    };
    let journal = host.journal(start, head).await?;
    let pages = read_pages()?;
    let mut verdict = Verdict::of(start, head, &journal, &book, &pages);
    verdict.orders = orders;
    verdict.mistakes.extend(trouble);
    let names = host.sessions().await?;
    for session in arguments.names("sessions") {
        if !names.contains(&session) {
            verdict.mistakes.push(format!("the session {session} is lost"));
        }
    }
    let given_up = host.dead_letters("oracle").await?;
    if given_up != 0 {
        verdict.mistakes.push(format!("{given_up} events were given up"));
    }
    Ok(verdict)
}

/// Waits until all sessions are connected, what their pages had said is told, and
/// both readers have all that the journal had then; gives the place up to which that
/// is so.
async fn settle(
    host: &Host,
    book: &Book,
    sessions: &[String],
    pages: &Pages,
    patience: Duration,
) -> anyhow::Result<u64> {
    let begun = tokio::time::Instant::now();
    let mut waiting = sessions.to_vec();
    loop {
        let mut left = Vec::new();
        for session in waiting {
            if host.status(&session).await.is_none_or(|(status, _)| status != "CONNECTED") {
                left.push(session);
            }
        }
        if left.is_empty() {
            break;
        }
        if begun.elapsed() > patience {
            return Err(anyhow!("not connected again: {left:?}"));
        }
        waiting = left;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let said = pages.0.iter().filter(|(session, _)| sessions.contains(session));
    for (session, numbers) in said {
        let Some((number, _)) = numbers.last_key_value() else { continue };
        while !book.has_number(session, *number) {
            if begun.elapsed() > patience {
                return Err(anyhow!("{session} said {number}, which was never told"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let head = host.head().await?;
    while !book.has_all_until(head) {
        if begun.elapsed() > patience * 2 {
            return Err(anyhow!("the readers did not come to {head}: {}", book.places()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(head)
}
