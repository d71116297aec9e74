/**
 * Watches a worker that owes an answer. It counts its own beats and not the time: a page that was asleep, or whose own
 * thread was busy, has not waited, and an answer that came in between is read before the next beat.
 */
export interface Watched {
  /** Beats without a word after which it is given up; may change with what the worker is doing. */
  readonly patience: () => number;
  /** Each beat: something the worker has to answer. */
  readonly ask?: () => void;
  /** How many beats it has been silent, whenever that changes. */
  readonly silent?: (beats: number) => void;
  readonly giveUp: () => void;
}

/** Milliseconds. */
export const BEAT = 1000;

export class Watchdog {
  private readonly watched: Watched;
  private timer: ReturnType<typeof setInterval> | undefined;
  private beats = 0;

  constructor(watched: Watched) {
    this.watched = watched;
  }

  get silence(): number {
    return this.beats;
  }

  start(): void {
    this.stop();
    this.timer = setInterval(() => this.beat(), BEAT);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.count(0);
  }

  get isOn(): boolean {
    return this.timer !== undefined;
  }

  /** The worker said something. */
  heard(): void {
    this.count(0);
  }

  private beat(): void {
    this.count(this.beats + 1);
    if (this.beats > this.watched.patience()) {
      this.stop();
      this.watched.giveUp();
    } else this.watched.ask?.();
  }

  private count(beats: number): void {
    if (beats === this.beats) return;
    this.beats = beats;
    this.watched.silent?.(beats);
  }
}
