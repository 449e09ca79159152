/** How the schedules of an exploration are chosen. */
export interface Strategy {
  /** Rows of the trace that the next execution repeats: they must come out as before. */
  readonly known: number
  /** Before each execution. */
  begin(): void
  /**
   * Who goes on.
   * @param current the thread that runs, or -1 if it cannot go on
   * @param enabled bit mask of the threads that can; never 0
   * @returns a thread of `enabled`, or -1 if all that follows is explored elsewhere
   */
  choose(current: number, enabled: number): number
  /** After each step: `row` of the trace is filled in, except for its clock. */
  executed(row: number): void
  /** All that `first` has done so far comes before whatever `then` does. */
  order(first: number, then: number): void
  /** @returns whether another execution is to be run */
  advance(): boolean
  /** The part of the executions that has been run, from 0 to 1; NaN if that has no meaning. */
  progress(): number
}

/** Lowest thread of a set that is not empty. */
export function lowest(set: number): number {
  return 31 - Math.clz32(set & -set)
}

export function sizeOf(set: number): number {
  let size = 0
  for (let rest = set; rest !== 0; rest &= rest - 1) size++
  return size
}

export function has(set: number, thread: number): boolean {
  return thread >= 0 && ((set >> thread) & 1) === 1
}
