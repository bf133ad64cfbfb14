//! Why a request got no answer, as its handler may know it.

use std::{error::Error, io};

/// Why there is no answer, or no more of it. Each stands for one error code of
/// `wasi:http`; the text holds nothing that the handler did not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The destination was not granted: its URL, its method, or an address that
    /// its name leads to. Always the same, so that nothing can be learnt about
    /// networks that the handler must not know. `HTTP-request-denied`.
    #[error("this destination is not granted")]
    Denied,
    /// The name could not be looked up in time. `DNS-timeout`.
    #[error("the name could not be looked up in time")]
    DnsTimeout,
    /// There is no such name, or nobody who knows it. `DNS-error`.
    #[error("the name could not be looked up")]
    Dns,
    /// Nobody listens there. `connection-refused`.
    #[error("the connection was refused")]
    ConnectionRefused,
    /// No connection in time. `connection-timeout`.
    #[error("no connection could be made in time")]
    ConnectionTimeout,
    /// No connection for another reason. `destination-unavailable`.
    #[error("no connection could be made")]
    Unavailable,
    /// The peer's certificate is not good. `TLS-certificate-error`.
    #[error("the peer's certificate is not accepted")]
    Certificate,
    /// The peer does not speak TLS as it should. `TLS-protocol-error`.
    #[error("TLS could not be agreed on")]
    Tls,
    /// Too many requests are under way, or in this second; waiting did not help.
    /// `connection-limit-reached`.
    #[error("too many requests at once: wait for others to end")]
    TooMany,
    /// The request's body has more than this many bytes.
    /// `HTTP-request-body-size`.
    #[error("the request's body is too long: at most {0} bytes")]
    RequestBodySize(u64),
    /// The request's headers and path have more than this many bytes, or there
    /// are more than 64. `HTTP-request-header-section-size`.
    #[error("the request's headers are too long: at most {0} bytes, and 64 headers")]
    RequestHeaderSize(u32),
    /// The handler did not end its body. `HTTP-request-body-size` without size.
    #[error("the request's body was not finished")]
    RequestBody,
    /// A header names a secret that the subscription does not have.
    /// `internal-error` with this text.
    #[error("the subscription has no secret `{0}`")]
    UnknownSecret(String),
    /// A secret can't be part of a header: it has a line break in it, or the like.
    /// `internal-error` with this text.
    #[error("the secret `{0}` can't be part of a header")]
    UnusableSecret(String),
    /// The peer closed the connection before its answer was complete.
    /// `HTTP-response-incomplete`.
    #[error("the answer ended too early")]
    Incomplete,
    /// The connection broke. `connection-terminated`.
    #[error("the connection broke")]
    ConnectionTerminated,
    /// No answer in time. `HTTP-response-timeout`.
    #[error("no answer in time")]
    ResponseTimeout,
    /// The rest of the answer did not come in time. `connection-read-timeout`.
    #[error("the rest of the answer did not come in time")]
    ReadTimeout,
    /// The answer's headers are too many or too long.
    /// `HTTP-response-header-section-size`.
    #[error("the answer's headers are too long")]
    ResponseHeaderSize,
    /// The answer's body has more than this many bytes.
    /// `HTTP-response-body-size`.
    #[error("the answer's body is too long: at most {0} bytes")]
    ResponseBodySize(u64),
    /// The peer does not speak HTTP as it should. `HTTP-protocol-error`.
    #[error("the peer does not speak HTTP as it should")]
    Protocol,
}

impl EgressError {
    /// Its kind, for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::DnsTimeout => "dns-timeout",
            Self::Dns => "dns",
            Self::ConnectionRefused => "connection-refused",
            Self::ConnectionTimeout => "connection-timeout",
            Self::Unavailable => "unavailable",
            Self::Certificate => "certificate",
            Self::Tls => "tls",
            Self::TooMany => "too-many",
            Self::RequestBodySize(_) => "request-body-size",
            Self::RequestHeaderSize(_) => "request-header-size",
            Self::RequestBody => "request-body",
            Self::UnknownSecret(_) => "unknown-secret",
            Self::UnusableSecret(_) => "unusable-secret",
            Self::Incomplete => "incomplete",
            Self::ConnectionTerminated => "connection-terminated",
            Self::ResponseTimeout => "response-timeout",
            Self::ReadTimeout => "read-timeout",
            Self::ResponseHeaderSize => "response-header-size",
            Self::ResponseBodySize(_) => "response-body-size",
            Self::Protocol => "protocol",
        }
    }

    /// What dialling one address ended with.
    pub(crate) fn of_dialling(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::ConnectionRefused,
            io::ErrorKind::TimedOut => Self::ConnectionTimeout,
            _ => Self::Unavailable,
        }
    }

    /// What a TLS handshake ended with.
    pub(crate) fn of_tls(error: &io::Error) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match tls {
            Some(rustls::Error::InvalidCertificate(_)) => Self::Certificate,
            Some(_) => Self::Tls,
            None if error.kind() == io::ErrorKind::UnexpectedEof => Self::Tls,
            None => Self::ConnectionTerminated,
        }
    }
}

impl From<&hyper::Error> for EgressError {
    fn from(error: &hyper::Error) -> Self {
        let mut cause = error.source();
        while let Some(inner) = cause {
            // Our own bodies fail with our own errors.
            if let Some(own) = inner.downcast_ref::<Self>() {
                return own.clone();
            }
            match inner.downcast_ref::<io::Error>().map(io::Error::kind) {
                Some(io::ErrorKind::UnexpectedEof) => return Self::Incomplete,
                // Said of chunks that are none.
                Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
                    return Self::Protocol;
                }
                _ => {}
            }
            cause = inner.source();
        }
        if error.is_parse_too_large() {
            Self::ResponseHeaderSize
        } else if error.is_parse() {
            Self::Protocol
        } else if error.is_incomplete_message() {
            Self::Incomplete
        } else if error.is_user() {
            Self::RequestBody
        } else {
            Self::ConnectionTerminated
        }
    }
}
