/** Work that a person cut short with control-C. Nothing of it was committed. */
export class Interrupted extends Error {}
