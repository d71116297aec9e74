/** What the page opens with: a link, the file it was started with, the script of last time, else the first one. */
import { openLink } from "../share/link.ts";
import type { DiskFile } from "../share/disk.ts";
import type { Kept, Shelf } from "./shelf.ts";

export interface Start extends Kept {
  readonly file: string;
  /** Something to say about it. */
  readonly note?: string;
  /** It is the file that the page was started with. */
  readonly onDisk?: boolean;
  /** It came from elsewhere and is to be kept. */
  readonly isNew?: boolean;
}

export async function openingOf(hash: string, shelf: Shelf, disk: DiskFile | undefined, first: Start): Promise<Start> {
  const link = openLink(hash);
  if (link && "shared" in link) {
    const { file, layout, ...kept } = link.shared;
    return { ...kept, file: shelf.free(file), tab: layout?.tab, isNew: true };
  }
  const note = link?.refused;
  const onDisk = await disk?.read();
  if (onDisk && "text" in onDisk) return { file: onDisk.file, text: onDisk.text, inputs: {}, onDisk: true, note };
  const last = shelf.last();
  const said = note ?? (onDisk ? onDisk.reason : undefined);
  return last ? { file: last.name, ...last.kept, note: said } : { ...first, note: said };
}
