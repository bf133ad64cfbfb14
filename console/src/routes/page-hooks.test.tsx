import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { PageHooks, PageLook } from "@/lib/api-types";
import { fakeHost, problem } from "@/testing/fake-host";
import { expectAccessible, renderApp, withSessions } from "@/testing/render";

const fake = fakeHost();
const AT = "2026-09-01T08:00:00.000Z";
const good = {
  isGood: true,
  pageVersion: "2.3000.1",
  found: { command: "WAWebCmd#Cmd" },
  missing: {},
  makesCodes: true,
};
const drift = { ...good, isGood: false, missing: { socket: "no such module" }, makesCodes: false };
const look = (change: Partial<PageLook> = {}): PageLook => ({
  at: AT,
  digest: "a".repeat(64),
  report: good,
  error: null,
  ...change,
});

function hooks(change: Partial<PageHooks> = {}): PageHooks {
  return {
    inUse: { digest: "e".repeat(64), isEmbedded: true, refused: null },
    lastLook: null,
    canaryEverySeconds: 21_600,
    versions: [],
    history: [],
    ...change,
  };
}

const pushed = hooks({
  inUse: { digest: "b".repeat(64), isEmbedded: false, refused: null },
  versions: [
    { digest: "b".repeat(64), pushedAt: AT, isActive: true, report: good },
    { digest: "a".repeat(64), pushedAt: AT, isActive: false, report: drift },
  ],
  history: [{ generation: 1, at: AT, digest: "b".repeat(64), cause: "activate", actor: "ana" }],
});

function open(answer: unknown) {
  withSessions(fake.host).on("GET /page-hooks", answer);
  return renderApp("/whatsapp-pairing/page");
}

test("empty: the host's own file is in use, and how to push another is said", async () => {
  open(hooks());
  expect(await screen.findByText("The host's own file")).toBeInTheDocument();
  expect(screen.getByText("Every 6 h")).toBeInTheDocument();
  expect(screen.getByText(/pairing-host hooks push FILE/)).toBeInTheDocument();
  expect(screen.getByText("The page was not looked at since the host started.")).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "Roll back" })).not.toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Page knowledge" })).toHaveAttribute("aria-current", "page");
  await expectAccessible();
});

test("error: says so and tries again", async () => {
  const { user } = open(problem(500, "internal"));
  await user.click(await screen.findByRole("button", { name: "Try again" }));
  fake.host.on("GET /page-hooks", hooks());
  await user.click(await screen.findByRole("button", { name: "Try again" }));
  expect(await screen.findByText("The host's own file")).toBeInTheDocument();
});

test("a page that has changed names what is missing", async () => {
  open(hooks({ lastLook: look({ report: drift }) }));
  const card = await screen.findByRole("region", { name: "Last look at the page" });
  expect(card).toHaveTextContent("The page has changed");
  expect(card).toHaveTextContent("socket: no such module");
  expect(card).toHaveTextContent("It came to no QR code.");
  await expectAccessible();
});

test("the page is looked at when somebody asks", async () => {
  const { user } = open(hooks());
  fake.host.on("POST /page-hooks/check", () => {
    fake.host.on("GET /page-hooks", hooks({ lastLook: look({ report: null, error: "no network" }) }));
    return look({ report: null, error: "no network" });
  });
  await user.click(await screen.findByRole("button", { name: "Look now" }));
  expect(await screen.findByText("The page could not be looked at")).toBeInTheDocument();
  expect(screen.getByText("No network.")).toBeInTheDocument();
});

test("another file is used, and taken back, after a question", async () => {
  const { user } = open(pushed);
  const use = await screen.findByRole("button", { name: "Use aaaaaaaaaaaa" });
  expect(screen.getByText("1 missing when tried")).toBeInTheDocument();
  expect(screen.getByText("by ana")).toBeInTheDocument();
  await expectAccessible();
  fake.host.on("POST /page-hooks/activate", pushed.inUse).on("POST /page-hooks/rollback", pushed.inUse);
  await user.click(use);
  await user.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Use it" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  expect(fake.host.bodies("POST /page-hooks/activate")).toEqual([{ digest: "a".repeat(64) }]);
  await user.click(screen.getByRole("button", { name: "Use the host's own file" }));
  await user.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Use it" }));
  await waitFor(() => expect(fake.host.bodies("POST /page-hooks/activate")).toHaveLength(2));
  expect(fake.host.bodies("POST /page-hooks/activate")[1]).toEqual({ digest: null });
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  await user.click(screen.getByRole("button", { name: "Roll back" }));
  await user.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Roll back" }));
  await waitFor(() => expect(fake.host.bodies("POST /page-hooks/rollback")).toHaveLength(1));
});

test("a refusal stays in the dialog, and a file that can't be used is told", async () => {
  const { user } = open({
    ...pushed,
    inUse: { ...pushed.inUse, isEmbedded: true, refused: "field `x` is unknown" },
  });
  expect(await screen.findByText("Field `x` is unknown.")).toBeInTheDocument();
  fake.host.on("POST /page-hooks/rollback", problem(409, "page_hooks_conflict", "it is in use already"));
  await user.click(screen.getByRole("button", { name: "Roll back" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Roll back" }));
  expect(await within(dialog).findByText("It is in use already.")).toBeInTheDocument();
});
