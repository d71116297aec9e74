/**
 * The place in the script that the person is at: the editor tells its cursor, panels light up what belongs there and ask
 * for another place to be selected.
 */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export class Place {
  /** What is selected in the editor; start and end are equal at a cursor. */
  cursor = $state.raw<Range>({ start: 0, end: 0 });
  /** What a panel asked for last; the same place asked for again is another object. */
  wanted = $state.raw<Range & { readonly enter: boolean }>();

  /** `enter`: the person goes there; else the focus stays where they are. */
  select({ start, end }: Range, enter = false): void {
    this.wanted = { start, end, enter };
    this.cursor = { start, end };
  }
}
