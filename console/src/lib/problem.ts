// Errors as the console meets them: the host's problem+json, or no answer at all.
import type { ProblemBody } from "./api-types";

export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  /** Its kind in words, and what is wrong here; empty where the host said nothing. */
  readonly title: string;
  readonly detail: string;
  /** When it may be tried again, by this machine's clock, in milliseconds since 1970. */
  readonly retryAt: number | null;

  constructor(
    body: Partial<Omit<ProblemBody, "code">> & { code: string; status: number },
    retryAfter?: number | null,
  ) {
    super(body.detail ?? body.title ?? body.code);
    this.name = "Problem";
    this.code = body.code;
    this.status = body.status;
    this.title = body.title ?? "";
    this.detail = body.detail ?? "";
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

/** What is wrong with one field of a form, where the problem is of a kind that is about it. */
export function fieldError(error: unknown, kind: string): string | null {
  const problem = error ? toProblem(error) : null;
  return problem?.code === kind ? sentence(problem.detail || problem.title) : null;
}

/** The host writes fragments: `a number has at least 8 digits`. */
export function sentence(fragment: string): string {
  const text = fragment.charAt(0).toUpperCase() + fragment.slice(1);
  return /[.!?…]$/.test(text) || text === "" ? text : `${text}.`;
}

export function toProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem({ code: "internal", status: 0 });
}
