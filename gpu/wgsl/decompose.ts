/** Factors of symmetric matrices, one invocation per matrix: Cholesky row by row, eigenvalues by the rotations of Jacobi. */
import { SMALL, SWEEPS } from "../jacobi.ts";
import type { CholeskyKernel, EighKernel } from "../kernel.ts";
import { perElement, shader } from "./serial.ts";
import type { Schedule } from "./schedule.ts";
import { Writer } from "./writer.ts";
import type { Shader } from "./writer.ts";

/** The symmetric part of parameter 0 at (row, column). */
const symmetric = (w: Writer, n: number, row: string, column: string) =>
  `0.5f * (${w.load(0, `square + ${row} * ${n}u + ${column}`)} + ${w.load(0, `square + ${column} * ${n}u + ${row}`)})`;

export function choleskyShader(kernel: CholeskyKernel, banks: readonly number[], schedule: Schedule): Shader {
  const { outer, n } = kernel;
  const w = new Writer(kernel.params, banks, schedule);
  const at = (row: string, column: string) => `square + ${row} * ${n}u + ${column}`;
  perElement(w, outer);
  w.line(`let square = place * ${n * n}u;`);
  w.loop("j", n, () => {
    w.range("i", "0u", "j", n, () => w.save(1, at("i", "j"), "0f"));
    w.range("i", "j", `${n}u`, n, () => {
      w.line(`var x = ${symmetric(w, n, "i", "j")};`);
      w.range("k", "0u", "j", n, () => w.line(`x -= ${w.load(1, at("i", "k"))} * ${w.load(1, at("j", "k"))};`));
      w.line("if (i == j) {");
      // a square root of a negative number is NaN here as everywhere
      w.line(`x = select(sqrt(max(x, 0f)), ${w.literal(NaN, "f32")}, x < 0f);`);
      w.line("} else {");
      w.line(`x = x / ${w.load(1, at("j", "j"))};`);
      w.line("}");
      w.save(1, at("i", "j"), "x");
    });
  });
  return shader(w, outer);
}

export function eighShader(kernel: EighKernel, banks: readonly number[], schedule: Schedule): Shader {
  const { outer, n } = kernel;
  const w = new Writer(kernel.params, banks, schedule);
  const size = `${n}u`;
  const a = (row: string, column: string) => w.load(2, aAt(row, column));
  const aAt = (row: string, column: string) => `square + ${row} * ${n}u + ${column}`;
  const vAt = (row: string, column: string) => `values + ${n}u + ${row} * ${n}u + ${column}`;
  const turn = (param: number, first: string, second: string) => {
    w.line("{");
    w.line(`let x = ${w.load(param, first)};`);
    w.line(`let y = ${w.load(param, second)};`);
    w.save(param, first, "(c * x - s * y)");
    w.save(param, second, "(s * x + c * y)");
    w.line("}");
  };
  const swap = (first: string, second: string) => {
    w.line("{");
    w.line(`let kept = ${w.load(1, first)};`);
    w.save(1, first, w.load(1, second));
    w.save(1, second, "kept");
    w.line("}");
  };
  perElement(w, outer);
  w.line(`let square = place * ${n * n}u;`);
  w.line(`let values = place * ${(n + 1) * n}u;`);
  w.loop("p", n, () =>
    w.loop("q", n, () => {
      w.save(2, aAt("p", "q"), `(${symmetric(w, n, "p", "q")})`);
      w.save(1, vAt("p", "q"), "select(0f, 1f, p == q)");
    }),
  );
  w.loop("sweep", SWEEPS, () =>
    w.loop("p", n, () =>
      w.range("q", "p + 1u", size, n, () => {
        w.line(`let off = ${a("p", "q")};`);
        w.line(`if (abs(off) > ${SMALL}f * (abs(${a("p", "p")}) + abs(${a("q", "q")}))) {`);
        w.line(`let angle = (${a("q", "q")} - ${a("p", "p")}) / (2f * off);`);
        // the root of a square beyond f32 would be infinite; the tangent is then 1 / 2 angle
        w.line("let far = abs(angle) > 1e9f;");
        w.line("let near = select(angle, 0f, far);");
        w.line("let slope = 1f / (abs(near) + sqrt(near * near + 1f));");
        w.line("let t = select(1f, -1f, angle < 0f) * select(slope, 0.5f / abs(angle), far);");
        w.line("let c = 1f / sqrt(t * t + 1f);");
        w.line("let s = t * c;");
        w.loop("k", n, () => turn(2, aAt("k", "p"), aAt("k", "q")));
        w.loop("k", n, () => turn(2, aAt("p", "k"), aAt("q", "k")));
        w.loop("k", n, () => turn(1, vAt("k", "p"), vAt("k", "q")));
        w.line("}");
      }),
    ),
  );
  w.loop("k", n, () => w.save(1, "values + k", a("k", "k")));
  w.loop("p", n, () => {
    w.range("q", "p + 1u", size, n, () => {
      w.line(`if (${w.load(1, "values + q")} < ${w.load(1, "values + p")}) {`);
      swap("values + p", "values + q");
      w.loop("k", n, () => swap(vAt("k", "p"), vAt("k", "q")));
      w.line("}");
    });
    w.line("var top = 0f;");
    w.line("var sign = 1f;");
    w.loop("k", n, () => {
      w.line(`let x = ${w.load(1, vAt("k", "p"))};`);
      w.line("if (abs(x) > top) { top = abs(x); sign = select(1f, -1f, x < 0f); }");
    });
    w.loop("k", n, () => w.save(1, vAt("k", "p"), `(sign * ${w.load(1, vAt("k", "p"))})`));
  });
  return shader(w, outer);
}
