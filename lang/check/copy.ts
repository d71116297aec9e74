/** `copy(net)`: an instance of its own that begins with the values that the params and states of `net` have here. */
import { UserError } from "../diagnostic.ts";
import * as names from "../errors/names.ts";
import type { Span } from "../source.ts";
import { instanceKey } from "./models.ts";
import type { Checker, Env, Host } from "./state.ts";
import type { Instance } from "./values.ts";

export function copyInstance(c: Checker, env: Env, net: Instance, span: Span): Instance {
  const { host, kind } = env.frame;
  if (kind !== "top" || !host)
    throw new UserError(names.outOfPlace("`copy`", "inside a block", span, "copy the model at the top level"));
  if (!net.applied) throw new UserError(names.notApplied(net.path, span));
  const copied = copyAt(c, net, host, instanceKey(env.frame, net.decl.name), true, span);
  c.hosts.set(copied, host);
  return copied;
}

function copyAt(c: Checker, from: Instance, host: Host, key: string, named: boolean, span: Span): Instance {
  const path = host.path === "" ? key : `${host.path}.${key}`;
  const cells = (of: Instance["params"]) =>
    new Map([...of].map(([name, cell]) => [name, { ...cell, path: `${path}.${name}` }]));
  const copied: Instance = {
    ...from,
    path,
    span,
    params: cells(from.params),
    states: cells(from.states),
    children: new Map(),
  };
  c.instances.set(path, { model: from.decl.name, named, span });
  host.children.set(key, copied);
  for (const [name, cell] of [...from.params, ...from.states]) {
    const slot = c.slots.get(cell.path);
    if (!slot) throw new Error(`expected a slot ${cell.path}, got none`);
    const own = `${path}.${name}`;
    c.slots.set(own, { path: own, type: slot.type, kind: slot.kind, span });
    const axes = c.stateAxes.get(cell.path);
    if (axes) c.stateAxes.set(own, axes);
    c.write(own, c.read(cell.path));
  }
  const inner: Host = { path, children: copied.children };
  for (const [name, child] of from.children) {
    const part = copyAt(c, child, inner, name, c.instances.get(child.path)?.named ?? false, span);
    c.parents.set(part, copied);
  }
  return copied;
}
