import type { Browser, Page } from "playwright-core";

export const executablePath: string;
export const hasBrowser: boolean;
export const devices: readonly string[];
export function launch(device: string, more?: readonly string[]): Promise<Browser>;
export function serve(): Promise<{ readonly url: string; close(): void }>;
export function stepOf(page: Page): Promise<number>;
export function untilStep(page: Page, step: number, timeout?: number): Promise<number>;
export function use(page: Page, device: string): Promise<void>;
export function editorOf(page: Page): Promise<void>;
export function write(page: Page, text: string): Promise<void>;
export function cursorBehind(page: Page, text: string): Promise<void>;
export function openExample(page: Page, file: string): Promise<void>;
