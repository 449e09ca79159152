/** A walk in which each load needs the result of the one before: nothing but the latency of memory counts. */

/** Follows a ring for so many hops. @returns ns per hop */
export type Chase = (ring: Int32Array, hops: number) => number

/** Words from one link to the next: a cache line each. */
const LINE_WORDS = 16

/** Links all cache lines of some memory into one ring in random order (Sattolo's shuffle). */
export function linkRandomly(bytes: number, isShared: boolean): Int32Array {
  const ring = new Int32Array(isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes))
  const lines = Math.floor(ring.length / LINE_WORDS)
  for (let i = 0; i < lines; i++) ring[i * LINE_WORDS] = i * LINE_WORDS
  let state = 1
  for (let i = lines - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    const j = Math.floor(((state >>> 0) / 2 ** 32) * i)
    const kept = ring[i * LINE_WORDS]
    ring[i * LINE_WORDS] = ring[j * LINE_WORDS]
    ring[j * LINE_WORDS] = kept
  }
  return ring
}

function finished(begin: bigint, at: number, hops: number): number {
  const ns = Number(process.hrtime.bigint() - begin)
  if (at % LINE_WORDS !== 0) throw new Error('the walk left the ring')
  return ns / hops
}

/** With plain loads. */
export const chasePlainly: Chase = (ring, hops) => {
  let at = 0
  const begin = process.hrtime.bigint()
  for (let i = 0; i < hops; i++) at = ring[at]
  return finished(begin, at, hops)
}

/** With atomic loads. */
export const chaseAtomically: Chase = (ring, hops) => {
  let at = 0
  const begin = process.hrtime.bigint()
  for (let i = 0; i < hops; i++) at = Atomics.load(ring, at)
  return finished(begin, at, hops)
}
