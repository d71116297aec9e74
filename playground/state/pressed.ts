/** Which key of the table was pressed, and whether what is focused leaves it to the page. */
import { keys, type Key } from "./keys.ts";

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
