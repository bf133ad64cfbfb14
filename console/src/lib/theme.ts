// Light, dark, or as the system has it. The choice is the browser's, not the login's.
import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";
const order: Theme[] = ["system", "light", "dark"];
const listeners = new Set<() => void>();

function stored(): Theme {
  const value = localStorage.getItem("theme");
  return value === "light" || value === "dark" ? value : "system";
}

export function applyTheme(theme: Theme = stored()) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function chooseTheme(theme: Theme) {
  localStorage.setItem("theme", theme);
  applyTheme(theme);
  for (const listener of listeners) listener();
}

export function useTheme(): [Theme, () => void] {
  const theme = useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, stored);
  const next = order[(order.indexOf(theme) + 1) % order.length] ?? "system";
  return [theme, () => chooseTheme(next)];
}
