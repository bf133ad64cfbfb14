// The one sentence that says a command was carried out, where nothing else on the
// page shows it. Gone after a while; a newer one takes its place.
import { useSyncExternalStore } from "react";

const SHOWN_FOR_MS = 6_000;

let current: string | null = null;
let end: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function become(text: string | null) {
  current = text;
  for (const listener of listeners) listener();
}

export function confirmDone(text: string) {
  clearTimeout(end);
  end = setTimeout(() => become(null), SHOWN_FOR_MS);
  become(text);
}

export function useConfirmation(): string | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
