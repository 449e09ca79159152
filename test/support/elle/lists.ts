/**
 * Lists that are only appended to: a list that was read tells all versions before it, in order. The longest one read is
 * taken for the order of versions; committed appends that nobody read come after it, in an order that nobody knows.
 */
import type { Anomaly } from './anomaly.ts'
import { RW, WR, WW, type Edge } from './graph.ts'
import { lostUpdates, type KeyHistory, type Reading } from './key-history.ts'
import { shownValue } from './shown.ts'
import type { History, ReadList } from './transaction.ts'

type ListReading = Reading<ReadList>

export class ListKey {
  readonly anomalies: Anomaly[] = []
  readonly edges: Edge[] = []
  readonly #history: History
  readonly #committed: Uint8Array
  readonly #key: KeyHistory
  readonly #readings: readonly ListReading[]
  readonly #order: readonly number[]

  constructor(history: History, committed: Uint8Array, key: KeyHistory) {
    this.#history = history
    this.#committed = committed
    this.#key = key
    this.#readings = key.readings as ListReading[]
    let order: readonly number[] = []
    for (const { read } of this.#readings) if (read.value.length > order.length) order = read.value
    this.#order = order
    const sound: ListReading[] = []
    const strange: ListReading[] = []
    for (const reading of this.#readings) (this.#checkOrder(reading) ? sound : strange).push(reading)
    const longest = sound.find(({ read }) => read.value === order)
    // Every sound list is a prefix of the longest.
    const seen = new Set<string>()
    for (const reading of longest === undefined ? strange : [longest, ...strange]) this.#checkElements(reading, seen)
    for (const reading of sound) this.#checkVersion(reading)
    this.anomalies.push(...lostUpdates(key, ({ read }) => (read as ListReading['read']).value.at(-1)))
    this.#addEdges(sound)
  }

  #checkOrder({ read, transaction }: ListReading): boolean {
    const { value } = read
    const order = this.#order
    for (let i = 0; i < value.length; i++) {
      if (value[i] === order[i]) continue
      const reader = this.#readings.find((other) => other.read.value === order)!.transaction
      const what =
        `under ${this.#key.key} T${transaction} read ${shownValue(value)} and T${reader} read ${shownValue(order)}, ` +
        `which differ from element ${i} on`
      this.#add('incompatible orders', [transaction, reader], what)
      return false
    }
    return true
  }

  #checkElements({ read: { value }, transaction: reader }: ListReading, reported: Set<string>): void {
    const { key, writers } = this.#key
    const add = (name: Anomaly['name'], element: number, transactions: readonly number[], what: string): void => {
      if (reported.has(`${name} ${element}`)) return
      reported.add(`${name} ${element}`)
      this.#add(name, transactions, what)
    }
    const seen = new Set<number>()
    for (const element of value) {
      const saw = `T${reader} read ${element} under ${key}`
      if (seen.has(element)) add('duplicate', element, [reader], `T${reader} read ${element} twice under ${key}`)
      seen.add(element)
      const writer = writers.get(element)?.transaction
      if (writer === undefined) add('unwritten read', element, [reader], `${saw}, which nobody appended`)
      else if (this.#history[writer]!.status === 'aborted') {
        add('G1a', element, [reader, writer], `${saw}, which T${writer} appended before it aborted`)
      }
    }
  }

  /** The version that was there before the transaction's own appends must be one that its writer left. */
  #checkVersion(reading: ListReading): void {
    const { transaction } = reading
    const value = reading.read.value
    let last = value.length - 1
    while (last >= 0 && this.#key.writers.get(value[last]!)?.transaction === transaction) last--
    const writer = last < 0 ? undefined : this.#key.writers.get(value[last]!)
    if (writer === undefined || writer.last) return
    const what = `T${transaction} read ${this.#key.key} up to ${value[last]}, after which T${writer.transaction} appended more`
    this.#add('G1b', [transaction, writer.transaction], what)
  }

  #addEdges(sound: readonly ListReading[]): void {
    const { key, writers } = this.#key
    const order = this.#order
    const author = (value: number | undefined): number => {
      const writer = value === undefined ? undefined : writers.get(value)
      return writer !== undefined && this.#committed[writer.transaction] === 1 ? writer.transaction : -1
    }
    const unread = this.#unread()
    /** For each position, where the next element of a committed transaction is. */
    const next = new Int32Array(order.length + 1).fill(order.length)
    for (let i = order.length - 1; i >= 0; i--) next[i] = author(order[i]) >= 0 ? i : next[i + 1]!
    const follow = (from: number, before: number | undefined, position: number, kind: typeof WW | typeof RW): void => {
      const at = next[position]!
      for (const after of at < order.length ? [order[at]!] : unread) {
        const to = author(after)
        if (to !== from) this.edges.push({ from, to, kind, key, before, after })
      }
    }
    order.forEach((element, i) => {
      const from = author(element)
      if (from >= 0) follow(from, element, i + 1, WW)
    })
    for (const { read, own, transaction: reader } of sound) {
      if (own) continue
      const version = read.value.at(-1)
      const from = author(version)
      if (from >= 0 && from !== reader) this.edges.push({ from, to: reader, kind: WR, key, after: version })
      follow(reader, version, read.value.length, RW)
    }
  }

  /** The last append of each committed transaction that nobody has read. */
  #unread(): number[] {
    const read = new Set(this.#order)
    const unread: number[] = []
    for (const [value, { transaction, last }] of this.#key.writers) {
      if (last && this.#committed[transaction] === 1 && !read.has(value)) unread.push(value)
    }
    return unread
  }

  #add(name: Anomaly['name'], transactions: readonly number[], what: string): void {
    this.anomalies.push({ name, transactions, key: this.#key.key, what })
  }
}
