/** What a screen shows of a program under the hood. All of it is plain data that goes from a worker to its page. */
export { treeOf, treeText, type TreeNode } from "./tree.ts";
export { graphOf, graphsOf, MOST_NODES } from "./graph.ts";
export type { GraphGroup, GraphNode, GraphPart, GraphSegment } from "./graph.ts";
export { countsOf, kernelsOf, viewedDevice, type Counted, type NamedKernel, type SegmentKernels } from "./kernels.ts";
export { notingPrepare, type PreparedIn } from "./preparing.ts";
export { type Measured, Profiling } from "./profiling.ts";
export type { CallView, KernelTime, KernelView, Stats, ViewedDevice } from "../../gpu/index.ts";
