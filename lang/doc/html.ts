/** The reference as static pages: an index and a page for each module, each with its style inside and nothing from outside. */
import { summaryOf, type DocEntry, type DocModule, type Reference } from "./index.ts";

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #ffffff; --box: #f4f5f7; --line: #d8dce1; --link: #0550ae; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ee; --soft: #9aa4b1; --paper: #14171c; --box: #1d2229; --line: #333a44; --link: #79b8ff; }
}
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
a { color: var(--link); text-decoration: none; } a:hover, a:focus-visible { text-decoration: underline; }
h1 { font-size: 1.6rem; } h2 { margin: 2.2rem 0 0.4rem; padding-top: 0.8rem; border-top: 1px solid var(--line); font-size: 1.15rem; }
code, pre { font: 0.88rem/1.5 ui-monospace, Menlo, Consolas, monospace; }
pre { padding: 0.7rem 0.9rem; overflow-x: auto; border-radius: 6px; background: var(--box); }
pre.signature { white-space: pre-wrap; }
.kind, .source, summary { color: var(--soft); font-size: 0.9rem; }
table { border-collapse: collapse; width: 100%; } td { padding: 0.2rem 0.8rem 0.2rem 0; vertical-align: top; } td:first-child { white-space: nowrap; }
`;

/** Texts by file name. */
export function htmlPages(ref: Reference): Map<string, string> {
  const pages = new Map([["index.html", indexPage(ref.modules)]]);
  for (const module of ref.modules) pages.set(`${module.name}.html`, modulePage(module));
  return pages;
}

function indexPage(modules: readonly DocModule[]): string {
  const parts = modules.map(({ name, title, entries }) => {
    const rows = entries.map(
      (e) =>
        `<tr><td><a href="${name}.html#${anchor(e.name)}"><code>${escaped(e.name)}</code></a></td><td>${inline(summaryOf(e))}</td></tr>`,
    );
    return `<h2><a href="${name}.html">${escaped(name)}</a></h2>\n<p>${inline(title)}</p>\n<table>\n${rows.join("\n")}\n</table>`;
  });
  return page("dlx reference", `<h1>dlx reference</h1>\n${parts.join("\n")}`);
}

function modulePage({ name, title, entries }: DocModule): string {
  const head = `<p><a href="index.html">dlx reference</a></p>\n<h1>${escaped(name)}</h1>\n<p>${inline(title)}</p>`;
  return page(`${name} – dlx reference`, [head, ...entries.map(section)].join("\n"));
}

function section({ name, kind, signature, shapes, text, source, example, code }: DocEntry): string {
  const parts = [
    `<section id="${anchor(name)}">`,
    `<h2>${escaped(name)} <span class="kind">${kind}</span></h2>`,
    `<pre class="signature"><code>${escaped(signature)}</code></pre>`,
    ...(shapes === undefined ? [] : [`<p>Shapes: <code>${escaped(shapes)}</code></p>`]),
    ...paragraphs(text).map((part) => `<p>${inline(part)}</p>`),
    ...(source === undefined ? [] : [`<p class="source">Source: ${inline(source)}.</p>`]),
    ...(example === undefined ? [] : [`<p>Example</p>\n<pre><code>${escaped(example)}</code></pre>`]),
    ...(code === undefined
      ? []
      : [`<details><summary>Definition</summary><pre><code>${escaped(code)}</code></pre></details>`]),
    "</section>",
  ];
  return parts.filter((part) => part !== "").join("\n");
}

/** Lines go on in one paragraph; another meaning of the name, which begins with its signature, has its own. */
const paragraphs = (text: string): string[] =>
  text
    .split(/\n(?=\s*\n|`\w+\()/)
    .map((part) => part.replace(/\s+/g, " ").trim())
    .filter((part) => part !== "");

function page(title: string, body: string): string {
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    "</head>",
    `<body>\n${body}\n</body>`,
    "</html>\n",
  ].join("\n");
}

/** Names of the language are letters, digits, `_` and `.`. */
const anchor = (name: string): string => name.replace(/[^\p{L}\p{N}_.-]/gu, "-");
const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
/** Backticks are code. */
const inline = (text: string): string => escaped(text).replace(/`([^`]+)`/g, "<code>$1</code>");
