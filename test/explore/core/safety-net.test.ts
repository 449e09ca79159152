/** What cannot be explored is an error, never passed over. */
import { expect, test } from 'vitest'
import { explore, type ExploreOptions, fail } from '../../../src/explore/index.ts'
import { foreignCall, foreignLoad, foreignStore } from '../foreign/foreign.mjs'

type Thread = (words: Int32Array) => unknown

function run(threads: Thread[], more: Partial<ExploreOptions> = {}): { kind: string | undefined; message: string } {
  const { error } = explore({
    memory: { bytes: 64 },
    attach: (memory) => new Int32Array(memory),
    threads,
    ...more,
  })
  return { kind: error?.kind, message: error?.message ?? '' }
}

const step: Thread = (words) => Atomics.add(words, 0, 1)

test('an exploration without a step fails', () => {
  expect(run([() => 5]).kind).toBe('no-steps')
})

test('an exception of a thread, with its place', () => {
  const throwing: Thread = (words) => {
    step(words)
    throw new RangeError('no room')
  }
  const { kind, message } = run([throwing])
  expect(kind).toBe('exception')
  expect(message).toContain('no room')
})

test('a failure is not lost when the code under test catches it', () => {
  const swallowing: Thread = (words) => {
    try {
      step(words)
      fail('leak', 'seen')
    } catch {
      step(words)
    }
  }
  expect(run([swallowing]).kind).toBe('leak')
  const racing: Thread = (words) => {
    try {
      step(words)
      words[3] = 1
    } catch {
      // As if nothing had happened.
    }
    step(words)
  }
  expect(run([racing, racing]).kind).toBe('data-race')
})

test('an invariant is looked at after each step', () => {
  const twice: Thread = (words) => {
    Atomics.store(words, 0, 7)
    Atomics.store(words, 0, 0)
  }
  const { kind, message } = run([twice], {
    invariant: (memory) => {
      if (new Int32Array(memory)[0] === 7) throw new Error('seven')
    },
  })
  expect(kind).toBe('exception')
  expect(message).toContain('seven')
})

test('state outside the shared memory, kept from one execution to the next', () => {
  let runs = 0
  const counting: Thread = (words) => {
    runs++
    Atomics.store(words, 0, runs)
  }
  expect(run([counting, step]).kind).toBe('nondeterminism')
})

test('clocks and random numbers are the same in each execution', () => {
  const lucky: Thread = (words) => {
    Atomics.store(words, 1, (Math.random() * 2 ** 31) | 0)
    Atomics.store(words, 2, Date.now() | 0)
    Atomics.store(words, 3, new Date().getTime() | 0)
    Atomics.store(words, 4, performance.now() | 0)
    step(words)
  }
  const before = Date.now()
  expect(run([lucky, step]).kind).toBeUndefined()
  expect(Date.now()).toBeGreaterThanOrEqual(before)
})

test('Atomics in a file that is not instrumented', () => {
  const { kind, message } = run([(words) => void foreignLoad(words)])
  expect(kind).toBe('unsupported')
  expect(message).toContain('foreign.mjs')
})

test('a plain write in a file that is not instrumented', () => {
  const writing: Thread = (words) => {
    step(words)
    foreignStore(words)
  }
  expect(run([writing, step]).kind).toBe('unsupported')
})

test('a callback called by code that is not instrumented', () => {
  const calling: Thread = (words) => {
    foreignCall(() => step(words))
    step(words)
  }
  expect(run([calling, step]).kind).toBe('unsupported')
})

test('shared memory that is not the one under test', () => {
  const other = new Int32Array(new SharedArrayBuffer(8))
  const { kind } = run([
    (words) => {
      step(words)
      Atomics.store(other, 0, 1)
    },
  ])
  expect(kind).toBe('unsupported')
})

test('Atomics on private memory is no step', () => {
  const own: Thread = (words) => {
    const mine = new Int32Array(4)
    Atomics.add(mine, 0, 3)
    step(words)
    return Atomics.load(mine, 0)
  }
  let seen: unknown
  run([own], { after: (_memory, { results }) => void (seen = results[0]) })
  expect(seen).toBe(3)
})

test('an async function on the way', () => {
  async function later(words: Int32Array): Promise<void> {
    await Promise.resolve()
    Atomics.add(words, 0, 1)
  }
  const calling: Thread = (words) => {
    step(words)
    void later(words).catch(() => undefined)
    step(words)
  }
  const { kind, message } = run([calling])
  expect(kind).toBe('unsupported')
  expect(message).toMatch(/safety-net\.test\.ts:\d+/)
})

test('one exploration inside another', () => {
  const nested = explore({
    memory: { bytes: 64 },
    attach: (memory) => new Int32Array(memory),
    threads: [step],
    after: () => void run([step]),
  })
  expect(nested.error?.message).toContain('inside another')
})

test('options that make no sense are refused before anything runs', () => {
  const good: ExploreOptions = { memory: { bytes: 64 }, threads: [step] }
  const bad: Partial<Record<keyof ExploreOptions, unknown>>[] = [
    { memory: { bytes: 3 } },
    { threads: [] },
    { threads: Array<Thread>(9).fill(step) },
    { threads: [1] },
    { mode: 'fast' },
    { mode: { bound: -1 } },
    { mode: { pct: 0 } },
    { maxSteps: 0 },
    { maxMs: -1 },
    { kill: 'sometimes' },
  ]
  for (const one of bad) {
    expect(() => explore({ ...good, ...(one as object) })).toThrow(
      expect.objectContaining({ code: 'HEDDLE_INVALID_OPTION' }),
    )
  }
})
