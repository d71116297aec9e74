/**
 * Which expression of a training is its model's output over two features, so that it can be drawn on their plane. Found by
 * what graphs read, never by a name: of the expressions that give a few numbers for each row from two numbers of it alone,
 * the smallest of those that read the most params.
 */
import { topological } from "../graph/index.ts";
import type { Node } from "../graph/node.ts";
import type { Compiled } from "../index.ts";
import type { Probe, ProbeAnswer, ProbeView } from "../probe.ts";
import { type Action, type Program, tickSegments, type Train } from "../program.ts";
import { isExpression, visit } from "../services/tree.ts";
import type { Span } from "../source.ts";

export interface Surface {
  /** The output for rows that are given. */
  readonly probe: Probe;
  /** The training. */
  readonly block: string;
  /** Of a row, two numbers together. */
  readonly fields: readonly Feature[];
  /** Numbers for each row. */
  readonly outputs: number;
  /**
   * Whether outputs are probabilities (or their logarithms), scores that the loss makes probabilities of, or values.
   */
  readonly meaning: "prob" | "logprob" | "scores" | "value";
  /** What the rows are told apart by: a field with one number for each. */
  readonly target?: string;
}

export interface Feature {
  readonly name: string;
  /** Numbers of a row: 1 or 2. */
  readonly size: number;
}

/** Classes that can be told apart on a picture. */
const MOST_OUTPUTS = 10;

export function surfaceOf({ file, program, probes }: Compiled, rows: number): Surface | { readonly refused: string } {
  if (!program) return { refused: "the script does not run as it stands" };
  const trains = trainsOf(program.body);
  if (trains.length === 0) return { refused: "there is no decision surface: nothing is trained" };
  if (!trains.some(hasTwo)) return { refused: "there is no decision surface: no training reads rows of two features" };

  const asked: { readonly span: Span; readonly loss: boolean }[] = [];
  visit(file, (node, parents) => {
    if (!parents.some(({ kind }) => kind === "train")) return;
    const parent = parents.at(-1);
    const loss = parent?.kind === "minimize" && "loss" in parent && parent.loss === node;
    if (loss || (isExpression(node) && !PLAIN.has(node.kind))) asked.push({ span: node.span, loss });
  });
  const answers = probes(asked.map(({ span }) => ({ ...span, given: rows })));
  const losses = answers.filter((_, i) => asked[i]!.loss).flatMap(ofTraining);
  const found = answers.flatMap((answer) => candidateOf(program, answer, rows));
  const [best] = found.sort((a, b) => b.params - a.params || a.nodes.length - b.nodes.length);
  if (!best) return { refused: "there is no decision surface: no model's output is computed from two features alone" };

  const { probe, view, nodes, fields, outputs } = best;
  const [part] = view.parts;
  const tag = part?.kind === "tensor" ? part.tag : undefined;
  const block = view.block!;
  // the loss presses the output between 0 and 1 where it has more of what does so than the output has
  const own = nodes.filter(presses).length;
  const scores = losses.some((each) => each.block === block && topological(rootsOf(each)).filter(presses).length > own);
  const read = featuresOf(nodesOf(trains.find(({ name }) => name === block)!), ["f32", "i32", "bool"]);
  const target = read.find(({ name, size }) => size === 1 && !fields.some((field) => field.name === name));
  const meaning = tag === "prob" || tag === "logprob" ? tag : scores ? "scores" : "value";
  return { probe, block, fields, outputs, meaning, target: target?.name };
}

/** A field of two features, or two fields of one. */
function hasTwo(train: Train): boolean {
  const sizes = featuresOf(nodesOf(train)).map(({ size }) => size);
  return sizes.includes(2) || sizes.filter((size) => size === 1).length > 1;
}

/** What has no graph of its own, or none that is worth a look. */
const PLAIN: ReadonlySet<string> = new Set(["number", "string", "bool", "none", "name", "lambda", "missing"]);

const PRESSING: ReadonlySet<string> = new Set(["exp", "log", "log1p", "tanh"]);
const presses = ({ op }: Node): boolean => PRESSING.has(op);

interface Candidate {
  readonly probe: Probe;
  readonly view: ProbeView;
  readonly nodes: readonly Node[];
  readonly params: number;
  readonly fields: readonly Feature[];
  readonly outputs: number;
}

function candidateOf(program: Program, answer: ProbeAnswer, rows: number): Candidate[] {
  const [view] = ofTraining(answer);
  const [part] = view?.parts ?? [];
  if ("refused" in answer || !view || view.parts.length !== 1 || part?.kind !== "tensor" || part.dtype !== "f32")
    return [];
  const [first, ...rest] = part.shape;
  const outputs = rest.reduce((product, size) => product * size, 1);
  if (first !== rows || rest.filter((size) => size > 1).length > 1 || outputs > MOST_OUTPUTS) return [];
  const nodes = topological(rootsOf(view));
  const params = nodes.filter((n) => isInput(n, "state") && program.slots[String(n.attrs.name)]?.kind === "param");
  const fields = featuresOf(nodes);
  const size = fields.reduce((sum, field) => sum + field.size, 0);
  if (params.length === 0 || size !== 2 || featuresOf(nodes, ["i32", "bool"]).length > 0) return [];
  return [{ probe: answer, view, nodes, params: params.length, fields, outputs }];
}

const ofTraining = (answer: ProbeAnswer): ProbeView[] =>
  "refused" in answer ? [] : answer.views.filter(({ clock, tick }) => clock === "train" && tick !== undefined);

const rootsOf = ({ segment }: ProbeView): Node[] => segment.outputs.map(({ node }) => node);
const isInput = ({ op, attrs }: Node, source: string): boolean => op === "input" && attrs.source === source;

const nodesOf = ({ step }: Train): readonly Node[] =>
  topological(tickSegments(step).flatMap(({ outputs }) => outputs.map(({ node }) => node)));

/** The fields of a batch that are read, each once, with the numbers of a row. */
function featuresOf(nodes: readonly Node[], dtypes: readonly string[] = ["f32"]): Feature[] {
  const found = new Map<string, Feature>();
  for (const n of nodes) {
    if (!isInput(n, "batch") || !dtypes.includes(n.type.dtype)) continue;
    const name = String(n.attrs.name);
    found.set(name, { name, size: n.type.shape.slice(1).reduce((product, size) => product * size, 1) });
  }
  return [...found.values()];
}

function trainsOf(body: readonly Action[]): Train[] {
  return body.flatMap((action) =>
    action.kind === "train" ? [action] : action.kind === "run" ? trainsOf(action.body) : [],
  );
}
