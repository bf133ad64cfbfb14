import { useId } from "react";

type Props = {
  label: string;
  choices: { value: string; text: string }[];
  value: string;
  onChange: (value: string) => void;
};

/** One of a few, all in sight. */
export function Choices({ label, choices, value, onChange }: Props) {
  const name = useId();
  return (
    <fieldset className="space-y-1.5">
      <legend className="text-sm font-medium">{label}</legend>
      {choices.map((choice) => (
        <label key={choice.value} className="flex min-h-9 items-center gap-3 text-sm break-words">
          <input
            type="radio"
            name={name}
            value={choice.value}
            checked={choice.value === value}
            onChange={() => onChange(choice.value)}
            className="size-4 shrink-0 accent-primary"
          />
          <span className="min-w-0">{choice.text}</span>
        </label>
      ))}
    </fieldset>
  );
}
