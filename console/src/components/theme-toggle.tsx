import { Monitor, Moon, Sun } from "lucide-react";
import { texts } from "@/lib/texts";
import { useTheme } from "@/lib/theme";
import { Button } from "./ui/button";

const icons = { system: Monitor, light: Sun, dark: Moon };

export function ThemeToggle() {
  const [theme, next] = useTheme();
  const Icon = icons[theme];
  return (
    <Button
      variant="ghost"
      size="icon"
      aria-label={texts.theme[theme]}
      title={texts.theme[theme]}
      onClick={next}
    >
      <Icon aria-hidden />
    </Button>
  );
}
