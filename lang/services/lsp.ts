/**
 * The services as a language server over any connection: standard input and output, a worker, two ends in memory.
 * Only the newest text of a script is checked: edits that wait are taken together, and a newer one ends a check.
 */
import { ResponseError } from "vscode-languageserver";
import type * as lsp from "vscode-languageserver";
import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import type { ServiceHost } from "./host.ts";
import { applyChanges, LanguageService, Lines, TOKEN_MODIFIERS, TOKEN_TYPES } from "./index.ts";
import type { Action, CompletionKind, Outline, OutlineKind, TextEdit } from "./index.ts";

/** The standard library under URIs; its texts are given by `workspace/textDocumentContent`. */
const SCHEME = "dlx-stdlib";
const REFUSED = -32803;

export const fileOf = (uri: string): string => uri.replace(new RegExp(`^${SCHEME}:/*`), "stdlib/");
export const uriOf = (file: string): string => (file.startsWith("stdlib/") ? `${SCHEME}:/${file.slice(7)}` : file);

const COMPLETIONS: Readonly<Record<CompletionKind, lsp.CompletionItemKind>> = {
  variable: 6, function: 3, class: 7, constant: 21, field: 5, property: 10, keyword: 14, axis: 25, data: 9,
}; // prettier-ignore
const SYMBOLS: Readonly<Record<OutlineKind, lsp.SymbolKind>> = {
  model: 5, fn: 12, optimizer: 5, block: 3, variable: 13, param: 8, input: 14, axis: 26, metric: 7, import: 2, test: 6,
}; // prettier-ignore
const SEVERITIES = { error: 1, warning: 2, note: 3 } as const;

export interface ServerInfo {
  readonly version: string;
}

/** Listens until the connection ends. */
export function serve(connection: lsp.Connection, host: ServiceHost, info: ServerInfo): LanguageService {
  const service = new LanguageService(host);
  /** Newest texts that the service has not been given yet. */
  const waiting = new Map<string, string>();
  const versions = new Map<string, number>();
  let markdown = true;
  let watches = false;

  // ------------------------------------------------------------ texts

  const textOf = (file: string): string => waiting.get(file) ?? service.textOf(file) ?? "";
  const linesOf = (file: string): Lines => new Lines(textOf(file));

  const flush = (file: string): void => {
    const text = waiting.get(file);
    if (text === undefined) return;
    waiting.delete(file);
    const version = versions.get(file);
    void service.update(file, text).then(async (done) => {
      if (!done || versions.get(file) !== version || waiting.has(file)) return;
      await publish(file);
      for (const other of await service.changed(file)) await publish(other);
    }, report);
  };

  const report = (error: unknown): void =>
    connection.console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));

  const edit = (file: string, text: string, version: number): void => {
    const isFirst = waiting.size === 0;
    waiting.set(file, text);
    versions.set(file, version);
    // Edits that are on their way already come first.
    if (isFirst) setTimeout(() => [...waiting.keys()].forEach(flush), 0);
  };

  const publish = async (file: string): Promise<void> => {
    const diagnostics = await service.diagnostics(file);
    if (!service.has(file)) return;
    const lines = new Lines(service.textOf(file) ?? "");
    await connection.sendDiagnostics({
      uri: uriOf(file),
      version: versions.get(file),
      diagnostics: diagnostics.map((d) => diagnosticOf(file, lines, d)),
    });
  };

  const diagnosticOf = (file: string, lines: Lines, d: Diagnostic): lsp.Diagnostic => {
    const [first, ...others] = d.labels;
    const here = first?.span.file === file;
    const related = here ? others : d.labels;
    return {
      range: here ? lines.range(first.span) : lines.range({ start: 0, end: lines.endOf(0) }),
      severity: SEVERITIES[d.severity],
      code: d.code,
      source: "dlx",
      message: [d.title, here ? first.text : "", ...d.notes, d.help ?? ""].filter((line) => line !== "").join("\n"),
      relatedInformation: related.map((l) => ({ location: location(l.span), message: l.text || d.title })),
    };
  };

  const location = (span: Span): lsp.Location => ({ uri: uriOf(span.file), range: linesOf(span.file).range(span) });

  // ------------------------------------------------------------ life

  connection.onInitialize(({ capabilities }): lsp.InitializeResult => {
    markdown = capabilities.textDocument?.hover?.contentFormat?.includes("markdown") ?? true;
    watches = capabilities.workspace?.didChangeWatchedFiles?.dynamicRegistration ?? false;
    return {
      serverInfo: { name: "dlx", version: info.version },
      capabilities: {
        positionEncoding: "utf-16",
        textDocumentSync: { openClose: true, change: 2, save: false },
        completionProvider: { triggerCharacters: [".", ">", "(", ",", "[", ":"] },
        hoverProvider: true,
        signatureHelpProvider: { triggerCharacters: ["(", ","], retriggerCharacters: [":"] },
        definitionProvider: true,
        referencesProvider: true,
        documentHighlightProvider: true,
        renameProvider: { prepareProvider: true },
        inlayHintProvider: true,
        semanticTokensProvider: {
          legend: { tokenTypes: [...TOKEN_TYPES], tokenModifiers: [...TOKEN_MODIFIERS] },
          full: true,
        },
        documentSymbolProvider: true,
        foldingRangeProvider: true,
        documentFormattingProvider: true,
        codeActionProvider: { codeActionKinds: ["quickfix", "refactor"] },
        workspace: { textDocumentContent: { schemes: [SCHEME] } },
      },
    };
  });
  connection.onInitialized(() => {
    if (!watches) return;
    const watchers = [{ globPattern: "**/*.dlx" }, { globPattern: "**/*.{csv,gz,safetensors}" }];
    const registrations = [{ id: "files", method: "workspace/didChangeWatchedFiles", registerOptions: { watchers } }];
    connection.sendRequest("client/registerCapability", { registrations }).catch(report);
  });
  connection.onShutdown(() => waiting.clear());

  connection.onDidOpenTextDocument(({ textDocument: t }) => edit(fileOf(t.uri), t.text, t.version));
  connection.onDidChangeTextDocument(({ textDocument: t, contentChanges }) => {
    const file = fileOf(t.uri);
    edit(
      file,
      applyChanges(
        textOf(file),
        contentChanges.map((c) => ("range" in c ? c : { text: c.text })),
      ),
      t.version,
    );
  });
  connection.onDidCloseTextDocument(({ textDocument: t }) => {
    const file = fileOf(t.uri);
    waiting.delete(file);
    versions.delete(file);
    service.close(file);
    connection.sendDiagnostics({ uri: t.uri, diagnostics: [] }).catch(report);
  });
  connection.onDidChangeWatchedFiles(async ({ changes }) => {
    for (const { uri } of changes.filter((c) => c.uri.endsWith(".dlx")))
      for (const file of await service.changed(fileOf(uri))) await publish(file);
    if (changes.some((c) => !c.uri.endsWith(".dlx")))
      for (const file of await service.dataChanged()) await publish(file);
  });

  // ------------------------------------------------------------ questions

  interface At {
    readonly textDocument: { readonly uri: string };
    readonly position: lsp.Position;
  }
  const at = ({ textDocument, position }: At): { file: string; offset: number; lines: Lines } => {
    const file = fileOf(textDocument.uri);
    flush(file);
    const lines = linesOf(file);
    return { file, lines, offset: lines.offset(position) };
  };
  const whole = ({ textDocument }: Pick<At, "textDocument">): { file: string; lines: Lines } => {
    const file = fileOf(textDocument.uri);
    flush(file);
    return { file, lines: linesOf(file) };
  };
  const content = (text: string): lsp.MarkupContent => ({ kind: markdown ? "markdown" : "plaintext", value: text });
  const edits = (lines: Lines, list: readonly TextEdit[]): lsp.TextEdit[] =>
    list.map((e) => ({ range: lines.range(e.span), newText: e.text }));
  const workspaceEdit = (list: readonly TextEdit[]): lsp.WorkspaceEdit => {
    const changes: Record<string, lsp.TextEdit[]> = {};
    for (const e of list) (changes[uriOf(e.span.file)] ??= []).push(...edits(linesOf(e.span.file), [e]));
    return { changes };
  };
  const refuse = (why: string): never => {
    throw new ResponseError(REFUSED, why);
  };

  connection.onHover(async (params) => {
    const { file, offset, lines } = at(params);
    const hover = await service.hover(file, offset);
    return hover ? { contents: content(hover.text), range: lines.range(hover.span) } : null;
  });

  connection.onCompletion(async (params): Promise<lsp.CompletionItem[]> => {
    const { file, offset, lines } = at(params);
    const found = await service.completions(file, offset);
    return found.map((c) => ({
      label: c.label,
      kind: COMPLETIONS[c.kind],
      detail: c.detail,
      documentation: c.doc === undefined ? undefined : content(c.doc),
      sortText: `${c.rank}${c.label}`,
      textEdit: { range: lines.range(c.span), newText: c.insert },
    }));
  });

  connection.onSignatureHelp(async (params): Promise<lsp.SignatureHelp | null> => {
    const { file, offset } = at(params);
    const found = await service.signature(file, offset);
    if (!found) return null;
    const parameters = found.parameters.map(([start, end]): lsp.ParameterInformation => ({ label: [start, end] }));
    // A number behind the last says: none of them.
    const activeParameter = found.active < 0 ? parameters.length : found.active;
    return {
      signatures: [{ label: found.label, documentation: content(found.doc), parameters }],
      activeSignature: 0,
      activeParameter,
    };
  });

  connection.onDefinition(async (params) => {
    const { file, offset } = at(params);
    const span = await service.definition(file, offset);
    return span ? location(span) : null;
  });

  connection.onReferences(async (params) => {
    const { file, offset } = at(params);
    const spans = await service.references(file, offset);
    const declared = params.context.includeDeclaration ? undefined : await service.definition(file, offset);
    return spans.filter((s) => s.file !== declared?.file || s.start !== declared.start).map(location);
  });

  connection.onDocumentHighlight(async (params) => {
    const { file, offset, lines } = at(params);
    return (await service.references(file, offset))
      .filter((s) => s.file === file)
      .map((s) => ({ range: lines.range(s) }));
  });

  connection.onPrepareRename(async (params) => {
    const { file, offset, lines } = at(params);
    const found = await service.renameable(file, offset);
    return "refused" in found ? refuse(found.refused) : { range: lines.range(found.span), placeholder: found.name };
  });

  connection.onRenameRequest(async (params) => {
    const { file, offset } = at(params);
    const renamed = await service.rename(file, offset, params.newName);
    return "refused" in renamed ? refuse(renamed.refused) : workspaceEdit(renamed.edits);
  });

  connection.languages.inlayHint.on(async (params): Promise<lsp.InlayHint[]> => {
    const { file, lines } = whole(params);
    const range = { start: lines.offset(params.range.start), end: lines.offset(params.range.end) };
    const hints = await service.hints(file, range);
    return hints.map((h) => ({
      position: lines.place(h.offset),
      label: h.label,
      kind: 1,
      tooltip: h.tooltip || undefined,
      paddingLeft: h.label.startsWith(" "),
    }));
  });

  connection.languages.semanticTokens.on(async (params) => {
    const { file, lines } = whole(params);
    const data: number[] = [];
    let line = 0;
    let column = 0;
    for (const { span, type, modifiers } of await service.tokens(file)) {
      const start = lines.place(span.start);
      data.push(
        start.line - line,
        start.line === line ? start.character - column : start.character,
        span.end - span.start,
        TOKEN_TYPES.indexOf(type),
        modifiers.reduce((bits, m) => bits | (1 << TOKEN_MODIFIERS.indexOf(m)), 0),
      );
      [line, column] = [start.line, start.character];
    }
    return { data };
  });

  connection.onDocumentSymbol((params) => {
    const { file, lines } = whole(params);
    const symbol = (o: Outline): lsp.DocumentSymbol => ({
      name: o.name,
      kind: SYMBOLS[o.kind],
      detail: o.detail,
      range: lines.range(o.span),
      selectionRange: lines.range(o.selection),
      children: o.children.map(symbol),
    });
    return service.outline(file).map(symbol);
  });

  connection.onFoldingRanges((params) => {
    const { file } = whole(params);
    return service.folds(file).map((f) => ({ startLine: f.from, endLine: f.to, kind: f.kind }));
  });

  connection.onDocumentFormatting((params) => {
    const { file, lines } = whole(params);
    return edits(lines, service.format(file));
  });

  connection.onCodeAction(async (params): Promise<lsp.CodeAction[]> => {
    const { file, lines } = whole(params);
    const range = { start: lines.offset(params.range.start), end: lines.offset(params.range.end) };
    const wanted = (a: Action): boolean =>
      params.context.only === undefined ||
      params.context.only.some((kind) => a.kind === kind || a.kind.startsWith(`${kind}.`));
    const found = await service.actions(file, range);
    return found.filter(wanted).map((a) => ({
      title: a.title,
      kind: a.kind === "refactor" ? "refactor.rewrite" : a.kind,
      diagnostics: a.diagnostic ? [diagnosticOf(file, lines, a.diagnostic)] : undefined,
      edit: workspaceEdit(a.edits),
    }));
  });

  // ------------------------------------------------------------ the standard library as text

  connection.onRequest("workspace/textDocumentContent", ({ uri }: { readonly uri: string }) => ({
    text: service.textOf(fileOf(uri)) ?? "",
  }));

  connection.listen();
  return service;
}
