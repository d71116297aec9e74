/** Graphs as text for `dlx graph`. */
import { text } from "../../lang/graph/index.ts";
import type { Segment } from "../../lang/program.ts";
import { roleText } from "../inspect/graph.ts";

/** The scalars of the host, then the graph; `return` lists the outputs in the order of the line below it. */
export function graphText({ host, outputs }: Segment): string {
  const scalars = host.map(({ name, node }) => `  host ${name}:\n${text([node], "    ")}`);
  const roles = outputs.map(({ role }) => roleText(role));
  return [
    ...scalars,
    text(
      outputs.map(({ node }) => node),
      "  ",
    ),
    `  as ${roles.join(", ") || "nothing"}`,
  ].join("\n");
}
