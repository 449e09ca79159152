import { readFileSync } from 'node:fs'
import { hashText } from '../random.ts'
import type { TextStore } from '../text-store.ts'
import type { TextFile } from './files.ts'
import { ofRank, rankKey, RANKS, SEEN, wordKey, wordOf, wordOfSeen, WORDS } from './keys.ts'
import { tally } from './words.ts'

/** Disagreements are told by their first few; their number says the rest. */
const MOST_TOLD = 5

export class Complaints {
  readonly told: string[] = []
  count = 0

  add(text: string): void {
    this.count++
    if (this.told.length < MOST_TOLD) this.told.push(text)
  }
}

/** The same files counted in the plainest way there is. */
export interface Reference {
  readonly counts: ReadonlyMap<string, number>
  /** Occurrences of all words. */
  readonly words: number
  /** Pairs of a word and a file that it is in. */
  readonly pairs: number
}

export function countPlainly(files: readonly TextFile[]): Reference {
  const counts = new Map<string, number>()
  let words = 0
  let pairs = 0
  for (const file of files) {
    for (const [word, count] of tally(readFileSync(file.path, 'utf8'))) {
      counts.set(word, (counts.get(word) ?? 0) + count)
      words += count
      pairs++
    }
  }
  return { counts, words, pairs }
}

/** Compares every count, and the inverted index, with the reference. Nobody may be writing. */
export function compare(store: TextStore, reference: Reference, complaints: Complaints): void {
  let words = 0
  let last = ''
  for (const [key, value] of store.entries({ prefix: WORDS })) {
    const word = wordOf(key)
    const expected = reference.counts.get(word)
    if (value !== String(expected)) complaints.add(`'${word}' is ${value} in the store and ${expected ?? 0} in the Map`)
    if (key === last) complaints.add(`'${word}' came up twice in one scan`)
    last = key
    words++
  }
  // Where the numbers are equal and every word of the store is in the Map, every word of the Map is in the store.
  if (words !== reference.counts.size)
    complaints.add(`${words} words in the store, ${reference.counts.size} in the Map`)
  compareIndex(store, reference, complaints)
}

function compareIndex(store: TextStore, reference: Reference, complaints: Complaints): void {
  let pairs = 0
  let word = ''
  let sum = 0
  const endOfWord = () => {
    const expected = reference.counts.get(word) ?? 0
    if (sum !== expected) complaints.add(`the index has '${word}' ${sum} times, the Map ${expected} times`)
    sum = 0
  }
  for (const [key, value] of store.entries({ prefix: SEEN })) {
    const next = wordOfSeen(key)
    if (next !== word) endOfWord()
    word = next
    sum += Number(value)
    pairs++
  }
  endOfWord()
  if (pairs !== reference.pairs) complaints.add(`${pairs} index entries, but ${reference.pairs} words in files`)
}

/** Writes the count-ordered index. */
export function rankWords(store: TextStore): void {
  for (const [key, value] of store.entries({ prefix: WORDS })) store.set(rankKey(Number(value), wordOf(key)), '')
}

export interface Ranked {
  readonly word: string
  readonly count: number
}

/** The most frequent words, by a scan from the upper end of the count-ordered index; compared with the reference. */
export function topWords(store: TextStore, limit: number, reference: Reference, complaints: Complaints): Ranked[] {
  const top: Ranked[] = []
  for (const key of store.keys({ prefix: RANKS, reverse: true, limit })) top.push(ofRank(key))
  const counts = [...reference.counts.values()].sort((a, b) => b - a).slice(0, limit)
  const agrees = top.every(({ word, count }, i) => count === counts[i] && count === reference.counts.get(word))
  if (!agrees || top.length !== counts.length) complaints.add('the top words are not those of the Map')
  return top
}

const HALF = 2 ** 31

/** The toss of the coin for one key: the same in the deletion and in the check after it. */
function isChosen(key: string, seed: number): boolean {
  return hashText(key, seed) < HALF
}

/** Deletes a random half of everything; how many entries that were. */
export function deleteHalf(store: TextStore, seed: number, complaints: Complaints): number {
  let deleted = 0
  for (const key of store.keys()) {
    if (!isChosen(key, seed)) continue
    if (!store.delete(key)) complaints.add(`'${key}' was there, but could not be deleted`)
    deleted++
  }
  return deleted
}

/** The deleted half is gone, the other one is whole. */
export function checkHalf(
  store: TextStore,
  seed: number,
  expected: number,
  reference: Reference,
  complaints: Complaints,
): void {
  let left = 0
  for (const key of store.keys()) {
    if (isChosen(key, seed)) complaints.add(`'${key}' is back after it was deleted`)
    left++
  }
  if (left !== expected) complaints.add(`${left} entries are left of ${expected}`)
  if (store.size !== left) complaints.add(`the size is ${store.size}, but ${left} entries are there`)
  for (const [word, count] of reference.counts) {
    const key = wordKey(word)
    const value = store.get(key)
    const right = isChosen(key, seed) ? value === undefined : value === String(count)
    if (!right) complaints.add(`after the deletion '${word}' is ${value}`)
  }
}
