/**
 * A disk in memory, for a page: bytes by name, as `data/disk.ts` asks for one. Names have folders with `/` and begin at
 * one root. Whoever holds the map may change it at any time: other bytes are another file.
 */
import { parse } from "csv-parse/browser/esm/sync";
import { csvOptions, type Disk, DiskError, type Paths } from "./data/disk.ts";
import { gunzip, joined } from "./data/unpack.ts";

export type FileMap = Map<string, Uint8Array>;

/** Files with `/`, of which the root is `.`; nothing leads out of it. */
const paths: Paths = {
  resolve: (folder, path) => whole(path.startsWith("/") ? path : `${folder}/${path}`),
  join: (folder, name) => whole(`${folder}/${name}`),
  dirname: (path) => whole(path.split("/").slice(0, -1).join("/")),
  basename: (path) => path.split("/").at(-1) ?? path,
};

function whole(path: string): string {
  const parts: string[] = [];
  for (const part of path.split(/[\\/]/)) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/") || ".";
}

/** `heard`: of each file that is read. */
export function memoryDisk(files: FileMap, heard?: (file: string) => void): Disk {
  const bytesAt = async (path: string): Promise<Uint8Array> => {
    const found = files.get(path);
    if (found) heard?.(path);
    if (found) return found;
    if (below(files, path).length > 0) throw new DiskError("it is a folder");
    throw new DiskError("there is no such file", true);
  };
  return {
    paths,
    read: bytesAt,
    open: async (path) => {
      const bytes = await bytesAt(path);
      return {
        size: bytes.length,
        read: async (position, length) => bytes.slice(position, position + length),
        close: async () => undefined,
      };
    },
    write: async (path, parts) => {
      if (below(files, path).length > 0) throw new DiskError("it is a folder");
      // What was handed over may change afterwards.
      files.set(path, joined([new Uint8Array(0), ...parts]));
    },
    list: async (folder) => [...new Set(below(files, folder).map((name) => name.split("/")[0] ?? name))],
    stateOf: async (path) => `memory ${numberOf(await bytesAt(path))}`,
    gunzip: async (packed) => gunzip(packed),
    rows: async (path, visit) => {
      const text = new TextDecoder().decode(await bytesAt(path));
      parse(text, {
        ...csvOptions,
        on_record: (cells: string[], { lines }) => {
          visit(cells, lines);
          return null;
        },
      });
    },
  };
}

/** Names below a folder, from there. */
function below(files: FileMap, folder: string): string[] {
  const start = folder === "." ? "" : `${folder}/`;
  return [...files.keys()].flatMap((name) => (name.startsWith(start) ? [name.slice(start.length)] : []));
}

const numbers = new WeakMap<Uint8Array, number>();
let count = 0;

function numberOf(bytes: Uint8Array): number {
  const known = numbers.get(bytes) ?? count++;
  numbers.set(bytes, known);
  return known;
}
