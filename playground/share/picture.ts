/**
 * A panel as it is seen, as a PNG: its boxes, canvases, drawn paths and texts are painted at their places. Nothing is
 * loaded for it, so the page's policy has nothing to forbid.
 */

/** Parts of the page that can be taken as a picture carry their name in this attribute. */
export const PICTURE = "data-picture";

/** Pixels of the picture for each of the page. */
const SCALE = 2;
const MARGIN = 12;

export function picturesOn(page: ParentNode): readonly { readonly name: string; readonly part: HTMLElement }[] {
  const parts = [...page.querySelectorAll<HTMLElement>(`[${PICTURE}]`)];
  return parts
    .filter((part) => part.checkVisibility())
    .map((part) => ({ name: part.getAttribute(PICTURE) ?? "", part }));
}

export async function pngOf(part: HTMLElement): Promise<Blob> {
  const { x, y, width } = part.getBoundingClientRect();
  const canvas = document.createElement("canvas");
  canvas.width = SCALE * (width + 2 * MARGIN);
  canvas.height = SCALE * (part.scrollHeight + 2 * MARGIN);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("expected a canvas to draw on, got none");
  context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--paper").trim();
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(SCALE, SCALE);
  context.translate(MARGIN - x, MARGIN - y);
  paint(context, part);
  return new Promise((made, failed) =>
    canvas.toBlob((blob) => (blob ? made(blob) : failed(new Error("expected a picture, got none"))), "image/png"),
  );
}

function paint(context: CanvasRenderingContext2D, node: Node): void {
  if (node instanceof Text) return paintText(context, node);
  if (!(node instanceof Element) || !node.checkVisibility() || node.matches("button, input, select, label, .unseen"))
    return;
  const box = node.getBoundingClientRect();
  if (node instanceof HTMLCanvasElement) {
    context.imageSmoothingEnabled = getComputedStyle(node).imageRendering !== "pixelated";
    if (node.width > 0 && node.height > 0) context.drawImage(node, box.x, box.y, box.width, box.height);
    return;
  }
  if (node instanceof SVGSVGElement) return paintDrawing(context, node);
  const style = getComputedStyle(node);
  context.fillStyle = style.backgroundColor;
  context.fillRect(box.x, box.y, box.width, box.height);
  for (const [side, x, y, width, height] of [
    ["top", box.left, box.top, box.width, 0],
    ["bottom", box.left, box.bottom, box.width, 0],
    ["left", box.left, box.top, 0, box.height],
    ["right", box.right, box.top, 0, box.height],
  ] as const) {
    const wide = parseFloat(style.getPropertyValue(`border-${side}-width`));
    context.fillStyle = style.getPropertyValue(`border-${side}-color`);
    const [dx, dy] = [side === "right" ? wide : 0, side === "bottom" ? wide : 0];
    if (wide > 0) context.fillRect(x - dx, y - dy, width || wide, height || wide);
  }
  for (const child of node.childNodes) paint(context, child);
}

/** Each line of it at its place. */
function paintText(context: CanvasRenderingContext2D, node: Text): void {
  const parent = node.parentElement;
  if (!parent || node.data.trim() === "") return;
  const { font, color } = getComputedStyle(parent);
  context.font = font;
  context.fillStyle = color;
  context.textBaseline = "middle";
  const range = document.createRange();
  let [line, top, left, middle] = ["", NaN, 0, 0];
  const end = () => context.fillText(line, left, middle);
  for (let i = 0; i < node.length; i++) {
    range.setStart(node, i);
    range.setEnd(node, i + 1);
    const [box] = range.getClientRects();
    if (!box) continue;
    if (box.top !== top) {
      end();
      [line, top, left, middle] = ["", box.top, box.left, box.top + box.height / 2];
    }
    if (line !== "" || node.data[i]!.trim() !== "") line += node.data[i] === "\n" ? " " : node.data[i];
    else left = box.right;
  }
  end();
}

/** Its shapes, from the space of the drawing to that of the page. */
function paintDrawing(context: CanvasRenderingContext2D, drawing: SVGSVGElement): void {
  for (const shape of drawing.querySelectorAll<SVGGeometryElement>("path")) {
    const matrix = shape.getScreenCTM();
    if (!matrix) continue;
    const { fill, stroke, strokeWidth } = getComputedStyle(shape);
    const path = new Path2D();
    path.addPath(new Path2D(shape.getAttribute("d") ?? ""), matrix);
    if (fill !== "none") {
      context.fillStyle = fill;
      context.fill(path);
    }
    if (stroke !== "none") {
      context.strokeStyle = stroke;
      context.lineWidth = parseFloat(strokeWidth);
      context.stroke(path);
    }
  }
}
