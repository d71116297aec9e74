/**
 * Dispatches that belong to no kernel: copies between buffers, and the end of a run. The end reads the flags that the run
 * left behind and commits all next values or none. Which words move is a table of chunks in memory: from, to, count.
 */
import { hardware } from "./schedule.ts";
import { Writer } from "./writer.ts";
import type { Shader } from "./writer.ts";

/** Words per workgroup of a copy. */
export const CHUNK = 2048;
export const TABLE_ROW = 3;
/** Words of a run's status: state (0 committed, 1 skipped, 2 + i the i-th check failed), halted. */
export const STATUS = 2;
/** The word of bank 0 that stops all commits. */
export const HALT_WORD = 0;

const word = { dtype: "u32", size: 1, access: "write" } as const;

/** Regions begin and end at multiples of so many words: they may be moved whole. */
const WIDE = 4;

/**
 * Parameters: table (bank 0), from, to; the last two are 0, as rows hold places in their banks. `wide` moves four words
 * at once, and the rest of the last four with them.
 */
function moveRows(w: Writer, wide: boolean): void {
  w.line(`let row = (groups.x + groups.y * all_groups.x) * ${TABLE_ROW}u;`);
  const unit = wide ? WIDE : 1;
  const scaled = (word: string) => (wide ? `${word} / ${WIDE}u` : word);
  w.line(`let source = ${scaled(w.word(0, "row"))};`);
  w.line(`let target_ = ${scaled(w.word(0, "row + 1u"))};`);
  w.line(`let count = (${w.word(0, "row + 2u")} + ${unit - 1}u) / ${unit}u;`);
  w.line(`for (var turn = 0u; turn < ${CHUNK / unit / 256}u; turn++) {`);
  w.line("let at = lane + 256u * turn;");
  w.line(`if (at < count) { ${w.assign(2, "target_ + at", w.word(1, "source + at"))} }`);
  w.line("}");
}

export function copyShader(rows: number, from: number, to: number): Shader {
  const w = new Writer([word, word, word], [0, from, to], hardware);
  w.line(`if (groups.x + groups.y * all_groups.x >= ${rows}u) { return; }`);
  moveRows(w, false);
  return { ...w.module(256), groups: rows };
}

/**
 * Commits `rows` chunks unless the device is halted or a check failed. Parameters: table, from, to, status, checks (pairs
 * of place and kind: 0 a float that must be finite, 1 a count that must be 0). All but from and to in bank 0; these two
 * never are.
 */
export function finishShader(rows: number, from: number, to: number, checks: number, status: boolean): Shader {
  const w = new Writer([word, word, word, word, word], [0, from, to, 0, 0], hardware);
  w.line(`var state = select(0u, 1u, ${w.bank(0)}[${HALT_WORD}] != 0u);`);
  if (checks > 0) {
    w.line(`for (var i = 0u; i < ${checks}u; i++) {`);
    w.line(`let value = ${w.bank(0)}[${w.word(4, "2u * i")}];`);
    w.line(`let counted = ${w.word(4, "2u * i + 1u")} != 0u;`);
    w.line("let bad = select((value & 0x7f800000u) == 0x7f800000u, value != 0u, counted);");
    w.line("if (bad && state == 0u) { state = 2u + i; }");
    w.line("}");
  }
  if (status) {
    w.line("if (groups.x == 0u && groups.y == 0u && lane == 0u) {");
    w.save(3, "0u", "state");
    w.save(3, "1u", "0u");
    // runs behind one that failed commit nothing either
    w.line(`if (state > 1u) { ${w.bank(0, true)}[${HALT_WORD}] = 1u; }`);
    w.line("}");
  }
  w.line(`if (state != 0u || groups.x + groups.y * all_groups.x >= ${rows}u) { return; }`);
  moveRows(w, true);
  return { ...w.module(256, [], [], new Set([from, to])), groups: Math.max(1, rows) };
}

/** Raises the halt flag if a run that committed asks for it. Parameters: status, places of the askers; in bank 0. */
export function haltShader(askers: number): Shader {
  const w = new Writer([word, word], [0, 0], hardware);
  w.line("if (lane > 0u) { return; }");
  w.line("var asked = false;");
  w.line(`for (var i = 0u; i < ${askers}u; i++) { asked = asked || ${w.bank(0)}[${w.word(1, "i")}] != 0u; }`);
  w.line(`if (asked && ${w.word(0, "0u")} == 0u) {`);
  w.line(`${w.bank(0, true)}[${HALT_WORD}] = 1u;`);
  w.save(0, "1u", "1u");
  w.line("}");
  return { ...w.module(1), groups: 1 };
}
