/**
 * `repeat`: inner steps within one tick, each on the next batch of rows of its own. A run of the body begins with what
 * the run before committed, so its segments read every slot anew, and so does what follows them.
 */
import { UserError } from "../diagnostic.ts";
import * as errors from "../errors/blocks.ts";
import * as names from "../errors/names.ts";
import type { Repeat } from "../program.ts";
import type * as ast from "../syntax/ast.ts";
import { again, countsOf, batchesOf, batchSizes, batchSource, hasShort, newTick } from "./blocks.ts";
import { begin, carryOn, reread } from "./clocks.ts";
import { bindFields } from "./data.ts";
import { constantNumber } from "./expr.ts";
import { runStatements } from "./statements.ts";
import type { Checker, Env, Ticks } from "./state.ts";
import { callSite, child, scalarInput } from "./state.ts";

export function execRepeat(c: Checker, env: Env, stmt: ast.Repeat): void {
  const { frame } = env;
  const { block, ticks: outer } = frame;
  if (frame.kind !== "block" || block?.kind !== "train" || !outer) {
    throw new UserError(
      names.outOfPlace("`repeat`", "outside of a `train` block", stmt.span, "put it into the body of `train`"),
    );
  }
  const label = nextLabel(frame.ordinals);
  const data = stmt.source ? batchSource(c, env, stmt.source, `${block.name}/${label}`) : undefined;
  const limit = limitOf(c, env, stmt);
  const begun = begin(c);
  const from = countsOf(block);
  const ordinals = new Map(frame.ordinals);
  const { path } = callSite(frame.site, "repeat");
  const name = `${outer.prefix}.${label}`;
  const repeat = name.replaceAll(/\.(short|rest)/g, "");

  const pass = (size: number, prefix: string, seen: Map<string, number>) => {
    const loop = { repeat };
    const feed = stmt.source ? loop : outer.feed;
    const ticks: Ticks = { prefix, parts: [], feed, loops: [...outer.loops, loop], scope: outer.scope };
    const first = newTick(c, block, ticks);
    c.within(first, () => {
      const scope = child(env.scope);
      const inner: Env = {
        scope,
        frame: {
          ...frame,
          site: { path, counts: new Map() },
          ordinals: seen,
          keys: [...frame.keys, scalarInput(`inner:${repeat}`, "u32")],
          reactions: undefined,
          ticks,
        },
      };
      reread(c, scope);
      if (stmt.source && data) bindFields(c, inner, stmt.source, data, size);
      runStatements(c, inner, stmt.body.body);
    });
    return ticks.parts;
  };
  const sizes = data ? batchSizes(c, data) : { full: 1, short: 0 };
  const step = pass(sizes.full, name, frame.ordinals);
  const short = hasShort(c, block, sizes.short)
    ? again(c, block, () => pass(sizes.short, `${name}.rest`, ordinals), from)
    : undefined;
  const found: Repeat = {
    every: outer.every,
    repeat,
    data: data ? batchesOf(data, stmt.source!) : undefined,
    limit,
    step,
    short,
    span: stmt.span,
  };
  outer.parts.push(found);
  carryOn(c, newTick(c, block, outer), begun);
  reread(c, env.scope);
}

function nextLabel(ordinals: Map<string, number>): string {
  const number = (ordinals.get("repeat") ?? 0) + 1;
  ordinals.set("repeat", number);
  return `repeat${number}`;
}

function limitOf(c: Checker, env: Env, stmt: ast.Repeat): Repeat["limit"] {
  if (!stmt.limit) return { unit: "epochs", count: 1 };
  const { unit, span } = stmt.limit;
  if (unit !== "steps" && unit !== "epochs") throw new UserError(errors.repeatByTime(unit, span));
  if (unit === "epochs" && !stmt.source) throw new UserError(errors.epochsWithoutData(span));
  const count = constantNumber(c, env, stmt.limit.count, "how often to repeat");
  if (!Number.isInteger(count) || count < 1)
    throw new UserError(names.needsConstant("how often to repeat (1 or more)", `${count}`, stmt.limit.count.span));
  return { unit, count };
}
