/** The editor's end of a language server: requests, notifications, and what the server says by itself. */

export interface Wire {
  send(message: object): void;
  listen(receive: (message: Message) => void): void;
}
export interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}
interface Published {
  readonly uri: string;
  readonly version: number;
  readonly diagnostics: readonly {
    readonly code: string;
    readonly message: string;
    readonly range: Range;
    readonly relatedInformation: readonly {
      readonly message: string;
      readonly location: { readonly uri: string; readonly range: Range };
    }[];
  }[];
}
export interface Position {
  readonly line: number;
  readonly character: number;
}
export interface Range {
  readonly start: Position;
  readonly end: Position;
}

export class Client {
  private readonly wire: Wire;
  private next = 1;
  private readonly answers = new Map<number, (message: Message) => void>();
  private readonly published: Published[] = [];
  private waiting: (() => void)[] = [];

  constructor(wire: Wire) {
    this.wire = wire;
    wire.listen((message) => this.receive(message));
  }

  private receive(message: Message): void {
    if (message.method === "textDocument/publishDiagnostics") {
      this.published.push(message.params as Published);
      const waiting = this.waiting;
      this.waiting = [];
      for (const wake of waiting) wake();
    } else if (message.method !== undefined && message.id !== undefined)
      this.wire.send({ jsonrpc: "2.0", id: message.id, result: null });
    else if (message.id !== undefined) this.answers.get(message.id)?.(message);
  }

  notify(method: string, params?: object): void {
    this.wire.send({ jsonrpc: "2.0", method, params });
  }

  /** The whole answer, error or not. */
  ask(method: string, params?: object): Promise<Message> {
    const id = this.next++;
    return new Promise((done) => {
      this.answers.set(id, done);
      this.wire.send({ jsonrpc: "2.0", id, method, params });
    });
  }

  async request<T>(method: string, params?: object): Promise<T> {
    const { result, error } = await this.ask(method, params);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }

  async start(capabilities: object = {}): Promise<{ capabilities: Record<string, unknown> }> {
    const result = await this.request<{ capabilities: Record<string, unknown> }>("initialize", {
      processId: null,
      rootUri: null,
      capabilities,
    });
    this.notify("initialized", {});
    return result;
  }

  /** Messages about a version of a script. */
  async diagnostics(uri: string, version: number): Promise<Published["diagnostics"]> {
    for (;;) {
      const found = this.published.findLast((p) => p.uri === uri && p.version === version);
      if (found) return found.diagnostics;
      await new Promise<void>((wake) => this.waiting.push(wake));
    }
  }

  versions(uri: string): number[] {
    return this.published.filter((p) => p.uri === uri).map((p) => p.version);
  }
}

/** A script in the editor: its text, edits as an editor sends them. */
export class Script {
  readonly uri: string;
  text: string;
  version = 1;
  private readonly client: Client;

  constructor(client: Client, uri: string, text: string) {
    this.client = client;
    this.uri = uri;
    this.text = text;
    client.notify("textDocument/didOpen", { textDocument: { uri, languageId: "dlx", version: 1, text } });
  }

  /** Replaces the first `what` as one incremental change; gives the new version. */
  edit(what: string, by: string): number {
    const start = this.text.indexOf(what);
    if (start < 0) throw new Error(`expected ${what} in the script, got none`);
    const range = { start: this.place(start), end: this.place(start + what.length) };
    this.text = this.text.slice(0, start) + by + this.text.slice(start + what.length);
    this.client.notify("textDocument/didChange", {
      textDocument: { uri: this.uri, version: ++this.version },
      contentChanges: [{ range, text: by }],
    });
    return this.version;
  }

  place(offset: number): Position {
    const before = this.text.slice(0, offset).split("\n");
    return { line: before.length - 1, character: before.at(-1)!.length };
  }

  offset({ line, character }: Position): number {
    return (
      this.text
        .split("\n")
        .slice(0, line)
        .reduce((n, l) => n + l.length + 1, 0) + character
    );
  }

  /** The place of `|` in a piece of the text: `net|(x)`. */
  at(marked: string): { textDocument: { uri: string }; position: Position } {
    const bar = marked.indexOf("|^");
    const piece = marked.replace("|^", "");
    const start = this.text.indexOf(piece);
    if (start < 0 || bar < 0) throw new Error(`expected ${piece} in the script and |^ in it, got none`);
    return { textDocument: { uri: this.uri }, position: this.place(start + bar) };
  }

  get document(): { textDocument: { uri: string } } {
    return { textDocument: { uri: this.uri } };
  }

  slice({ start, end }: Range): string {
    return this.text.slice(this.offset(start), this.offset(end));
  }

  /** The text after edits of the server. */
  after(edits: readonly { readonly range: Range; readonly newText: string }[]): string {
    const sorted = [...edits].sort((a, b) => this.offset(b.range.start) - this.offset(a.range.start));
    return sorted.reduce(
      (text, e) => text.slice(0, this.offset(e.range.start)) + e.newText + text.slice(this.offset(e.range.end)),
      this.text,
    );
  }
}
