import { texts } from "@/lib/texts";

export function Steps({ way }: { way: "qr" | "code" }) {
  return (
    <div className="space-y-3">
      <h2 className="text-sm font-semibold">{texts.steps.title}</h2>
      <ol className="space-y-3">
        {texts.steps[way].map((step, index) => (
          <li key={step} className="flex gap-3 text-sm">
            <span
              aria-hidden
              className="grid size-6 shrink-0 place-items-center rounded-full bg-primary-soft text-xs font-semibold text-primary"
            >
              {index + 1}
            </span>
            <span className="pt-0.5">{step}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
