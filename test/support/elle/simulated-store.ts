/**
 * A store of many versions in one thread, whose transactions go step by step, and which breaks any of its promises on
 * request. What is under a key is a list of numbers; a register is the list of its last value.
 */
export type Cell = readonly number[]

export interface Behaviour {
  /** Reads see one snapshot, an old snapshot, what is committed at the moment, or whatever is there. */
  readonly reads: 'snapshot' | 'old snapshot' | 'committed' | 'dirty'
  /** What a commit insists has not changed: all that was read, what was read and found, what is written, or nothing. */
  readonly validates: 'reads' | 'found' | 'writes' | 'nothing'
  /** Writes become visible together, one after the other in any order, or each at once. */
  readonly writes: 'together' | 'one by one' | 'at once'
  /** A write keeps others from writing the same key until the end; who comes second has to abort. */
  readonly locks?: boolean
  /** An abort leaves the writes where they are. */
  readonly abortsKeep?: boolean
  /** A transaction does not see its own writes. */
  readonly blind?: boolean
  /** Every so often, a commit does its writes twice. */
  readonly commitsTwice?: boolean
  /** Every so often, a commit forgets one of its writes. */
  readonly forgets?: boolean
}

type Change = (cell: Cell) => Cell

interface Version {
  readonly stamp: number
  readonly cell: Cell
}

/** How old an old snapshot is. */
const AGE = 6

export class SimulatedStore {
  readonly behaviour: Behaviour
  readonly choose: (below: number) => number
  clock = 1
  readonly locks = new Map<string, SimulatedTransaction>()
  readonly #versions = new Map<string, Version[]>()

  constructor(behaviour: Behaviour, choose: (below: number) => number) {
    this.behaviour = behaviour
    this.choose = choose
  }

  begin(): SimulatedTransaction {
    return new SimulatedTransaction(this)
  }

  read(key: string, at: number): Cell {
    return this.#versions.get(key)?.findLast(({ stamp }) => stamp <= at)?.cell ?? []
  }

  changedSince(key: string, at: number): boolean {
    return (this.#versions.get(key)?.at(-1)?.stamp ?? 0) > at
  }

  write(key: string, cell: Cell): void {
    const versions = this.#versions.get(key) ?? []
    versions.push({ stamp: this.clock, cell })
    this.#versions.set(key, versions)
  }
}

export class SimulatedTransaction {
  readonly #store: SimulatedStore
  readonly #at: number
  readonly #cells = new Map<string, Cell>()
  readonly #changes = new Map<string, Change[]>()
  readonly #read = new Set<string>()
  readonly #undo = new Map<string, Cell>()
  #doomed = false

  constructor(store: SimulatedStore) {
    this.#store = store
    this.#at = store.behaviour.reads === 'old snapshot' ? Math.max(1, store.clock - store.choose(AGE)) : store.clock
  }

  get(key: string): Cell {
    const { behaviour } = this.#store
    const own = this.#cells.get(key)
    if (own !== undefined && behaviour.blind !== true) return own
    const cell = this.#there(key)
    if (behaviour.validates !== 'found' || cell.length > 0) this.#read.add(key)
    return cell
  }

  change(key: string, change: Change): void {
    const { behaviour, locks } = this.#store
    if (behaviour.locks === true) {
      const holder = locks.get(key)
      if (holder === undefined) locks.set(key, this)
      else if (holder !== this) this.#doomed = true
      if (this.#doomed) return
    }
    const changes = this.#changes.get(key) ?? []
    changes.push(change)
    this.#changes.set(key, changes)
    const cell = change(this.#cells.get(key) ?? this.#there(key))
    this.#cells.set(key, cell)
    if (behaviour.writes !== 'at once') return
    if (!this.#undo.has(key)) this.#undo.set(key, this.#there(key))
    this.#store.clock++
    this.#store.write(key, cell)
  }

  /** What is left to do of the commit, in steps, or undefined if it cannot be. */
  commit(): (() => void)[] | undefined {
    const store = this.#store
    const { behaviour, choose } = store
    if (this.#doomed || !this.#isValid()) return undefined
    if (behaviour.writes === 'at once') return []
    let keys = [...this.#changes.keys()]
    if (behaviour.forgets === true && choose(8) === 0) keys = keys.slice(1)
    const install = (key: string): void => store.write(key, this.#final(key))
    if (behaviour.writes === 'one by one') {
      return keys.map((key) => () => {
        store.clock++
        install(key)
      })
    }
    store.clock++
    keys.forEach(install)
    this.#unlock()
    return []
  }

  abort(): void {
    this.#unlock()
    if (this.#store.behaviour.abortsKeep === true) return
    this.#store.clock++
    for (const [key, cell] of this.#undo) this.#store.write(key, cell)
  }

  #there(key: string): Cell {
    const { reads } = this.#store.behaviour
    const latest = reads === 'committed' || reads === 'dirty'
    return this.#store.read(key, latest ? Infinity : this.#at)
  }

  #isValid(): boolean {
    const store = this.#store
    const { validates } = store.behaviour
    if (validates === 'nothing' || (this.#changes.size === 0 && validates !== 'writes')) return true
    const keys = validates === 'writes' ? this.#changes.keys() : [...this.#read, ...this.#changes.keys()]
    return [...keys].every((key) => !store.changedSince(key, this.#at))
  }

  #final(key: string): Cell {
    const cell = this.#cells.get(key)!
    const twice = this.#store.behaviour.commitsTwice === true && this.#store.choose(6) === 0
    return twice ? this.#changes.get(key)!.reduce((now, change) => change(now), cell) : cell
  }

  #unlock(): void {
    const { locks } = this.#store
    for (const key of this.#changes.keys()) if (locks.get(key) === this) locks.delete(key)
  }
}
