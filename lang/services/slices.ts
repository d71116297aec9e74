/**
 * A script in parts that can be checked one by one: each part is a script of its own, with all that it names and
 * nothing else, so an edit costs only the parts that name what changed. Two statements that may touch the same model
 * stay together, as the first to apply it sets its sizes. What is only computed (numbers, data, functions) is
 * repeated in every part that names it.
 */
import type * as ast from "../syntax/ast.ts";
import { namesDefined } from "../syntax/defined.ts";
import type { Names } from "./names.ts";

export interface Statement {
  readonly stmt: ast.Stmt;
  /** Its text, and which of equal ones it is: the same in two versions of a script if nothing in it changed. */
  readonly key: string;
  /** What it is called as long as it is edited: `model Net`, `let x`, `print #2`. */
  readonly title: string;
}

export interface Slice {
  /** Equal for two versions of a script when the part says the same in both. */
  readonly key: string;
  readonly members: ReadonlySet<Statement>;
  readonly hasImport: boolean;
}

const DECLARATIONS = new Set<ast.Stmt["kind"]>(["fn", "model", "optimizer"]);
/** A value that rests on more statements than this is computed once, with all that name it. */
const MAX_REPEATED = 8;

export function statementsOf(text: string, file: ast.File): Statement[] {
  const equal = new Map<string, number>();
  const alike = new Map<string, number>();
  const next = (counts: Map<string, number>, key: string): number => {
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    return count;
  };
  return file.body.map((stmt) => {
    const written = text.slice(stmt.span.start, stmt.span.end);
    const same = next(equal, written);
    const title = [stmt.kind, ...namesDefined(stmt).map((n) => n.text)].join(" ");
    const ordinal = next(alike, title);
    return {
      stmt,
      key: same === 0 ? written : `${written}\0${same}`,
      title: ordinal === 0 ? title : `${title} #${ordinal + 1}`,
    };
  });
}

/** The statement of a list in order of place that holds an offset. */
export function indexAt<T extends { readonly stmt: ast.Stmt }>(list: readonly T[], offset: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.stmt.span.start <= offset) low = middle + 1;
    else high = middle;
  }
  return low > 0 && offset <= list[low - 1]!.stmt.span.end ? low - 1 : -1;
}

/** `isModel`: whether a name that the file does not define is a model. */
export function slicesOf(statements: readonly Statement[], names: Names, isModel: (name: string) => boolean): Slice[] {
  const count = statements.length;
  const uses = statements.map(() => new Set<number>());
  const mentionsModel = statements.map(({ stmt }) => stmt.kind === "model" || stmt.kind === "import");
  const homes = new Map(names.top.definitions.map((d) => [d, indexAt(statements, d.span.start)]));
  for (const { span, definition, name } of names.references) {
    const from = indexAt(statements, span.start);
    if (from < 0) continue;
    const to = definition && homes.get(definition);
    if (to !== undefined && to >= 0 && to !== from) uses[from]!.add(to);
    if (!definition && isModel(name)) mentionsModel[from] = true;
  }
  // All definitions of one name belong together: which of them counts is for the checker to say.
  const first = new Map<string, number>();
  const twins: (readonly [number, number])[] = [];
  for (const [definition, home] of homes) {
    const known = first.get(definition.name);
    if (known === undefined) first.set(definition.name, home);
    else if (known >= 0 && home >= 0 && known !== home) {
      uses[known]!.add(home);
      uses[home]!.add(known);
      twins.push([known, home]);
    }
  }

  const closures = uses.map((_, i) => reach(uses, i));
  const isDeclaration = statements.map(({ stmt }) => DECLARATIONS.has(stmt.kind));
  const shared = statements.map(({ stmt }, i) => {
    if (isDeclaration[i]) return false;
    if (stmt.kind === "train" || stmt.kind === "eval" || stmt.kind === "import") return true;
    const below = closures[i]!;
    return (
      [...below].some((j) => mentionsModel[j]) || [...below].filter((j) => !isDeclaration[j]).length > MAX_REPEATED
    );
  });

  const parent = statements.map((_, i) => i);
  const root = (i: number): number => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]!]!;
    return i;
  };
  for (let i = 0; i < count; i++) {
    if (isDeclaration[i]) continue;
    for (const j of closures[i]!) if (shared[j]) parent[root(j)] = root(i);
  }
  for (const [a, b] of twins) parent[root(b)] = root(a);

  const named = new Set<number>();
  for (let i = 0; i < count; i++) if (!isDeclaration[i]) for (const j of closures[i]!) if (j !== i) named.add(j);
  const groups = new Map<number, Set<number>>();
  for (let i = 0; i < count; i++) {
    // What another part repeats needs no part of its own.
    if (named.has(i) && !shared[i] && root(i) === i) continue;
    const members = groups.get(root(i)) ?? new Set<number>();
    groups.set(root(i), members);
    for (const j of closures[i]!) members.add(j);
  }
  return [...groups.values()].map((group) => {
    const members = [...group].sort((a, b) => a - b).map((i) => statements[i]!);
    return {
      key: members.map((m) => m.key).join("\n\0\n"),
      members: new Set(members),
      hasImport: members.some((m) => m.stmt.kind === "import"),
    };
  });
}

function reach(uses: readonly ReadonlySet<number>[], from: number): Set<number> {
  const found = new Set([from]);
  const open = [from];
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    for (const j of uses[i]!) {
      if (found.has(j)) continue;
      found.add(j);
      open.push(j);
    }
  }
  return found;
}

/** The part as a script: what is left out keeps its name, so that a misspelled name finds the same neighbours. */
export function bodyOf(slice: Slice, statements: readonly Statement[]): ast.Stmt[] {
  const counts = new Map<string, number>();
  for (const { stmt } of statements)
    for (const { text } of namesDefined(stmt)) counts.set(text, (counts.get(text) ?? 0) + 1);
  return statements.flatMap((statement): ast.Stmt[] => {
    const { stmt } = statement;
    if (slice.members.has(statement)) return [stmt];
    const names = namesDefined(stmt);
    if (DECLARATIONS.has(stmt.kind)) return names.every(({ text }) => counts.get(text) === 1) ? [stmt] : [];
    if (names.length === 0 || stmt.kind === "param" || stmt.kind === "state" || stmt.kind === "metric") return [];
    const { span } = stmt;
    return [{ kind: "let", pattern: { items: names, span }, value: { kind: "missing", span }, span }];
  });
}
