export type { Diagnostic } from "../../lang/index.ts";
export { positionAt } from "../../lang/source.ts";
