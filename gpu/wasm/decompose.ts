/** Factors of symmetric matrices: Cholesky row by row, eigenvalues by the rotations of Jacobi. A piece is some matrices. */
import { SMALL, SWEEPS } from "../jacobi.ts";
import type { CholeskyKernel, EighKernel } from "../kernel.ts";
import { Fn } from "./assembler.ts";
import { each, eachPlace, parameters } from "./serial.ts";

type Push = () => void;

/** Addresses and loops over an n × n matrix in f32. */
class Matrices {
  readonly f: Fn;
  readonly n: number;
  constructor(f: Fn, n: number) {
    this.f = f;
    this.n = n;
  }
  /** Pushes the address of element (row, column). */
  at(matrix: number, row: number, column: number): Fn {
    return this.f.get(matrix).get(row).i32(this.n).op("i32.mul").get(column).op("i32.add").i32(2).op("i32.shl", "i32.add");
  } // prettier-ignore
  get(matrix: number, row: number, column: number): Fn {
    return this.at(matrix, row, column).mem("f32.load");
  }
  /** Pushes the symmetric part at (row, column). */
  symmetric(matrix: number, row: number, column: number): Fn {
    this.get(matrix, row, column);
    return this.get(matrix, column, row).op("f32.add").f32(0.5).op("f32.mul");
  }
  from(i: number, first: Push, end: Push, body: () => void): void {
    each(this.f, i, first, end, body);
  }
  all(i: number, body: () => void): void {
    this.from(i, () => this.f.i32(0), () => this.f.i32(this.n), body); // prettier-ignore
  }
}

export function choleskyFunction(kernel: CholeskyKernel): Fn {
  const { n } = kernel;
  const f = new Fn(parameters(2));
  const m = new Matrices(f, n);
  const [A, out] = [2, 3] as const;
  const [i, j, k] = [f.local("i32"), f.local("i32"), f.local("i32")] as const;
  const x = f.local("f32");
  eachPlace(f, [n * n, n * n], () => {
    m.all(i, () => m.all(j, () => m.at(out, i, j).f32(0).mem("f32.store")));
    m.all(j, () => {
      m.from(i, () => f.get(j), () => f.i32(n), () => {
        m.symmetric(A, i, j).set(x);
        m.from(k, () => f.i32(0), () => f.get(j), () => {
          f.get(x);
          m.get(out, i, k);
          m.get(out, j, k).op("f32.mul", "f32.sub").set(x);
        });
        m.at(out, i, j);
        f.get(i).get(j).op("i32.eq").if(
          () => f.get(x).op("f32.sqrt").set(x),
          () => {
            f.get(x);
            m.get(out, j, j).op("f32.div").set(x);
          },
        );
        f.get(x).mem("f32.store");
      });
    });
  }); // prettier-ignore
  return f;
}

export function eighFunction(kernel: EighKernel): Fn {
  const { n } = kernel;
  const f = new Fn(parameters(3));
  const m = new Matrices(f, n);
  const [A, out, a] = [2, 3, 4] as const;
  const integer = () => f.local("i32");
  const [p, q, k, sweep, v, from, to] = [
    integer(), integer(), integer(), integer(), integer(), integer(), integer(),
  ] as const; // prettier-ignore
  const float = () => f.local("f32");
  const [off, angle, c, s, x, y] = [float(), float(), float(), float(), float(), float()] as const;

  /** The numbers at two addresses become c x - s y and s x + c y. */
  const turn = (first: Push, second: Push) => {
    first();
    f.tee(from).mem("f32.load").set(x);
    second();
    f.tee(to).mem("f32.load").set(y);
    f.get(from).get(c).get(x).op("f32.mul").get(s).get(y).op("f32.mul", "f32.sub").mem("f32.store");
    f.get(to).get(s).get(x).op("f32.mul").get(c).get(y).op("f32.mul", "f32.add").mem("f32.store");
  };
  const rotation = () => {
    m.get(a, q, q);
    m.get(a, p, p).op("f32.sub").get(off).f32(2).op("f32.mul", "f32.div").set(angle);
    // s holds the tangent first
    f.f32(-1).f32(1).get(angle).f32(0).op("f32.lt", "select");
    f.get(angle).op("f32.abs").get(angle).get(angle).op("f32.mul").f32(1).op("f32.add", "f32.sqrt", "f32.add");
    f.op("f32.div").set(s);
    f.f32(1).get(s).get(s).op("f32.mul").f32(1).op("f32.add", "f32.sqrt", "f32.div").set(c);
    f.get(s).get(c).op("f32.mul").set(s);
    m.all(k, () => turn(() => m.at(a, k, p), () => m.at(a, k, q)));
    m.all(k, () => turn(() => m.at(a, p, k), () => m.at(a, q, k)));
    m.all(k, () => turn(() => m.at(v, k, p), () => m.at(v, k, q)));
  }; // prettier-ignore
  const swap = (first: Push, second: Push) => {
    first();
    f.tee(from).mem("f32.load").set(x);
    second();
    f.set(to);
    f.get(from).get(to).mem("f32.load").mem("f32.store");
    f.get(to).get(x).mem("f32.store");
  };
  eachPlace(f, [n * n, (n + 1) * n, n * n], () => {
    f.get(out).i32(4 * n).op("i32.add").set(v);
    m.all(p, () => m.all(q, () => {
      m.at(a, p, q);
      m.symmetric(A, p, q).mem("f32.store");
      m.at(v, p, q).f32(1).f32(0).get(p).get(q).op("i32.eq", "select").mem("f32.store");
    }));
    m.from(sweep, () => f.i32(0), () => f.i32(SWEEPS), () =>
      m.all(p, () => m.from(q, () => f.get(p).i32(1).op("i32.add"), () => f.i32(n), () => {
        m.get(a, p, q).tee(off).op("f32.abs");
        m.get(a, p, p).op("f32.abs");
        m.get(a, q, q).op("f32.abs", "f32.add").f32(SMALL).op("f32.mul", "f32.gt").if(rotation);
      })));
    m.all(k, () => {
      f.get(out).get(k).i32(2).op("i32.shl", "i32.add");
      m.get(a, k, k).mem("f32.store");
    });
    // ascending, the columns along; row 0 of `out` is the values
    f.i32(0).set(sweep);
    m.all(p, () => {
      m.from(q, () => f.get(p).i32(1).op("i32.add"), () => f.i32(n), () => {
        m.get(out, sweep, q);
        m.get(out, sweep, p).op("f32.lt").if(() => {
          swap(() => m.at(out, sweep, p), () => m.at(out, sweep, q));
          m.all(k, () => swap(() => m.at(v, k, p), () => m.at(v, k, q)));
        });
      });
      // the first of the largest entries is positive
      f.f32(0).set(c);
      f.f32(1).set(s);
      m.all(k, () => {
        m.get(v, k, p).tee(x).op("f32.abs").get(c).op("f32.gt").if(() => {
          f.get(x).op("f32.abs").set(c);
          f.f32(-1).f32(1).get(x).f32(0).op("f32.lt", "select").set(s);
        });
      });
      m.all(k, () => {
        m.at(v, k, p);
        m.get(v, k, p).get(s).op("f32.mul").mem("f32.store");
      });
    });
  }); // prettier-ignore
  return f;
}
