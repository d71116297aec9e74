/** Hostile links in the page: no code of theirs runs, nothing is asked of any other place, and the page says what it did. */
import { describe, expect, test } from "vitest";
import { POLICY } from "../../runtime/cli/policy.ts";
import { hasBrowser, browserHere } from "./browser.ts";
import { encode, hostile } from "./hostile.ts";

describe.skipIf(!hasBrowser)("in the page", () => {
  const opened = browserHere();

  test("every hostile link is opened as text or refused, without a request beyond the page's own files", async () => {
    const page = await opened.page();
    const own = new URL(opened.url).origin;
    const asked: string[] = [];
    const said: string[] = [];
    await page.context().route("**/*", (route) => {
      asked.push(`${route.request().method()} ${route.request().url()}`);
      return route.continue();
    });
    page.on("dialog", (dialog) => {
      said.push(dialog.message());
      void dialog.dismiss();
    });
    page.on("popup", (popup) => said.push(`a window: ${popup.url()}`));
    for (const { name, hash, refused } of hostile) {
      // only another page loads anew: one address differs from the next behind the # alone
      await page.goto("about:blank");
      await page.goto(`${own}/#${hash}`);
      if (refused) await page.getByRole("alert").filter({ hasText: refused }).waitFor();
      else await expect.poll(() => page.url(), { message: name, timeout: 20_000 }).not.toContain("#");
      const found = await page.evaluate(
        `({ hacked: window.hacked, images: document.querySelectorAll("img").length, prototype: {}.hacked })`,
      );
      expect(found, name).toEqual({ hacked: undefined, images: 0, prototype: undefined });
    }
    // and once more where the print of code in a text is on the screen
    await page.goto("about:blank");
    await page.goto(`${own}/#${encode({ t: 'print "<img src=x onerror=window.hacked=1>"\n' })}`);
    await expect.poll(() => page.getByTestId("printed").textContent(), { timeout: 20_000 }).toContain("<img src=x");
    expect(await page.evaluate("window.hacked")).toBeUndefined();
    expect(said).toEqual([]);
    const foreign = asked.filter((each) => !each.startsWith(`GET ${own}/`));
    expect(foreign).toEqual([]);
    const files = new Set(asked.map((each) => new URL(each.slice(4)).pathname));
    for (const path of files) expect(path).toMatch(/^\/($|assets\/|icon\.svg$|sw\.js$)/);
    await page.close();
  }, 480_000);

  test("the policy that is served forbids code from texts and other places", async () => {
    const page = await opened.page();
    const answered = await page.request.get(opened.url);
    expect(answered.headers()["content-security-policy"]).toBe(`${POLICY}; frame-ancestors 'none'`);
    expect(await page.locator("meta[http-equiv=Content-Security-Policy]").getAttribute("content")).toBe(POLICY);
    expect(POLICY).not.toMatch(/'unsafe-eval'|script-src[^;]*'unsafe-inline'|\*/);
    const tried = await page.evaluate(`(async () => {
      // what is evaluated from outside may do more than the page
      await new Promise((done) => setTimeout(done));
      const tries = {
        eval: () => eval("1"),
        function: () => new Function("return 1")(),
        inline: () => new Promise((done, failed) => {
          const script = document.createElement("script");
          script.textContent = "window.inline = 1";
          document.body.append(script);
          if (window.inline === 1) done(); else failed();
        }),
        fetch: () => fetch("https://evil.example/"),
        worker: () => new Promise((done, failed) => {
          const worker = new Worker(URL.createObjectURL(new Blob(["postMessage(1)"])));
          worker.onmessage = done;
          worker.onerror = failed;
        }),
        image: () => new Promise((done, failed) => {
          const image = new Image();
          image.onload = done;
          image.onerror = failed;
          image.src = "https://evil.example/x.png";
        }),
      };
      const worked = [];
      for (const [name, act] of Object.entries(tries))
        try { await act(); worked.push(name); } catch {}
      return worked;
    })()`);
    expect(tried).toEqual([]);
    await page.close();
  });
});
