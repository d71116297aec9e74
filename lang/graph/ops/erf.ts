/** The error function in float64, by its series of positive terms: slow far from 0, but exact to the last digits. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (!(a < 6)) return Number.isNaN(x) ? NaN : Math.sign(x);
  // 2/sqrt(pi) e^(-a^2) sum of 2^n a^(2n+1) / (1 3 5 .. 2n+1)
  let term = a;
  let total = a;
  for (let n = 1; term > total * 1e-18; n++) {
    term *= (2 * a * a) / (2 * n + 1);
    total += term;
  }
  return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * total;
}
