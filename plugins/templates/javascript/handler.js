// Tells a chat when a session disconnects.
/// <reference path="./types/plugin.d.ts" />

import { log } from "pairing-console:handler/log@0.1.0";
import { get } from "pairing-console:handler/config@0.1.0";

/** @typedef {import("pairing-console:handler/handler@0.1.0").Event} Event */
/** @typedef {import("pairing-console:handler/handler@0.1.0").Delivery} Delivery */

export const handler = {
  describe() {
    return { name: "my-handler", version: "0.1.0", types: ["session-disconnected"], extra: [] };
  },

  /**
   * @param {Event} event
   * @param {Delivery} delivery
   */
  async handle(event, delivery) {
    if (event.data.tag !== "session-disconnected") return;
    const url = get("url");
    if (!url) throw { tag: "retry", val: "the setting `url` is missing" };
    const status = await post(url, {
      text: `${event.sessionName} is disconnected: ${event.data.val}`,
    });
    if (status >= 500 || status === 429) throw { tag: "retry", val: `the chat answered ${status}` };
    if (status >= 300) throw { tag: "reject", val: `the chat answered ${status}` };
    log("info", `told the chat that ${event.sessionName} is disconnected`);
  },
};

async function post(url, message) {
  const request = {
    method: "POST",
    headers: {
      "content-type": "application/json",
      // The host fills the secret in, on the way to a granted host.
      authorization: "Bearer {{secret:chat-token}}",
    },
    body: JSON.stringify(message),
  };
  try {
    return (await fetch(url, request)).status;
  } catch (error) {
    throw { tag: "retry", val: `the chat can't be reached: ${error.message}` };
  }
}
