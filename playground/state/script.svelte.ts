/** The script being written: every key goes to the language service, a pause of 200 ms to the run. */
import type { Diagnostic } from "../../lang/index.ts";
import type { Language } from "../language/client.ts";
import type { Run } from "./run.svelte.ts";

const PAUSE_MS = 200;

export class Script {
  file = $state("script.dlx");
  text = $state.raw("");
  diagnostics = $state.raw<readonly Diagnostic[]>([]);
  private readonly language: Language;
  private readonly run: Run;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private version = 0;

  constructor(language: Language, run: Run) {
    this.language = language;
    this.run = run;
  }

  open(file: string, text: string, options?: Parameters<Run["open"]>[2]): void {
    clearTimeout(this.timer);
    this.file = file;
    this.text = text;
    this.run.open(file, text, options);
    void this.check();
  }

  edit(text: string): void {
    if (text === this.text) return;
    this.text = text;
    void this.check();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.run.edit(text), PAUSE_MS);
  }

  /** The newest text wins. */
  private async check(): Promise<void> {
    const version = ++this.version;
    const done = await this.language.update(this.file, this.text);
    if (!done || version !== this.version) return;
    const diagnostics = await this.language.diagnostics(this.file);
    if (version === this.version) this.diagnostics = diagnostics;
  }
}
