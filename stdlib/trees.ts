/**
 * By file: its syntax tree as JSON. A build that reads the files ahead of time puts them here (bin/build.mjs); without
 * them each process reads the texts.
 */
export const trees: Readonly<Record<string, string>> = {};
