/**
 * Monaco's questions answered by the language service: one row for each kind, which only maps places. A script is a model
 * of the scheme `dlx`; the standard library is read-only under `dlx-stdlib`.
 */
import type { Diagnostic } from "../../lang/index.ts";
import type { Action, CompletionKind, OutlineKind, TextEdit } from "../../lang/services/index.ts";
import { monarch } from "../../lang/services/grammars.ts";
import { TOKEN_MODIFIERS, TOKEN_TYPES } from "../../lang/services/tokens.ts";
import type { Span } from "../../lang/source.ts";
import type { Language } from "../language/client.ts";
import { monaco } from "./monaco.ts";

type Model = monaco.editor.ITextModel;

export const LANGUAGE = "dlx";
const LIBRARY = "stdlib/";

export const uriOf = (file: string): monaco.Uri =>
  file.startsWith(LIBRARY)
    ? monaco.Uri.from({ scheme: "dlx-stdlib", path: `/${file.slice(LIBRARY.length)}` })
    : monaco.Uri.from({ scheme: "dlx", path: `/${file}` });
export const fileOf = ({ scheme, path }: monaco.Uri): string =>
  scheme === "dlx-stdlib" ? LIBRARY + path.slice(1) : path.slice(1);

const { CompletionItemKind: C, SymbolKind: S } = monaco.languages;
const COMPLETIONS: Readonly<Record<CompletionKind, monaco.languages.CompletionItemKind>> = {
  variable: C.Variable, function: C.Function, class: C.Class, constant: C.Constant, field: C.Field, property: C.Property,
  keyword: C.Keyword, axis: C.TypeParameter, data: C.Module,
}; // prettier-ignore
const SYMBOLS: Readonly<Record<OutlineKind, monaco.languages.SymbolKind>> = {
  model: S.Class, fn: S.Function, optimizer: S.Class, block: S.Namespace, variable: S.Variable, param: S.Field,
  input: S.Constant, axis: S.TypeParameter, metric: S.Property, import: S.Module, test: S.Method,
}; // prettier-ignore
const SEVERITIES: Readonly<Record<Diagnostic["severity"], monaco.MarkerSeverity>> = {
  error: monaco.MarkerSeverity.Error,
  warning: monaco.MarkerSeverity.Warning,
  note: monaco.MarkerSeverity.Info,
};

/** An answer may come after its script was closed: nobody looks at it any more. */
const positionOf = (model: Model, offset: number): monaco.IPosition =>
  model.isDisposed() ? { lineNumber: 1, column: 1 } : model.getPositionAt(offset);

export function rangeOf(model: Model, { start, end }: { readonly start: number; readonly end: number }): monaco.Range {
  return monaco.Range.fromPositions(positionOf(model, start), positionOf(model, end));
}

export function markerOf(model: Model, d: Diagnostic): monaco.editor.IMarkerData {
  const first = d.labels.find(({ span }) => span.file === fileOf(model.uri));
  const range = first ? rangeOf(model, first.span) : new monaco.Range(1, 1, 1, model.getLineMaxColumn(1));
  return {
    ...range,
    startLineNumber: range.startLineNumber,
    startColumn: range.startColumn,
    endLineNumber: range.endLineNumber,
    endColumn: Math.max(range.endColumn, range.startColumn + (range.isEmpty() ? 1 : 0)),
    severity: SEVERITIES[d.severity],
    code: d.code,
    source: "dlx",
    message: [d.title, first?.text ?? "", ...d.notes, d.help ?? ""].filter((line) => line !== "").join("\n"),
  };
}

/** A text of the standard library becomes a model when someone goes there. */
export async function modelOf(file: string, language: Language): Promise<Model | undefined> {
  const known = monaco.editor.getModel(uriOf(file));
  if (known) return known;
  const text = await language.textOf(file);
  return text === undefined ? undefined : monaco.editor.createModel(text, LANGUAGE, uriOf(file));
}

export function registerLanguage(language: Language): void {
  const { languages } = monaco;
  languages.register({ id: LANGUAGE, extensions: [".dlx"] });
  languages.setMonarchTokensProvider(LANGUAGE, monarch() as unknown as monaco.languages.IMonarchLanguage);
  languages.setLanguageConfiguration(LANGUAGE, {
    comments: { lineComment: "#" },
    brackets: [
      ["{", "}"],
      ["[", "]"],
      ["(", ")"],
    ],
    autoClosingPairs: [
      { open: "{", close: "}" },
      { open: "[", close: "]" },
      { open: "(", close: ")" },
      { open: '"', close: '"', notIn: ["string", "comment"] },
    ],
    onEnterRules: [
      {
        beforeText: /\{[^}]*$/,
        afterText: /^\s*\}/,
        action: { indentAction: languages.IndentAction.IndentOutdent },
      },
      { beforeText: /[{([][^})\]]*$/, action: { indentAction: languages.IndentAction.Indent } },
    ],
    wordPattern: /[\p{L}_][\p{L}\p{M}\p{N}_]*/u,
  });

  const at = (model: Model, position: monaco.IPosition) => [fileOf(model.uri), model.getOffsetAt(position)] as const;
  const within = (model: Model, range: monaco.IRange) => ({
    start: model.getOffsetAt({ lineNumber: range.startLineNumber, column: range.startColumn }),
    end: model.getOffsetAt({ lineNumber: range.endLineNumber, column: range.endColumn }),
  });
  const location = async (span: Span): Promise<monaco.languages.Location[]> => {
    const model = await modelOf(span.file, language);
    return model ? [{ uri: model.uri, range: rangeOf(model, span) }] : [];
  };
  const edits = (model: Model, list: readonly TextEdit[]): monaco.languages.TextEdit[] =>
    list.map(({ span, text }) => ({ range: rangeOf(model, span), text }));
  const workspaceEdit = async (list: readonly TextEdit[]): Promise<monaco.languages.WorkspaceEdit> => {
    const found = await Promise.all(
      list.map(async ({ span, text }) => {
        const model = await modelOf(span.file, language);
        return model
          ? [{ resource: model.uri, versionId: undefined, textEdit: { range: rangeOf(model, span), text } }]
          : [];
      }),
    );
    return { edits: found.flat() };
  };

  languages.registerHoverProvider(LANGUAGE, {
    provideHover: async (model, position) => {
      const hover = await language.hover(...at(model, position));
      return hover && { contents: [{ value: hover.text }], range: rangeOf(model, hover.span) };
    },
  });
  languages.registerCompletionItemProvider(LANGUAGE, {
    triggerCharacters: [".", ">", "(", ",", "[", ":"],
    provideCompletionItems: async (model, position) => ({
      suggestions: (await language.completions(...at(model, position))).map((c) => ({
        label: c.label,
        kind: COMPLETIONS[c.kind],
        detail: c.detail,
        documentation: c.doc === undefined ? undefined : { value: c.doc },
        sortText: `${c.rank}${c.label}`,
        insertText: c.insert,
        range: rangeOf(model, c.span),
      })),
    }),
  });
  languages.registerSignatureHelpProvider(LANGUAGE, {
    signatureHelpTriggerCharacters: ["(", ","],
    signatureHelpRetriggerCharacters: [":"],
    provideSignatureHelp: async (model, position) => {
      const found = await language.signature(...at(model, position));
      if (!found) return undefined;
      const parameters = found.parameters.map(([start, end]) => ({ label: [start, end] as [number, number] }));
      const activeParameter = found.active < 0 ? parameters.length : found.active;
      const signature = { label: found.label, documentation: { value: found.doc }, parameters };
      return { value: { signatures: [signature], activeSignature: 0, activeParameter }, dispose: () => undefined };
    },
  });
  languages.registerDefinitionProvider(LANGUAGE, {
    provideDefinition: async (model, position) => {
      const span = await language.definition(...at(model, position));
      return span && location(span);
    },
  });
  languages.registerReferenceProvider(LANGUAGE, {
    provideReferences: async (model, position) =>
      (await Promise.all((await language.references(...at(model, position))).map(location))).flat(),
  });
  languages.registerDocumentHighlightProvider(LANGUAGE, {
    provideDocumentHighlights: async (model, position) => {
      const [file, offset] = at(model, position);
      const spans = await language.references(file, offset);
      return spans.filter((s) => s.file === file).map((s) => ({ range: rangeOf(model, s) }));
    },
  });
  languages.registerRenameProvider(LANGUAGE, {
    resolveRenameLocation: async (model, position) => {
      const found = await language.renameable(...at(model, position));
      if ("refused" in found) return { range: new monaco.Range(1, 1, 1, 1), text: "", rejectReason: found.refused };
      return { range: rangeOf(model, found.span), text: found.name };
    },
    provideRenameEdits: async (model, position, name) => {
      const renamed = await language.rename(...at(model, position), name);
      return "refused" in renamed ? { edits: [], rejectReason: renamed.refused } : workspaceEdit(renamed.edits);
    },
  });
  languages.registerInlayHintsProvider(LANGUAGE, {
    provideInlayHints: async (model, range) => {
      const hints = await language.hints(fileOf(model.uri), within(model, range));
      return {
        hints: hints.map(({ offset, label, tooltip }) => ({
          position: positionOf(model, offset),
          label,
          tooltip: tooltip || undefined,
          kind: languages.InlayHintKind.Type,
          paddingLeft: label.startsWith(" "),
        })),
        dispose: () => undefined,
      };
    },
  });
  languages.registerDocumentSymbolProvider(LANGUAGE, {
    provideDocumentSymbols: async (model) => {
      type Row = Awaited<ReturnType<Language["outline"]>>[number];
      const symbol = (row: Row): monaco.languages.DocumentSymbol => ({
        name: row.name,
        detail: row.detail,
        kind: SYMBOLS[row.kind],
        tags: [],
        range: rangeOf(model, row.span),
        selectionRange: rangeOf(model, row.selection),
        children: row.children.map(symbol),
      });
      return (await language.outline(fileOf(model.uri))).map(symbol);
    },
  });
  languages.registerFoldingRangeProvider(LANGUAGE, {
    provideFoldingRanges: async (model) =>
      (await language.folds(fileOf(model.uri))).map(({ from, to, kind }) => ({
        start: from + 1,
        end: to + 1,
        kind: kind && new languages.FoldingRangeKind(kind),
      })),
  });
  languages.registerDocumentFormattingEditProvider(LANGUAGE, {
    provideDocumentFormattingEdits: async (model) => edits(model, await language.format(fileOf(model.uri))),
  });
  languages.registerCodeActionProvider(LANGUAGE, {
    provideCodeActions: async (model, range) => {
      const found = await language.actions(fileOf(model.uri), within(model, range));
      const action = async (a: Action): Promise<monaco.languages.CodeAction> => ({
        title: a.title,
        kind: a.kind === "refactor" ? "refactor.rewrite" : a.kind,
        diagnostics: a.diagnostic && [markerOf(model, a.diagnostic)],
        edit: await workspaceEdit(a.edits),
        isPreferred: a.kind === "quickfix",
      });
      return { actions: await Promise.all(found.map(action)), dispose: () => undefined };
    },
  });
  languages.registerDocumentSemanticTokensProvider(LANGUAGE, {
    getLegend: () => ({ tokenTypes: [...TOKEN_TYPES], tokenModifiers: [...TOKEN_MODIFIERS] }),
    releaseDocumentSemanticTokens: () => undefined,
    provideDocumentSemanticTokens: async (model) => {
      const data: number[] = [];
      let before = { line: 1, column: 1 };
      for (const { span, type, modifiers } of await language.tokens(fileOf(model.uri))) {
        const { lineNumber: line, column } = positionOf(model, span.start);
        data.push(
          line - before.line,
          line === before.line ? column - before.column : column - 1,
          span.end - span.start,
          TOKEN_TYPES.indexOf(type),
          modifiers.reduce((bits, m) => bits | (1 << TOKEN_MODIFIERS.indexOf(m)), 0),
        );
        before = { line, column };
      }
      return { data: Uint32Array.from(data) };
    },
  });
}
