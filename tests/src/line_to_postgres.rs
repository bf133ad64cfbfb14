//! A line to a Postgres that can be cut silently, as by a network that drops all.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::watch,
};

/// Forwards a Unix socket to another, until it is told to swallow.
pub struct LineToPostgres {
    folder: TempDir,
    target: PathBuf,
    swallows: watch::Sender<bool>,
}

impl LineToPostgres {
    /// In front of the server of this URL, which names a folder as its host.
    pub fn to(url: &str) -> Self {
        let (_, folder) = url.split_once("?host=").expect("tests' servers listen in a folder");
        let target = Path::new(folder).join(".s.PGSQL.5432");
        let folder = tempfile::Builder::new().prefix("line-").tempdir_in("/tmp").expect("a folder");
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).expect("a socket");
        let (swallows, _) = watch::channel(false);
        let (goal, hole) = (target.clone(), Arc::new(swallows.subscribe()));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (goal, hole) = (goal.clone(), (*hole).clone());
                tokio::spawn(async move {
                    wait_for_room(&mut hole.clone()).await;
                    let Ok(server) = UnixStream::connect(goal).await else { return };
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::select! {
                        () = copy(from_client, to_server, hole.clone()) => {}
                        () = copy(from_server, to_client, hole) => {}
                    }
                });
            }
        });
        Self { folder, target, swallows }
    }

    /// The URL by way of this line.
    pub fn url(&self, url: &str) -> String {
        let to = self.target.parent().unwrap_or(&self.target).display().to_string();
        url.replace(&to, &self.folder.path().display().to_string())
    }

    /// Lets nothing through from now on, and refuses nothing; or lets all through.
    pub fn swallow(&self, is_hole: bool) {
        self.swallows.send_replace(is_hole);
    }
}

async fn wait_for_room(hole: &mut watch::Receiver<bool>) {
    // The line is gone with the test.
    let _ = hole.wait_for(|is_hole| !is_hole).await;
}

async fn copy(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut hole: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        wait_for_room(&mut hole).await;
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
