import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeSocket } from "@/testing/fake-socket";
import type { PairingEvent } from "./api-types";
import { EventStream, type StreamState } from "./event-stream";

let stream: EventStream;
let tickets: (() => Promise<{ ticket: string; expiresAt: string }>)[];
let seen: PairingEvent[];
let states: StreamState[];
let gaps: number;

const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.opened = [];
  FakeSocket.polite = false;
  [tickets, seen, states, gaps] = [[], [], [], 0];
  let given = 0;
  stream = new EventStream({
    url: "ws://console.test/ws",
    ticket: () => tickets.shift()?.() ?? Promise.resolve({ ticket: `t${++given}`, expiresAt: "" }),
    onEvent: (event) => seen.push(event),
    onGap: () => {
      gaps += 1;
    },
    onState: (state) => states.push(state),
    onServerTime: () => undefined,
  });
  stream.start();
  await settle();
});

afterEach(() => stream.stop());

function comeUp() {
  FakeSocket.last.ready();
  FakeSocket.last.subscribed();
}

test("presents a ticket and subscribes to all sessions", () => {
  expect(FakeSocket.last.protocols).toEqual(["pairing.v1", "ticket.t1"]);
  FakeSocket.last.ready();
  expect(FakeSocket.last.sent).toEqual([{ type: "subscribe", sessions: "*" }]);
  expect(states).toEqual(["connecting"]);
  FakeSocket.last.subscribed();
  expect(states).toEqual(["connecting", "live"]);
  expect(gaps).toBe(1);
});

test("hands on events", () => {
  comeUp();
  FakeSocket.last.event("loading", "shop", { percent: 40 }, "7");
  expect(seen).toMatchObject([{ id: "7", type: "loading", sessionName: "shop", data: { percent: 40 } }]);
});

test("resumes after the last event it has seen, with a new ticket", async () => {
  comeUp();
  FakeSocket.last.event("loading", "shop", { percent: 40 }, "41");
  FakeSocket.last.event("qr-code", "shop", { qrCode: "data:," }, null);
  FakeSocket.last.shut(1012);
  expect(states.at(-1)).toBe("reconnecting");
  await vi.advanceTimersByTimeAsync(500);
  expect(FakeSocket.last.protocols).toContain("ticket.t2");
  FakeSocket.last.ready();
  expect(FakeSocket.last.sent).toEqual([{ type: "subscribe", sessions: "*", after: "41" }]);
  FakeSocket.last.subscribed();
  expect(states.at(-1)).toBe("live");
  expect(gaps).toBe(2);
});

test("resumes after the place where it subscribed when nothing has happened since", async () => {
  FakeSocket.last.ready();
  FakeSocket.last.subscribed("12");
  FakeSocket.last.shut();
  await vi.advanceTimersByTimeAsync(500);
  FakeSocket.last.ready();
  expect(FakeSocket.last.sent).toEqual([{ type: "subscribe", sessions: "*", after: "12" }]);
});

test("a socket that ends with its token is replaced at once and nobody sees it", async () => {
  comeUp();
  FakeSocket.last.event("loading", "shop", { percent: 40 }, "41");
  FakeSocket.last.shut(4003);
  await settle();
  expect(FakeSocket.opened).toHaveLength(2);
  FakeSocket.last.ready();
  expect(FakeSocket.last.sent).toMatchObject([{ after: "41" }]);
  FakeSocket.last.subscribed();
  expect(states).toEqual(["connecting", "live", "live"]);
  expect(gaps).toBe(1);
});

test("begins anew when the events after its place are no longer kept", async () => {
  comeUp();
  FakeSocket.last.shut(4010);
  await vi.advanceTimersByTimeAsync(500);
  FakeSocket.last.ready();
  expect(FakeSocket.last.sent).toEqual([{ type: "subscribe", sessions: "*" }]);
});

test("begins anew when the host does not know its place", async () => {
  comeUp();
  FakeSocket.last.shut();
  await vi.advanceTimersByTimeAsync(500);
  FakeSocket.last.ready();
  FakeSocket.last.receive({ type: "error", code: "frame_invalid", message: "`after` is no cursor of ours" });
  expect(FakeSocket.last.sent.at(-1)).toEqual({ type: "subscribe", sessions: "*" });
});

test("a line without a sign of life is given up", async () => {
  comeUp();
  const silent = FakeSocket.last;
  await vi.advanceTimersByTimeAsync(25_000);
  expect(silent.sent.at(-1)).toEqual({ type: "ping" });
  await vi.advanceTimersByTimeAsync(55_000);
  expect(FakeSocket.last).not.toBe(silent);
  expect(states).toContain("reconnecting");
});

test("heartbeats keep a quiet line", async () => {
  comeUp();
  for (let beat = 0; beat < 6; beat += 1) {
    await vi.advanceTimersByTimeAsync(25_000);
    FakeSocket.last.receive({ type: "ping", serverTime: new Date().toISOString() });
  }
  expect(FakeSocket.opened).toHaveLength(1);
});

test("keeps trying while the host is away, ever more slowly, and says that it is gone", async () => {
  comeUp();
  const away = () => Promise.reject(new Error("away"));
  tickets = Array.from({ length: 6 }, () => away);
  FakeSocket.last.shut(1012);
  await vi.advanceTimersByTimeAsync(40_000);
  expect(states).toContain("offline");
  expect(FakeSocket.opened).toHaveLength(2);
  comeUp();
  expect(states.at(-1)).toBe("live");
});

test("comes back at once when the network does", async () => {
  comeUp();
  window.dispatchEvent(new Event("offline"));
  expect(states.at(-1)).toBe("reconnecting");
  window.dispatchEvent(new Event("online"));
  await settle();
  expect(FakeSocket.opened).toHaveLength(2);
});

test("hears nothing from a socket it has given up, and nothing after its end", async () => {
  comeUp();
  const old = FakeSocket.last;
  window.dispatchEvent(new Event("offline"));
  old.event("loading", "shop", { percent: 1 }, "99");
  expect(seen).toEqual([]);
  stream.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeSocket.opened).toHaveLength(1);
});

test("says which sessions are open: when it is live, when that changes, and after each return", async () => {
  stream.watch(["shop"]);
  FakeSocket.last.ready();
  expect(FakeSocket.last.sent).toHaveLength(1);
  FakeSocket.last.subscribed();
  expect(FakeSocket.last.sent.at(-1)).toEqual({ type: "watch", sessions: ["shop"] });
  stream.watch([]);
  expect(FakeSocket.last.sent.at(-1)).toEqual({ type: "watch", sessions: [] });
  stream.watch(["sales"]);
  FakeSocket.last.shut();
  await vi.advanceTimersByTimeAsync(500);
  comeUp();
  expect(FakeSocket.last.sent.at(-1)).toEqual({ type: "watch", sessions: ["sales"] });
});
