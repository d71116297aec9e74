/** A copy of plain data in which every place of a text stands some signs further on. */
export function moved<T>(data: T, by: number): T {
  return copy(data, by) as T;
}

function copy(data: unknown, by: number): unknown {
  if (typeof data !== "object" || data === null) return data;
  if (Array.isArray(data)) {
    const list = new Array<unknown>(data.length);
    for (let i = 0; i < data.length; i++) list[i] = copy(data[i], by);
    return list;
  }
  if ("start" in data && "end" in data && "file" in data)
    return { file: data.file, start: (data.start as number) + by, end: (data.end as number) + by };
  const other: Record<string, unknown> = {};
  for (const key in data) {
    const value = (data as Record<string, unknown>)[key];
    other[key] = typeof value === "object" && value !== null ? copy(value, by) : value;
  }
  return other;
}
