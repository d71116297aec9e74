/**
 * The script being written: every key goes to the language service, a pause of 200 ms to the run and to what keeps it
 * (the browser's storage, or the file that the page was started with).
 */
import type { Diagnostic } from "../../lang/index.ts";
import type { InputValue } from "../../runtime/index.ts";
import { NoAnswer, type Language } from "../language/client.ts";
import type { DiskFile } from "../share/disk.ts";
import type { Run } from "./run.svelte.ts";
import { Place } from "./place.svelte.ts";
import type { Kept, Shelf } from "./shelf.ts";

const PAUSE_MS = 200;

export class Script {
  file = $state("script.dlx");
  text = $state.raw("");
  diagnostics = $state.raw<readonly Diagnostic[]>([]);
  /** Why it is not kept. */
  unsaved = $state<string>();
  /** Where the person is in the text. */
  readonly place = new Place();
  /** Its check took too long and was stopped. */
  unchecked = $state(false);
  private readonly language: Language;
  private readonly run: Run;
  private readonly shelf: Shelf;
  private readonly disk: DiskFile | undefined;
  private onDisk: string | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private version = 0;

  constructor(language: Language, run: Run, shelf: Shelf, disk?: DiskFile) {
    this.language = language;
    this.run = run;
    this.shelf = shelf;
    this.disk = disk;
  }

  /** `onDisk`: it is the file that the page was started with. */
  open(file: string, kept: Kept, onDisk = false): void {
    clearTimeout(this.timer);
    if (file !== this.file) void this.language.close(this.file);
    this.file = file;
    this.text = kept.text;
    if (onDisk) this.onDisk = file;
    this.run.open(file, kept.text, { seed: kept.seed, values: kept.inputs });
    void this.check();
  }

  /** `undoing`: back to a text from before, and the run with it. */
  edit(text: string, undoing = false): void {
    if (text === this.text) return;
    this.text = text;
    this.run.wrote(text);
    const checked = this.check();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      // what cannot be checked would stop the lab too: there the last good program trains on
      void checked.then((done) => done && text === this.text && this.run.edit(text, undoing));
      void this.save();
    }, PAUSE_MS);
  }

  /** Takes the last swap back: the text before it, and the run as it was then. */
  undo(): void {
    const { before } = this.run;
    if (before === undefined) return;
    clearTimeout(this.timer);
    this.text = before;
    void this.check();
    this.run.edit(before, true);
    void this.save();
  }

  /** The same script under another name. */
  rename(file: string): void {
    const before = this.file;
    this.open(file, { text: this.text, inputs: this.inputs, seed: this.run.seed });
    void this.save();
    this.shelf.remove(before);
  }

  async save(): Promise<void> {
    if (this.onDisk === this.file && this.disk) {
      this.unsaved = await this.disk.save(this.text);
      return;
    }
    const kept: Kept = { text: this.text, inputs: this.inputs, seed: this.run.seed };
    this.unsaved = this.shelf.keep(this.file, kept)
      ? undefined
      : "this browser keeps no more; export what you want to have";
  }

  private get inputs(): Readonly<Record<string, InputValue>> {
    return this.run.values;
  }

  /** The newest text wins. True when it is this one, and it was checked. */
  private async check(): Promise<boolean> {
    const version = ++this.version;
    try {
      if (!(await this.language.update(this.file, this.text))) return false;
      const diagnostics = await this.language.diagnostics(this.file);
      if (version !== this.version) return false;
      this.diagnostics = diagnostics;
      this.unchecked = false;
      return true;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      if (version === this.version) [this.diagnostics, this.unchecked] = [[], true];
      return false;
    }
  }
}
