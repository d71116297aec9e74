import type { Page } from "playwright-core";

export type Turn = (page: Page, i: number) => Promise<void>;
export const turns: Readonly<Record<string, Turn>>;
export const begin: (page: Page) => Promise<void>;
export const turn: Turn;
