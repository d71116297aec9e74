/**
 * Keys of the run, in one table: a short one where the focus is on nothing that is typed into, and one with Ctrl (⌘ on a
 * Mac) everywhere. Buttons name them in their titles, the help lists them.
 */

export interface Key {
  /** The method of the run. */
  readonly act: "toggle" | "stepOnce" | "restart" | "reroll";
  readonly what: string;
  readonly short: string;
  readonly anywhere: string;
}

export const keys: readonly Key[] = [
  { act: "toggle", what: "play or pause", short: "Space", anywhere: "Ctrl+Enter" },
  { act: "stepOnce", what: "one step", short: ".", anywhere: "Ctrl+Shift+." },
  { act: "restart", what: "from the first step, same seed", short: "R", anywhere: "Ctrl+Shift+Enter" },
  { act: "reroll", what: "from the first step, new seed", short: "Shift+R", anywhere: "Ctrl+Alt+Enter" },
];
