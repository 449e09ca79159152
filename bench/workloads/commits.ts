/** Writes that are waited for: what a caller sees who must not lose what it was told is done. */
import type { Session } from '../engines/engine.ts'
import type { Histogram } from '../histogram.ts'
import type { Commits } from './catalog.ts'
import type { Plan } from './plan.ts'

/**
 * Sets the keys of a plan, again from the first when they are used up, until the time is over: each caller some of them,
 * then waits until they are durable, and so on. An engine that blocks the thread while it waits has one caller at a time;
 * one that commits each write by itself puts a group together, if it can.
 * @param histogram gets the time from the first set of a group until the group is durable
 * @returns sets that became durable
 */
export async function runCommits(
  session: Session,
  plan: Plan,
  value: unknown,
  { group, callers }: Commits,
  limitMs: number,
  histogram: Histogram | null,
): Promise<number> {
  const { keys } = plan
  const stopMs = performance.now() + limitMs
  let next = 0
  let done = 0
  const call = async (): Promise<void> => {
    for (let begunMs = performance.now(); begunMs < stopMs; begunMs = performance.now()) {
      for (let i = 0; i < group; i++) session.set(keys[next++ % keys.length], value)
      // Only what is a promise is waited for: the others would come in between otherwise, and count as time of this one.
      const flushed = session.flush?.()
      if (flushed !== undefined) await flushed
      const settled = session.settle?.()
      if (settled !== undefined) await settled
      histogram?.add((performance.now() - begunMs) * 1e6)
      done += group
    }
  }
  if (group > 1) session.bulk?.(true)
  await Promise.all(Array.from({ length: callers }, call))
  if (group > 1) session.bulk?.(false)
  return done
}
