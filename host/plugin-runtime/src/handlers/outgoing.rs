//! `wasi:http` through the broker.

use std::{sync::Arc, time::Duration};

use http_body_util::BodyExt;
use pairing_egress::{EgressError, Timeouts};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::{authority::Bound, host::HandlerHost, state::CallFacts};

/// No part of a request may take longer, whatever the guest asks for.
const LONGEST: Duration = Duration::from_secs(30);

/// Sends what a guest wants to send.
pub(crate) struct Outgoing {
    pub(crate) host: Arc<HandlerHost>,
    pub(crate) call: Arc<CallFacts>,
    pub(crate) bound: Option<Arc<Bound>>,
}

type Ended = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _sent: Ended,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Ended), Error>> + Send> {
        let (host, bound, call) = (self.host.clone(), self.bound.clone(), self.call.clone());
        Box::new(async move {
            let Some(bound) = bound else { return Err(Error::HttpRequestDenied) };
            let options = options.unwrap_or_default();
            let within = |wanted: Option<Duration>| call.at_most(wanted.unwrap_or(LONGEST));
            let timeouts = Timeouts {
                connect: within(options.connect_timeout),
                first_byte: within(options.first_byte_timeout),
                between_bytes: within(options.between_bytes_timeout),
            };
            let sent = host.parts.egress.send(&bound.permit, request, timeouts).await;
            let response = sent.map_err(told)?;
            let response = response.map(|body| body.map_err(told).boxed_unsync());
            let nothing_more: Ended = Box::new(async { Ok(()) });
            Ok((response, nothing_more))
        })
    }
}

/// In the words of `wasi:http`; each stands at its error.
fn told(error: EgressError) -> Error {
    match error {
        EgressError::Denied => Error::HttpRequestDenied,
        EgressError::DnsTimeout => Error::DnsTimeout,
        EgressError::Dns => Error::DnsError { rcode: None, info_code: None },
        EgressError::ConnectionRefused => Error::ConnectionRefused,
        EgressError::ConnectionTimeout => Error::ConnectionTimeout,
        EgressError::Unavailable => Error::DestinationUnavailable,
        EgressError::Certificate => Error::TlsCertificateError,
        EgressError::Tls => Error::TlsProtocolError,
        EgressError::TooMany => Error::ConnectionLimitReached,
        EgressError::RequestBodySize(limit) => Error::HttpRequestBodySize(Some(limit)),
        EgressError::RequestHeaderSize(limit) => Error::HttpRequestHeaderSectionSize(Some(limit)),
        EgressError::RequestBody => Error::HttpRequestBodySize(None),
        EgressError::UnknownSecret(_) | EgressError::UnusableSecret(_) => {
            Error::InternalError(Some(error.to_string()))
        }
        EgressError::Incomplete => Error::HttpResponseIncomplete,
        EgressError::ConnectionTerminated => Error::ConnectionTerminated,
        EgressError::ResponseTimeout => Error::HttpResponseTimeout,
        EgressError::ReadTimeout => Error::ConnectionReadTimeout,
        EgressError::ResponseHeaderSize => Error::HttpResponseHeaderSectionSize(None),
        EgressError::ResponseBodySize(limit) => Error::HttpResponseBodySize(Some(limit)),
        EgressError::Protocol => Error::HttpProtocolError,
    }
}
