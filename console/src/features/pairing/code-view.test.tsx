import { screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { fakeHost, problem } from "@/testing/fake-host";
import { codeShown, qrReady, soon } from "@/testing/fixtures";
import { expectAccessible, renderApp, told, withSessions } from "@/testing/render";

const fake = fakeHost();
const PAIR = "POST /whatsapp/pair/pairing-console";

async function askFor(number: string) {
  const { user } = renderApp("/whatsapp-pairing");
  await user.click(await screen.findByRole("tab", { name: "Use phone number" }));
  await user.type(screen.getByLabelText("Phone number"), number);
  await user.click(screen.getByRole("button", { name: "Request Code" }));
  return user;
}

test("asks for a code and shows it large, with its end and the steps", async () => {
  withSessions(fake.host, qrReady()).on(PAIR, { pairingCode: "K7QM2XPD" });
  await askFor("+55 11 98765-4321");
  expect(await screen.findByText("K7QM-2XPD")).toBeInTheDocument();
  expect(fake.host.bodies(PAIR)).toEqual([{ phoneNumber: "+55 11 98765-4321" }]);
  await told("pairing-code", "pairing-console", { pairingCode: "K7QM2XPD", expiresAt: soon(180) });
  expect(screen.getByRole("timer")).toHaveTextContent(/Expires in (3:0[01]|2:59)/);
  expect(screen.getByText(/Link with phone number instead/)).toBeInTheDocument();
  await expectAccessible();
});

test("copies the code without its dash", async () => {
  withSessions(fake.host, codeShown());
  const { user } = renderApp("/whatsapp-pairing");
  const write = vi.spyOn(navigator.clipboard, "writeText");
  await user.click(await screen.findByRole("button", { name: "Copy code" }));
  expect(write).toHaveBeenCalledWith("K7QM2XPD");
  expect(await screen.findByRole("button", { name: "Copied" })).toBeInTheDocument();
});

test("where copying is not allowed it says what to do instead", async () => {
  withSessions(fake.host, codeShown());
  const { user } = renderApp("/whatsapp-pairing");
  vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error("denied"));
  await user.click(await screen.findByRole("button", { name: "Copy code" }));
  expect(await screen.findByText(/copy it by hand/)).toBeInTheDocument();
});

test("what is plainly no number is not sent", async () => {
  withSessions(fake.host, qrReady());
  await askFor("call me");
  expect(await screen.findByText(/Enter the number with its country code/)).toBeInTheDocument();
  expect(screen.getByLabelText("Phone number")).toBeInvalid();
  await expectAccessible();
});

test("a number that can't exist is explained at its field", async () => {
  withSessions(fake.host, qrReady()).on(PAIR, problem(400, "phone_invalid", "no number of +55 has 6 digits"));
  await askFor("55123456");
  expect(await screen.findByText("No number of +55 has 6 digits.")).toBeInTheDocument();
  expect(screen.getByLabelText("Phone number")).toBeInvalid();
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});

test("what WhatsApp refuses is told, with the way out", async () => {
  withSessions(fake.host, qrReady()).on(PAIR, problem(502, "code_refused", "WhatsApp answered 400"));
  await askFor("5511987654321");
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent("WhatsApp refused to give a code");
  expect(alert).toHaveTextContent("WhatsApp answered 400.");
  expect(alert).toHaveTextContent("scan the QR code instead");
});

test("after too many tries it says when to come back and waits", async () => {
  withSessions(fake.host, qrReady()).on(PAIR, problem(429, "rate_limited", "the limit is 10", 90));
  await askFor("5511987654321");
  expect(await screen.findByRole("alert")).toHaveTextContent(/try again in 1:(30|29)/);
  expect(screen.getByRole("button", { name: "Request Code" })).toBeDisabled();
});

test("a doubtful number is let through with a warning", async () => {
  const answer = {
    pairingCode: "K7QM2XPD",
    warning: "this is an old form of the number",
  };
  withSessions(fake.host, qrReady()).on(PAIR, answer);
  await askFor("551187654321");
  expect(await screen.findByText("This is an old form of the number.")).toBeInTheDocument();
});

test("an expired code is taken away, and the QR code can be had again", async () => {
  withSessions(fake.host, codeShown({ pairingCodeExpiresAt: soon(1) })).on(
    "POST /whatsapp/sessions/pairing-console/refresh-qr",
    { success: true, message: "a new code comes" },
  );
  const { user } = renderApp("/whatsapp-pairing");
  expect(await screen.findByText("K7QM-2XPD")).toBeInTheDocument();
  expect(await screen.findByText("The code has expired.", {}, { timeout: 5000 })).toBeInTheDocument();
  expect(screen.queryByText("K7QM-2XPD")).not.toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Back to QR code" }));
  expect(fake.host.bodies("POST /whatsapp/sessions/pairing-console/refresh-qr")).toHaveLength(1);
  expect(screen.getByRole("tab", { name: "Scan QR code" })).toHaveAttribute("aria-selected", "true");
});
