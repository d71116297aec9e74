/** Activations: value and derivative at small, huge and kink points, as PyTorch has them; softmax along either axis. */
import { againstTorch, layerCase, type Case } from "./harness.ts";

const points = "let x = f32([-1e4, -3.3, -1, 0, 0.5, 2, 1e4])";

/** At 0: relu' = 0, leaky_relu' = slope, elu' = alpha, abs' = 0 inside softplus leaves 1/2. */
const elementwise = [
  "relu",
  "leaky_relu",
  "elu",
  "sigmoid",
  "hard_sigmoid",
  "softplus",
  "silu",
  "gelu",
  "tanh",
  "scaled_tanh",
].map((name): Case => ({
  name,
  script: `${points}\nprint "y", ${name}(x), "dx", grad(sum(${name}(x)), x)`,
  // PyTorch's derivative is 1/6 in float32.
  tolerance: name === "hard_sigmoid" ? 1e-8 : undefined,
}));

/** Derivatives of derivatives, where they exist everywhere. */
const curvature = ["sigmoid", "softplus", "silu", "gelu", "tanh", "scaled_tanh"].map((name): Case => ({
  name: `${name}, curvature`,
  script: `${points}\nprint "dxx", grad(sum(grad(sum(${name}(x)), x)), x)`,
}));

const settings: Case[] = [
  {
    name: "leaky_relu, slope 0.2",
    script: `${points}\nlet y = leaky_relu(x, slope: 0.2)\nprint "y", y, "dx", grad(sum(y), x)`,
  },
  { name: "elu, alpha 0.5", script: `${points}\nlet y = elu(x, alpha: 0.5)\nprint "y", y, "dx", grad(sum(y), x)` },
];

const rows = (name: string, over: number, x: string): string =>
  `let x = ${x}\nlet y = ${name}(x, over: ${over})\nprint "y", y, "dx", grad(sum(y * wave([4, 5], 9)), x)`;
const softmaxes = ["softmax", "log_softmax"].flatMap((name): Case[] => [
  { name, script: rows(name, -1, "3 * wave([4, 5], 2)") },
  { name: `${name}, first axis`, script: rows(name, 0, "3 * wave([4, 5], 2)") },
  { name: `${name}, huge`, script: rows(name, -1, "1e4 * wave([4, 5], 2)") },
]);

const named: Case = {
  name: "softmax, named axis",
  script:
    'dim T = 4\nlet x = 3 * wave([2, T, 3], 2)\nlet y = softmax(x, over: T)\nprint "y", y, "dx", grad(sum(y * wave([2, T, 3], 9)), x)',
};

const learned = layerCase("PReLU", "f32([-1e4, -3.3, -1, 0, 0.5, 2, 1e4])", { net: "PReLU()" }, { a: "net.a" });

againstTorch([learned, ...elementwise, ...curvature, ...settings, ...softmaxes, named]);
