/**
 * Draws docs/digits.png, a sheet of the first hundred training images of `digits()`:
 *   npx esbuild tests/data/sheet.ts --bundle --platform=node --format=esm | node --input-type=module
 * Each row holds ten images of one digit. The PNG is written by hand: 8-bit grey, one IDAT.
 */
import { writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";
import { drawDigit, labelOf, side } from "../../runtime/data/digits.ts";

const file = "docs/digits.png";
const seed = 0;
const zoom = 2;
const gap = 4;
const step = side * zoom + gap;
const width = 10 * step + gap;
const sheet = new Uint8Array(width * width).fill(255);

const placed = new Array<number>(10).fill(0);
const image = new Uint8Array(side * side);
for (let i = 0; i < 100; i++) {
  const digit = labelOf(seed, "train", i);
  const column = placed[digit] ?? 0;
  placed[digit] = column + 1;
  drawDigit(seed, "train", i, image);
  for (let y = 0; y < side * zoom; y++) {
    for (let x = 0; x < side * zoom; x++) {
      const at = (gap + digit * step + y) * width + gap + column * step + x;
      // Black on white, as on paper.
      sheet[at] = 255 - (image[Math.floor(y / zoom) * side + Math.floor(x / zoom)] ?? 0);
    }
  }
}
writeFileSync(file, png(sheet, width));

function png(grey: Uint8Array, size: number): Buffer {
  // Each line begins with its filter: 0, none.
  const lines = Buffer.alloc(size * (size + 1));
  for (let y = 0; y < size; y++) lines.set(grey.subarray(y * size, (y + 1) * size), y * (size + 1) + 1);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header[8] = 8;
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(lines)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body) >>> 0, body.length + 4);
  return out;
}
