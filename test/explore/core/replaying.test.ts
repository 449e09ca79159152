/** A failure is told so that it can be understood, and repeated. */
import { expect, test } from 'vitest'
import { explore, type ExploreOptions } from '../../../src/explore/index.ts'

type Thread = (words: Int32Array) => unknown

/** Loses an update if the other one comes between its two steps. */
const increment: Thread = (words) => {
  Atomics.load(words, 1)
  const old = Atomics.load(words, 0)
  Atomics.store(words, 0, old + 1)
  Atomics.load(words, 2)
}

const lost: ExploreOptions = {
  memory: { bytes: 16 },
  attach: (memory) => new Int32Array(memory),
  threads: [increment, increment, increment],
  after(memory) {
    const sum = new Int32Array(memory)[0]
    if (sum !== 3) throw new Error(`an update is lost: ${sum}`)
  },
}

test('the schedule repeats the failure', () => {
  const { error } = explore(lost)
  expect(error).toMatchObject({ kind: 'exception' })
  expect(error?.message).toContain('an update is lost: 2')
  for (const replay of [error!.schedule, error!.minimized]) {
    const again = explore({ ...lost, replay })
    expect(again.executions).toBeGreaterThanOrEqual(1)
    expect(again.error?.kind).toBe('exception')
  }
})

test('the minimised schedule has as few switches as there can be', () => {
  for (const mode of ['random', { pct: 3 }, 'dpor'] as const) {
    const { error } = explore({ ...lost, mode, seed: 7, maxExecutions: 10_000 })
    const runs = /^v1:([^;]*)/.exec(error!.minimized)![1]!.split(',')
    // One thread is interrupted between its load and its store by another, and all run to their end: 4 or 5 blocks.
    expect(runs.length).toBeLessThanOrEqual(5)
  }
})

test('the columns name file, line, operation and values', () => {
  const { error } = explore(lost)
  expect(error!.columns).toContain('thread 0')
  expect(error!.columns).toContain('thread 2')
  expect(error!.columns).toMatch(/replaying\.test\.ts:\d+:\d+ load \[0\] is 0/)
  expect(error!.columns).toMatch(/store \[0\] = 1/)
})

test('a schedule that no longer fits says where', () => {
  const { error } = explore(lost)
  const changed: Thread = (words) => {
    Atomics.load(words, 1)
    const old = Atomics.load(words, 0)
    Atomics.compareExchange(words, 0, old, old + 1)
  }
  const again = explore({ ...lost, threads: [changed, changed, changed], replay: error!.schedule })
  expect(again.error?.kind).toBe('divergence')
  expect(again.error?.message).toMatch(/step \d+ of thread \d was store, now it is compareExchange at .*replaying/)
})

test('a schedule without the kinds of its steps is followed as far as it goes', () => {
  const { error } = explore(lost)
  const bare = error!.minimized.replace(/;ops=.*/, '')
  expect(explore({ ...lost, replay: bare }).error?.kind).toBe('exception')
})

test('what is no schedule is refused', () => {
  for (const replay of ['', 'v2:0', 'v1:9', 'v1:0,x', '0,1']) {
    expect(() => explore({ ...lost, replay })).toThrow(expect.objectContaining({ code: 'HEDDLE_INVALID_OPTION' }))
  }
})
