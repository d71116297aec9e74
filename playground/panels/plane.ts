/** A decision surface on a canvas: the field as colours, the lines where the answer changes, the points, and both axes. */
import type { Painted, Plane } from "../../runtime/surface.ts";

/** Told apart by colour-blind eyes too; points have a shape for each besides. */
export const CLASS_COLOURS = [
  "#2f6bd8", "#ea7a12", "#159a78", "#a84fc4", "#b59100", "#d1495b", "#17a2c4", "#7a6a58", "#6b8e23", "#5d5d9c",
]; // prettier-ignore
const [LOW, HIGH] = [0, 1];
/** Of the colour of a class on the paper where the model is sure. */
const DEEPEST = 0.72;

export interface Style {
  readonly paper: string;
  readonly ink: string;
  readonly quiet: string;
}

export interface Picture {
  readonly side: number;
  readonly plane: Plane;
  readonly painted: Painted;
  readonly axes: readonly [string, string];
}

export interface Options {
  readonly points: boolean;
  /** One colour for each class, however sure. */
  readonly flat: boolean;
}

type Rgb = readonly [number, number, number];

function rgbOf(colour: string): Rgb {
  const hex = colour.length === 4 ? colour.replace(/[^#]/g, "$&$&") : colour;
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)) as unknown as Rgb;
}
const mixed = (a: Rgb, b: Rgb, part: number): Rgb =>
  [0, 1, 2].map((i) => a[i]! + part * (b[i]! - a[i]!)) as unknown as Rgb;
const cssOf = (rgb: Rgb): string => `rgb(${rgb.map(Math.round).join(" ")})`;

/** Blue through paper to orange. */
export function colourOfValue(part: number, paper: Rgb): Rgb {
  const end = rgbOf(CLASS_COLOURS[part < 0.5 ? LOW : HIGH]!);
  return mixed(paper, end, Math.min(1, 2 * Math.abs(part - 0.5)));
}
export const cssOfValue = (part: number, paper: string): string => cssOf(colourOfValue(part, rgbOf(paper)));

/** One pixel for each point of the grid. */
function fieldImage({ painted, side }: Picture, { paper }: Style, flat: boolean): ImageData {
  const image = new ImageData(side, side);
  const ground = rgbOf(paper);
  const classes = CLASS_COLOURS.map(rgbOf);
  const { kind, field, range } = painted;
  for (let i = 0; i < side * side; i++) {
    let colour: Rgb;
    if (kind === "values") {
      const value = field[i]!;
      const part = (value - range[0]) / (range[1] - range[0]);
      colour = Number.isFinite(value) ? mixed(ground, colourOfValue(part, ground), 0.85) : [255, 0, 255];
    } else colour = classColour(field.subarray(i * painted.classes, (i + 1) * painted.classes), classes, ground, flat);
    image.data.set([...colour, 255], 4 * i);
  }
  return image;
}

/** As deep as the greatest probability is above that of a guess. */
function classColour(shares: Float32Array, classes: readonly Rgb[], ground: Rgb, flat: boolean): Rgb {
  let best = 0;
  let blend: Rgb = [0, 0, 0];
  for (let k = 0; k < shares.length; k++) {
    const share = shares[k]!;
    if (!Number.isFinite(share)) return [255, 0, 255];
    if (share > shares[best]!) best = k;
    const colour = classes[k % classes.length]!;
    blend = [blend[0] + share * colour[0], blend[1] + share * colour[1], blend[2] + share * colour[2]];
  }
  if (flat) return mixed(ground, classes[best % classes.length]!, 0.6 * DEEPEST);
  const guess = 1 / shares.length;
  return mixed(ground, blend, DEEPEST * Math.sqrt(Math.max(0, (shares[best]! - guess) / (1 - guess))));
}

/** What changes its sign on a boundary, one grid for each line. */
function levels({ painted, side }: Picture): Float32Array[] {
  const { kind, classes, field, range } = painted;
  const grid = (at: (i: number) => number) => Float32Array.from({ length: side * side }, (_, i) => at(i));
  if (kind === "values")
    return [1, 2, 3, 4].map((k) => {
      const level = range[0] + (k / 5) * (range[1] - range[0]);
      return grid((i) => field[i]! - level);
    });
  return Array.from({ length: classes === 2 ? 1 : classes }, (_, k) =>
    grid((i) => {
      let other = -Infinity;
      for (let j = 0; j < classes; j++) if (j !== k) other = Math.max(other, field[i * classes + j]!);
      return field[i * classes + k]! - other;
    }),
  );
}

/** Marching squares: the pieces of the line where a grid is zero, in its own places. */
function contour(
  grid: Float32Array,
  side: number,
  piece: (ax: number, ay: number, bx: number, by: number) => void,
): void {
  for (let y = 0; y + 1 < side; y++)
    for (let x = 0; x + 1 < side; x++) {
      const [a, b, c, d] = [
        grid[y * side + x]!,
        grid[y * side + x + 1]!,
        grid[(y + 1) * side + x + 1]!,
        grid[(y + 1) * side + x]!,
      ];
      const cuts: [number, number][] = [];
      if (a > 0 !== b > 0) cuts.push([x + a / (a - b), y]);
      if (b > 0 !== c > 0) cuts.push([x + 1, y + b / (b - c)]);
      if (c > 0 !== d > 0) cuts.push([x + d / (d - c), y + 1]);
      if (d > 0 !== a > 0) cuts.push([x, y + a / (a - d)]);
      for (let i = 0; i + 1 < cuts.length; i += 2) piece(...cuts[i]!, ...cuts[i + 1]!);
    }
}

/** Round numbers within an interval, about `count` of them. */
export function ticksOf(low: number, high: number, count = 5): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

const MARGIN = { left: 38, bottom: 34, top: 6, right: 6 };

/** Where the plane lies on a canvas, in CSS pixels. */
export const boxOf = (width: number, height: number) => ({
  x: MARGIN.left,
  y: MARGIN.top,
  width: width - MARGIN.left - MARGIN.right,
  height: height - MARGIN.top - MARGIN.bottom,
});

/** `context` is scaled to CSS pixels. */
export function drawPlane(
  context: CanvasRenderingContext2D,
  [width, height]: readonly [number, number],
  picture: Picture,
  style: Style,
  options: Options,
): void {
  const { side, plane, painted } = picture;
  const box = boxOf(width, height);
  const [low, high] = [plane.low, plane.high];
  const placeX = (value: number) => box.x + (box.width * (value - low[0])) / (high[0] - low[0]);
  const placeY = (value: number) => box.y + (box.height * (high[1] - value)) / (high[1] - low[1]);
  context.clearRect(0, 0, width, height);

  const small = new OffscreenCanvas(side, side);
  small.getContext("2d")!.putImageData(fieldImage(picture, style, options.flat), 0, 0);
  context.save();
  context.beginPath();
  context.roundRect(box.x, box.y, box.width, box.height, 4);
  context.clip();
  context.imageSmoothingEnabled = !options.flat || painted.kind === "values";
  context.imageSmoothingQuality = "high";
  context.drawImage(small, box.x, box.y, box.width, box.height);

  const cell = [box.width / side, box.height / side] as const;
  context.strokeStyle = style.ink;
  context.globalAlpha = painted.kind === "values" ? 0.35 : 0.75;
  context.lineWidth = painted.kind === "values" ? 0.75 : 1.25;
  context.lineCap = "round";
  context.beginPath();
  for (const grid of levels(picture))
    contour(grid, side, (ax, ay, bx, by) => {
      context.moveTo(box.x + (ax + 0.5) * cell[0], box.y + (ay + 0.5) * cell[1]);
      context.lineTo(box.x + (bx + 0.5) * cell[0], box.y + (by + 0.5) * cell[1]);
    });
  context.stroke();
  context.globalAlpha = 1;

  if (options.points) drawPoints(context, picture, style, placeX, placeY);
  context.restore();
  drawAxes(context, [width, height], picture, style, placeX, placeY);
}

type Placing = (value: number) => number;

/** A circle, a square, a triangle, a diamond, and again. */
const SHAPES: readonly ((context: CanvasRenderingContext2D, x: number, y: number, r: number) => void)[] = [
  (c, x, y, r) => c.arc(x, y, r, 0, 2 * Math.PI),
  (c, x, y, r) => c.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r),
  (c, x, y, r) => polygon(c, x, y, 1.25 * r, 3),
  (c, x, y, r) => polygon(c, x, y, 1.25 * r, 4),
];

function polygon(context: CanvasRenderingContext2D, x: number, y: number, radius: number, corners: number): void {
  for (let k = 0; k < corners; k++) {
    const angle = (2 * Math.PI * k) / corners - Math.PI / 2;
    const place = [x + radius * Math.cos(angle), y + radius * Math.sin(angle)] as const;
    if (k === 0) context.moveTo(...place);
    else context.lineTo(...place);
  }
  context.closePath();
}

function drawPoints(
  context: CanvasRenderingContext2D,
  { plane, painted }: Picture,
  { paper, ink }: Style,
  placeX: Placing,
  placeY: Placing,
): void {
  const { points } = plane;
  const { kind, shown, wrong, range } = painted;
  const count = points.length / 2;
  const radius = count > 300 ? 2.6 : 3.4;
  for (let i = 0; i < count; i++) {
    const [x, y] = [placeX(points[2 * i]!), placeY(points[2 * i + 1]!)];
    const what = shown?.[i];
    context.beginPath();
    if (what === undefined) {
      SHAPES[0]!(context, x, y, radius);
      context.fillStyle = ink;
    } else if (kind === "values") {
      SHAPES[0]!(context, x, y, radius);
      context.fillStyle = cssOfValue((what - range[0]) / (range[1] - range[0]), paper);
    } else {
      SHAPES[what % SHAPES.length]!(context, x, y, radius);
      context.fillStyle = CLASS_COLOURS[what % CLASS_COLOURS.length]!;
    }
    context.fill();
    // on the wrong side: a dark rim
    context.strokeStyle = wrong?.[i] || kind === "values" ? ink : paper;
    context.lineWidth = wrong?.[i] ? 1.4 : 0.8;
    context.stroke();
  }
}

function drawAxes(
  context: CanvasRenderingContext2D,
  [width, height]: readonly [number, number],
  { plane, axes }: Picture,
  { quiet }: Style,
  placeX: Placing,
  placeY: Placing,
): void {
  const box = boxOf(width, height);
  const bottom = box.y + box.height;
  context.fillStyle = quiet;
  context.strokeStyle = quiet;
  context.lineWidth = 1;
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "top";
  const line = (ax: number, ay: number, bx: number, by: number) => {
    context.beginPath();
    context.moveTo(ax, ay);
    context.lineTo(bx, by);
    context.stroke();
  };
  for (const tick of ticksOf(plane.low[0], plane.high[0])) {
    line(placeX(tick), bottom, placeX(tick), bottom + 4);
    context.fillText(String(tick), placeX(tick), bottom + 6);
  }
  context.fillText(axes[0], box.x + box.width / 2, bottom + 20);
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of ticksOf(plane.low[1], plane.high[1])) {
    line(box.x - 4, placeY(tick), box.x, placeY(tick));
    context.fillText(String(tick), box.x - 6, placeY(tick));
  }
  context.save();
  context.translate(8, box.y + box.height / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.fillText(axes[1], 0, 0);
  context.restore();
}
