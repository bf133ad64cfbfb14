import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeHost, problem } from "@/testing/fake-host";
import { soon } from "@/testing/fixtures";

// Each import is a tab of its own: the cookie, the lock and the channel are what they share.
type Tab = typeof import("./login");
async function openTab(): Promise<Tab> {
  vi.resetModules();
  return import("./login");
}

class Channel {
  static all: Channel[] = [];
  private listener: ((message: { data: unknown }) => void) | undefined;
  constructor() {
    Channel.all.push(this);
  }
  addEventListener(_: string, listener: (message: { data: unknown }) => void) {
    this.listener = listener;
  }
  postMessage(data: unknown) {
    for (const other of Channel.all) if (other !== this) other.listener?.({ data });
  }
}

let host: FakeHost;
let renewals: number;
let atOnce: number;
let mostAtOnce: number;

beforeEach(() => {
  vi.useFakeTimers();
  Channel.all = [];
  [renewals, atOnce, mostAtOnce] = [0, 0, 0];
  let last: Promise<unknown> = Promise.resolve();
  const locks = {
    request: (_: string, work: () => Promise<unknown>) => {
      last = last.then(work, work);
      return last;
    },
  };
  vi.stubGlobal("BroadcastChannel", Channel);
  vi.stubGlobal("navigator", { locks });
  host = new FakeHost().on("POST /auth/refresh", async () => {
    atOnce += 1;
    mostAtOnce = Math.max(mostAtOnce, atOnce);
    await new Promise((resolve) => setTimeout(resolve, 50));
    atOnce -= 1;
    renewals += 1;
    return { accessToken: `token-${renewals}`, expiresAt: soon(300), user: { username: "maria" } };
  });
  vi.stubGlobal("fetch", host.fetch);
});

afterEach(() => expect(host.unexpected).toEqual([]));

test("two tabs that renew at once do it one after the other, and both stay signed in", async () => {
  const [one, two] = [await openTab(), await openTab()];
  const both = Promise.all([one.refresh(), two.refresh()]);
  await vi.advanceTimersByTimeAsync(200);
  await both;
  expect([one.currentAccessToken(), two.currentAccessToken()]).toEqual(["token-1", "token-2"]);
  expect(mostAtOnce).toBe(1);
});

test("callers in one tab share one renewal", async () => {
  const tab = await openTab();
  const all = Promise.all([tab.refresh(), tab.refresh(), tab.refresh()]);
  await vi.advanceTimersByTimeAsync(100);
  await all;
  expect(renewals).toBe(1);
});

test("renews a minute before the end by the host's clock, though this one is hours off", async () => {
  host.on("POST /auth/refresh", () => {
    renewals += 1;
    const atHost = Date.now() - 5 * 3600_000;
    return new Response(
      JSON.stringify({
        accessToken: `token-${renewals}`,
        expiresAt: new Date(atHost + 300_000).toISOString(),
        user: { username: "maria" },
      }),
      { headers: { date: new Date(atHost).toUTCString() } },
    );
  });
  const tab = await openTab();
  await tab.refresh();
  await vi.advanceTimersByTimeAsync(230_000);
  expect(renewals).toBe(1);
  await vi.advanceTimersByTimeAsync(12_000);
  expect(tab.currentAccessToken()).toBe("token-2");
});

test("a host that does not answer signs nobody out", async () => {
  const tab = await openTab();
  const begun = tab.refresh();
  await vi.advanceTimersByTimeAsync(100);
  await begun;
  host.on("POST /auth/refresh", () => Promise.reject(new TypeError("refused")));
  await expect(tab.refresh()).rejects.toMatchObject({ code: "unreachable" });
  expect(tab.currentAccessToken()).toBe("token-1");
});

test("a refused renewal signs out", async () => {
  const tab = await openTab();
  const begun = tab.refresh();
  await vi.advanceTimersByTimeAsync(100);
  await begun;
  host.on("POST /auth/refresh", problem(401, "unauthorized"));
  await expect(tab.refresh()).rejects.toMatchObject({ code: "unauthorized" });
  expect(tab.currentAccessToken()).toBeNull();
});

test("signing out in one tab signs out the other, and signing in likewise", async () => {
  const [one, two] = [await openTab(), await openTab()];
  const both = Promise.all([one.refresh(), two.refresh()]);
  await vi.advanceTimersByTimeAsync(200);
  await both;
  one.signedOut(true);
  expect(two.currentAccessToken()).toBeNull();
  one.signedIn({ accessToken: "new", expiresAt: soon(300), user: { username: "maria" } });
  await vi.advanceTimersByTimeAsync(100);
  expect(two.currentAccessToken()).toBe("token-3");
});
