import { expect, it } from 'vitest'
import { crew } from '../support/crew.ts'
import { random } from '../support/random.ts'
import { MIB, openStore, settle, tinyPages } from '../support/stores.ts'
import type { CountWords } from '../support/workers/count-words.ts'

const threads = 3
const texts = Array.from({ length: 24 }, (_, number) => [number, someText(number)] as const)

/** Words that occur as words do: a few of them all the time, most of them seldom. */
function someText(seed: number): string {
  const rng = random(seed)
  const word = (): string => {
    const rank = Math.floor(900 ** (rng.int(1000) / 1000))
    return `${'aeiou'[rank % 5]}${(rank * 7919).toString(36)}${rank % 11 === 0 ? 'äöü€𝄞' : ''}`
  }
  return Array.from({ length: 500 }, word).join(' ')
}

it('words counted by several workers through update are the words counted alone', async () => {
  const store = openStore({ memory: 16 * MIB, tuning: tinyPages })
  const share = (thread: number): CountWords => ({ texts: texts.filter(([number]) => number % threads === thread) })
  const read = await crew<number>(store, 'count-words', threads, share)
  expect(read.reduce((a, b) => a + b)).toBe(texts.length * 500)

  const counts = new Map<string, number>()
  const where = new Set<string>()
  for (const [number, text] of texts) {
    for (const word of text.split(' ')) {
      counts.set(word, (counts.get(word) ?? 0) + 1)
      where.add(`where ${word} ${number}`)
    }
  }
  const counted = [...store.entries({ prefix: 'count ' })].map(([key, value]) => [key.slice(6), Number(value)] as const)
  expect(new Map(counted)).toEqual(counts)
  expect(counted).toHaveLength(counts.size)
  expect(new Set(store.keys({ prefix: 'where ' }))).toEqual(where)
  expect(store.size).toBe(counts.size + where.size)
  await settle(store)
  store.close()
})
