import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Countdown } from "@/components/countdown";
import { Button } from "@/components/ui/button";
import { texts } from "@/lib/texts";

/** `ABCD-EFGH`, as the phone shows it. */
export function grouped(code: string): string {
  return code.length === 8 ? `${code.slice(0, 4)}-${code.slice(4)}` : code;
}

export function CodeShown({ code, seconds }: { code: string; seconds: number | null }) {
  const [copied, setCopied] = useState<"no" | "yes" | "failed">("no");
  useEffect(() => {
    if (copied !== "yes") return;
    const timer = setTimeout(() => setCopied("no"), 3_000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code);
      setCopied("yes");
    } catch {
      setCopied("failed");
    }
  };
  return (
    <div className="space-y-4 rounded-2xl border border-border bg-raised p-5 text-center">
      <h2 className="text-sm font-medium text-muted">{texts.code.title}</h2>
      <output
        aria-label={`${texts.code.title}: ${[...code].join(" ")}`}
        className="block font-mono text-3xl font-bold tracking-[0.12em] select-all sm:text-4xl"
      >
        {grouped(code)}
      </output>
      <div className="flex flex-wrap items-center justify-center gap-4">
        <Button variant="outline" onClick={copy}>
          {copied === "yes" ? <Check aria-hidden /> : <Copy aria-hidden />}
          {copied === "yes" ? texts.code.copied : texts.code.copy}
        </Button>
        {seconds !== null && <Countdown label={texts.code.expiresIn} seconds={seconds} />}
      </div>
      <p role="status" className="text-sm text-muted">
        {copied === "failed" && texts.code.copyFailed}
        {copied === "yes" && <span className="sr-only">{texts.code.copied}</span>}
      </p>
    </div>
  );
}
