/**
 * Which versions of a key somebody can still see. A version is seen by the readers whose bound lies between its sequence
 * and that of the next newer version; the newest is seen by whoever has no bound.
 *
 * Thread safety: belongs to one thread. Complexity: O(log snapshots) for each version.
 */
export class Retention {
  private readonly snapshots: readonly number[]
  private newer = Infinity

  /** @param snapshots sequences of the live snapshots, in any order */
  constructor(snapshots: readonly number[]) {
    this.snapshots = [...snapshots].sort((a, b) => a - b)
  }

  /** A new key begins. */
  begin(): void {
    this.newer = Infinity
  }

  /** Whether the key's next version is kept; they come from the newest to the oldest. A second one of a sequence is not. */
  keeps(sequence: number): boolean {
    const { newer, snapshots } = this
    this.newer = sequence
    if (newer === Infinity) return true
    let low = 0
    let high = snapshots.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (snapshots[middle] < sequence) low = middle + 1
      else high = middle
    }
    return low < snapshots.length && snapshots[low] < newer
  }
}
