/**
 * Lengths of slots as the headers of the shared log say them: in granules, or in units of 512 of them.
 *
 * Thread safety: pure.
 */

/** In the field of granules: that it counts units. */
export const IN_UNITS = 0x800
export const UNIT_SHIFT = 9
export const MOST_UNITS = IN_UNITS - 1

/** As much of so many granules as a header can say. */
export function exactPart(granules: number): number {
  return granules < IN_UNITS ? granules : (granules >>> UNIT_SHIFT) << UNIT_SHIFT
}
