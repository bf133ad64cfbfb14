//! POST over `wasi:http`, which is the way out of the sandbox.

use crate::wasi::http::{
    outgoing_handler,
    types::{Fields, Method, OutgoingBody, OutgoingRequest, Scheme},
};

/// The most that one call of the host takes.
const CHUNK: usize = 4096;

/// Sends it and returns the answer's status; or why there was none.
pub fn post(url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<u16, String> {
    let (scheme, rest) = url.split_once("://").ok_or("its address has no scheme")?;
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));

    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name, value.as_bytes()).map_err(|error| error.to_string())?;
    }
    let request = OutgoingRequest::new(fields);
    let told = "its address is malformed";
    request.set_method(&Method::Post).map_err(|()| told)?;
    request.set_scheme(Some(&scheme)).map_err(|()| told)?;
    request.set_authority(Some(authority)).map_err(|()| told)?;
    request.set_path_with_query(Some(if path.is_empty() { "/" } else { path })).map_err(|()| told)?;
    let outgoing = request.body().map_err(|()| told)?;

    let answer = outgoing_handler::handle(request, None).map_err(|error| error.to_string())?;
    let stream = outgoing.write().map_err(|()| told)?;
    for chunk in body.chunks(CHUNK) {
        stream.blocking_write_and_flush(chunk).map_err(|error| error.to_string())?;
    }
    drop(stream);
    OutgoingBody::finish(outgoing, None).map_err(|error| error.to_string())?;
    answer.subscribe().block();
    let answered = answer.get().and_then(Result::ok).ok_or("there was no answer")?;
    Ok(answered.map_err(|error| error.to_string())?.status())
}
