/**
 * The door of `runtime`: a checked program and a device become a session; a session's streams go to sinks. The disk is
 * behind `nodeHost`, a page's files behind `webHost`.
 */
export { createSession, Session, type SessionOptions } from "./session.ts";
export type { Mode } from "./clock.ts";
export type { Device, DeviceInfo } from "../gpu/device.ts";
export type {
  EndEvent,
  Frame,
  Inputs,
  InputValue,
  Metric,
  Metrics,
  Point,
  RunEvent,
  ShownItem,
  SwapReport,
  TickMetrics,
} from "./events.ts";
export type { FileTensor, Files, Host, HostMath, Rows } from "./host.ts";
export type { ProbedPart, ProbeOptions, ProbeSpec, ProbeState } from "./probes.ts";
export { BINS, statsOf, type Stats } from "./stats.ts";
export { formatNumber, formatValue } from "./format.ts";
export type { FileMap } from "./disk-memory.ts";
export { webHost, type WebHost } from "./web.ts";
export type { AboutFile } from "./data/about.ts";
export { openWebDevice, type WebDevice, type WebDeviceKind } from "./web-device.ts";
export { webWorkers } from "./threads-web.ts";
export { Series } from "./sinks/curve.ts";
export { feed, type Feed, type FeedMessage, type FeedOptions, type SeriesKind, type SeriesPart } from "./sinks/feed.ts";
export { PointList, type Points } from "./sinks/series.ts";
