// One typed door to the host: adds the token, renews it once at a 401, and turns
// every failure into a `Problem`.
import { currentAccessToken, refresh, signedOut } from "./login";
import { type Problem, problemFrom, unreachable } from "./problem";
import { noteDateHeader, noteServerTime } from "./server-clock";

type Method = "GET" | "POST" | "DELETE";
/** The body is sent as JSON; a `Blob` as it is, and then `headers` say what it is. */
type Options = {
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  anonymous?: boolean;
};

async function send(method: Method, path: string, options: Options): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  const token = currentAccessToken();
  if (token && !options.anonymous) headers.authorization = `Bearer ${token}`;
  const asIs = options.body instanceof Blob;
  if (options.body !== undefined && !asIs) headers["content-type"] = "application/json";
  Object.assign(headers, options.headers);
  try {
    return await fetch(path, {
      method,
      headers,
      credentials: "same-origin",
      body: asIs ? (options.body as Blob) : JSON.stringify(options.body),
      signal: options.signal,
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw unreachable();
  }
}

/** An answer that is no problem. */
async function answer(method: Method, path: string, options: Options): Promise<Response> {
  let response = await send(method, path, options);
  if (response.status === 401 && !options.anonymous) {
    await refresh();
    response = await send(method, path, options);
    if (response.status === 401) signedOut();
  }
  noteDateHeader(response);
  if (!response.ok) throw await problemFrom(response);
  return response;
}

export async function requestBytes(path: string, options: Options = {}): Promise<Uint8Array> {
  return new Uint8Array(await (await answer("GET", path, options)).arrayBuffer());
}

export async function request<T>(method: Method, path: string, options: Options = {}): Promise<T> {
  const response = await answer(method, path, options);
  if (response.status === 204) return undefined as T;
  const body = (await response.json()) as T & { serverTime?: string };
  noteServerTime(body.serverTime);
  return body;
}

/** Worth trying again by itself: the host was not there. */
export function isPassing(problem: Problem): boolean {
  return problem.code === "unreachable" || problem.status >= 502;
}
