/** The built page on a host that sets no headers and compresses nothing: a folder, as most hosts of static pages are. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

export interface Host {
  readonly url: string;
  close(): Promise<void>;
}

/** Below a folder of the address, as on the pages of a project. */
export async function plainHost(folder: string): Promise<Host> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://host").pathname.replace(/^\/project\//, "");
    readFile(join(folder, path === "" ? "index.html" : path)).then(
      (bytes) => response.writeHead(200, { "Content-Type": TYPES[extname(path || ".html")] ?? "" }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/project/`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
