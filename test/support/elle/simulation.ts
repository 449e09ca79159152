import { SimulatedStore, type Behaviour, type SimulatedTransaction } from './simulated-store.ts'
import { random, type Random } from '../random.ts'
import type { Operation, Status, Transaction } from './transaction.ts'

export interface Setting {
  readonly seed: number
  readonly transactions: number
  readonly processes?: number
  readonly keys?: number
  /** Lists are appended to, registers are written. */
  readonly workload: 'lists' | 'registers'
  /** Transactions do not overlap, though their invocations and completions do. */
  readonly serial?: boolean
  /** Versions of a key, before it is replaced by a fresh one. */
  readonly writesPerKey?: number
}

/** What one process does at the moment. */
interface Course {
  readonly process: number
  readonly invoked: number
  readonly transaction: SimulatedTransaction
  readonly operations: Operation[]
  left: number
  commit: (() => void)[] | undefined
}

/** A history of random transactions on a simulated store, interleaved at random. */
export function simulate(behaviour: Behaviour, setting: Setting): Transaction[] {
  return new Simulation(behaviour, setting).run()
}

class Simulation {
  readonly #setting: Setting
  readonly #random: Random
  readonly #store: SimulatedStore
  readonly #history: Transaction[] = []
  readonly #courses: (Course | undefined)[]
  readonly #writes: number[]
  readonly #generations: number[]
  #clock = 0
  #started = 0
  #values = 0

  constructor(behaviour: Behaviour, setting: Setting) {
    this.#setting = setting
    this.#random = random(setting.seed)
    this.#store = new SimulatedStore(behaviour, (below) => this.#random.int(below))
    this.#courses = new Array<undefined>(setting.processes ?? 4).fill(undefined)
    this.#writes = new Array<number>(setting.keys ?? 3).fill(0)
    this.#generations = new Array<number>(setting.keys ?? 3).fill(0)
  }

  run(): Transaction[] {
    while (this.#started < this.#setting.transactions || this.#courses.some((course) => course !== undefined)) {
      const process = this.#random.int(this.#courses.length)
      const course = this.#courses[process]
      if (course === undefined) {
        if (this.#started < this.#setting.transactions) this.#courses[process] = this.#begin(process)
      } else if (this.#setting.serial === true) {
        while (this.#courses[process] === course) this.#step(course)
      } else this.#step(course)
    }
    return this.#history
  }

  #begin(process: number): Course {
    this.#started++
    const left = 1 + this.#random.int(4)
    const invoked = this.#clock++
    // A serial transaction sees what is there when it runs, not when it was invoked.
    const begin = (): SimulatedTransaction => this.#store.begin()
    let transaction = this.#setting.serial === true ? undefined : begin()
    return {
      ...{ process, invoked, left, operations: [], commit: undefined },
      get transaction() {
        return (transaction ??= begin())
      },
    }
  }

  #step(course: Course): void {
    if (course.commit !== undefined) {
      course.commit.shift()?.()
      if (course.commit.length === 0) this.#end(course, 'ok')
      return
    }
    if (course.left > 0) {
      course.left--
      this.#operate(course)
      return
    }
    const roll = this.#random.int(100)
    if (roll < 6) return this.#abort(course)
    course.commit = course.transaction.commit()
    if (course.commit === undefined) return this.#abort(course)
    // Killed in the middle: nobody is told how it ended, and it did commit, or did not.
    if (roll < 9) {
      if (roll < 8) while (course.commit.length > 0) course.commit.shift()!()
      else course.transaction.abort()
      this.#end(course, 'unknown')
    }
  }

  #abort(course: Course): void {
    course.transaction.abort()
    this.#end(course, 'aborted')
  }

  #end({ process, invoked, operations }: Course, status: Status): void {
    this.#courses[process] = undefined
    const completed = status === 'unknown' ? Infinity : this.#clock++
    this.#history.push({ process, status, invoked, completed, operations })
  }

  #operate({ transaction, operations }: Course): void {
    const roll = this.#random.int(10)
    const key = this.#random.int(this.#writes.length)
    if (roll < 4) this.#read(transaction, operations, this.#name(key))
    else if (roll < 5) {
      for (let other = 0; other < this.#writes.length; other++) this.#read(transaction, operations, this.#name(other))
    } else {
      // Versions of a register are told apart best when they are read before they are replaced.
      if (this.#setting.workload === 'registers' && roll < 9) this.#read(transaction, operations, this.#name(key))
      this.#write(transaction, operations, key)
    }
  }

  #read(transaction: SimulatedTransaction, operations: Operation[], key: string): void {
    const value = transaction.get(key)
    if (this.#setting.workload === 'lists') operations.push({ name: 'list', key, value })
    else operations.push({ name: 'read', key, value: value[0] })
  }

  #write(transaction: SimulatedTransaction, operations: Operation[], index: number): void {
    const key = this.#name(index)
    const value = ++this.#values
    if (this.#setting.workload === 'lists') {
      // An append depends on what was there, whether the transaction looks at it or not.
      transaction.get(key)
      transaction.change(key, (cell) => [...cell, value])
      operations.push({ name: 'append', key, value })
    } else {
      transaction.change(key, () => [value])
      operations.push({ name: 'write', key, value })
    }
    if (++this.#writes[index]! % (this.#setting.writesPerKey ?? Infinity) === 0) this.#generations[index]!++
  }

  #name(key: number): string {
    return `k${key}.${this.#generations[key]}`
  }
}
