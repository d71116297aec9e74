/**
 * WGSL functions that kernels call. WGSL has no erf, log1p or expm1, its exp and pow lose digits, its tanh overflows on
 * some drivers, and it may assume that no number is NaN: so here every function is written out, and NaN and infinity
 * are told by their bits. A few ulp; the same polynomials as in wasm/math.
 */
interface Row {
  readonly needs?: readonly HelperName[];
  readonly code: string;
}

/** Horner's rule, coefficients from the highest power down. */
const poly = (x: string, coefficients: readonly number[]): string =>
  coefficients.reduce((sum, c) => (sum === "" ? `${c}` : `(${sum} * ${x} + ${c})`), "");

const LN2_HI = 0.693359375;
const LN2_LO = -2.1219444e-4;

export type HelperName =
  | "number"
  | "is_nan"
  | "self_minus"
  | "unequal"
  | "largest"
  | "least"
  | "subgroup_largest"
  | "sign_of"
  | "divide"
  | "modulo"
  | "divide_u"
  | "modulo_u"
  | "remainder"
  | "to_i32"
  | "to_u32"
  | "pow2"
  | "exp_"
  | "log_core"
  | "log_"
  | "log1p_"
  | "half_"
  | "to_half"
  | "from_half"
  | "unpacked"
  | "tanh_"
  | "erf_"
  | "turn"
  | "sin_"
  | "cos_"
  | "pow_";

const rows: Readonly<Record<HelperName, Row>> = {
  // a call is no constant expression, so infinities and NaN pass the compiler
  number: { code: `fn number(bits: u32) -> f32 { return bitcast<f32>(bits); }` },
  is_nan: { code: `fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }` },
  self_minus: {
    needs: ["number"],
    code: `fn self_minus(x: f32) -> f32 {
  return select(0.0, number(0x7fc00000u), (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u);
}`,
  },
  unequal: {
    needs: ["is_nan"],
    code: `fn unequal(a: f32, b: f32) -> bool { return is_nan(a) || is_nan(b) || a != b; }`,
  },
  largest: {
    needs: ["is_nan"],
    code: `fn largest(a: f32, b: f32) -> f32 { return select(select(b, a, a > b), a + b, is_nan(a) || is_nan(b)); }`,
  },
  least: {
    needs: ["is_nan"],
    code: `fn least(a: f32, b: f32) -> f32 { return select(select(b, a, a < b), a + b, is_nan(a) || is_nan(b)); }`,
  },
  subgroup_largest: {
    needs: ["is_nan"],
    // integers in the order of floats, NaN above all: what the instruction makes of NaN is its own affair
    code: `fn subgroup_largest(x: f32) -> f32 {
  let bits = bitcast<i32>(x);
  let most = subgroupMax(select(bits ^ ((bits >> 31u) & 0x7fffffff), 0x7fffffff, is_nan(x)));
  return bitcast<f32>(most ^ ((most >> 31u) & 0x7fffffff));
}`,
  },
  sign_of: {
    needs: ["is_nan"],
    code: `fn sign_of(x: f32) -> f32 { return select(select(-1.0, 1.0, x > 0.0), x, x == 0.0 || is_nan(x)); }`,
  },
  divide: {
    code: `fn divide(a: i32, b: i32) -> i32 {
  if (b == 0) { return 0; }
  if (b == -1) { return 0 - a; }
  let q = a / b;
  let r = a - q * b;
  return select(q, q - 1, r != 0 && (r < 0) != (b < 0));
}`,
  },
  modulo: {
    needs: ["divide"],
    code: `fn modulo(a: i32, b: i32) -> i32 { return select(a - divide(a, b) * b, 0, b == 0); }`,
  },
  divide_u: { code: `fn divide_u(a: u32, b: u32) -> u32 { return select(a / max(b, 1u), 0u, b == 0u); }` },
  modulo_u: { code: `fn modulo_u(a: u32, b: u32) -> u32 { return select(a % max(b, 1u), 0u, b == 0u); }` },
  remainder: { code: `fn remainder(a: f32, b: f32) -> f32 { return a - floor(a / b) * b; }` },
  to_i32: {
    needs: ["is_nan"],
    code: `fn to_i32(x: f32) -> i32 {
  if (is_nan(x)) { return 0; }
  if (x >= 2147483648.0) { return 2147483647; }
  if (x <= -2147483648.0) { return i32(-2147483648); }
  return i32(x);
}`,
  },
  to_u32: {
    needs: ["is_nan"],
    code: `fn to_u32(x: f32) -> u32 {
  if (is_nan(x) || x <= 0.0) { return 0u; }
  if (x >= 4294967296.0) { return 4294967295u; }
  return u32(x);
}`,
  },
  pow2: { code: `fn pow2(n: i32) -> f32 { return bitcast<f32>((n + 127) << 23u); }` },
  exp_: {
    needs: ["is_nan", "pow2"],
    // the scale 2^n in two halves, so that denormal results and overflow come out right
    code: `fn exp_(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let y = clamp(x, -104.0, 89.0);
  let n = round(y * ${Math.LOG2E});
  let r = (y - n * ${LN2_HI}) - n * ${LN2_LO};
  let p = ${poly("r", [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1])} * r * r + r + 1.0;
  let k = i32(n);
  let half = k >> 1u;
  return select(p * pow2(half) * pow2(k - half), 0.0, x < -104.0);
}`,
  },
  log_core: {
    // log(1 + f) + k ln 2 for f in [sqrt(1/2) - 1, sqrt(2) - 1] by the odd series in f / (2 + f)
    code: `fn log_core(f: f32, k: f32) -> f32 {
  let s = f / (f + 2.0);
  let z = s * s;
  let half = f * f * 0.5;
  let r = ${poly("z", [0.24279078841, 0.28498786688, 0.40000972152, 0.66666662693])} * z;
  return k * ${LN2_HI} - ((half - (s * (half + r) + k * ${LN2_LO})) - f);
}`,
  },
  log_: {
    needs: ["number", "log_core"],
    code: `fn log_(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) == 0u) { return number(0xff800000u); }
  if (bits >= 0x7f800000u) { return number(select(0x7fc00000u, 0x7f800000u, bits == 0x7f800000u)); }
  let tiny = x < 1.17549435e-38;
  let b = bitcast<i32>(select(x, x * 33554432.0, tiny)) + (0x3f800000 - 0x3f3504f3);
  let k = f32((b >> 23u) - 127 - select(0, 25, tiny));
  return log_core(bitcast<f32>((b & 0x007fffff) + 0x3f3504f3) - 1.0, k);
}`,
  },
  half_: {
    // on the bits; below 2^-14 the steps are 2^-24
    needs: ["number", "is_nan"],
    code: `fn half_(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let bits = bitcast<u32>(x);
  let a = bits & 0x7fffffffu;
  let sign = bits & 0x80000000u;
  if (a >= 0x477ff000u) { return number(sign | 0x7f800000u); }
  if (a < 0x38800000u) { return number(sign | bitcast<u32>(round(bitcast<f32>(a) * 16777216.0) * 5.9604644775390625e-8)); }
  return number(sign | ((a + 0xfffu + ((a >> 13u) & 1u)) & 0xffffe000u));
}`,
  },
  to_half: {
    // of a number of half precision: exact, where pack2x16float may flush or round as it likes
    code: `fn to_half(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let a = bits & 0x7fffffffu;
  let sign = (bits >> 16u) & 0x8000u;
  if (a >= 0x7f800000u) { return sign | select(0x7c00u, 0x7e00u, a > 0x7f800000u); }
  if (a < 0x38800000u) { return sign | u32(bitcast<f32>(a) * 16777216.0); }
  return sign | ((a - 0x38000000u) >> 13u);
}`,
  },
  from_half: {
    needs: ["number"],
    code: `fn from_half(pair: u32, at: u32) -> f32 {
  let bits = (pair >> ((at & 1u) * 16u)) & 0xffffu;
  let a = bits & 0x7fffu;
  let sign = (bits & 0x8000u) << 16u;
  if (a < 0x400u) { return number(sign | bitcast<u32>(f32(a) * 5.9604644775390625e-8)); }
  return number(sign | ((a << 13u) + select(0x38000000u, 0x70000000u, a >= 0x7c00u)));
}`,
  },
  unpacked: {
    code: `fn unpacked(pair: u32, at: u32) -> f32 { return unpack2x16float(pair)[at & 1u]; }`,
  },
  log1p_: {
    needs: ["log_", "log_core"],
    code: `fn log1p_(x: f32) -> f32 {
  if (abs(x) < 5.9604645e-8) { return x; }
  if (x > -0.29 && x < 0.41) { return log_core(x, 0.0); }
  return log_(1.0 + x);
}`,
  },
  tanh_: {
    needs: ["exp_", "is_nan"],
    code: `fn tanh_(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let t = min(abs(x), 20.0);
  let z = x * x;
  if (t > 0.625) {
    let y = 1.0 - 2.0 / (exp_(t + t) + 1.0);
    return select(y, -y, x < 0.0);
  }
  return ${poly("z", [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1])} * z * x + x;
}`,
  },
  erf_: {
    needs: ["exp_", "is_nan"],
    code: `fn erf_(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let t = min(abs(x), 8.0);
  let s = t * t;
  if (t > 0.927734375) {
    let head = ${poly("t", [-1.7285347e-5, 3.83197126e-4])} * s + ${poly("t", [-3.88396438e-3, 2.42546219e-2])};
    let y = 1.0 - exp_((((head * t + -1.06777877e-1) * t + -6.34846687e-1) * t + -1.28717512e-1) * t - t);
    return select(y, -y, x < 0.0);
  }
  return ${poly("s", [-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1])} * x + x;
}`,
  },
  turn: {
    // sin of x + quarter · π/2; digits are lost above |x| = 8192
    needs: ["number"],
    code: `fn turn(x: f32, quarter: i32) -> f32 {
  if ((bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u) { return number(0x7fc00000u); }
  let j = round(x * ${2 / Math.PI});
  let r = ((x - j * 1.5703125) - j * 4.83751296997e-4) - j * 7.54978995489e-8;
  let q = i32(j) + quarter;
  let z = r * r;
  let s = ${poly("z", [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1])} * z * r + r;
  let c = ${poly("z", [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2])} * z * z - 0.5 * z + 1.0;
  let y = select(s, c, (q & 1) == 1);
  return select(y, -y, (q & 2) == 2);
}`,
  },
  sin_: { needs: ["turn"], code: `fn sin_(x: f32) -> f32 { return turn(x, 0); }` },
  cos_: { needs: ["turn"], code: `fn cos_(x: f32) -> f32 { return turn(x, 1); }` },
  pow_: {
    needs: ["number", "is_nan", "log_core", "exp_", "pow2"],
    // 2^(y log2 |x|): the whole part of the exponent is split off before anything rounds
    code: `fn pow_(x: f32, y: f32) -> f32 {
  if (y == 0.0 || x == 1.0) { return 1.0; }
  if (is_nan(x) || is_nan(y)) { return number(0x7fc00000u); }
  let whole_y = floor(y) == y;
  let odd = whole_y && abs(y) < 16777216.0 && floor(y * 0.5) * 2.0 != y;
  let negative = x < 0.0;
  if (negative && !whole_y) { return number(0x7fc00000u); }
  var value = 0.0;
  let bits = bitcast<u32>(x) & 0x7fffffffu;
  if (bits == 0u || bits == 0x7f800000u) {
    value = select(number(0x7f800000u), 0.0, (bits == 0u) == (y > 0.0));
  } else {
    let tiny = bits < 0x00800000u;
    let a = bitcast<f32>(bits);
    let b = bitcast<i32>(select(a, a * 33554432.0, tiny)) + (0x3f800000 - 0x3f3504f3);
    let k = f32((b >> 23u) - 127 - select(0, 25, tiny));
    let l = log_core(bitcast<f32>((b & 0x007fffff) + 0x3f3504f3) - 1.0, 0.0) * ${Math.LOG2E};
    let whole = round(clamp(y * (k + l), -160.0, 160.0));
    let part = fma(y, k, -whole) + y * l;
    let n = i32(whole);
    let half = n >> 1u;
    value = exp_(clamp(part, -100.0, 100.0) * ${Math.LN2}) * pow2(half) * pow2(n - half);
  }
  return select(value, -value, negative && odd);
}`,
  },
};

/** The code of some helpers and of all that they need, each once, in the order of the table. */
export function helperCode(wanted: Iterable<HelperName>): string {
  const all = new Set<HelperName>();
  const add = (name: HelperName): void => {
    if (all.has(name)) return;
    all.add(name);
    rows[name].needs?.forEach(add);
  };
  for (const name of wanted) add(name);
  return (Object.keys(rows) as HelperName[])
    .filter((name) => all.has(name))
    .map((name) => rows[name].code)
    .join("\n");
}
