/** The gallery: the scripts of `examples/`. */
import { exampleOf, type Example } from "./example.ts";

const texts = import.meta.glob<string>("../../examples/*.dlx", { eager: true, import: "default" });

export const examples: readonly Example[] = Object.entries(texts).map(([path, text]) =>
  exampleOf(path.slice(path.lastIndexOf("/") + 1), text),
);
