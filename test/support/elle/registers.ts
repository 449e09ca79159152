/**
 * Registers tell less of their order than lists: every version follows the initial one, the version that a transaction
 * wrote follows the one it had read, and, where the order of time is respected, what was read or written after another
 * version's use had completed follows that one.
 */
import type { Anomaly } from './anomaly.ts'
import { components } from './components.ts'
import { Graph, RW, WR, WW, type Edge } from './graph.ts'
import { lostUpdates, type KeyHistory, type Reading } from './key-history.ts'
import { precedences } from './realtime.ts'
import type { History, Read } from './transaction.ts'

type RegisterReading = Reading<Read>

export class RegisterKey {
  readonly anomalies: Anomaly[] = []
  readonly edges: Edge[] = []
  readonly #history: History
  readonly #committed: Uint8Array
  readonly #key: KeyHistory
  readonly #readings: readonly RegisterReading[]
  /** What each committed transaction left under this key. */
  readonly #left = new Map<number, number>()
  /** The transactions that read each version, before any write of their own. */
  readonly #readers = new Map<number | undefined, number[]>()
  /** The versions that follow each version at once, as far as known. */
  readonly #followers = new Map<number | undefined, Set<number>>()

  constructor(history: History, committed: Uint8Array, key: KeyHistory, realtime: boolean) {
    this.#history = history
    this.#committed = committed
    this.#key = key
    this.#readings = key.readings as RegisterReading[]
    for (const [value, { transaction, last }] of key.writers) {
      if (last && committed[transaction] === 1) this.#left.set(transaction, value)
    }
    for (const reading of this.#readings) this.#check(reading)
    this.anomalies.push(...lostUpdates(key, ({ read }) => (read as Read).value))
    if (this.#order(realtime) || (realtime && this.#order(false))) this.#addOrderEdges()
    this.#addReadEdges()
  }

  #check({ transaction: reader, own, read: { value } }: RegisterReading): void {
    if (value === undefined) {
      if (!own) this.#note(value, reader)
      return
    }
    const { key, writers } = this.#key
    const writer = writers.get(value)
    const saw = `T${reader} read ${value} from ${key}`
    if (writer === undefined) return this.#add('unwritten read', [reader], `${saw}, which nobody wrote`)
    if (writer.transaction === reader) return
    const author = `T${writer.transaction}`
    const both = [reader, writer.transaction]
    if (this.#history[writer.transaction]!.status === 'aborted') {
      return this.#add('G1a', both, `${saw}, which ${author} wrote before it aborted`)
    }
    if (!writer.last) this.#add('G1b', both, `${saw}, which ${author} overwrote itself`)
    if (!own) this.#note(value, reader)
  }

  /** False if the versions go in a circle. What time says may be wrong where what reads say is not. */
  #order(realtime: boolean): boolean {
    this.#followers.clear()
    this.#orderByReads()
    if (realtime) this.#orderByTime()
    this.#orderAfterInitial()
    return this.#orderIsSound()
  }

  #note(version: number | undefined, reader: number): void {
    const found = this.#readers.get(version)
    if (found === undefined) this.#readers.set(version, [reader])
    else found.push(reader)
  }

  #follow(before: number | undefined, after: number): void {
    if (before === after) return
    const found = this.#followers.get(before)
    if (found === undefined) this.#followers.set(before, new Set([after]))
    else found.add(after)
  }

  #orderByReads(): void {
    for (const [version, readers] of this.#readers) {
      for (const reader of readers) {
        const left = this.#left.get(reader)
        if (left !== undefined) this.#follow(version, left)
      }
    }
  }

  #orderByTime(): void {
    const uses = [...this.#uses()]
    for (const [a, b] of precedences(uses.map(({ transaction }, id) => ({ ...this.#history[transaction]!, id })))) {
      const after = uses[b]!.first
      if (after !== undefined) this.#follow(uses[a]!.last, after)
    }
  }

  /** The first and the last version that each committed transaction was in touch with. */
  *#uses(): Generator<{ transaction: number; first: number | undefined; last: number | undefined }> {
    const touched = new Map<number, number | undefined>()
    for (const { transaction, own, read } of this.#readings) {
      if (!own && !touched.has(transaction)) touched.set(transaction, read.value)
    }
    for (const [transaction, left] of this.#left) {
      if (!touched.has(transaction)) yield { transaction, first: left, last: left }
    }
    for (const [transaction, first] of touched) {
      yield { transaction, first, last: this.#left.get(transaction) ?? first }
    }
  }

  /** Only those that follow nothing else: the others follow from them. */
  #orderAfterInitial(): void {
    const roots = new Set(this.#left.values())
    for (const [before, followers] of this.#followers) {
      if (before !== undefined) for (const after of followers) roots.delete(after)
    }
    for (const root of roots) this.#follow(undefined, root)
  }

  /** An order with a circle in it says nothing. */
  #orderIsSound(): boolean {
    const versions: (number | undefined)[] = [undefined]
    const ids = new Map<number | undefined, number>([[undefined, 0]])
    const id = (version: number | undefined): number => {
      if (!ids.has(version)) ids.set(version, versions.push(version) - 1)
      return ids.get(version)!
    }
    const edges: Edge[] = []
    for (const [before, followers] of this.#followers) {
      for (const after of followers) edges.push({ from: id(before), to: id(after), kind: WW })
    }
    const found = components(new Graph(versions.length, edges), WW)
    const circle = versions.filter((_, i) => found[i] === 0)
    if (circle.length === 0) return true
    const writers = circle.flatMap((version) => this.#author(version) ?? [])
    const what = `versions ${circle.join(', ')} of ${this.#key.key} follow each other in a circle`
    this.#add('cyclic versions', writers, what)
    return false
  }

  #author(version: number | undefined): number | undefined {
    const author = version === undefined ? undefined : this.#key.writers.get(version)?.transaction
    return author !== undefined && this.#committed[author] === 1 ? author : undefined
  }

  #addOrderEdges(): void {
    const { key } = this.#key
    for (const [before, followers] of this.#followers) {
      const from = this.#author(before)
      for (const after of followers) {
        const to = this.#author(after)
        if (to === undefined) continue
        if (from !== undefined && from !== to) this.edges.push({ from, to, kind: WW, key, before, after })
        for (const reader of this.#readers.get(before) ?? []) {
          if (reader !== to) this.edges.push({ from: reader, to, kind: RW, key, before, after })
        }
      }
    }
  }

  #addReadEdges(): void {
    for (const [version, readers] of this.#readers) {
      const from = this.#author(version)
      if (from === undefined) continue
      for (const to of readers) {
        if (to !== from) this.edges.push({ from, to, kind: WR, key: this.#key.key, after: version })
      }
    }
  }

  #add(name: Anomaly['name'], transactions: readonly number[], what: string): void {
    this.anomalies.push({ name, transactions, key: this.#key.key, what })
  }
}
