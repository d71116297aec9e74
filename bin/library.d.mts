export function libraryTrees(): Promise<Readonly<Record<string, string>>>;
