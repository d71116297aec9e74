/**
 * What a device reaches at most, measured on it: bytes a millisecond by a kernel that copies and operations a millisecond
 * by a product and by a chain of multiplications and additions. Sizes grow until a call lasts long enough to count.
 */
import { build as b, make } from "../lang/graph/index.ts";
import type { Node } from "../lang/graph/node.ts";
import type { Output, Segment } from "../lang/program.ts";
import type { Device } from "./device.ts";
import type { KernelTime, Profile, Roofline } from "./profile.ts";

/** Milliseconds that are enough, and calls that are timed. */
const ENOUGH = 10;
const CALLS = 10;
/** Elements of a copy: more than any cache holds at the end. Sides of a product. */
const COPIES = [[2 ** 20], [2 ** 22], [2 ** 24]];
const PRODUCTS = [128, 256, 512, 1024, 2048].map((n) => [n, n]);
/** Elements of a chain, and its links: two operations each. */
const CHAINS = [[2 ** 14], [2 ** 17], [2 ** 20]];
const LINKS = 64;

const slot = (shape: readonly number[]): Node =>
  make("input", [], { source: "state", name: "roofline.x", dtype: "f32", shape });

function chain(x: Node): Node {
  let y = x;
  for (let i = 0; i < LINKS; i++) y = b.add(b.mul(y, x), x);
  return y;
}

/** The kernels of a few calls of what gives the slot its next value. */
async function timed(
  device: Device,
  profile: Profile,
  shape: readonly number[],
  next: (x: Node) => Node,
): Promise<Work[]> {
  const x = slot(shape);
  device.createSlot("roofline.x", x.type);
  const outputs: Output[] = [{ node: next(x), role: { kind: "commit", path: "roofline.x" } }];
  const segment: Segment = { name: "roofline", outputs, host: [] };
  const prepared = await device.prepare(segment);
  profile.reset();
  for (let i = 0; i < CALLS; i++) await device.run(prepared, { scalars: {} });
  device.release(prepared);
  device.dropSlot("roofline.x");
  const { kernels } = profile;
  const found = kernels.map(({ flops, bytes, least }) => ({ flops, bytes, least }));
  profile.reset();
  return found;
}

type Work = Pick<KernelTime, "flops" | "bytes" | "least">;

/** The kernels of each size, up to the first that lasts long enough. */
async function tried(
  device: Device,
  profile: Profile,
  sizes: readonly (readonly number[])[],
  next: (x: Node) => Node,
): Promise<readonly (readonly Work[])[]> {
  const all: Work[][] = [];
  for (const shape of sizes) {
    const kernels = await timed(device, profile, shape, next);
    all.push(kernels.filter(({ least }) => least > 0));
    if (Math.max(0, ...kernels.map(({ least }) => least)) >= ENOUGH) break;
  }
  return all;
}

/** Undefined where the device gives no times. It must have been opened with the profile. */
export async function measureRoofline(device: Device, profile: Profile): Promise<Roofline | undefined> {
  if (profile.missing !== undefined || device.info.kind === "reference") return undefined;
  const square = (x: Node) => make("dot", [x, x], { batch: [], contract: [[1, 0]] });
  const copies = await tried(device, profile, COPIES, (x) => make("neg", [x]));
  const products = await tried(device, profile, PRODUCTS, square);
  const chains = await tried(device, profile, CHAINS, chain);
  // the largest copy alone: smaller ones may stay in a cache
  const bytes = Math.max(0, ...(copies.at(-1) ?? []).map((each) => each.bytes / each.least));
  const flops = Math.max(0, ...[...products, ...chains].flat().map((each) => each.flops / each.least));
  return bytes > 0 && flops > 0 ? { bytes, flops } : undefined;
}
