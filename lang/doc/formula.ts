/** Formulas of docs as plain text: `$\sqrt{x}$` is √(x) where nothing sets mathematics. */

const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/\\frac\{([^{}]*)\}\{([^{}]*)\}/g, "$1 / ($2)"],
  [/\\sqrt\{([^{}]*)\}/g, "√($1)"],
  [/\\int_(\w)\^(\w)/g, "∫ from $1 to $2 of"],
  [/\^\{([^{}]*)\}/g, "^($1)"],
  [/\\sqrt\s*/g, "√"],
  [/\\pi/g, "π"],
  [/\\sum/g, "Σ"],
  [/\\nabla\s*/g, "∇"],
  [/\\langle\s*/g, "⟨"],
  [/\s*\\rangle/g, "⟩"],
  [/\^T/g, "ᵀ"],
  [/\s*\\,\s*/g, " "],
  [/\\([a-z]+)/g, "$1"],
];

export function plainFormulas(text: string): string {
  return text.replace(/(?<=^|[\s(])\$([^$\n]+)\$/g, (_all, formula: string) =>
    SIGNS.reduce((now, [sign, by]) => now.replace(sign, by), formula),
  );
}
