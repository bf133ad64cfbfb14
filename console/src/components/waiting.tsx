import { Spinner } from "./ui/spinner";

export function Waiting({ text }: { text: string }) {
  return (
    <p role="status" className="flex items-center justify-center gap-3 p-8 text-sm text-muted">
      <Spinner /> {text}
    </p>
  );
}
