// How digests, sizes, times and results are written on the plugins page.
import { texts } from "@/lib/texts";

/** The first twelve digits: enough for people, and for the host. */
export const shortDigest = (digest: string) => digest.slice(0, 12);

export const versionName = (of: { name: string; version: string }) => `${of.name} ${of.version}`;

export const slotTitle = (slot: string) => texts.plugins.slots[slot]?.title ?? slot;

/** Those that are not the host's own react to events, and have subscriptions. */
export const isHandler = (slot: string) => !["workflow", "qr-renderer", "fan-out"].includes(slot);

export const slotHelp = (slot: string) =>
  texts.plugins.slots[slot]?.help ?? (isHandler(slot) ? texts.plugins.handlerHelp : undefined);

export { showTime } from "@/lib/show-time";

export const showCount = (count: number) => count.toLocaleString("en");

export function showSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const [size, unit] = bytes < 1024 * 1024 ? [bytes / 1024, "KiB"] : [bytes / 1024 / 1024, "MiB"];
  return `${size.toLocaleString("en", { maximumFractionDigits: size < 10 ? 1 : 0 })} ${unit}`;
}

export function showMilliseconds(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  return `${ms.toLocaleString("en", { maximumFractionDigits: ms < 10 ? 1 : 0 })} ms`;
}

/** A piece of a decision, on one line if it is short. */
export function showJson(value: unknown): string {
  if (value === null || value === undefined) return texts.plugins.replay.nothing;
  const short = JSON.stringify(value);
  return short.length <= 80 ? short : JSON.stringify(value, null, 2);
}
