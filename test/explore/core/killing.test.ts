/** One thread stops for good, after each of its steps in turn. */
import { expect, test } from 'vitest'
import { explore, type ExploreOptions, op, register } from '../../../src/explore/index.ts'

type Thread = (words: Int32Array) => unknown

const words = { memory: { bytes: 64 }, attach: (memory: SharedArrayBuffer) => new Int32Array(memory) }

const add: Thread = (shared) => {
  for (let i = 0; i < 3; i++) Atomics.add(shared, 0, 1)
  return 'done'
}

test('every number of steps is met, of every thread', () => {
  const seen = new Set<string>()
  const result = explore({
    ...words,
    threads: [add, add],
    kill: 'everywhere',
    after: (memory, { killed, results }) => {
      seen.add(
        `${killed}: ${new Int32Array(memory)[0]} ${results.map((one) => (one === undefined ? '-' : 'done')).join()}`,
      )
    },
  })
  expect(result.error).toBeUndefined()
  expect(result.complete).toBe(true)
  expect([...seen].sort()).toEqual([
    '-1: 6 done,done',
    '0: 3 -,done',
    '0: 4 -,done',
    '0: 5 -,done',
    '1: 3 done,-',
    '1: 4 done,-',
    '1: 5 done,-',
  ])
})

test('a lock that dies with its holder is found, and what is killed is part of the schedule', () => {
  const lock: Thread = (shared) => {
    while (Atomics.compareExchange(shared, 0, 0, 1) !== 0);
    Atomics.store(shared, 0, 0)
  }
  const options: ExploreOptions = { ...words, threads: [lock, lock] }
  expect(explore(options).error).toBeUndefined()
  const { error } = explore({ ...options, kill: 'everywhere' })
  expect(error?.kind).toBe('livelock')
  expect(error?.minimized).toMatch(/;kill=\d@1;/)
  expect(error?.columns).toContain('stops for good')
  expect(explore({ ...options, replay: error!.minimized }).error?.kind).toBe('livelock')
})

test('an operation that never returned may have happened or not', () => {
  const result = explore({
    ...words,
    threads: [
      (shared) => op('write', [1], () => void Atomics.store(shared, 0, 1)),
      (shared) => op('read', [], () => Atomics.load(shared, 0)),
    ],
    linearizable: register(0),
    kill: 'everywhere',
  })
  expect(result.error).toBeUndefined()
  expect(result.complete).toBe(true)
})

test('a reaper starts when the victim is dead, beside the survivors', () => {
  const take: Thread = (shared) => {
    Atomics.store(shared, 1, 1)
    Atomics.store(shared, 1, 0)
  }
  const seen = new Set<string>()
  const result = explore({
    ...words,
    threads: [take, (shared) => Atomics.load(shared, 1)],
    kill: 'everywhere',
    reaper: (memory, dead) => {
      if (dead === 0) Atomics.store(new Int32Array(memory), 1, 0)
    },
    after: (memory, { killed, results }) => {
      expect(Atomics.load(new Int32Array(memory), 1)).toBe(0)
      seen.add(`${killed} ${String(results[1])}`)
    },
  })
  expect(result.error).toBeUndefined()
  expect(result.complete).toBe(true)
  expect([...seen].sort()).toEqual(['-1 0', '-1 1', '0 0', '0 1', '1 undefined'])
})

test('what a victim did is seen by its reaper without a race', () => {
  const fill: Thread = (shared) => {
    Atomics.load(shared, 0)
    shared[2] = 5
    Atomics.load(shared, 0)
  }
  const result = explore({
    ...words,
    threads: [fill],
    kill: 'everywhere',
    reaper: (memory) => new Int32Array(memory)[2],
  })
  expect(result.error).toBeUndefined()
})
