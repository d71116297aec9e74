/**
 * How work is laid out on a kind of adapter. A schedule is chosen before anything is compiled and never by time, so runs
 * on one device have the same bits; between kinds of adapters the order of sums differs.
 */
import type { Choice } from "./product-plan.ts";

export interface Schedule {
  /** Invocations of a workgroup may share work: a row is summed by all lanes, tiles of products are shared. */
  readonly together: boolean;
  /** Invocations that keep the adapter busy; below that, the depth of products is cut. */
  readonly threads: number;
  /** Workgroups that keep the adapter busy with tiles of products. */
  readonly tiles: number;
  /** Sums of a product that an invocation keeps in registers, along either side. */
  readonly block: number;
  /** Words of workgroup memory for what kernels of a chain pass on; as many as every device has where left out. */
  readonly windows?: number;
  /** Words of memory for those of them that are longer. */
  readonly slices?: number;
  /** The adapter's own conversion from half precision keeps every number, the smallest ones too. */
  readonly unpacks?: boolean;
  /** Tiles of products hold numbers of half precision as such; the adapter has them, and converts them without loss. */
  readonly f16?: boolean;
  /** Lanes of a subgroup put their parts of a row together by an instruction; only where the adapter has it. */
  readonly subgroups?: boolean | undefined;
  /** Choices that were measured on this adapter, by the key of the product. One that was used is never changed. */
  readonly tuned?: ReadonlyMap<string, Choice> | undefined;
}

export const hardware: Schedule = { together: true, threads: 16384, tiles: 64, block: 4 };

/** A software adapter runs a workgroup's invocations in turn: waiting for each other costs more than what it saves. */
export const software: Schedule = { together: false, threads: 512, tiles: 1, block: 8 };
