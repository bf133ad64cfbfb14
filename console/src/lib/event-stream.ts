// The socket to the host: gets a ticket, subscribes to everything, resumes after the
// last event it has seen, and comes back by itself for as long as it is wanted.
// It knows frames and time, and nothing of what events mean (session-events.ts).
import type { PairingEvent, TicketAnswer } from "./api-types";

export type StreamState = "connecting" | "live" | "reconnecting" | "offline";

export type StreamOptions = {
  url: string;
  ticket: () => Promise<TicketAnswer>;
  onEvent: (event: PairingEvent) => void;
  /** Events may have been missed: what is on screen must be fetched anew. */
  onGap: () => void;
  onState: (state: StreamState) => void;
  onServerTime: (time: string) => void;
};

type ServerFrame =
  | { type: "ready"; serverTime: string; heartbeatSeconds?: number }
  | { type: "subscribed"; cursor?: string | null }
  | { type: "event"; event: PairingEvent }
  | { type: "ping" | "pong"; serverTime?: string }
  | { type: "error"; code: string; message: string };

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8_000;
/** From this many vain tries on the person is told that the host is gone. */
const OFFLINE_AFTER = 5;
/** Close codes of the host: the token behind the ticket has ended; events after the cursor are gone. */
const TOKEN_ENDED = 4003;
const CURSOR_EXPIRED = 4010;

export class EventStream {
  private socket: WebSocket | null = null;
  private cursor: string | null = null;
  /** Something may have been missed since the last subscription. */
  private gap = true;
  private live = false;
  private tries = 0;
  private stopped = true;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private watched: string[] = [];
  private silence: ReturnType<typeof setInterval> | undefined;
  private lastFrameAt = 0;

  constructor(private readonly options: StreamOptions) {}

  start() {
    this.stopped = false;
    window.addEventListener("online", this.tryNow);
    window.addEventListener("offline", this.lost);
    document.addEventListener("visibilitychange", this.tryNow);
    this.options.onState("connecting");
    void this.open();
  }

  stop() {
    this.stopped = true;
    window.removeEventListener("online", this.tryNow);
    window.removeEventListener("offline", this.lost);
    document.removeEventListener("visibilitychange", this.tryNow);
    clearTimeout(this.retry);
    this.drop();
  }

  /** These sessions are open before somebody's eyes: the host makes codes for them. */
  watch(sessions: string[]) {
    this.watched = sessions;
    if (this.live) this.sayWatched();
  }

  private sayWatched() {
    this.say({ type: "watch", sessions: this.watched });
  }

  private async open() {
    clearTimeout(this.retry);
    this.retry = undefined;
    let ticket: string;
    try {
      ticket = (await this.options.ticket()).ticket;
    } catch {
      return this.later();
    }
    if (this.stopped || this.socket) return;
    const socket = new WebSocket(this.options.url, ["pairing.v1", `ticket.${ticket}`]);
    this.socket = socket;
    this.watchSilence(15);
    socket.onmessage = (message) => {
      if (this.socket === socket) this.take(JSON.parse(String(message.data)) as ServerFrame);
    };
    socket.onclose = (close) => {
      if (this.socket !== socket) return;
      if (close.code === CURSOR_EXPIRED) this.cursor = null;
      // Tokens are short-lived: that a socket ends with one is in order, and nobody need see it.
      const inOrder = close.code === TOKEN_ENDED && this.live;
      this.drop();
      if (inOrder) void this.open();
      else this.later();
    };
  }

  private take(frame: ServerFrame) {
    this.lastFrameAt = Date.now();
    switch (frame.type) {
      case "ready":
        this.options.onServerTime(frame.serverTime);
        this.watchSilence(frame.heartbeatSeconds ?? 20);
        this.say({ type: "subscribe", sessions: "*", ...(this.cursor ? { after: this.cursor } : {}) });
        break;
      case "subscribed":
        this.tries = 0;
        this.live = true;
        this.cursor ??= frame.cursor ?? null;
        this.options.onState("live");
        if (this.watched.length > 0) this.sayWatched();
        if (this.gap) this.options.onGap();
        this.gap = false;
        break;
      case "event":
        if (frame.event.id) this.cursor = frame.event.id;
        this.options.onEvent(frame.event);
        break;
      case "ping":
      case "pong":
        if (frame.serverTime) this.options.onServerTime(frame.serverTime);
        break;
      case "error":
        // The subscription is all we ask for, so it was refused: a cursor of another database.
        if (this.live || !this.cursor) break;
        this.cursor = null;
        this.say({ type: "subscribe", sessions: "*" });
        break;
    }
  }

  private say(frame: unknown) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  /** Asks for a sign of life once a heartbeat; two without any mean the line is dead. */
  private watchSilence(heartbeatSeconds: number) {
    clearInterval(this.silence);
    this.lastFrameAt = Date.now();
    this.silence = setInterval(() => {
      if (Date.now() - this.lastFrameAt > heartbeatSeconds * 2_500) this.lost();
      else this.say({ type: "ping" });
    }, heartbeatSeconds * 1_000);
  }

  private later() {
    if (this.stopped || this.retry) return;
    this.tries += 1;
    this.gap = true;
    const gone = this.tries >= OFFLINE_AFTER || navigator.onLine === false;
    this.options.onState(gone ? "offline" : "reconnecting");
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.tries - 1));
    this.retry = setTimeout(() => void this.open(), wait * (0.5 + Math.random() / 2));
  }

  private drop() {
    clearInterval(this.silence);
    const socket = this.socket;
    this.socket = null;
    this.live = false;
    if (socket && socket.readyState <= WebSocket.OPEN) socket.close();
  }

  private lost = () => {
    this.drop();
    this.later();
  };

  private tryNow = () => {
    if (this.stopped || this.socket || !this.retry || document.visibilityState === "hidden") return;
    void this.open();
  };
}
