/**
 * Which definition each name of a file means, found from its text alone, so that it also holds for code that is never
 * called and beside lines that cannot be read. It follows the scopes of the checker: a block runs in order, its
 * declarations stand first, the body of a declaration sees all names of its block. Members need values: see `members`.
 */
import type { Span } from "../source.ts";
import type * as ast from "../syntax/ast.ts";

export type DefinitionKind =
  | "let" | "dim" | "input" | "fn" | "model" | "optimizer" | "param" | "state" | "metric" | "train" | "eval"
  | "import" | "setting" | "argument" | "axis" | "field" | "carry" | "item"; // prettier-ignore

export interface Definition {
  readonly name: string;
  readonly kind: DefinitionKind;
  /** Of the name. */
  readonly span: Span;
  /** What declares it, as a whole: hover shows its head. */
  readonly whole: Span;
  readonly doc?: string;
  /** The statement, where one statement defines it. */
  readonly stmt?: ast.Stmt;
  /** The declaration (or block) in whose body, settings or arguments it stands. */
  readonly owner?: ast.Fn | ast.Model | ast.Optimizer | ast.Train | ast.Eval;
  /** What a `let` binds, where the pattern is one name. */
  readonly value?: ast.Expr;
}

export interface Reference {
  readonly span: Span;
  readonly name: string;
  readonly definition?: Definition;
  readonly role: "read" | "write" | "axis";
}

export interface NamedArgument {
  readonly name: ast.Name;
  readonly call: ast.Call;
  /** The call stands right of `|>`, so its first argument is given. */
  readonly piped: boolean;
}

export interface Region {
  readonly span: Span;
  readonly parent?: Region;
  readonly definitions: Definition[];
  /** The newest of each name. */
  readonly byName: Map<string, Definition>;
  readonly kind: "file" | "block" | "model" | "fn" | "optimizer" | "train" | "eval" | "loop";
}

export interface Names {
  readonly definitions: readonly Definition[];
  readonly references: readonly Reference[];
  readonly namedArguments: readonly NamedArgument[];
  readonly members: readonly (ast.Expr & { kind: "member" })[];
  readonly top: Region;
  readonly regions: readonly Region[];
}

type Owner = NonNullable<Definition["owner"]>;

export function namesOf(file: ast.File): Names {
  const walker = new Walker(file);
  walker.statements(file.body, walker.top, undefined);
  walker.finish();
  return walker;
}

const HOISTED = new Set<string>(["fn", "model", "optimizer"] satisfies DefinitionKind[]);

/** Names that can be used at a place, the innermost first; one of each name. */
export function namesAt(names: Names, offset: number): Definition[] {
  let region = names.top;
  for (const r of names.regions) if (r.span.start <= offset && offset <= r.span.end) region = r;
  const seen = new Set<string>();
  const found: Definition[] = [];
  let inFunction = false;
  for (let r: Region | undefined = region; r; r = r.parent) {
    for (const d of r.definitions.toReversed()) {
      // A body runs when it is called, so names below it count there; in a block only those above.
      const visible = HOISTED.has(d.kind) || inFunction || d.whole.end <= offset || isHead(d, offset);
      if (!visible || seen.has(d.name)) continue;
      seen.add(d.name);
      found.push(d);
    }
    if (r.kind === "model" || r.kind === "fn" || r.kind === "optimizer") inFunction = true;
  }
  return found;
}

/** Settings, arguments, fields, loop variables and carries count in all that they stand before. */
function isHead(d: Definition, offset: number): boolean {
  const head: readonly DefinitionKind[] = ["setting", "argument", "axis", "field", "carry", "item"];
  return head.includes(d.kind) && d.span.end <= offset;
}

class Walker implements Names {
  readonly definitions: Definition[] = [];
  readonly references: Reference[] = [];
  readonly namedArguments: NamedArgument[] = [];
  readonly members: (ast.Expr & { kind: "member" })[] = [];
  readonly regions: Region[] = [];
  readonly top: Region;
  /** Bodies, walked when all names around them are known. */
  private later: (() => void)[] = [];
  private readonly open: { reference: Reference; region: Region; at: number }[] = [];

  constructor(file: ast.File) {
    this.top = this.region("file", file.span);
  }

  finish(): void {
    while (this.later.length > 0) {
      const now = this.later;
      this.later = [];
      for (const walk of now) walk();
    }
    // A lambda may name what stands below it.
    for (const { reference, region, at } of this.open) {
      const definition = find(region, reference.name);
      if (definition) this.references[at] = { ...reference, definition };
    }
    this.regions.sort((a, b) => a.span.start - b.span.start || b.span.end - a.span.end);
  }

  private region(kind: Region["kind"], span: Span, parent?: Region): Region {
    const region: Region = { kind, span, parent, definitions: [], byName: new Map() };
    this.regions.push(region);
    return region;
  }

  private define(
    region: Region,
    name: ast.Name,
    kind: DefinitionKind,
    rest: Partial<Definition> & { whole: Span },
  ): void {
    if (name.text === "") return;
    const definition: Definition = { name: name.text, kind, span: name.span, ...rest };
    region.definitions.push(definition);
    region.byName.set(name.text, definition);
    this.definitions.push(definition);
  }

  private refer(region: Region, name: string, span: Span, role: Reference["role"]): void {
    if (name === "") return;
    const definition = find(region, name);
    const reference: Reference = { name, span, role, definition };
    if (!definition) this.open.push({ reference, region, at: this.references.length });
    this.references.push(reference);
  }

  // ------------------------------------------------------------ statements

  statements(body: readonly ast.Stmt[], region: Region, owner: Owner | undefined): void {
    for (const stmt of body)
      if (stmt.kind === "fn" || stmt.kind === "model" || stmt.kind === "optimizer") this.declare(stmt, region, owner);
    for (const stmt of body) this.statement(stmt, region, owner);
  }

  private declare(stmt: ast.Fn | ast.Model | ast.Optimizer, region: Region, outer: Owner | undefined): void {
    this.define(region, stmt.name, stmt.kind, { whole: stmt.span, doc: stmt.doc, stmt, owner: outer });
    this.later.push(() => {
      const inner = this.region(stmt.kind, { ...stmt.span, start: stmt.name.span.end }, region);
      if (stmt.kind !== "fn") this.params(stmt.settings, inner, "setting", stmt);
      this.params(stmt.params, inner, "argument", stmt);
      if (stmt.kind !== "optimizer" && stmt.returns) this.type(stmt.returns, inner, undefined);
      if (stmt.kind === "model" && stmt.mixes) this.refer(inner, stmt.mixes.text, stmt.mixes.span, "axis");
      // The body of a model shares the scope of its head.
      if (stmt.body.kind === "block") this.statements(stmt.body.body, inner, stmt);
      else this.expression(stmt.body, inner, stmt);
    });
  }

  private params(
    params: readonly ast.Param[],
    region: Region,
    kind: "setting" | "argument",
    owner: Owner | undefined,
  ): void {
    for (const p of params) {
      if (p.default) this.expression(p.default, region, owner);
      this.define(region, p.name, kind, { whole: p.span, owner });
    }
    for (const p of params) if (p.type) this.type(p.type, region, owner);
  }

  /** In a head (`binds`), a name that is no axis yet is new there. */
  private type(type: ast.TypeExpr, region: Region, binds: Owner | undefined): void {
    const size = (e: ast.Expr): void => {
      if (e.kind !== "name" || !binds || isAxis(find(region, e.text))) this.expression(e, region, binds);
      else this.define(region, { text: e.text, span: e.span }, "axis", { whole: e.span, owner: binds });
    };
    if (type.classes) size(type.classes);
    for (const axis of type.axes ?? []) if (axis.kind === "size") size(axis.value);
  }

  private pattern(
    p: ast.Pattern,
    region: Region,
    kind: DefinitionKind,
    rest: Partial<Definition> & { whole: Span },
  ): void {
    if ("text" in p) this.define(region, p, kind, rest);
    else for (const item of p.items) this.pattern(item, region, kind, { ...rest, value: undefined });
  }

  private statement(stmt: ast.Stmt, region: Region, owner: Owner | undefined): void {
    const at = { whole: stmt.span, stmt, owner };
    switch (stmt.kind) {
      case "let":
        this.expression(stmt.value, region, owner);
        this.pattern(stmt.pattern, region, "let", { ...at, doc: stmt.doc, value: stmt.value });
        return;
      case "dim":
      case "metric":
        this.expression(stmt.value, region, owner);
        this.define(region, stmt.name, stmt.kind, { ...at, value: stmt.value });
        return;
      case "input":
        this.expression(stmt.value, region, owner);
        if (stmt.domain) this.expression(stmt.domain, region, owner);
        this.define(region, stmt.name, "input", { ...at, doc: stmt.doc, value: stmt.value });
        return;
      case "param":
        if (stmt.type) this.type(stmt.type, region, undefined);
        if (stmt.init) this.expression(stmt.init.value, region, owner);
        if (stmt.if) this.expression(stmt.if, region, owner);
        this.define(region, stmt.name, "param", at);
        return;
      case "state":
        if (stmt.type) this.type(stmt.type, region, undefined);
        if (stmt.value) this.expression(stmt.value, region, owner);
        this.define(region, stmt.name, "state", at);
        return;
      case "import":
        for (const name of stmt.names) this.define(region, name, "import", at);
        return;
      case "commit":
        this.expression(stmt.value, region, owner);
        if (stmt.target.kind === "name") this.refer(region, stmt.target.text, stmt.target.span, "write");
        else this.expression(stmt.target, region, owner);
        return;
      case "train":
      case "eval":
      case "repeat": {
        if (stmt.source) this.expression(stmt.source.value, region, owner);
        if (stmt.kind !== "eval" && stmt.limit) this.expression(stmt.limit.count, region, owner);
        const block = stmt.kind === "repeat" ? owner : stmt;
        const inner = this.region(
          stmt.kind === "repeat" ? "loop" : stmt.kind,
          { ...stmt.span, start: stmt.source?.span.start ?? stmt.body.span.start },
          region,
        );
        if (stmt.source) {
          this.pattern(stmt.source.fields, inner, "field", { whole: stmt.source.fields.span, owner: block });
          this.define(
            inner,
            { text: "B", span: { ...stmt.source.value.span, end: stmt.source.value.span.start } },
            "axis",
            { whole: stmt.source.value.span, owner: block },
          );
        }
        this.statements(stmt.body.body, inner, block);
        if (stmt.kind !== "repeat" && stmt.name) this.define(region, stmt.name, stmt.kind, at);
        return;
      }
      case "minimize":
        for (const e of [stmt.loss, stmt.over, stmt.except, stmt.with, stmt.if])
          if (e) this.expression(e, region, owner);
        return;
      case "every":
        if (stmt.count) this.expression(stmt.count, region, owner);
        this.block(stmt.body, region, owner);
        return;
      case "when":
        this.expression(stmt.cond, region, owner);
        this.block(stmt.body, region, owner);
        return;
      case "test":
        this.expression(stmt.name, region, owner);
        this.block(stmt.body, region, owner);
        return;
      case "print":
      case "plot":
      case "show":
      case "record":
        for (const arg of stmt.args) this.expression(arg.value, region, owner);
        return;
      case "save":
        this.expression(stmt.value, region, owner);
        this.expression(stmt.file, region, owner);
        return;
      case "seed":
      case "yield":
      case "assert":
      case "expr":
        this.expression(stmt.value, region, owner);
        return;
      case "fn":
      case "model":
      case "optimizer":
      case "precision":
      case "stop":
      case "error":
        return;
    }
  }

  private block(block: ast.Block, region: Region, owner: Owner | undefined): void {
    this.statements(block.body, this.region("block", block.span, region), owner);
  }

  // ------------------------------------------------------------ expressions

  private expression(e: ast.Expr, region: Region, owner: Owner | undefined, piped = false): void {
    const all = (...parts: readonly (ast.Expr | undefined)[]): void => {
      for (const part of parts) if (part) this.expression(part, region, owner);
    };
    switch (e.kind) {
      case "string":
        for (const part of e.parts) if (typeof part !== "string") all(part.value);
        return;
      case "name":
        this.refer(region, e.text, e.span, "read");
        return;
      case "call":
        all(e.callee);
        for (const arg of e.args) {
          if (arg.name) this.namedArguments.push({ name: arg.name, call: e, piped });
          all(arg.value);
        }
        return;
      case "index":
        all(e.target);
        for (const item of e.items) {
          if (item.kind === "rest") continue;
          if (item.axis) this.refer(region, item.axis.text, item.axis.span, "axis");
          all(item.value);
        }
        return;
      case "member":
        all(e.target);
        this.members.push(e);
        return;
      case "unary":
        return all(e.value);
      case "binary":
        return all(e.left, e.right);
      case "pipe":
        all(e.left);
        this.expression(e.right, region, owner, true);
        return;
      case "ternary":
        return all(e.cond, e.then, e.else);
      case "lambda": {
        const inner = this.region("fn", e.span, region);
        this.params(e.params, inner, "argument", undefined);
        this.expression(e.body, inner, owner);
        return;
      }
      case "tuple":
      case "list":
        return all(...e.items);
      case "comprehension": {
        all(e.source);
        const inner = this.region("loop", e.span, region);
        this.pattern(e.pattern, inner, "item", { whole: e.pattern.span });
        this.expression(e.value, inner, owner);
        return;
      }
      case "record":
        for (const field of e.fields) all("spread" in field ? field.spread : field.value);
        return;
      case "range":
        return all(e.from, e.to);
      case "block":
        return this.block(e, region, owner);
      case "for":
      case "scan":
      case "iterate": {
        all(e.kind === "iterate" ? e.count : e.source, e.kind === "scan" ? e.over : undefined);
        for (const carry of e.carries) all(carry.value);
        const inner = this.region("loop", e.span, region);
        for (const carry of e.carries)
          this.define(inner, carry.name, "carry", { whole: carry.span, value: carry.value });
        if (e.kind !== "iterate") this.pattern(e.pattern, inner, "item", { whole: e.pattern.span });
        this.statements(e.body.body, inner, owner);
        return;
      }
      case "if":
        all(e.cond);
        this.block(e.then, region, owner);
        if (e.else) all(e.else);
        return;
      case "number":
      case "bool":
      case "none":
      case "missing":
        return;
    }
  }
}

function find(region: Region, name: string): Definition | undefined {
  for (let r: Region | undefined = region; r; r = r.parent) {
    const found = r.byName.get(name);
    if (found) return found;
  }
  return undefined;
}

const AXES = new Set<string>(["dim", "axis", "setting"] satisfies DefinitionKind[]);
const isAxis = (d: Definition | undefined): boolean => d !== undefined && AXES.has(d.kind);
