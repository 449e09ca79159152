/** Parking, notifying, spinning, and what becomes of it when nobody can go on. */
import { expect, test } from 'vitest'
import { explore, type ExploreOptions } from '../../../src/explore/index.ts'

type Thread = (words: Int32Array) => unknown

function run(threads: Thread[], more: Partial<ExploreOptions> = {}): { kind: string | undefined; seen: string[] } {
  const seen = new Set<string>()
  const result = explore({
    memory: { bytes: 64 },
    attach: (memory) => new Int32Array(memory),
    threads,
    after: (_memory, { results }) => void seen.add(results.join(' ')),
    ...more,
  })
  if (result.error === undefined) expect(result.complete).toBe(true)
  return { kind: result.error?.kind, seen: [...seen].sort() }
}

const FLAG = 0

const signal: Thread = (words) => {
  Atomics.store(words, FLAG, 1)
  return Atomics.notify(words, FLAG)
}

test('a waiter is notified, or sees the change', () => {
  const wait: Thread = (words) => Atomics.wait(words, FLAG, 0)
  expect(run([signal, wait])).toEqual({ kind: undefined, seen: ['0 not-equal', '1 ok'] })
})

test('a time-out is a choice', () => {
  const wait: Thread = (words) => Atomics.wait(words, FLAG, 0, 100)
  expect(run([signal, wait])).toEqual({ kind: undefined, seen: ['0 not-equal', '0 timed-out', '1 ok'] })
})

test('waiters are woken in the order in which they came', () => {
  const wait: Thread = (words) => {
    const turn = Atomics.add(words, 1, 1)
    Atomics.wait(words, FLAG, 0)
    return turn
  }
  const wake: Thread = (words) => {
    while (Atomics.load(words, 1) < 2);
    Atomics.store(words, FLAG, 1)
    let woken = 0
    for (let i = 0; i < 2; i++) woken += Atomics.notify(words, FLAG, 1)
    return woken
  }
  const { kind, seen } = run([wait, wait, wake])
  expect(kind).toBeUndefined()
  expect(seen).toContain('0 1 2')
  expect(seen).toContain('1 0 0')
})

test('notified before it waits: lost', () => {
  const wait: Thread = (words) => {
    if (Atomics.load(words, 1) === 0) Atomics.wait(words, FLAG, 0)
  }
  const notify: Thread = (words) => {
    Atomics.store(words, 1, 1)
    Atomics.notify(words, FLAG)
  }
  expect(run([wait, notify]).kind).toBe('lost-wake-up')
})

test('two locks taken in opposite order', () => {
  const lock = (words: Int32Array, at: number): void => {
    while (Atomics.compareExchange(words, at, 0, 1) !== 0) Atomics.wait(words, at, 1)
  }
  const unlock = (words: Int32Array, at: number): void => {
    Atomics.store(words, at, 0)
    Atomics.notify(words, at)
  }
  const both =
    (first: number, second: number): Thread =>
    (words) => {
      lock(words, first)
      lock(words, second)
      unlock(words, second)
      unlock(words, first)
    }
  expect(run([both(0, 1), both(1, 0)]).kind).toBe('deadlock')
  expect(run([both(0, 1), both(0, 1)]).kind).toBeUndefined()
})

test('spinning until a flag is set ends in every execution', () => {
  const spin: Thread = (words) => {
    while (Atomics.load(words, FLAG) === 0);
    return Atomics.load(words, 1)
  }
  const set: Thread = (words) => {
    Atomics.store(words, 1, 5)
    Atomics.store(words, FLAG, 1)
  }
  expect(run([spin, set])).toEqual({ kind: undefined, seen: ['5 '] })
  expect(run([spin, set], { mode: 'dfs' })).toEqual({ kind: undefined, seen: ['5 '] })
})

test('spinning on several words', () => {
  const spin: Thread = (words) => {
    while (Atomics.load(words, 0) + Atomics.load(words, 1) < 2);
  }
  const set =
    (at: number): Thread =>
    (words) =>
      void Atomics.store(words, at, 1)
  expect(run([spin, set(0), set(1)]).kind).toBeUndefined()
})

test('spinning for what never comes is a livelock', () => {
  const spin: Thread = (words) => {
    while (Atomics.load(words, FLAG) === 0);
  }
  expect(run([spin, (words) => Atomics.load(words, FLAG)]).kind).toBe('livelock')
})

test('a loop that gives up is none', () => {
  const tries: Thread = (words) => {
    for (let i = 0; i < 3; i++) if (Atomics.load(words, FLAG) !== 0) return 'seen'
    return 'gave up'
  }
  const set: Thread = (words) => void Atomics.store(words, FLAG, 1)
  expect(run([tries, set])).toEqual({ kind: undefined, seen: ['gave up ', 'seen '] })
})

test('a loop whose state is in an object is none', () => {
  const tries: Thread = (words) => {
    const left = [1, 2, 3]
    while (left.length > 0) {
      left.pop()
      if (Atomics.load(words, FLAG) !== 0) return 'seen'
    }
    return 'gave up'
  }
  const set: Thread = (words) => void Atomics.store(words, FLAG, 1)
  expect(run([tries, set])).toEqual({ kind: undefined, seen: ['gave up ', 'seen '] })
})

test('two threads that give way to each other for ever', () => {
  const polite =
    (own: number, other: number): Thread =>
    (words) => {
      for (;;) {
        Atomics.store(words, own, 1)
        if (Atomics.load(words, other) === 0) return
        Atomics.store(words, own, 0)
      }
    }
  const threads = [polite(0, 1), polite(1, 0)]
  expect(run(threads, { maxSteps: 200 }).kind).toBe('unbounded')
})

test('a loop on plain reads that never ends is an error, not a hang', () => {
  const spin: Thread = (words) => {
    Atomics.load(words, 1)
    while (words[FLAG] === 0);
  }
  expect(run([spin], { races: 'ignore' }).kind).toBe('unbounded')
})

test('an asynchronous wait ends in a callback of the same thread', () => {
  const wait: Thread = (words) => {
    const { async, value } = Atomics.waitAsync(words, FLAG, 0)
    if (!async) return void Atomics.store(words, 2, 10)
    void value.then((how) => void Atomics.store(words, 2, how === 'ok' ? 20 : 30))
  }
  const seen = new Set<number>()
  const after = (memory: SharedArrayBuffer): void => void seen.add(new Int32Array(memory)[2]!)
  expect(run([signal, wait], { after }).kind).toBeUndefined()
  expect([...seen].sort()).toEqual([10, 20])
  expect(run([(words) => Atomics.load(words, FLAG), wait]).kind).toBe('deadlock')
})

test('the time-out of an asynchronous wait is a choice', () => {
  const wait: Thread = (words) => {
    const given = Atomics.waitAsync(words, FLAG, 0, 5)
    if (given.async) void given.value.then((how) => void Atomics.store(words, 2, how.length))
  }
  const seen = new Set<number>()
  const after = (memory: SharedArrayBuffer): void => void seen.add(new Int32Array(memory)[2]!)
  expect(run([signal, wait], { after }).kind).toBeUndefined()
  expect([...seen].sort()).toEqual([0, 2, 9])
})
