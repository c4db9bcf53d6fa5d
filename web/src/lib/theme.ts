// Dark or light: as the system says, until somebody chooses.

export type Theme = "dark" | "light";
const KEY = "apus.theme";
const system = window.matchMedia("(prefers-color-scheme: light)");

export function theme(): Theme {
  const chosen = localStorage.getItem(KEY);
  if (chosen === "dark" || chosen === "light") return chosen;
  return system.matches ? "light" : "dark";
}

export function applyTheme() {
  document.documentElement.dataset.theme = theme();
}

export function chooseTheme(to: Theme) {
  localStorage.setItem(KEY, to);
  applyTheme();
}
system.addEventListener("change", applyTheme);
