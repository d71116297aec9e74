/** Names a file of tests that hangs and ends the suite: nobody waits for what will not come. */
import { relative } from "node:path";

/** A file takes three minutes at the most on two slow cores. */
const LONGEST = 12 * 60_000;

export default class Patience {
  #since = new Map();

  onInit(vitest) {
    const look = () => {
      const late = [...this.#since].filter(([, since]) => Date.now() - since > LONGEST);
      if (late.length === 0) return;
      clearInterval(timer);
      for (const [file] of late)
        console.error(`hangs: ${relative(vitest.config.root, file)} (${LONGEST / 60_000} minutes); the suite is ended`);
      process.exitCode = 1;
      void vitest.exit(true);
    };
    const timer = setInterval(look, 5000);
    timer.unref();
  }

  onTestModuleQueued({ moduleId }) {
    this.#since.set(moduleId, Date.now());
  }

  onTestModuleEnd({ moduleId }) {
    this.#since.delete(moduleId);
  }
}
