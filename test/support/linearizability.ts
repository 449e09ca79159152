/**
 * Decides whether what several threads saw of one key can be explained by some order of their operations in which each
 * takes effect at once, at a moment between its call and its return: Wing and Gong's search, with Lowe's memo of the
 * configurations (set of operations done, value) that were reached before and led nowhere.
 *
 * Values are numbers, 0 stands for absent. An operation whose `returned` is Infinity never returned (its thread was
 * killed): it may have taken effect at any moment after its call, or not at all, and its result is not looked at.
 */
export type OperationName = 'get' | 'has' | 'set' | 'delete' | 'setIfAbsent' | 'compareAndSet' | 'update'

export interface Operation {
  readonly thread: number
  readonly name: OperationName
  /** The value written: by set, setIfAbsent, compareAndSet and update (0 deletes). */
  readonly value: number
  /** What compareAndSet expects. */
  readonly expected: number
  /** What it gave: the value of get and setIfAbsent, 0 or 1 of has, delete and compareAndSet, the old value that update was shown. */
  readonly result: number
  readonly called: number
  readonly returned: number
}

export interface Verdict {
  readonly ok: boolean
  /** True if the search was given up: neither accepted nor refused. */
  readonly undecided: boolean
  readonly configurations: number
  /** Why it was refused: how far the longest explanation goes, and what cannot follow. Empty if it was not. */
  readonly explanation: string
}

interface Frame {
  /** Completed operations before this one are all done. */
  readonly base: number
  /** Completed operations after this one are not done. */
  readonly top: number
  readonly value: number
  readonly candidates: readonly number[]
  tried: number
}

export function checkHistory(history: readonly Operation[], initial = 0, budget = 5_000_000): Verdict {
  return new Search(history, initial).run(budget)
}

/** The value after an operation that takes effect while the key holds `value`, or -1 if it could not have had its result. */
export function step(operation: Operation, value: number): number {
  const { name, result } = operation
  const pending = operation.returned === Infinity
  switch (name) {
    case 'get':
      return pending || result === value ? value : -1
    case 'has':
      return pending || (result !== 0) === (value !== 0) ? value : -1
    case 'set':
      return operation.value
    case 'delete':
      return pending || (result !== 0) === (value !== 0) ? 0 : -1
    case 'setIfAbsent':
      if (!pending && result !== value) return -1
      return value === 0 ? operation.value : value
    case 'compareAndSet': {
      const done = value === operation.expected
      if (!pending && (result !== 0) !== done) return -1
      return done ? operation.value : value
    }
    case 'update':
      return pending || result === value ? operation.value : -1
  }
}

/** True if an operation leaves the value as it is wherever it can have had its result. */
function onlyLooks(operation: Operation): boolean {
  const { name, result, value, expected } = operation
  if (name === 'get' || name === 'has') return true
  if (name === 'delete') return result === 0
  if (name === 'setIfAbsent') return result !== 0
  if (name === 'compareAndSet') return result === 0 || value === expected
  return name === 'update' && value === result
}

class Search {
  readonly #operations: readonly Operation[]
  /** How many of them, the first ones, returned. The others come after these. */
  readonly #completed: number
  readonly #done: Uint8Array
  readonly #seen = new Set<string>()
  readonly #path: number[] = []
  readonly #initial: number
  #longest: { path: readonly number[]; value: number; candidates: readonly number[] }

  constructor(history: readonly Operation[], initial: number) {
    const byCall = history.toSorted((a, b) => a.called - b.called)
    for (const { called, returned } of byCall) {
      if (!(called < returned)) throw new Error('an operation must return after its call')
    }
    const completed = byCall.filter((operation) => operation.returned !== Infinity)
    const pending = byCall.filter((operation) => operation.returned === Infinity)
    this.#operations = [...completed, ...pending]
    this.#completed = completed.length
    this.#done = new Uint8Array(this.#operations.length)
    this.#initial = initial
    this.#longest = { path: [], value: initial, candidates: [] }
  }

  run(budget: number): Verdict {
    const frames: Frame[] = [this.#frame(0, -1, this.#initial)]
    for (;;) {
      const frame = frames.at(-1)!
      if (frame.base === this.#completed) return this.#verdict(true, false)
      if (this.#seen.size > budget) return this.#verdict(false, true)
      if (frame.tried === frame.candidates.length) {
        frames.pop()
        if (frames.length === 0) return this.#verdict(false, false)
        this.#done[this.#path.pop()!] = 0
        continue
      }
      const chosen = frame.candidates[frame.tried++]!
      const value = step(this.#operations[chosen]!, frame.value)
      if (value < 0) continue
      this.#done[chosen] = 1
      const top = chosen < this.#completed ? Math.max(frame.top, chosen) : frame.top
      const next = this.#frame(frame.base, top, value)
      const key = this.#key(next)
      if (this.#seen.has(key)) {
        this.#done[chosen] = 0
        continue
      }
      this.#seen.add(key)
      this.#path.push(chosen)
      frames.push(next)
      if (this.#path.length > this.#longest.path.length) {
        this.#longest = { path: [...this.#path], value, candidates: next.candidates }
      }
    }
  }

  /** What may come next: every operation not done that was called before each other one not done returned. */
  #frame(from: number, top: number, value: number): Frame {
    let base = from
    while (base < this.#completed && this.#done[base] === 1) base++
    const candidates: number[] = []
    let firstReturn = Infinity
    for (let i = base; i < this.#completed && this.#operations[i]!.called < firstReturn; i++) {
      if (this.#done[i] === 1) continue
      const operation = this.#operations[i]!
      // One that fits here and only looks may as well come first: no other choice can lead further.
      if (onlyLooks(operation) && step(operation, value) === value) {
        return { base, top, value, candidates: [i], tried: 0 }
      }
      candidates.push(i)
      firstReturn = Math.min(firstReturn, operation.returned)
    }
    for (let i = this.#completed; i < this.#operations.length; i++) {
      if (this.#done[i] === 0 && this.#operations[i]!.called < firstReturn) candidates.push(i)
    }
    return { base, top, value, candidates, tried: 0 }
  }

  #key(frame: Frame): string {
    let key = `${frame.base} ${frame.value}`
    for (let i = frame.base; i <= frame.top; i++) if (this.#done[i] === 1) key += ` ${i}`
    for (let i = this.#completed; i < this.#operations.length; i++) if (this.#done[i] === 1) key += ` ${i}`
    return key
  }

  #verdict(ok: boolean, undecided: boolean): Verdict {
    return { ok, undecided, configurations: this.#seen.size, explanation: ok ? '' : this.#explain(undecided) }
  }

  #explain(undecided: boolean): string {
    const { path, value, candidates } = this.#longest
    const lines = path.slice(-8).map((i) => `  ${describe(this.#operations[i]!)}`)
    const stuck = candidates.map((i) => `  ${describe(this.#operations[i]!)}`)
    return [
      undecided ? 'the search was given up' : 'no order explains this history',
      `${path.length} of ${this.#completed} operations can be put in order, the last of them:`,
      ...lines,
      `then the value is ${value === 0 ? 'absent' : value}, and none of these can follow:`,
      ...stuck,
    ].join('\n')
  }
}

export function describe(operation: Operation): string {
  const { thread, name, value, expected, result, called, returned } = operation
  const show = (v: number): string => (v === 0 ? 'absent' : String(v))
  const args = { get: '', has: '', delete: '', set: show(value), setIfAbsent: show(value) }
  const call =
    name === 'compareAndSet'
      ? `compareAndSet(${show(expected)}, ${show(value)})`
      : name === 'update'
        ? `update(${show(result)} => ${show(value)})`
        : `${name}(${args[name]})`
  const truth = name === 'has' || name === 'delete' || name === 'compareAndSet'
  const gave = name === 'set' || name === 'update' ? '' : ` = ${truth ? result !== 0 : show(result)}`
  return `thread ${thread} [${called}, ${returned === Infinity ? 'killed' : returned}] ${call}${returned === Infinity ? '' : gave}`
}
