/** Names and methods of PyTorch, Keras, NumPy and Python, and what dlx writes instead. */

/** Modules whose functions are always in scope here. */
export const MODULES: ReadonlySet<string> = new Set([
  "torch", "nn", "F", "np", "numpy", "tf", "tensorflow", "keras", "math", "jax", "jnp", "optim", "layers", "self", "optimizers", "losses",
]); // prettier-ignore

/** A name → the name here. */
export const NAMES: Readonly<Record<string, string>> = {
  True: "true", False: "false", None: "none", null: "none", nil: "none", undefined: "none",
  Dense: "Linear", Conv2d: "Conv", Conv2D: "Conv", BatchNorm2d: "BatchNorm", BatchNorm1d: "BatchNorm",
  BatchNormalization: "BatchNorm", LayerNormalization: "LayerNorm", ReLU: "relu", Relu: "relu", LeakyReLU: "leaky_relu",
  Sigmoid: "sigmoid", Tanh: "tanh", Softmax: "softmax", Flatten: "flatten", GELU: "gelu",
  MSELoss: "mse", MeanSquaredError: "mse", mse_loss: "mse", mean_squared_error: "mse", L1Loss: "mae",
  crossentropy: "cross_entropy", CrossEntropy: "cross_entropy", nll_loss: "cross_entropy", BCELoss: "binary_cross_entropy",
  binary_crossentropy: "binary_cross_entropy", categorical_crossentropy: "cross_entropy",
  randn: "normal", rand: "uniform", arange: "range", matmul: "dot", power: "pow", absolute: "abs", len: "size", fabs: "abs", ln: "log",
}; // prettier-ignore

/** A loss that is made first and called later: its call stands for the function. */
export const MADE: Readonly<Record<string, string>> = {
  CrossEntropyLoss: "cross_entropy", SparseCategoricalCrossentropy: "cross_entropy", CategoricalCrossentropy: "cross_entropy",
  MSELoss: "mse", MeanSquaredError: "mse", L1Loss: "mae", BCEWithLogitsLoss: "binary_cross_entropy", ReLU: "relu", Flatten: "flatten",
  Sigmoid: "sigmoid", Tanh: "tanh", Softmax: "softmax", GELU: "gelu",
}; // prettier-ignore

/** Names with no other name here, and what to do. */
export const ADVICE: Readonly<Record<string, string>> = {
  enumerate: "write `for i in 0..1 { … sizes[i] … }` over the places of the list",
  lambda: "a function is `x => 2 * x`",
  dict: "a record is `{ size: 3 }`",
  Sequential: "a list of layers is a model: `[Linear(8), relu, Linear(2)]`",
  DataLoader: "write `batches(shuffle(data), 64)` in the head of `train`",
  tensor: "a list of numbers is a tensor where one is wanted; `f32([1, 2])` makes it one",
  array: "a list of numbers is a tensor where one is wanted; `f32([1, 2])` makes it one",
  MaxPool2d: "a function with settings stands among layers as `x => maxpool(x, 2)`, and in a pipe as `|> maxpool(2)`",
  MaxPooling2D:
    "a function with settings stands among layers as `x => maxpool(x, 2)`, and in a pipe as `|> maxpool(2)`",
  AvgPool2d: "a function with settings stands among layers as `x => avgpool(x, 2)`, and in a pipe as `|> avgpool(2)`",
  break: "a loop makes all its passes; in `train` write `when c { stop }`, and `iterate` goes on until a value stays",
  continue: "a loop makes all its passes; choose what a pass does with `if c { … }`",
  step: "`step` counts inside of a `train` block",
  epoch: "`epoch` counts inside of a `train` block",
};

/** What a method is here: `drop` where nothing is to be done, `bare` its object, `call` a function around it. */
export type Method =
  | { readonly kind: "drop"; readonly help: string }
  | { readonly kind: "bare"; readonly help: string }
  | { readonly kind: "call"; readonly name: string; readonly list?: boolean }
  | { readonly kind: "advice"; readonly help: string };

const drop = (help: string): Method => ({ kind: "drop", help });
const advice = (help: string): Method => ({ kind: "advice", help });
const bare = (help: string): Method => ({ kind: "bare", help });
const inTrain =
  "training is a block: `train (x, y) in batches(data, 64) for 5 epochs { minimize … over net with Adam(1e-3) }`";

export const METHODS: Readonly<Record<string, Method>> = {
  backward: drop("leave it out: `minimize loss over net with opt` takes the gradient and moves the params"),
  step: drop("leave it out: `minimize loss over net with opt` takes the gradient and moves the params"),
  zero_grad: drop("leave it out: a gradient is computed anew in each step"),
  compile: drop("leave it out: the optimizer stands in `minimize … with Adam(1e-3)`"),
  eval: drop("leave it out: a model is in training mode in a `train` block, and nowhere else"),
  train: drop("leave it out: a model is in training mode in a `train` block, and nowhere else"),
  cuda: bare("leave it out: the device is chosen when the script is run, `--device webgpu`"),
  cpu: bare("leave it out: the device is chosen when the script is run, `--device cpu`"),
  to: bare("leave it out: the device is chosen when the script is run; `f32(x)` and `i32(x)` convert"),
  item: bare("leave it out: a value is printed as it is"),
  numpy: bare("leave it out: a value is printed as it is"),
  forward: bare("call the model itself: `net(x)`"),
  detach: { kind: "call", name: "stop" },
  parameters: { kind: "call", name: "params" },
  view: { kind: "call", name: "reshape", list: true },
  reshape: { kind: "call", name: "reshape", list: true },
  float: { kind: "call", name: "f32" },
  long: { kind: "call", name: "i32" },
  int: { kind: "call", name: "i32" },
  size: { kind: "call", name: "shape" },
  length: { kind: "call", name: "size" },
  minimize: advice("`minimize` is a statement: `minimize loss over net with Adam(1e-3)`"),
  fit: advice(inTrain),
  append: advice(
    "a list never changes; a `for` gives the list of what its passes `yield`: `for i in 1..3 { yield i }`",
  ),
  evaluate: advice(
    "measuring is a block: `eval check (x, y) in batches(data, 64) { metric acc = accuracy(net(x), y) }`",
  ),
  predict: bare("call the model itself: `net(x)`"),
};

/** Settings by the names that they have elsewhere. */
export const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  learning_rate: ["lr"], padding: ["pad"], axis: ["over"], dim: ["over"], keepdims: ["spread"], keepdim: ["spread"],
  batch_size: ["n"], kernel_size: ["Kernel"], strides: ["stride"], out_features: ["Out"], units: ["Out"], filters: ["Out"],
  out_channels: ["Out"], use_bias: ["bias"], betas: ["beta1"], epsilon: ["eps"], size: ["shape", "n"], num_classes: ["classes"],
  logits: ["z"], target: ["y"], labels: ["y"], input: ["x", "z"], hidden_size: ["Hidden"], weight_decay: ["decay"],
}; // prettier-ignore

/** Members by other names. */
export const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  weight: ["w"], weights: ["w"], bias: ["b"], training: ["train"], validation: ["val"], valid: ["val"], test: ["val"], target: ["label", "y"],
  targets: ["label", "y"], labels: ["label", "y"], y: ["label"], data: ["x", "image"], features: ["x"], accuracy: ["acc"], images: ["image"],
}; // prettier-ignore
