/** Medians, quartiles, and ratios of paired rounds. */

/** The q-quantile, interpolated. NaN of nothing. */
export function quantile(numbers: readonly number[], q: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  if (sorted.length === 0) return NaN
  const at = (sorted.length - 1) * q
  const low = Math.floor(at)
  const high = Math.min(sorted.length - 1, low + 1)
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low)
}

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5)
}

/** Distance of the quartiles over the median: how much the rounds differ. */
export function spread(numbers: readonly number[]): number {
  return (quantile(numbers, 0.75) - quantile(numbers, 0.25)) / median(numbers)
}

/** Median of the ratios of rounds that ran beside each other; null if there is none. */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): number | null {
  const ratios: number[] = []
  for (let i = 0; i < Math.min(ours.length, theirs.length); i++) ratios.push(ours[i] / theirs[i])
  return ratios.length === 0 ? null : median(ratios)
}
