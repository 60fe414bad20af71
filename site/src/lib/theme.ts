/** Light, dark, or what the system says; kept in this browser. theme.js applies it before the first paint. */
import { Store } from "./store.ts";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const key = "theme";

export class ThemeStore extends Store<Theme> {
  constructor() {
    super(stored());
  }

  choose(theme: Theme): void {
    const { dataset } = document.documentElement;
    if (theme === "system") delete dataset["theme"];
    else dataset["theme"] = theme;
    try {
      if (theme === "system") localStorage.removeItem(key);
      else localStorage.setItem(key, theme);
    } catch {
      // A browser that keeps nothing still shows the theme until the page is left.
    }
    this.set(theme);
  }
}

function stored(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}
