/**
 * The script being written: every key goes to the language service, a pause of 200 ms to the run and to what keeps it
 * (the browser's storage, or the file that the page was started with), with its inputs, its seed, the place of the cursor
 * and the open panel.
 */
import { untrack } from "svelte";
import type { Diagnostic } from "../../lang/index.ts";
import { NoAnswer, type Language } from "../language/client.ts";
import type { DiskFile } from "../share/disk.ts";
import { fileName } from "../share/link.ts";
import type { Files } from "./files.svelte.ts";
import type { Run } from "./run.svelte.ts";
import { Place } from "./place.svelte.ts";
import type { Kept, Shelf } from "./shelf.ts";

const PAUSE_MS = 200;

export class Script {
  file = $state("script.dlx");
  text = $state.raw("");
  diagnostics = $state.raw<readonly Diagnostic[]>([]);
  /** The panel that is open. */
  tab = $state<string>();
  /** Why it is not kept. */
  unsaved = $state<string>();
  /** What another program has written to the file meanwhile. */
  conflict = $state.raw<string>();
  readonly files: Files;
  /** Where the person is in the text. */
  readonly place = new Place();
  /** Its check took too long and was stopped. */
  unchecked = $state(false);
  private readonly language: Language;
  private readonly run: Run;
  private readonly shelf: Shelf;
  private readonly disk: DiskFile | undefined;
  private onDisk: string | undefined;
  /** The name under which a text is kept that its file cannot take. */
  private aside: string | undefined;
  /** As it was kept last; the cursor alone is no change. */
  private kept: string | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private saving: ReturnType<typeof setTimeout> | undefined;
  private version = 0;

  constructor(language: Language, run: Run, shelf: Shelf, files: Files, disk?: DiskFile) {
    this.language = language;
    this.run = run;
    this.shelf = shelf;
    this.files = files;
    this.disk = disk;
    $effect.root(() => {
      $effect(() => {
        void [run.values, run.seed, this.tab];
        untrack(() => this.saveSoon());
      });
    });
  }

  /** `onDisk`: it is the file that the page was started with. */
  open(file: string, kept: Kept, onDisk = false): void {
    this.saveNow();
    clearTimeout(this.timer);
    if (file !== this.file) void this.language.close(this.file);
    this.file = file;
    this.text = kept.text;
    const cursor = kept.cursor ?? 0;
    this.place.select({ start: cursor, end: cursor });
    this.tab = kept.tab ?? this.tab;
    this.unsaved = undefined;
    if (onDisk) this.onDisk = file;
    this.run.open(file, kept.text, { seed: kept.seed, values: kept.inputs });
    this.kept = markOf(this.now);
    void this.check();
  }

  /** `undoing`: back to a text from before, and the run with it. */
  edit(text: string, undoing = false): void {
    if (text === this.text) return;
    this.text = text;
    this.run.wrote(text);
    const checked = this.check();
    const isGood = () => !this.diagnostics.some(({ severity }) => severity === "error");
    void checked.then((done) => done && text === this.text && !undoing && isGood() && this.run.ahead(text));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      // what cannot be checked would stop the lab too: there the last good program trains on
      void checked.then((done) => done && text === this.text && this.run.edit(text, undoing));
      void this.save();
    }, PAUSE_MS);
  }

  /** A line before the one that the cursor is in. */
  insertLine(line: string): void {
    const start = this.text.lastIndexOf("\n", this.place.cursor.start - 1) + 1;
    this.edit(`${this.text.slice(0, start)}${line}\n${this.text.slice(start)}`);
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

  /** Opened as a script of its own, and kept. */
  bring(name: string, kept: Kept): void {
    this.open(this.shelf.free(fileName(name)), kept);
    void this.save();
  }

  /** Files from the person: a script opens, all else can be read by scripts from then on. */
  async receive(given: readonly File[]): Promise<void> {
    const scripts = given.filter(({ name }) => name.endsWith(".dlx"));
    const others = given.filter((file) => !scripts.includes(file));
    for (const script of scripts) this.bring(script.name, { text: await script.text(), inputs: {} });
    if (others.length === 0) return;
    this.tab = "data";
    await this.files.add(others);
    void this.check();
  }

  /** A file that scripts may read no more. */
  async discard(name: string): Promise<void> {
    await this.files.remove(name);
    void this.check();
  }

  /** The same script under another name; false when it cannot be kept under that one. */
  rename(file: string): boolean {
    const { file: before, now } = this;
    if (!this.shelf.keep(file, now)) return this.full();
    this.shelf.remove(before);
    this.open(file, now);
    return true;
  }

  // ------------------------------------------------------------ keeping it

  async save(): Promise<void> {
    clearTimeout(this.saving);
    this.kept = markOf(this.now);
    if (this.onDisk === this.file && this.disk) return this.saveToDisk(this.disk);
    if (this.shelf.keep(this.file, this.now)) this.unsaved = undefined;
    else this.full();
  }

  /** What is not kept yet, before the page goes. */
  saveNow(): void {
    const known = this.shelf.get(this.file) !== undefined;
    if (this.hasChanged || (known && this.onDisk !== this.file)) void this.save();
  }

  /** The file as another program left it; the text here is kept under another name. */
  takeFile(): void {
    const { conflict } = this;
    if (conflict === undefined || !this.keepAside()) return;
    this.aside = this.conflict = undefined;
    this.open(this.file, { text: conflict, inputs: this.run.values, seed: this.run.seed });
  }

  /** The text here in the place of what another program wrote. */
  async overwriteFile(): Promise<void> {
    if (this.disk && this.conflict !== undefined) await this.saveToDisk(this.disk, true);
  }

  private async saveToDisk(disk: DiskFile, anyway = false): Promise<void> {
    const answer = await disk.save(this.text, anyway);
    this.conflict = answer && "text" in answer ? answer.text : undefined;
    if (!answer) return void (this.unsaved = undefined);
    const why = "text" in answer ? `another program has changed ${this.file}` : answer.reason;
    const kept = this.keepAside() ? `your text is kept in this browser as ${this.aside}` : "export it to keep it";
    this.unsaved = `not saved to the file: ${why}; ${kept}`;
  }

  private keepAside(): boolean {
    this.aside ??= this.shelf.free(`${this.file.replace(/\.dlx$/, "")} (mine).dlx`);
    return this.shelf.keep(this.aside, this.now, false);
  }

  private full(): false {
    this.unsaved = "this browser's storage is full, so changes are not kept; export the script, or delete others";
    return false;
  }

  private saveSoon(): void {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => {
      if (this.hasChanged) void this.save();
    }, PAUSE_MS);
  }

  private get hasChanged(): boolean {
    return this.kept !== undefined && this.kept !== markOf(this.now);
  }

  private get now(): Kept {
    const { text, tab, place } = this;
    return { text, inputs: this.run.values, seed: this.run.seed, cursor: place.cursor.start, tab };
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

const markOf = (kept: Kept): string => JSON.stringify({ ...kept, cursor: undefined });
