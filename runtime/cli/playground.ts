/**
 * `dlx playground`: the built page on this machine only. It may read and write one file, the script it was started with,
 * and only for a page that knows the token of this start: the token is in the part of the address that no request carries.
 * It writes only over what that page has seen.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { basename, extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { shortPath } from "../node.ts";
import { replaceFile } from "../replace.ts";
import { UsageError, type Args } from "./args.ts";
import { DONE, FAILED, WRONG_USAGE, type Io } from "./io.ts";
import { ISOLATION, POLICY } from "./policy.ts";
import { readSource } from "./source.ts";

const PORT = 7433;
const HOST = "127.0.0.1";
/** Bytes of a script that may be saved. */
const MOST = 4 * 2 ** 20;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".ttf": "font/ttf",
  ".png": "image/png",
  ".webmanifest": "application/manifest+json",
};

const HEADERS = {
  // only a header can say who may frame the page
  "Content-Security-Policy": `${POLICY}; frame-ancestors 'none'`,
  ...ISOLATION,
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
};

export interface PlaygroundOptions {
  /** The built page. */
  readonly folder: string;
  /** The one file that may be read and written. */
  readonly file?: string;
  readonly port: number;
}

export interface Playground {
  readonly url: string;
  close(): Promise<void>;
}

export async function servePlayground({ folder, file, port }: PlaygroundOptions): Promise<Playground> {
  const token = randomBytes(24).toString("base64url");
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) =>
      send(response, 500, error instanceof Error ? error.message : String(error)),
    );
  });
  const own = (): string[] => [`${HOST}:${portOf(server)}`, `localhost:${portOf(server)}`];

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // Another name for this address is how a foreign page would reach it.
    if (!own().includes(request.headers.host ?? ""))
      return send(response, 403, "this page is served on 127.0.0.1 only");
    const { pathname } = new URL(request.url ?? "/", `http://${HOST}`);
    if (pathname === "/file") return fileOf(request, response);
    if (request.method !== "GET" && request.method !== "HEAD") return send(response, 405, "only GET");
    await page(pathname, response);
  };

  const fileOf = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { origin } = request.headers;
    if (origin !== undefined && !own().some((name) => origin === `http://${name}`))
      return send(response, 403, "asked from another page");
    if (!same(String(request.headers["x-dlx-token"] ?? ""), token)) return send(response, 403, "wrong token");
    if (file === undefined) return send(response, 404, "started without a file");
    const source = await readSource(file);
    const there = "text" in source ? source.text : "";
    const tell = (status: number, text: string) =>
      send(response, status, JSON.stringify({ file: basename(file), text, state: stateOf(text) }), ".json");
    if (request.method === "GET") {
      if ("text" in source) return tell(200, there);
      return send(response, 404, `${basename(file)} cannot be read: ${source.reason}`);
    }
    if (request.method !== "PUT") return send(response, 405, "only GET and PUT");
    if (origin === undefined) return send(response, 403, "saved from no page");
    const text = await bodyOf(request);
    if (text === undefined) return send(response, 413, `a script has at most ${MOST} bytes`);
    // what another program wrote is not lost
    const known = request.headers["x-dlx-state"];
    if (there !== "" && there !== text && known !== "any" && known !== stateOf(there)) return tell(409, there);
    await replaceFile(file, [Buffer.from(text)]);
    tell(200, text);
  };

  const page = async (pathname: string, response: ServerResponse): Promise<void> => {
    const path = join(folder, normalize(decodeURIComponent(pathname === "/" ? "/index.html" : pathname)));
    if (!path.startsWith(folder + sep)) return send(response, 404, "there is no such page");
    let bytes: Buffer;
    try {
      bytes = await readFile(path);
    } catch {
      return send(response, 404, "there is no such page");
    }
    send(response, 200, bytes, extname(path));
  };

  await new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen(port, HOST, listening);
  });
  return {
    url: `http://${HOST}:${portOf(server)}/${file === undefined ? "" : `#token=${token}`}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

/** Another text has another state. */
const stateOf = (text: string): string => createHash("sha256").update(text).digest("base64url");

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
};

function same(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Undefined when it is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    size += (part as Buffer).length;
    if (size > MOST) return undefined;
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString("utf8");
}

function send(response: ServerResponse, status: number, body: string | Buffer, type = ".txt"): void {
  const cache = type === ".html" || status !== 200 ? "no-store" : "no-cache";
  response.writeHead(status, {
    ...HEADERS,
    "Content-Type": TYPES[type] ?? "text/plain; charset=utf-8",
    "Cache-Control": cache,
  });
  response.end(body);
}

export async function playground(args: Args, io: Io): Promise<number> {
  const port = args.count("port", 0) ?? PORT;
  if (port > 65535) throw new UsageError(`there is no port ${port}; ports end at 65535`);
  const file = args.file === "" ? undefined : args.file;
  if (file !== undefined) {
    const source = await readSource(file);
    if (!("text" in source)) {
      io.stderr(`dlx: cannot read ${shortPath(file)}: ${source.reason}\n`);
      return WRONG_USAGE;
    }
  }
  const folder = fileURLToPath(new URL("./playground", import.meta.url));
  let served: Playground;
  try {
    served = await servePlayground({ folder, file, port });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EADDRINUSE" && code !== "EACCES") throw error;
    const why = code === "EADDRINUSE" ? "is in use" : "may not be used";
    io.stderr(`dlx: port ${port} ${why}; choose another one: dlx playground --port ${port + 1}\n`);
    return FAILED;
  }
  const about = file === undefined ? "" : ` with ${shortPath(file)}, which it saves to`;
  io.stdout(`the playground${about}: ${served.url}\ncontrol-C ends\n`);
  await new Promise<void>((stopped) => io.onInterrupt(stopped));
  await served.close();
  return DONE;
}
