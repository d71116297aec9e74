/**
 * A script in an address: code, inputs, seed and layout as JSON, deflated, in the letters of a URL, behind the number of
 * the format. What comes back from an address is only ever text and numbers, checked field by field; a format that this
 * page does not know is refused in words.
 */
import { deflateSync, Inflate } from "fflate";
import type { InputValue } from "../../runtime/index.ts";

export interface Shared {
  readonly file: string;
  readonly text: string;
  readonly inputs: Readonly<Record<string, InputValue>>;
  readonly seed?: number;
  /** Which panels are open. */
  readonly layout?: Layout;
}

export interface Layout {
  readonly tab?: string;
}

export type Opened = { readonly shared: Shared } | { readonly refused: string };

const VERSION = 1;
const PREFIX = "dlx";
/** Bytes of the JSON; a short link may unfold to anything. */
const MOST = 1_000_000;

/** The part of the address behind `#`. */
export function linkOf({ file, text, inputs, seed, layout }: Shared): string {
  const json = JSON.stringify({ f: file, t: text, i: inputs, s: seed, l: layout });
  return `${PREFIX}${VERSION}=${toLetters(deflateSync(new TextEncoder().encode(json), { level: 9 }))}`;
}

/** Undefined when the address holds no script. */
export function openLink(hash: string): Opened | undefined {
  const found = /^#?dlx(\d{1,6})=([A-Za-z0-9_-]*)$/.exec(hash);
  if (!found) return /^#?dlx\d/.test(hash) ? { refused: damaged } : undefined;
  const [, version, letters = ""] = found;
  if (Number(version) !== VERSION)
    return { refused: `this link was made by a newer playground (format ${version}); reload the page to get it` };
  const json = unfold(fromLetters(letters));
  if (json === undefined) return { refused: damaged };
  const shared = sharedOf(json);
  return shared ? { shared } : { refused: damaged };
}

const damaged = "this link is damaged or cut off, so it was not opened; ask for it again";

function sharedOf(json: string): Shared | undefined {
  let read: unknown;
  try {
    read = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof read !== "object" || read === null) return undefined;
  const { f, t, i, s, l } = read as Readonly<Record<string, unknown>>;
  if (typeof t !== "string") return undefined;
  const inputs: Record<string, InputValue> = {};
  for (const [name, value] of Object.entries(typeof i === "object" && i !== null ? i : {}))
    if (/^[\p{L}_][\p{L}\p{M}\p{N}_]*$/u.test(name) && name !== "__proto__" && isInput(value)) inputs[name] = value;
  const tab = typeof l === "object" && l !== null && "tab" in l && typeof l.tab === "string" ? l.tab : undefined;
  return {
    file: fileName(f),
    text: t,
    inputs,
    seed: typeof s === "number" && Number.isSafeInteger(s) && s >= 0 ? s : undefined,
    layout: tab === undefined ? undefined : { tab },
  };
}

const isInput = (value: unknown): value is InputValue =>
  typeof value === "boolean" || typeof value === "string" || (typeof value === "number" && Number.isFinite(value));

/** A name, never a path. */
export function fileName(given: unknown): string {
  const name = typeof given === "string" ? given.replace(/[^\p{L}\p{N} ._-]/gu, "").trim() : "";
  const stem = name
    .replace(/\.dlx$/, "")
    .replace(/^\.+/, "")
    .slice(0, 60);
  return `${stem || "shared"}.dlx`;
}

function unfold(bytes: Uint8Array): string | undefined {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    const inflate = new Inflate((part) => {
      size += part.length;
      if (size > MOST) throw new Error(`more than ${MOST} bytes`);
      parts.push(part);
    });
    // in small pieces, so that a bomb is met while it is still small
    for (let i = 0; i < bytes.length || i === 0; i += 4096)
      inflate.push(bytes.subarray(i, i + 4096), i + 4096 >= bytes.length);
  } catch {
    return undefined;
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new TextDecoder().decode(all);
}

function toLetters(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function fromLetters(letters: string): Uint8Array {
  try {
    return Uint8Array.from(atob(letters.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}
