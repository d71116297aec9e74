/**
 * The door of `runtime`: a checked program and a device become a session; a session's streams go to sinks. The disk is
 * behind `nodeHost`; a browser brings a host of its own.
 */
export { createSession, Session, type SessionOptions } from "./session.ts";
export type { Mode } from "./clock.ts";
export type { EndEvent, Frame, Inputs, InputValue, Metric, Metrics, Point, RunEvent, SwapReport } from "./events.ts";
export type { TickMetrics } from "./events.ts";
export type { FileTensor, Files, Host, HostMath, Rows } from "./host.ts";
export { formatNumber, formatValue } from "./format.ts";
export { Series } from "./sinks/curve.ts";
export { feed, type Feed, type FeedMessage, type FeedOptions, type SeriesKind, type SeriesPart } from "./sinks/feed.ts";
export { PointList, type Points } from "./sinks/series.ts";
