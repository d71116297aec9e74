/** What both renderers of the eigenvalue kernel agree on: how often it goes over a matrix, and which rotations it leaves out. */

/** Times over all pairs; f32 is exact after six or seven, and pairs that are done cost a comparison. */
export const SWEEPS = 16;
/** An off-diagonal number this small beside the diagonal moves no eigenvalue of an f32. */
export const SMALL = 1e-9;
