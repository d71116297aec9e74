/** Of what a script prints the newest is kept. */
const LINES = 500;
const CHARACTERS = 50_000;

export function newest(lines: readonly string[]): readonly string[] {
  let room = CHARACTERS;
  const from = lines.findLastIndex((line) => (room -= line.length + 1) < 0) + 1;
  return lines.slice(Math.max(from, lines.length - LINES));
}
