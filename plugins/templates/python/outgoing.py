"""POST over wasi:http, which is the way out of the sandbox: sockets, and what is
built on them, are refused."""

from urllib.parse import urlsplit

from componentize_py_types import Err
from wit_world.imports import outgoing_handler
from wit_world.imports.wasi_http_types import (
    Fields,
    Method_Post,
    OutgoingBody,
    OutgoingRequest,
    Scheme_Http,
    Scheme_Https,
)

# The most that one call of the host takes.
CHUNK = 4096


class Unreachable(Exception):
    """There was no answer; why."""


def post(url: str, headers: dict[str, str], body: bytes) -> int:
    """Sends it and returns the answer's status."""
    parts = urlsplit(url)
    fields = Fields.from_list([(name, value.encode()) for name, value in headers.items()])
    request = OutgoingRequest(fields)
    request.set_method(Method_Post())
    request.set_scheme(Scheme_Https() if parts.scheme == "https" else Scheme_Http())
    request.set_authority(parts.netloc)
    request.set_path_with_query((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    outgoing = request.body()
    try:
        answer = outgoing_handler.handle(request, None)
        with outgoing.write() as stream:
            for at in range(0, len(body), CHUNK):
                stream.blocking_write_and_flush(body[at : at + CHUNK])
        OutgoingBody.finish(outgoing, None)
        with answer.subscribe() as answered:
            answered.block()
        result = answer.get()
    except Err as error:
        raise Unreachable(str(error.value)) from error
    if result is None or isinstance(result, Err) or isinstance(result.value, Err):
        raise Unreachable(str(result and result.value))
    with result.value.value as response:
        return response.status()
