/** `dlx playground FILE`: one file, only for its own page, and nothing that another program wrote is lost. */
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { request, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { servePlayground, type Playground } from "../../runtime/cli/playground.ts";

const root = mkdtempSync(join(tmpdir(), "dlx-playground-"));
const [site, scripts] = [join(root, "site"), join(root, "scripts")];
const file = join(scripts, "net.dlx");
let served: Playground;
let [host, token] = ["", ""];

beforeAll(async () => {
  for (const folder of [site, scripts]) mkdirSync(folder);
  writeFileSync(join(site, "index.html"), "<title>page</title>");
  writeFileSync(join(root, "secret.txt"), "secret");
  writeFileSync(file, "let a = 1\n");
  served = await servePlayground({ folder: site, file, port: 0 });
  const url = new URL(served.url);
  [host, token] = [url.host, url.hash.slice("#token=".length)];
});
afterAll(() => served.close());
beforeEach(() => writeFileSync(file, "let a = 1\n"));

interface Answered {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}
/** With headers as they are, also those that a browser would not let a page write. */
function ask(method: string, path: string, headers: Record<string, string> = {}, body = ""): Promise<Answered> {
  const { hostname, port } = new URL(served.url);
  return new Promise((done, failed) => {
    const asked = request({ hostname, port, method, path, headers: { host, ...headers } }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () =>
        done({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString(), headers: response.headers }),
      );
    });
    asked.on("error", failed);
    asked.end(body);
  });
}
const own = () => ({ "x-dlx-token": token, origin: `http://${host}` });
const read = async () => JSON.parse((await ask("GET", "/file", own())).body) as { text: string; state: string };
const save = (text: string, state: string, headers: Record<string, string> = {}) =>
  ask("PUT", "/file", { ...own(), "x-dlx-state": state, ...headers }, text);

describe("who may ask", () => {
  test("its own page reads the file and saves to it", async () => {
    const { text, state } = await read();
    expect(text).toBe("let a = 1\n");
    const saved = await save("let a = 2\n", state);
    expect(saved.status).toBe(200);
    expect(readFileSync(file, "utf8")).toBe("let a = 2\n");
    // and goes on from there
    expect((await save("let a = 3\n", (JSON.parse(saved.body) as { state: string }).state)).status).toBe(200);
    expect(readdirSync(scripts)).toEqual(["net.dlx"]);
  });

  test.each([
    ["no token", { "x-dlx-token": "" }, 403, "wrong token"],
    ["another token", { "x-dlx-token": "A".repeat(32) }, 403, "wrong token"],
    ["another page", { origin: "http://evil.example" }, 403, "another page"],
    ["a page in a sandbox", { origin: "null" }, 403, "another page"],
    ["another name of this address", { host: "evil.example" }, 403, "127.0.0.1 only"],
    ["another port", { host: "127.0.0.1:1" }, 403, "127.0.0.1 only"],
  ])("%s is refused", async (_, headers, status, words) => {
    const { state } = await read();
    for (const answered of [await ask("GET", "/file", { ...own(), ...headers }), await save("gone", state, headers)]) {
      expect(answered.status).toBe(status);
      expect(answered.body).toContain(words);
    }
    expect(readFileSync(file, "utf8")).toBe("let a = 1\n");
  });

  test("saving needs a page", async () => {
    const { state } = await read();
    const asked = await ask("PUT", "/file", { "x-dlx-token": token, "x-dlx-state": state }, "gone");
    expect([asked.status, asked.body]).toEqual([403, "saved from no page"]);
    expect((await ask("DELETE", "/file", own())).status).toBe(405);
  });

  test.each(["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/scripts/net.dlx", "//etc/passwd"])(
    "%s is no page",
    async (path) => {
      const { status, body } = await ask("GET", path);
      expect(status).toBe(404);
      expect(body).not.toContain("secret");
    },
  );
});

describe("a file that another program changed", () => {
  test("is not written over; what it holds is told", async () => {
    const { state } = await read();
    writeFileSync(file, "let b = 1\n");
    const { status, body } = await save("let a = 2\n", state);
    expect(status).toBe(409);
    expect(JSON.parse(body)).toMatchObject({ file: "net.dlx", text: "let b = 1\n" });
    expect(readFileSync(file, "utf8")).toBe("let b = 1\n");
  });

  test("is written over when that is what is wanted", async () => {
    writeFileSync(file, "let b = 1\n");
    expect((await save("let a = 2\n", "any")).status).toBe(200);
    expect(readFileSync(file, "utf8")).toBe("let a = 2\n");
  });

  test("holds the same already: nothing is lost", async () => {
    const { state } = await read();
    writeFileSync(file, "let a = 2\n");
    expect((await save("let a = 2\n", state)).status).toBe(200);
  });
});

test("a link stays a link", async () => {
  const target = join(root, "target.dlx");
  writeFileSync(target, "let a = 1\n");
  const link = join(root, "link.dlx");
  symlinkSync(target, link);
  const other = await servePlayground({ folder: site, file: link, port: 0 });
  const url = new URL(other.url);
  const headers = { "x-dlx-token": url.hash.slice(7), origin: url.origin, "x-dlx-state": "any" };
  expect((await fetch(new URL("/file", url), { method: "PUT", headers, body: "let a = 2\n" })).status).toBe(200);
  await other.close();
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(readFileSync(target, "utf8")).toBe("let a = 2\n");
});

test("every answer carries the page's policy", async () => {
  const policy = (await ask("GET", "/")).headers["content-security-policy"];
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
  expect(policy).toContain("connect-src 'self';");
  expect(policy).toContain("frame-ancestors 'none'");
});
