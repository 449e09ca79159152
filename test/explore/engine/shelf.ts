/**
 * A shelf below a partial tree: a model of the tables of a durable tier, in words of the arena behind those of the tier.
 *
 *   CURRENT  the number of the current version, 1 for the first (atomic)
 *   NEXT     the number of the last version that somebody began to fill (atomic)
 *   versions VERSION_WORDS each: number of keys, then for each the letters of key and value, packed; the value 0 if it is deleted
 *
 * A version is immutable once it is current, and is not filled again. A flush is what the log does for the real one: the clock is
 * turned, then everything that was installed before is in the new version, and so may be some of what came later.
 */
import { tierLayoutOf } from '../../../src/lsm/tier-layout.ts'
import { LINE_WORDS } from '../../../src/memory/layout.ts'
import type { Below } from '../../../src/tree/below.ts'
import type { Engine } from '../../../src/store/engine.ts'
import type { KeyBuffer } from '../../../src/tree/key.ts'
import { BURYING, PARTIAL } from '../../../src/tree/residence.ts'
import { type Text, setKey, valueOf } from './points.ts'

const CURRENT = 0
const NEXT = LINE_WORDS
const VERSIONS = 2 * LINE_WORDS
const VERSION_WORDS = 20
const MOST_VERSIONS = 12

/** What an arena with a shelf needs. */
export const SHELF_WORDS = VERSIONS + MOST_VERSIONS * VERSION_WORDS

function pack(text: Text): number {
  let word = 0
  for (let i = 0; i < text.length; i++) word |= text.charCodeAt(i) << (8 * i)
  return word
}

function unpack(word: number): Text {
  let text = ''
  for (let rest = word; rest !== 0; rest >>>= 8) text += String.fromCharCode(rest & 0xff)
  return text
}

export class Shelf implements Below {
  readonly value = new Uint8Array(8)
  length = 0
  readonly ascii = true
  private readonly words: Int32Array
  private readonly at: number

  constructor(engine: Engine) {
    this.words = engine.arena.words
    this.at = tierLayoutOf(engine.arena).end
  }

  private current(): number {
    return Atomics.load(this.words, this.at + CURRENT)
  }

  look(key: KeyBuffer): boolean {
    return this.lookAt(this.current(), key)
  }

  lookAt(version: number, key: KeyBuffer): boolean {
    let name = ''
    for (let i = 0; i < key.length; i++) name += String.fromCharCode(key.bytes[i]!)
    const found = this.read(version, name)
    this.length = found === undefined ? 0 : found.length
    for (let i = 0; i < this.length; i++) this.value[i] = found!.charCodeAt(i)
    return found !== undefined
  }

  hold(): number {
    return this.current()
  }

  holdAlso(): boolean {
    return true
  }

  letGo(): void {
    // Versions stay.
  }

  /** What a version has of a key. */
  read(version: number, key: Text): Text | undefined {
    const { words } = this
    const at = this.at + VERSIONS + version * VERSION_WORDS
    const count = words[at]!
    for (let i = 0; i < count; i++) {
      if (words[at + 1 + 2 * i] !== pack(key)) continue
      const value = words[at + 2 + 2 * i]!
      return value === 0 ? undefined : unpack(value)
    }
    return undefined
  }

  keys(version: number): Text[] {
    const at = this.at + VERSIONS + version * VERSION_WORDS
    const keys: Text[] = []
    for (let i = 0; i < this.words[at]!; i++) keys.push(unpack(this.words[at + 1 + 2 * i]!))
    return keys
  }

  /** Makes a version of these keys current in the place of `base`. @returns whether it was still current */
  publish(base: number, entries: readonly (readonly [Text, Text | undefined])[]): boolean {
    const { words } = this
    const version = Atomics.add(words, this.at + NEXT, 1) + 1
    if (version >= MOST_VERSIONS) throw new Error('the shelf is full')
    const at = this.at + VERSIONS + version * VERSION_WORDS
    words[at] = entries.length
    for (let i = 0; i < entries.length; i++) {
      const [key, value] = entries[i]!
      words[at + 1 + 2 * i] = pack(key)
      words[at + 2 + 2 * i] = value === undefined ? 0 : pack(value)
    }
    return Atomics.compareExchange(words, this.at + CURRENT, base, version) === base
  }

  /** Puts what the tree holds of these keys, and of those it has, into a new version. They must be all that were written. */
  flush(engine: Engine, keys: readonly Text[]): void {
    const { residence } = engine.tree.context
    const clean = residence.turn()
    const base = this.current()
    const entries: [Text, Text | undefined][] = []
    for (const key of new Set([...this.keys(base), ...keys])) entries.push([key, this.stateOf(engine, base, key)])
    if (this.publish(base, entries)) residence.setClean(clean)
  }

  private stateOf(engine: Engine, base: number, key: Text): Text | undefined {
    const { tree, scheme } = engine
    setKey(engine, key)
    scheme.enter()
    const record = tree.find()
    const value = record === 0 ? undefined : valueOf(engine, record, tree.search.header)
    const isMissing = record === 0 && tree.unknown
    scheme.leave()
    return isMissing ? this.read(base, key) : value
  }
}

/**
 * Gives every engine a shelf, with these keys on it, all that were ever flushed. The tree stays complete.
 * @param journaled whether changes are written to the journal; what of it is flushed is seen to by nobody
 */
export function furnish(
  cast: readonly Engine[],
  entries: readonly (readonly [Text, Text])[],
  journaled: boolean,
): void {
  const first = cast[0]!
  const shelf = new Shelf(first)
  for (const engine of cast) engine.setBelow(engine === first ? shelf : new Shelf(engine))
  if (!journaled) for (const { tree } of cast) tree.useJournal(null)
  const { residence } = first.tree.context
  const clean = residence.turn()
  shelf.publish(0, entries)
  residence.setClean(clean)
}

/** The same, and makes the tree partial, as whoever opens a store does. */
export function shelve(cast: readonly Engine[], entries: readonly (readonly [Text, Text])[], journaled: boolean): void {
  const { residence } = cast[0]!.tree.context
  residence.enterMode(BURYING)
  furnish(cast, entries, journaled)
  residence.enterMode(PARTIAL)
}

export function shelfOf(engine: Engine): Shelf {
  return engine.below as Shelf
}
