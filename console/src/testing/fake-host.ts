// Stands in for the host's HTTP API. A request that no test expects fails the test.
import { afterEach, beforeEach, expect, vi } from "vitest";

type Asked = {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Headers;
  /** What was sent as JSON; else as it was handed over. */
  body: unknown;
  token: string | null;
};
type Answer = unknown | ((asked: Asked) => unknown);

/** A problem as the host writes it. */
export function problem(status: number, code: string, detail = "the test says so", retryAfter?: number) {
  const body = { type: `about:${code}`, title: code, status, code, detail, message: detail };
  const headers = {
    "content-type": "application/problem+json",
    ...(retryAfter && { "retry-after": `${retryAfter}` }),
  };
  return () => new Response(JSON.stringify(body), { status, headers });
}

export class FakeHost {
  readonly asked: Asked[] = [];
  readonly unexpected: string[] = [];
  private readonly answers = new Map<string, Answer>();

  /** `"GET /whatsapp/sessions"` is answered so from now on. */
  on(call: string, answer: Answer): this {
    this.answers.set(call, answer);
    return this;
  }

  /** The bodies of the requests of this kind. */
  bodies(call: string): unknown[] {
    return this.asked.filter((asked) => `${asked.method} ${asked.path}` === call).map((asked) => asked.body);
  }

  readonly fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(String(input), window.location.href);
    const method = init.method ?? "GET";
    const body = typeof init.body === "string" ? JSON.parse(init.body) : init.body;
    const headers = new Headers(init.headers);
    const token = headers.get("authorization");
    const asked = { method, path: url.pathname, query: url.searchParams, headers, body, token };
    this.asked.push(asked);
    const call = `${method} ${url.pathname}`;
    if (!this.answers.has(call)) {
      this.unexpected.push(call);
      throw new TypeError(`no test expects ${call}`);
    }
    const answer = this.answers.get(call);
    const value = await (typeof answer === "function" ? answer(asked) : answer);
    if (value instanceof Response) return value;
    if (value === null) return new Response(null, { status: 204 });
    return Response.json(value);
  };
}

/** A fresh one for each test of the file. */
export function fakeHost(): { readonly host: FakeHost } {
  const holder = { host: new FakeHost() };
  beforeEach(() => {
    holder.host = new FakeHost();
    vi.stubGlobal("fetch", holder.host.fetch);
  });
  afterEach(() => expect(holder.host.unexpected).toEqual([]));
  return holder;
}
