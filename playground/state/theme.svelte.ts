/** Light or dark: as the system has it until the person chooses. */
const KEY = "dlx.theme";

export class Theme {
  dark = $state(false);

  constructor() {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const chosen = localStorage.getItem(KEY);
    this.set(chosen ? chosen === "dark" : system.matches);
    system.addEventListener("change", ({ matches }) => {
      if (!localStorage.getItem(KEY)) this.set(matches);
    });
  }

  toggle(): void {
    this.set(!this.dark);
    try {
      localStorage.setItem(KEY, this.dark ? "dark" : "light");
    } catch (error) {
      console.warn(`the choice is not kept: ${String(error)}`);
    }
  }

  private set(dark: boolean): void {
    this.dark = dark;
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  }
}
