import type { Target } from "./stamp.mjs";
export const commandLine: Target;
export const site: Target;
