//! What host and sentinel say to each other: a line of JSON each, and with the
//! first one the profile's lock.

use std::{
    io::{self, IoSlice, IoSliceMut, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::{BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::PathBuf,
    time::Duration,
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};

/// More than any command line has.
const LONGEST_ORDER: usize = 1 << 20;

/// The browser that is to be started.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Browser {
    /// A script that becomes the browser (`exec`) is fine.
    pub program: PathBuf,
    pub arguments: Vec<String>,
    /// All that there is in its environment.
    pub environment: Vec<(String, String)>,
    /// Where it starts.
    pub folder: PathBuf,
    /// User and group, if not the host's own.
    pub user: Option<(u32, u32)>,
}

/// The first line from the host.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) task: Task,
    pub(crate) with_namespaces: bool,
    /// By the boot clock.
    pub(crate) sent: Duration,
    pub(crate) deadline: Duration,
    /// The control group of the browser's processes, removed at the end.
    pub(crate) memory_group: Option<PathBuf>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    /// Say whether namespaces can be had.
    Probe,
    Run(Browser),
}

/// Further lines from the host.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToSentinel {
    /// The host lives. `sent` is a time of the boot clock.
    Renew { number: u64, sent: Duration },
    /// Ask the browser to close; end it after that time.
    Close { within: Duration },
}

/// Lines from the sentinel.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToHost {
    /// Answers a probe: none is wrong with namespaces, or this is.
    Namespaces { refused: Option<String> },
    /// The browser answers, and can be reached at this address. It is a secret.
    Ready { address: String },
    /// Answers a renewal.
    Renewed { number: u64 },
    /// The browser could not be started.
    Failed { why: String },
    /// The browser's main process has ended, with this status of `wait`.
    Ended { status: i32 },
}

pub(crate) fn line(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

/// Its length, with the lock, and then itself.
pub(crate) fn send_order(
    mut control: &UnixStream,
    order: &Order,
    lock: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let order = serde_json::to_vec(order)?;
    let length = u32::try_from(order.len()).map_err(io::Error::other)?.to_be_bytes();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut with = SendAncillaryBuffer::new(&mut space);
    let files: Vec<_> = lock.into_iter().collect();
    if !files.is_empty() {
        with.push(SendAncillaryMessage::ScmRights(&files));
    }
    let sent = sendmsg(control, &[IoSlice::new(&length)], &mut with, SendFlags::NOSIGNAL)?;
    control.write_all(&length[sent..])?;
    control.write_all(&order)
}

/// Waits for the order. An error means that the host is gone or confused.
pub(crate) fn receive_order(mut control: &UnixStream) -> io::Result<(Order, Option<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut with = RecvAncillaryBuffer::new(&mut space);
    let mut length = [0; 4];
    let flags = RecvFlags::CMSG_CLOEXEC;
    let read = recvmsg(control, &mut [IoSliceMut::new(&mut length)], &mut with, flags)?.bytes;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let lock = with.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut files) => files.next(),
        _ => None,
    });
    control.read_exact(&mut length[read..])?;
    let length = u32::from_be_bytes(length) as usize;
    if length > LONGEST_ORDER {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut order = vec![0; length];
    control.read_exact(&mut order)?;
    Ok((serde_json::from_slice(&order)?, lock))
}

#[cfg(test)]
mod tests {
    use std::{fs::File, os::fd::AsFd};

    use super::*;

    #[test]
    fn an_order_arrives_with_the_lock_and_without_what_follows() {
        let (host, sentinel) = UnixStream::pair().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("lock")).unwrap();
        file.lock().unwrap();
        let order = Order {
            task: Task::Probe,
            with_namespaces: true,
            sent: Duration::from_millis(1500),
            deadline: Duration::from_secs(45),
            memory_group: None,
        };
        send_order(&host, &order, Some(file.as_fd())).unwrap();
        (&host).write_all(b"{}\n").unwrap();
        let (order, lock) = receive_order(&sentinel).unwrap();
        assert_eq!(order.sent, Duration::from_millis(1500));
        drop(file);
        let other = File::open(folder.path().join("lock")).unwrap();
        assert!(other.try_lock().is_err(), "the lock is held by what arrived");
        drop(lock);
        other.try_lock().unwrap();
        let mut rest = [0; 3];
        (&sentinel).read_exact(&mut rest).unwrap();
        assert_eq!(&rest, b"{}\n");
    }

    #[test]
    fn a_host_that_is_gone_is_an_error() {
        let (host, sentinel) = UnixStream::pair().unwrap();
        (&host).write_all(b"\0\0").unwrap();
        drop(host);
        assert!(receive_order(&sentinel).is_err());
    }
}
