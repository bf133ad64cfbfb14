import { shortDigest } from "./show";

/** A digest's first digits; all of them to who points at it. */
export function Digest({ digest }: { digest: string }) {
  return (
    <code title={digest} className="font-mono text-[0.9em]">
      {shortDigest(digest)}
    </code>
  );
}
