import { expect, test } from "vitest";
import { reasonText, texts } from "./texts";

// The closed set of the contract (design: session states); a new one must get its words.
const REASONS =
  "not_started starting loading reconnecting parked stopped logged_out unlinked_from_phone conflict client_outdated banned passkey_required engine_crashed page_changed degraded other";

test("each reason of the contract has words of its own", () => {
  const titles = REASONS.split(" ").map((reason) => texts.reasons[reason]?.title);
  expect(titles).not.toContain(undefined);
  expect(new Set(titles).size).toBe(titles.length);
});

test("a reason that is not known yet is not left without words", () => {
  expect(reasonText("of_tomorrow")).toEqual(texts.reasons.other);
  expect(reasonText(null)).toBeNull();
});
