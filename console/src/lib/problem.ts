// Errors as the console meets them: the host's problem+json, or no answer at all.
import type { ProblemBody } from "./api-types";

export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly fields: Record<string, string>;
  /** When it may be tried again, by this machine's clock, in milliseconds since 1970. */
  readonly retryAt: number | null;

  constructor(body: Partial<ProblemBody> & { code: string; status: number }, retryAfter?: number | null) {
    super(body.message ?? body.detail ?? body.title ?? body.code);
    this.name = "Problem";
    this.code = body.code;
    this.status = body.status;
    this.detail = body.detail ?? this.message;
    this.fields = Object.fromEntries((body.errors ?? []).map((error) => [error.field, error.message]));
    const seconds = retryAfter ?? body.retryAfter;
    this.retryAt = seconds ? Date.now() + seconds * 1000 : null;
  }
}

/** The host did not answer: it restarts, or the network is down. */
export function unreachable(): Problem {
  return new Problem({ code: "unreachable", status: 0 });
}

export async function problemFrom(response: Response): Promise<Problem> {
  const header = Number(response.headers.get("retry-after"));
  const retryAfter = Number.isFinite(header) && header > 0 ? header : undefined;
  try {
    const body = (await response.json()) as Partial<ProblemBody>;
    return new Problem({ ...body, code: body.code ?? "internal", status: response.status }, retryAfter);
  } catch {
    // A proxy in between answers in HTML; during a restart it says 502 to 504.
    const code = response.status >= 502 && response.status <= 504 ? "unreachable" : "internal";
    return new Problem({ code, status: response.status }, retryAfter);
  }
}

export function toProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem({ code: "internal", status: 0 });
}
