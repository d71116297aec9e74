/** What the typed tensor algebra may ask of the checker: random draws, calls, gradients, fresh axes. */
import { UserError } from "../diagnostic.ts";
import * as names from "../errors/names.ts";
import { gradient, make } from "../graph/index.ts";
import type { Node } from "../graph/node.ts";
import type { Span } from "../source.ts";
import type { At, Ctx } from "./ctx.ts";
import { typeText } from "./axes.ts";
import { callFunctionValue } from "./expr.ts";
import { paramsOfInstance } from "./models.ts";
import type { Checker, Env } from "./state.ts";
import { callSite, siteHash } from "./state.ts";
import type { Axis, Bundle, Tensor, Value, Why } from "./values.ts";

export function atOf(c: Checker, env: Env, span: Span, argSpans?: Record<string, Span>): At {
  return { span, ctx: new Hooks(c, env), argSpans };
}

/** Made for every operation, asked by few. */
export class Hooks implements Ctx {
  readonly training: boolean;
  readonly mixed: boolean;
  private readonly c: Checker;
  private readonly env: Env;

  constructor(c: Checker, env: Env) {
    this.c = c;
    this.env = env;
    this.training = env.frame.training;
    this.mixed = c.mixed;
  }

  uniform(shape: number[], span: Span): Node {
    const { frame } = this.env;
    const site = callSite(frame.site, "draw");
    return make("random", [...frame.keys], { site: siteHash(site.path), shape }, span);
  }

  apply(f: Value, args: { name?: string; value: Value }[], span: Span): Value {
    return callFunctionValue(this.c, this.env, f, args, span);
  }

  gradientOf(y: Tensor, xs: Tensor[]): Tensor[] {
    const nodes = gradient(
      y.node,
      xs.map((x) => x.node),
    );
    return xs.map((x, i): Tensor => ({ kind: "tensor", node: nodes[i]!, dtype: "float", axes: x.axes }));
  }

  freshAxis(name: string, size: number, why?: Why): Axis {
    return this.c.freshAxis(name, size, why);
  }

  paramsOf(v: Value, span: Span): Bundle {
    return paramsOf(this.c, v, span);
  }
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
  const help =
    v.kind === "tensor" || v.kind === "tuple" || v.kind === "num"
      ? "what is learned is a param of a model: `param w: [D] = 0` in the body of `model Line()(x: [B, D]) -> [B] { … }`; then `let f = Line()` and `over f`"
      : "name a model, a part of one, or a tuple of them";
  return new UserError(names.wrongValue("this place", "a model or its params", typeText(v), span, help));
}
