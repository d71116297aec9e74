/**
 * Keys of the run, in one table: a short one where the focus is on nothing that is typed into, and one with Ctrl (⌘ on a
 * Mac) everywhere. Buttons name them in their titles, the help lists them.
 */
import type { Run } from "./run.svelte.ts";

export type Act = "toggle" | "step" | "restart" | "reroll";

export interface Key {
  readonly act: Act;
  readonly what: string;
  readonly short: string;
  readonly anywhere: string;
  readonly does: (run: Run) => void;
}

export const keys: readonly Key[] = [
  { act: "toggle", what: "play or pause", short: "Space", anywhere: "Ctrl+Enter", does: (run) => run.toggle() },
  { act: "step", what: "one step", short: ".", anywhere: "Ctrl+Shift+.", does: (run) => run.stepOnce() },
  {
    act: "restart",
    what: "from the first step, same seed",
    short: "R",
    anywhere: "Ctrl+Shift+Enter",
    does: (run) => run.restart(),
  },
  {
    act: "reroll",
    what: "from the first step, new seed",
    short: "Shift+R",
    anywhere: "Ctrl+Alt+Enter",
    does: (run) => run.reroll(),
  },
];

/** The key of `keys` that this is, if any. */
export function keyOf(event: KeyboardEvent): Key | undefined {
  const at = event.target as Element;
  if (at.closest("dialog")) return undefined;
  return keys.find(({ short, anywhere }) => is(event, anywhere) || (is(event, short) && isFree(at, short)));
}

export function is(event: KeyboardEvent, chord: string): boolean {
  const parts = chord.split("+");
  const key = parts.pop() ?? "";
  const has = (name: string) => parts.includes(name);
  const pressed = event.key === " " ? "Space" : event.key;
  // Shift makes another sign of it, which one depends on the keyboard
  const same = key === "." ? pressed === "." || event.code === "Period" : pressed.toLowerCase() === key.toLowerCase();
  const shift = key === "?" || event.shiftKey === has("Shift");
  return same && shift && event.altKey === has("Alt") && (event.ctrlKey || event.metaKey) === has("Ctrl");
}

/** What is focused does not take the key itself. */
export function isFree(at: Element, key: string): boolean {
  if (at.closest("textarea, select, [contenteditable], .monaco-editor, input:not([type=range], [type=checkbox])"))
    return false;
  return key !== "Space" || !at.closest("button, summary, a, input, [role=tab]");
}
