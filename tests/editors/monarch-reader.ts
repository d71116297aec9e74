/** Monaco's way through Monarch rules, as far as the grammar of dlx uses them: line by line, first rule that matches. */
import type { Monarch } from "../../lang/services/grammars.ts";

export interface Classified {
  readonly start: number;
  readonly text: string;
  readonly token: string;
}

type Action = string | readonly string[] | { readonly token: string; readonly next: string };

export function classify(grammar: Monarch, text: string): Classified[] {
  const rules = new Map(Object.keys(grammar.tokenizer).map((state) => [state, compiled(grammar, state)]));
  const found: Classified[] = [];
  let stack = [grammar.start];
  let offset = 0;
  for (const line of text.split("\n")) {
    for (let at = 0; at < line.length;) {
      const state = stack.at(-1) ?? grammar.start;
      const rest = line.slice(at);
      const hit = rules.get(state)?.find(({ match }) => match.test(rest));
      const groups = hit?.match.exec(rest);
      if (!hit || !groups) {
        found.push({ start: offset + at, text: rest[0] ?? "", token: grammar.defaultToken });
        at++;
        continue;
      }
      const { action } = hit;
      if (groups[0] === "") throw new Error(`expected progress in ${state} at ${rest}`);
      if (typeof action === "object" && !("token" in action)) {
        if (action.length !== groups.length - 1 || groups.slice(1).join("") !== groups[0])
          throw new Error(`expected a group for each token of ${hit.match.source}`);
        let inner = at;
        for (const [i, part] of groups.slice(1).entries()) {
          found.push({ start: offset + inner, text: part, token: action[i] ?? "" });
          inner += part.length;
        }
      } else {
        const token = typeof action === "string" ? action : action.token;
        const bracket = grammar.brackets.find(({ open, close }) => open === groups[0] || close === groups[0]);
        found.push({
          start: offset + at,
          text: groups[0],
          token: token === "@brackets" ? (bracket?.token ?? "") : token,
        });
        if (typeof action === "object") stack = moved(stack, action.next);
      }
      at += groups[0].length;
    }
    offset += line.length + 1;
  }
  return found;
}

function moved(stack: readonly string[], next: string): string[] {
  if (next === "@pop") return stack.slice(0, -1);
  if (next === "@popall") return stack.slice(0, 1);
  return [...stack, next.slice(1)];
}

function compiled(grammar: Monarch, state: string): { match: RegExp; action: Action }[] {
  const rules = grammar.tokenizer[state];
  if (!rules) throw new Error(`expected a state, got ${state}`);
  return rules.flatMap((rule) =>
    "include" in rule
      ? compiled(grammar, rule.include.slice(1))
      : [{ match: new RegExp(`^(?:${rule[0]})`, grammar.unicode ? "u" : ""), action: rule[1] }],
  );
}
