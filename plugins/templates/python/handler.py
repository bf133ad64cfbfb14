"""Tells a chat when a session disconnects."""

import json

from componentize_py_types import Err
from outgoing import Unreachable, post
from wit_world import exports
from wit_world.exports.handler import (
    Delivery,
    Description,
    HandleError_Reject,
    HandleError_Retry,
)
from wit_world.imports import config, log
from wit_world.imports.events import Event, EventData_SessionDisconnected


class Handler(exports.Handler):
    def describe(self) -> Description:
        return Description("my-handler", "0.1.0", ["session-disconnected"], [])

    def handle(self, event: Event, delivery: Delivery) -> None:
        if not isinstance(event.data, EventData_SessionDisconnected):
            return
        reason = event.data.value.name.lower().replace("_", "-")
        url = config.get("url")
        if url is None:
            raise Err(HandleError_Retry("the setting `url` is missing"))
        message = {"text": f"{event.session_name} is disconnected: {reason}"}
        headers = {
            "content-type": "application/json",
            # The host fills the secret in, on the way to a granted host.
            "authorization": "Bearer {{secret:chat-token}}",
        }
        try:
            status = post(url, headers, json.dumps(message).encode())
        except Unreachable as error:
            raise Err(HandleError_Retry(f"the chat can't be reached: {error}"))
        if status >= 500 or status == 429:
            raise Err(HandleError_Retry(f"the chat answered {status}"))
        if status >= 300:
            raise Err(HandleError_Reject(f"the chat answered {status}"))
        log.log(log.Level.INFO, f"told the chat that {event.session_name} is disconnected")
