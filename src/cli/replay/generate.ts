/**
 * Makes operations with the answers that they may give.
 *
 * Of a key we know the set of values it may have when a block begins. Lines of a block run in any order and at the same
 * time, so a GET may answer any of these, and whatever the block writes to the key, NOT_FOUND among it if it deletes it.
 * When the block has ended, the key has what its last write left, and any of the block's writes may have been the last: if
 * there are several, the set has several values. Without a write the set stays.
 *
 * Every PUT writes a value that no other one writes.
 */
import { Random } from '../random.ts'
import { NOT_FOUND } from './script.ts'

export interface Sizes {
  /** Operations, barriers not counted. */
  readonly lines: number
  readonly keys: number
  /** Operations of a block, at most. */
  readonly block: number
  readonly seed: number
}

/** What each key may hold; those that are not in it hold nothing. */
type Possible = Map<string, readonly string[]>

const NOTHING: readonly string[] = [NOT_FOUND]

interface Draft {
  readonly kind: 'PUT' | 'DELETE' | 'GET'
  readonly key: string
  readonly value: string
}

/** The lines of a file, in order, without their ends. */
export function* generate({ lines, keys, block, seed }: Sizes): Generator<string> {
  const random = new Random(seed)
  const possible: Possible = new Map()
  for (let made = 0; made < lines;) {
    const count = Math.min(lines - made, random.between(Math.ceil(block / 2), block))
    const drafts: Draft[] = []
    // Some blocks keep to few keys, so that their lines get into each other's way.
    const few = random.oneIn(2) ? Math.max(1, Math.ceil(count / 8)) : keys
    const from = random.below(keys)
    for (let i = 0; i < count; i++)
      drafts.push(draft(random, made + i, (from + random.below(Math.min(few, keys))) % keys))
    yield* linesOf(drafts, possible)
    made += count
    yield 'BARRIER'
  }
}

function draft(random: Random, number: number, index: number): Draft {
  const key = `key${index}`
  const pick = random.below(10)
  if (pick < 5) return { kind: 'GET', key, value: '' }
  if (pick < 8) return { kind: 'PUT', key, value: `v${number}${'.'.repeat(random.oneIn(20) ? random.below(300) : 0)}` }
  return { kind: 'DELETE', key, value: NOT_FOUND }
}

/** The lines of a block; moves on what the keys may hold to its end. */
export function linesOf(block: readonly Draft[], possible: Possible): string[] {
  const written = new Map<string, Set<string>>()
  for (const { kind, key, value } of block) {
    if (kind === 'GET') continue
    const values = written.get(key)
    if (values === undefined) written.set(key, new Set([value]))
    else values.add(value)
  }
  const lines = block.map(({ kind, key, value }) => {
    if (kind === 'PUT') return `PUT ${key} ${value}`
    if (kind === 'DELETE') return `DELETE ${key}`
    return `GET ${key} ${[...new Set([...(possible.get(key) ?? NOTHING), ...(written.get(key) ?? [])])].join(',')}`
  })
  for (const [key, values] of written) possible.set(key, [...values])
  return lines
}
