/** What the typed tensor algebra may ask of the checker: random draws, calls, gradients, fresh axes. */
import { UserError } from "../diagnostic.ts";
import * as names from "../errors/names.ts";
import { gradient, make } from "../graph/index.ts";
import type { Span } from "../source.ts";
import type { At, Ctx } from "./ctx.ts";
import { typeText } from "./axes.ts";
import { callFunctionValue } from "./expr.ts";
import { paramsOfInstance } from "./models.ts";
import type { Checker, Env } from "./state.ts";
import { callSite, siteHash } from "./state.ts";
import type { Bundle, Tensor, Value } from "./values.ts";

export function atOf(c: Checker, env: Env, span: Span, argSpans?: Record<string, Span>): At {
  return { span, ctx: hooks(c, env), argSpans };
}

function hooks(c: Checker, env: Env): Ctx {
  return {
    training: env.frame.training,
    mixed: c.mixed,
    uniform(shape, span) {
      const site = callSite(env.frame.site, "draw");
      return make("random", [...env.frame.keys], { site: siteHash(site.path), shape }, span);
    },
    apply: (f, args, span) => callFunctionValue(c, env, f, args, span),
    gradientOf(y, xs) {
      const nodes = gradient(
        y.node,
        xs.map((x) => x.node),
      );
      return xs.map((x, i): Tensor => ({ kind: "tensor", node: nodes[i]!, dtype: "float", axes: x.axes }));
    },
    freshAxis: (name, size, why) => c.freshAxis(name, size, why),
    paramsOf: (v, span) => paramsOf(c, v, span),
  };
}

/** The params of a model, a part of one, a tuple or list of them, or a bundle as it is. */
export function paramsOf(c: Checker, v: Value, span: Span): Bundle {
  switch (v.kind) {
    case "bundle":
      return v;
    case "instance":
      return paramsOfInstance(c, v, span);
    case "tuple":
    case "list": {
      const leaves = new Map<string, Tensor>();
      for (const item of v.items) {
        if (item.kind === "func" || item.kind === "builtin") continue;
        for (const [path, leaf] of paramsOf(c, item, span).leaves) leaves.set(path, leaf);
      }
      return { kind: "bundle", leaves };
    }
    case "tensor": {
      // `net.b`: one param as it is now.
      const found = [...c.build.state].find(([path, node]) => node === v.node && c.slots.get(path)?.kind === "param");
      if (found) return { kind: "bundle", leaves: new Map([[found[0], v]]) };
      throw noParams(v, span);
    }
    default:
      throw noParams(v, span);
  }
}

function noParams(v: Value, span: Span): UserError {
  const help = "name a model, a part of one, or a tuple of them";
  return new UserError(names.wrongValue("this place", "a model or its params", typeText(v), span, help));
}
