import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("the types are those of openapi.json", () => {
  const made = execFileSync("node_modules/.bin/openapi-typescript", ["openapi.json"], { encoding: "utf8" });
  expect(readFileSync("src/lib/api-schema.ts", "utf8"), "run `npm run generate`").toBe(made);
});
