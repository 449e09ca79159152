/**
 * The shapes by which memory models are told apart. With Atomics, exactly the sequentially consistent outcomes are met;
 * with plain accesses, each shape is reported as a race.
 */
import { expect, test } from 'vitest'
import { explore, type Mode } from '../../../src/explore/index.ts'

type Thread = (words: Int32Array) => unknown

const X = 0
const Y = 1

function outcomes(threads: Thread[], mode: Mode = 'dpor'): string[] {
  const seen = new Set<string>()
  const result = explore({
    memory: { bytes: 16 },
    attach: (memory) => new Int32Array(memory),
    threads,
    after: (_memory, { results }) =>
      void seen.add(
        results
          .filter((one) => one !== undefined)
          .map(String)
          .join(' '),
      ),
    mode,
  })
  expect(result.error).toBeUndefined()
  expect(result.complete).toBe(true)
  return [...seen].sort()
}

function raceOf(threads: Thread[]): string | undefined {
  return explore({ memory: { bytes: 16 }, attach: (memory) => new Int32Array(memory), threads }).error?.kind
}

const store =
  (...at: number[]): Thread =>
  (words) => {
    for (const word of at) Atomics.store(words, word, 1)
  }

const load =
  (...at: number[]): Thread =>
  (words) => {
    let seen = ''
    for (const word of at) seen += Atomics.load(words, word)
    return seen
  }

const write =
  (...at: number[]): Thread =>
  (words) => {
    for (const word of at) words[word] = 1
  }

const read =
  (...at: number[]): Thread =>
  (words) => {
    let seen = ''
    for (const word of at) seen += words[word]
    return seen
  }

test('message passing', () => {
  expect(outcomes([store(X, Y), load(Y, X)])).toEqual(['00', '01', '11'])
  expect(raceOf([write(X, Y), read(Y, X)])).toBe('data-race')
})

test('message passing of a plain value through an atomic flag is no race', () => {
  const threads: Thread[] = [
    (words) => {
      words[X] = 7
      Atomics.store(words, Y, 1)
    },
    (words) => (Atomics.load(words, Y) === 1 ? words[X] : 'none'),
  ]
  expect(outcomes(threads)).toEqual(['7', 'none'])
})

test('store buffering', () => {
  const threads: Thread[] = [
    (words) => {
      Atomics.store(words, X, 1)
      return Atomics.load(words, Y)
    },
    (words) => {
      Atomics.store(words, Y, 1)
      return Atomics.load(words, X)
    },
  ]
  expect(outcomes(threads)).toEqual(['0 1', '1 0', '1 1'])
  const plain: Thread[] = [
    (words) => {
      words[X] = 1
      return words[Y]
    },
    (words) => {
      words[Y] = 1
      return words[X]
    },
  ]
  expect(raceOf(plain)).toBe('data-race')
})

test('load buffering', () => {
  const threads: Thread[] = [
    (words) => {
      const seen = Atomics.load(words, X)
      Atomics.store(words, Y, 1)
      return seen
    },
    (words) => {
      const seen = Atomics.load(words, Y)
      Atomics.store(words, X, 1)
      return seen
    },
  ]
  expect(outcomes(threads)).toEqual(['0 0', '0 1', '1 0'])
})

test('independent reads of independent writes', () => {
  const seen = outcomes([store(X), store(Y), load(X, Y), load(Y, X)])
  // Fifteen of sixteen: the readers never disagree on the order of the writes.
  expect(seen).toHaveLength(15)
  expect(seen).not.toContain('10 10')
  expect(raceOf([write(X), write(Y), read(X, Y), read(Y, X)])).toBe('data-race')
})

test('coherence', () => {
  const writes =
    (value: number): Thread =>
    (words) =>
      void Atomics.store(words, X, value)
  const seen = outcomes([writes(1), writes(2), load(X, X)])
  expect(seen).toEqual(['00', '01', '02', '11', '12', '21', '22'])
  expect(seen).toEqual(outcomes([writes(1), writes(2), load(X, X)], 'dfs'))
  expect(raceOf([write(X), read(X, X)])).toBe('data-race')
})
