/**
 * Stops a thread's work between any two of its accesses to shared words, without a second thread: every Atomics call
 * that `body` makes, directly or not, first calls `before` with its number, from 1 on.
 */
const NAMES = ['load', 'store', 'add', 'or', 'exchange', 'compareExchange', 'wait', 'notify'] as const

type Call = (...args: unknown[]) => unknown

let inside = false

/** Runs `body` with `before` called ahead of each Atomics call. What `before` does itself is neither counted nor stopped. */
export function hookAtomics<T>(before: (call: number, name: string) => void, body: () => T): T {
  if (inside) throw new Error('hooks do not nest')
  const table = Atomics as unknown as Record<string, Call>
  const originals = NAMES.map((name) => table[name]!)
  let calls = 0
  const wrap = (name: string, original: Call): Call => {
    return (...args) => {
      if (inside) {
        inside = false
        try {
          before(++calls, name)
        } finally {
          inside = true
        }
      }
      return original(...args)
    }
  }
  NAMES.forEach((name, i) => (table[name] = wrap(name, originals[i]!)))
  inside = true
  try {
    return body()
  } finally {
    inside = false
    NAMES.forEach((name, i) => (table[name] = originals[i]!))
  }
}

class Death extends Error {}

/**
 * Runs `body` up to its `step`-th Atomics call and stops it there for good: what it would do on the way out fails too,
 * as if the thread were gone.
 * @returns whether it came that far
 */
export function dieAt(step: number, body: () => void): boolean {
  let dead = false
  try {
    hookAtomics((call) => {
      dead ||= call === step
      if (dead) throw new Death()
    }, body)
  } catch (error) {
    if (!(error instanceof Death)) throw error
  }
  return dead
}

/**
 * Runs `other` to its end right before the `step`-th Atomics call of `body`, as if another thread had been that fast.
 * @returns whether `body` came that far
 */
export function interruptAt(step: number, body: () => void, other: () => void): boolean {
  let reached = false
  hookAtomics((call) => {
    if (call !== step) return
    reached = true
    other()
  }, body)
  return reached
}

/** Calls `trial` with 1, 2, 3 and so on until it says that its body did not come that far. @returns the steps there are */
export function everyStep(trial: (step: number) => boolean, stride = 1, first = 1): number {
  let step = first
  while (trial(step)) step += stride
  return step - 1
}
