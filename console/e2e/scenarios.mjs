import { test } from "node:test";

/** Scenarios that follow each other: where one fails, those after it have nothing to begin with. */
export function inOrder() {
  let failed = false;
  return {
    scenario(name, play) {
      test(name, async (context) => {
        if (failed) return context.skip("one before it failed");
        failed = true;
        await play();
        failed = false;
      });
    },
    failed: () => failed,
  };
}
