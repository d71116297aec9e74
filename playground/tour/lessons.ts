/**
 * The tour: twelve lessons from a line to a small transformer. Each says one thing, opens a script that does not reach its
 * goal, and knows a way to reach it.
 */
import type { InputValue } from "../../runtime/index.ts";
import rate from "./lessons/01-rate.dlx";
import byHand from "./lessons/02-by-hand.dlx";
import derivative from "./lessons/03-derivative.dlx";
import yesOrNo from "./lessons/04-yes-or-no.dlx";
import hiddenLayer from "./lessons/05-hidden-layer.dlx";
import shapes from "./lessons/06-shapes.dlx";
import tooFast from "./lessons/07-too-fast.dlx";
import byHeart from "./lessons/08-by-heart.dlx";
import betterSteps from "./lessons/09-better-steps.dlx";
import pictures from "./lessons/10-pictures.dlx";
import memory from "./lessons/11-memory.dlx";
import transformer from "./lessons/12-transformer.dlx";

export const tongues = ["en", "zh"] as const;
export type Tongue = (typeof tongues)[number];
/** `code` stands between backticks. */
export type Said = Readonly<Record<Tongue, string>>;

export type Check =
  /** The mean of the last ten values; at any ten up to step `within`; not before step `from`. */
  | {
      readonly curve: string;
      readonly below?: number;
      readonly above?: number;
      readonly within?: number;
      readonly from?: number;
    }
  | { readonly source: RegExp }
  | { readonly without: RegExp }
  /** The person has set this input. */
  | { readonly moved: string }
  | { readonly checks: true };

export interface Solution {
  readonly edits?: readonly { readonly from: string; readonly to: string }[];
  readonly inputs?: Readonly<Record<string, InputValue>>;
}

export interface Lesson {
  readonly id: string;
  readonly title: Said;
  readonly text: Said;
  readonly goal: Said;
  readonly script: string;
  readonly checks: readonly Check[];
  readonly solution: Solution;
  /** Steps a second, where the eye should follow; else as fast as it goes. */
  readonly pace?: number;
}

export const lessons: readonly Lesson[] = [
  {
    id: "01",
    pace: 300,
    title: { en: "A line and its rate", zh: "一条直线和它的学习率" },
    text: {
      en: "The script fits a line to points, and it is running already. At each step the line goes a little downhill on `loss`, the mean squared distance to the points. How far it goes is `rate`, and this rate is far too small. Drag the slider `rate` to the right and watch the curve.",
      zh: "这段脚本正在用一条直线拟合一些数据点，它已经在运行了。每走一步，直线就沿着 `loss`（到各点距离的平方的平均值）下坡一点点。一步走多远由学习率 `rate` 决定，而现在它太小了。把滑块 `rate` 向右拖，看看曲线怎么变。",
    },
    goal: { en: "`loss` falls below 1.5.", zh: "让 `loss` 降到 1.5 以下。" },
    script: rate,
    checks: [{ moved: "rate" }, { curve: "loss", below: 1.5 }],
    solution: { inputs: { rate: 4e-3 } },
  },
  {
    id: "02",
    pace: 300,
    title: { en: "By hand", zh: "亲手来找" },
    text: {
      en: "Nothing learns here: the script has no `minimize`. Move `slope` and `height` yourself until `loss` is as small as you can make it: a bit of one, a bit of the other, and again. What stays in the end is the noise of the points.",
      zh: "这里没有任何东西在学习：脚本里没有 `minimize`。请你自己移动 `slope`（斜率）和 `height`（截距），让 `loss` 尽量小：先动一个，再动另一个，如此反复。最后剩下的是数据点本身的噪声。",
    },
    goal: { en: "`loss` is below 2, by the two sliders alone.", zh: "只用两个滑块，让 `loss` 低于 2。" },
    script: byHand,
    checks: [
      { moved: "slope" },
      { moved: "height" },
      { without: /\b(minimize|grad)\b|<-/ },
      { curve: "loss", below: 2 },
    ],
    solution: { inputs: { slope: 2, height: 12 } },
  },
  {
    id: "03",
    pace: 300,
    title: { en: "Downhill is a derivative", zh: "导数告诉你哪边是下坡" },
    text: {
      en: "`w` should come to the bottom of the valley, but its rule adds `rate` at each step, wherever it is. `grad(loss, w)` is the derivative: how steep it is at `w`, and which way is up. Go the other way: write `w <- w - rate * grad(loss, w)`.",
      zh: "`w` 应该走到谷底，可是现在的规则不管它在哪里，每一步都加上 `rate`。`grad(loss, w)` 是导数：它说明在 `w` 处有多陡，以及哪边是上坡。朝相反的方向走：写 `w <- w - rate * grad(loss, w)`。",
    },
    goal: {
      en: "`loss` falls below 0.001, by a rule with `grad`.",
      zh: "用 `grad` 写出规则，让 `loss` 降到 0.001 以下。",
    },
    script: derivative,
    checks: [{ source: /\bgrad\s*\(/ }, { curve: "loss", below: 0.001 }],
    solution: { edits: [{ from: "w + rate", to: "w - rate * grad(loss, w)" }] },
  },
  {
    id: "04",
    pace: 300,
    title: { en: "Yes or no", zh: "是或不是" },
    text: {
      en: "`z` is a score for each point: above 0 means yes. `binary_cross_entropy` is large where the score is sure and wrong. So far nobody told `line` to learn from it. Put `minimize loss over line with Adam(1e-2)` on a line of its own below `let loss`.",
      zh: "`z` 是每个点的得分：大于 0 表示“是”。得分很有把握却判断错误时，`binary_cross_entropy`（二元交叉熵）就很大。但是还没有人让 `line` 去学习。请在 `let loss` 下面另起一行，写上 `minimize loss over line with Adam(1e-2)`。",
    },
    goal: { en: "`acc` rises above 0.95.", zh: "让准确率 `acc` 升到 0.95 以上。" },
    script: yesOrNo,
    checks: [{ source: /\bminimize\b/ }, { curve: "acc", above: 0.95 }],
    solution: {
      edits: [{ from: "  let acc", to: "  minimize loss over line with Adam(1e-2)\n  let acc" }],
    },
  },
  {
    id: "05",
    pace: 300,
    title: { en: "One line is not enough", zh: "一条直线不够" },
    text: {
      en: "A net of one layer can only draw one straight line, and no line parts these two classes. Put a hidden layer in front: `[Linear(8), tanh, Linear(2)]`. The bend of `tanh` matters: without it two layers are one line again. The new net is swapped in while it runs.",
      zh: "只有一层的网络只能画一条直线，而这两类点用一条直线分不开。在前面加一个隐藏层：`[Linear(8), tanh, Linear(2)]`。`tanh` 的弯曲很重要：没有它，两层合起来还是一条直线。新的网络会在运行中直接换上。",
    },
    goal: { en: "`acc` rises above 0.95.", zh: "让准确率 `acc` 升到 0.95 以上。" },
    script: hiddenLayer,
    checks: [{ curve: "acc", above: 0.95 }],
    solution: { edits: [{ from: "[Linear(2)]", to: "[Linear(8), tanh, Linear(2)]" }] },
  },
  {
    id: "06",
    pace: 300,
    title: { en: "A mistake in the shapes", zh: "形状里的错误" },
    text: {
      en: "Nothing trains: the checker has found a mistake before the first step. Put the pointer on the underlined words. `net(x)` is `[B, 1]`, a column, and `y` is `[B]`: elsewhere that would quietly become a table of all pairs. Drop the axis of size 1: `mse(squeeze(net(x), -1), y)`.",
      zh: "训练没有开始：检查器在第一步之前就发现了一个错误。把鼠标放到画线的地方看看。`net(x)` 的形状是 `[B, 1]`，是一列，而 `y` 的形状是 `[B]`；在别处，这会悄悄变成一张所有配对的表。去掉大小为 1 的轴：`mse(squeeze(net(x), -1), y)`。",
    },
    goal: {
      en: "The script has no mistakes, and `loss` falls below 0.05.",
      zh: "脚本没有错误，并且 `loss` 降到 0.05 以下。",
    },
    script: shapes,
    checks: [{ checks: true }, { curve: "loss", below: 0.05 }],
    solution: { edits: [{ from: "mse(net(x), y)", to: "mse(squeeze(net(x), -1), y)" }] },
  },
  {
    id: "07",
    pace: 300,
    title: { en: "Too fast", zh: "走得太快" },
    text: {
      en: "Each step is so long that it jumps across the valley, and the next one jumps further. Soon the numbers end; the run stops and says where. Move `rate` down to about 0.02 and press Restart.",
      zh: "每一步都太长，一下子跳到山谷对面，下一步又跳得更远。数值很快就溢出了；运行会停下来，并指出在哪里。把 `rate` 调低到 0.02 左右，再按 Restart（重新开始）。",
    },
    goal: { en: "`loss` falls below 0.1.", zh: "让 `loss` 降到 0.1 以下。" },
    script: tooFast,
    checks: [{ curve: "loss", below: 0.1 }],
    solution: { inputs: { rate: 0.02 } },
  },
  {
    id: "08",
    pace: 300,
    title: { en: "Learned by heart", zh: "死记硬背" },
    text: {
      en: "`loss` is about the 20 points that the net learns from, `val.loss` about 180 that it never learns from. The first goes to 0, the second falls and then rises: the net knows its points by heart. Give it more of them (`n: 2000`), or raise `decay` to 3. Then press Restart and see what stays low.",
      zh: "`loss` 来自网络学习用的 20 个点，`val.loss` 来自它从不学习的 180 个点。前者趋于 0，后者先降后升：网络把学过的点死记硬背了下来，这叫过拟合。可以多给一些点（`n: 2000`），也可以把 `decay` 调到 3。然后按 Restart（重新开始），看看什么办法有效。",
    },
    goal: {
      en: "After step 1500 `val.loss` is still below 0.5.",
      zh: "到第 1500 步之后，`val.loss` 仍然低于 0.5。",
    },
    script: byHeart,
    checks: [{ curve: "val.loss", below: 0.5, from: 1500 }],
    solution: { edits: [{ from: "n: 200,", to: "n: 2000," }] },
  },
  {
    id: "09",
    pace: 300,
    title: { en: "Better steps", zh: "更好的步子" },
    text: {
      en: "In this ravine plain descent must take short steps because of the steep walls, and so it hardly moves along the floor. `Adam` gives each number a step of its own length. Write `Adam(0.1)` instead of `SGD(5e-4)` and press Restart. Is there a `momentum` with which `SGD` does it too?",
      zh: "这道峡谷的两壁很陡，普通的梯度下降只好迈小步，于是沿着谷底几乎走不动。`Adam` 为每个数单独选择步长。把 `SGD(5e-4)` 换成 `Adam(0.1)`，再按 Restart（重新开始）。想一想：给 `SGD` 加上 `momentum`（动量），也能做到吗？",
    },
    goal: {
      en: "`loss` comes below 0.001 within the first 300 steps.",
      zh: "在前 300 步之内让 `loss` 降到 0.001 以下。",
    },
    script: betterSteps,
    checks: [{ curve: "loss", below: 0.001, within: 300 }],
    solution: { edits: [{ from: "SGD(5e-4)", to: "Adam(0.1)" }] },
  },
  {
    id: "10",
    title: { en: "Pictures", zh: "图片" },
    text: {
      en: "One weight for each pixel cannot know a stroke again that stands elsewhere. A convolution slides one small window over the whole picture. Put `Conv(8, 5), relu, x => maxpool(x, 2),` before `flatten`. The curve `val.acc` is about pictures that the net never learns from.",
      zh: "如果每个像素只有一个权重，那么笔画换个位置就认不出来了。卷积让同一个小窗口滑过整张图片。在 `flatten` 前面加上 `Conv(8, 5), relu, x => maxpool(x, 2),`。曲线 `val.acc` 来自网络从不学习的图片。",
    },
    goal: { en: "`val.acc` rises above 0.95.", zh: "让 `val.acc` 升到 0.95 以上。" },
    script: pictures,
    checks: [{ curve: "val.acc", above: 0.95 }],
    solution: { edits: [{ from: "flatten, ", to: "Conv(8, 5), relu, x => maxpool(x, 2), flatten, " }] },
  },
  {
    id: "11",
    pace: 300,
    title: { en: "Memory through time", zh: "跨越时间的记忆" },
    text: {
      en: "The net reads eight bits, one at a time, and is asked for the first. At each bit `h` is computed from that bit alone, so by the end the first is forgotten. Let `h` also depend on the `h` before it: `h <- tanh(xt @ wx + h @ wh)`.",
      zh: "网络一个接一个地读入八个比特，最后要回答第一个是什么。每读一个比特，`h` 只由这个比特算出，所以到最后第一个早就忘了。让 `h` 也依赖于前一个 `h`：`h <- tanh(xt @ wx + h @ wh)`。这就是循环网络。",
    },
    goal: { en: "`acc` rises above 0.95.", zh: "让准确率 `acc` 升到 0.95 以上。" },
    script: memory,
    checks: [{ curve: "acc", above: 0.95 }],
    solution: { edits: [{ from: "tanh(xt @ wx)", to: "tanh(xt @ wx + h @ wh)" }] },
  },
  {
    id: "12",
    title: { en: "A small transformer", zh: "一个小小的 Transformer" },
    text: {
      en: "Six signs go in and must come out backwards, but each place sees its own sign only. With attention each place looks at all places and takes what it needs. Write `let seen = sign + (sign |> LayerNorm() |> MultiHead(4))`. That is the heart of every language model, and the end of the tour: the editor is yours.",
      zh: "输入六个符号，要求倒着输出，可是每个位置只看得到自己的符号。有了注意力，每个位置都可以查看所有位置，取来需要的东西。写 `let seen = sign + (sign |> LayerNorm() |> MultiHead(4))`。这就是所有大语言模型的核心，导览也到此结束：编辑器交给你了。",
    },
    goal: { en: "`acc` rises above 0.95.", zh: "让准确率 `acc` 升到 0.95 以上。" },
    script: transformer,
    checks: [{ curve: "acc", above: 0.95 }],
    solution: { edits: [{ from: "let seen = sign", to: "let seen = sign + (sign |> LayerNorm() |> MultiHead(4))" }] },
  },
];

/** Under this name a lesson's script stands among the person's own. */
export const fileOf = ({ id }: Lesson): string => `tour-${id}.dlx`;

/** The script with the solution's edits. */
export function solved({ id, script, solution }: Lesson): string {
  return (solution.edits ?? []).reduce((text, { from, to }) => {
    if (!text.includes(from)) throw new Error(`expected ${from} in lesson ${id}, got none`);
    return text.replace(from, () => to);
  }, script);
}
