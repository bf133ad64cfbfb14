//! One POST over `wasi:http`.

use wasip2::http::{
    outgoing_handler,
    types::{
        ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions,
        Scheme,
    },
};

use crate::{answer::Answer, endpoint::Endpoint};

/// So much is written at once: the most that WASI allows.
const CHUNK: usize = 4096;

/// So much of an answer is read at most, for the operator.
const READ: u64 = 4096;

/// Nanoseconds to wait for the text of an error.
const PATIENCE: u64 = 1_000_000_000;

/// Posts, and waits for the answer's status and headers.
///
/// # Errors
/// There was no answer; why.
pub(crate) fn post(
    endpoint: &Endpoint,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, String> {
    let request = request(endpoint, headers, body.len())?;
    let outgoing = request.body().map_err(|()| "the request has no body")?;
    let options = RequestOptions::new();
    // Where the host has no such option, the subscription's timeout is all.
    let _ = options.set_between_bytes_timeout(Some(PATIENCE));
    let response =
        outgoing_handler::handle(request, Some(options)).map_err(|error| told(&error))?;
    // A receiver may answer, and hang up, before it has read all of this: then
    // the answer counts.
    let written = write(outgoing, body);
    response.subscribe().block();
    match response.get() {
        Some(Ok(Ok(response))) => Ok(answer(&response)),
        Some(Ok(Err(error))) => Err(told(&error)),
        _ => Err(written.err().unwrap_or_else(|| "there was no answer".into())),
    }
}

fn request(
    endpoint: &Endpoint,
    headers: &[(&str, &str)],
    length: usize,
) -> Result<OutgoingRequest, String> {
    let fields = Fields::new();
    let length = length.to_string();
    let own = endpoint.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in headers.iter().copied().chain([("content-length", &*length)]).chain(own) {
        fields
            .set(name, &[value.as_bytes().to_vec()])
            .map_err(|error| format!("the header `{name}` can't be sent: {error:?}"))?;
    }
    let request = OutgoingRequest::new(fields);
    let scheme = if endpoint.is_https { Scheme::Https } else { Scheme::Http };
    request
        .set_method(&Method::Post)
        .and_then(|()| request.set_scheme(Some(&scheme)))
        .and_then(|()| request.set_authority(Some(&endpoint.authority)))
        .and_then(|()| request.set_path_with_query(Some(&endpoint.path_and_query)))
        .map_err(|()| "the setting `url` is no address that can be posted to")?;
    Ok(request)
}

fn write(outgoing: OutgoingBody, body: &[u8]) -> Result<(), String> {
    let stream = outgoing.write().map_err(|()| "the request takes no body")?;
    for chunk in body.chunks(CHUNK) {
        stream
            .blocking_write_and_flush(chunk)
            .map_err(|error| format!("the body could not be sent: {error}"))?;
    }
    drop(stream);
    OutgoingBody::finish(outgoing, None).map_err(|error| told(&error))
}

fn answer(response: &IncomingResponse) -> Answer {
    let status = response.status();
    let retry_after = response.headers().get("retry-after").into_iter().next();
    let retry_after = retry_after.and_then(|value| String::from_utf8(value).ok());
    // These mean what they mean, however long their bodies take.
    let is_plain = matches!(status, 200..=299 | 410 | 429 | 503);
    let text = if is_plain { None } else { text(response) };
    Answer { status, retry_after, text: text.unwrap_or_default() }
}

/// The first bytes that come.
fn text(response: &IncomingResponse) -> Option<String> {
    let body = response.consume().ok()?;
    let bytes = body.stream().ok()?.blocking_read(READ).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// In words: `connection refused`.
fn told(error: &ErrorCode) -> String {
    if let ErrorCode::InternalError(Some(why)) = error {
        return why.clone();
    }
    let text = format!("{error:?}");
    let name = text.strip_prefix("ErrorCode::").unwrap_or(&text);
    // What follows a bracket is for machines.
    let name = name.split('(').next().unwrap_or_default();
    let mut words = String::from("the request failed:");
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}
