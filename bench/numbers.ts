/** What is made of a handful of measurements. */

/** The middle one; of an even number, the mean of the two in the middle. NaN if there is none. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Distance of the quartiles over the median: how far apart the rounds lie. */
export function spread(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const last = sorted.length - 1
  return (sorted[Math.round(last * 0.75)] - sorted[Math.round(last * 0.25)]) / median(sorted)
}

/** The median of the ratios of rounds that were run one right after the other, so that drift hits both alike. */
export function pairedRatio(over: readonly number[], under: readonly number[]): number {
  return median(over.map((value, i) => value / under[i]))
}
