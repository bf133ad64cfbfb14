// Stands in for the browser's WebSocket: the test is the host at the other end.

type Frame = { type: string; [member: string]: unknown };

export class FakeSocket {
  static readonly OPEN = 1;
  static opened: FakeSocket[] = [];
  /** Answers like a host that has nothing to tell. */
  static polite = false;

  static get last(): FakeSocket {
    const last = FakeSocket.opened.at(-1);
    if (!last) throw new Error("no socket was opened");
    return last;
  }

  readyState = 1;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((close: { code: number; reason: string }) => void) | null = null;
  readonly sent: Frame[] = [];

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    FakeSocket.opened.push(this);
    if (FakeSocket.polite) queueMicrotask(() => this.ready());
  }

  send(text: string) {
    const frame = JSON.parse(text) as Frame;
    this.sent.push(frame);
    if (FakeSocket.polite && frame.type === "subscribe") this.subscribed();
  }

  close() {
    this.readyState = 3;
  }

  receive(frame: Frame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  ready(heartbeatSeconds = 25) {
    this.receive({ type: "ready", serverTime: new Date().toISOString(), heartbeatSeconds });
  }

  subscribed(cursor = "1") {
    this.receive({ type: "subscribed", sessions: "*", types: null, cursor });
  }

  event(type: string, sessionName: string, data: unknown, id: string | null = null) {
    const event = { id, sessionName, at: new Date().toISOString(), type, data };
    this.receive({ type: "event", event });
  }

  /** The host, or the line, ends the connection. */
  shut(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code, reason: "" });
  }
}
