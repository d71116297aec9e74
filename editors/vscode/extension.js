/** Starts `dlx lsp` and shows in VS Code what it says. */
/* eslint-disable @typescript-eslint/no-require-imports -- VS Code loads CommonJS */
const { workspace } = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

let client;

exports.activate = async function activate() {
  const command = workspace.getConfiguration("dlx").get("command", "dlx");
  const server = {
    command,
    args: ["lsp"],
    transport: TransportKind.stdio,
    options: { shell: process.platform === "win32" },
  };
  client = new LanguageClient("dlx", "dlx", server, { documentSelector: [{ language: "dlx" }] });
  await client.start();
};

exports.deactivate = async function deactivate() {
  await client?.stop();
};
