/**
 * Decides whether what several threads saw can be explained by some order of their operations in which each takes
 * effect at once, at a moment between its call and its return: Wing and Gong's search, with Lowe's memo of the
 * configurations (set of operations done, state) that were reached before and led nowhere.
 */
import { valueKey } from './models/value.ts'

/** One operation of one thread. Moments are numbers that grow; an operation returns later than it was called. */
export interface HistoryOperation {
  readonly thread: number
  readonly name: string
  readonly args: readonly unknown[]
  readonly result: unknown
  readonly called: number
  /** Infinity: it never returned, so it may have taken effect at any moment after its call, or not at all. */
  readonly returned: number
  /** What it threw instead of returning. An operation that throws is taken to have changed nothing. */
  readonly threw?: unknown
}

/** What the operations do when they run one after the other. States are values: a step must leave the old one as it is. */
export interface SequentialModel<S> {
  readonly name: string
  init(): S
  /**
   * The state after `operation` if it may give its result in `state`, undefined if it may not. The result of an
   * operation whose `returned` is Infinity is not to be looked at.
   * @throws {Error} if the model has no operation of that name
   */
  step(state: S, operation: HistoryOperation): S | undefined
  /** Equal for equal states, and only for these. */
  key(state: S): string | number
  /**
   * Whether an operation that returned leaves the state as it is wherever it can have had its result. The search is
   * right without, and faster with.
   */
  onlyLooks?(operation: HistoryOperation): boolean
  /** Whether an operation concerns more than one key. A model that has such operations is not checked key by key. */
  spansKeys?(operation: HistoryOperation): boolean
  /** Which part of the state an operation concerns. With it each part is checked by itself, from `init()`. */
  partOf?(operation: HistoryOperation): unknown
}

export interface Verdict {
  readonly ok: boolean
  /** True if the search was given up: neither accepted nor refused. */
  readonly undecided: boolean
  /** How many configurations were reached. */
  readonly configurations: number
  /** Why it was refused: how far the longest explanation goes, and what cannot follow. Empty if it was not. */
  readonly explanation: string
}

/** Below this many configurations it costs less to reach some of them again than to remember them. */
const unremembered = 200

/** How many operations of the longest explanation are shown. */
const shown = 8

/**
 * @param initial the state before the history
 * @param budget most configurations to reach before giving up
 * @throws {Error} if an operation does not return after its call, or is none of the model's
 *
 * The time grows exponentially in the number of operations that overlap each other, and linearly in the length.
 */
export function checkLinearizable<S>(
  history: readonly HistoryOperation[],
  model: SequentialModel<S>,
  initial: S = model.init(),
  budget = 5_000_000,
): Verdict {
  if (model.partOf === undefined) return new Search(history, model, initial).decide(budget)
  const parts = new Map<unknown, HistoryOperation[]>()
  for (const operation of history) {
    const part = model.partOf(operation)
    const list = parts.get(part)
    if (list === undefined) parts.set(part, [operation])
    else list.push(operation)
  }
  let configurations = 0
  let givenUp: Verdict | undefined
  for (const [part, operations] of parts) {
    const verdict = new Search(operations, model, initial).decide(budget)
    configurations += verdict.configurations
    if (verdict.ok) continue
    const explained = { ...verdict, configurations, explanation: `of ${valueKey(part)}: ${verdict.explanation}` }
    if (!verdict.undecided) return explained
    givenUp ??= explained
  }
  return givenUp ?? { ok: true, undecided: false, configurations, explanation: '' }
}

/**
 * The same for two histories exactly if they have the same operations with the same results, and the same of them
 * return before others are called: a verdict on one is a verdict on the other.
 */
export function historyKey(history: readonly HistoryOperation[]): string {
  const turns = turnsOf(history)
  const lines: string[] = []
  for (const operation of history) {
    const { name, args, result, called, returned, threw } = operation
    let from = 0
    while (from < turns.length && turns[from]! <= called) from++
    let to = from
    while (to < turns.length && turns[to]! < returned) to++
    const gave = returned === Infinity ? '~' : threw === undefined ? valueKey(result) : '!'
    let line = `${from}-${returned === Infinity ? '' : to} ${operation.thread} ${name}(`
    for (const arg of args) line += `${valueKey(arg)},`
    lines.push(`${line})${gave}`)
  }
  return lines.sort().join('\n')
}

/** The calls that come right after a return: only these tell which operations precede which. */
function turnsOf(history: readonly HistoryOperation[]): number[] {
  const calls: number[] = []
  const returns: number[] = []
  for (const { called, returned } of history) {
    calls.push(called)
    if (returned !== Infinity) returns.push(returned)
  }
  calls.sort(ascending)
  returns.sort(ascending)
  const turns: number[] = []
  let next = 0
  for (const call of calls) {
    const before = next
    while (next < returns.length && returns[next]! <= call) next++
    if (next > before) turns.push(call)
  }
  return turns
}

function ascending(a: number, b: number): number {
  return a - b
}

/** One line about an operation, for people. */
export function describeOperation(operation: HistoryOperation): string {
  const { thread, name, args, result, called, returned, threw } = operation
  const call = `thread ${thread} [${called}, ${returned === Infinity ? 'never' : returned}] ${name}(${args.map(valueKey).join(', ')})`
  if (returned === Infinity) return call
  if (threw !== undefined) return `${call} threw`
  return result === undefined ? call : `${call} = ${valueKey(result)}`
}

/** The search through one history. Its arrays have one entry for each operation put in order so far, and one more. */
class Search<S> {
  readonly #model: SequentialModel<S>
  readonly #initial: S
  /** Those that returned, by their calls, and then those that did not. */
  readonly #operations: readonly HistoryOperation[]
  readonly #completed: number
  readonly #done: boolean[] = []
  readonly #seen = new Set<string>()
  readonly #path: number[] = []
  readonly #states: S[] = []
  /** The first operation that returned and is not done. */
  readonly #bases: number[] = []
  /** The last operation that returned and is done. */
  readonly #tops: number[] = []
  /** The operation to try next. */
  readonly #cursors: number[] = []
  /** The first return among the operations before the cursor that are not done: what is called later cannot be next. */
  readonly #limits: number[] = []
  #configurations = 0
  #longest = 0

  constructor(history: readonly HistoryOperation[], model: SequentialModel<S>, initial: S) {
    const completed: HistoryOperation[] = []
    const pending: HistoryOperation[] = []
    for (const operation of history) {
      if (!(operation.called < operation.returned)) throw new Error('an operation must return after its call')
      if (operation.threw !== undefined) continue
      if (operation.returned === Infinity) pending.push(operation)
      else completed.push(operation)
    }
    completed.sort(byCall)
    this.#operations = pending.length === 0 ? completed : [...completed, ...pending.sort(byCall)]
    this.#completed = completed.length
    this.#model = model
    this.#initial = initial
  }

  decide(budget: number): Verdict {
    const found = this.#run(budget, Infinity)
    const configurations = this.#configurations
    if (found) return { ok: true, undecided: false, configurations, explanation: '' }
    const undecided = configurations > budget
    // The search is repeatable: up to the same depth it goes the same way, and stops there to be looked at.
    this.#run(budget, this.#longest)
    const why = undecided
      ? `the search was given up after ${budget} configurations`
      : `no order of the operations explains this history (model: ${this.#model.name})`
    return { ok: false, undecided, configurations, explanation: this.#explain(why) }
  }

  /** Runs until all that returned is done, or so many are. Gives false if that cannot be, or not within the budget. */
  #run(budget: number, enough: number): boolean {
    this.#done.fill(false)
    for (let i = this.#done.length; i < this.#operations.length; i++) this.#done.push(false)
    this.#seen.clear()
    this.#configurations = 0
    let depth = 0
    this.#open(0, 0, -1, this.#initial)
    while (this.#bases[depth] !== this.#completed && depth < enough) {
      const chosen = this.#next(depth)
      if (chosen < 0) {
        if (depth === 0) return false
        this.#done[this.#path[--depth]!] = false
        continue
      }
      const state = this.#model.step(this.#states[depth]!, this.#operations[chosen]!)
      if (state === undefined) continue
      if (++this.#configurations > budget) return false
      this.#done[chosen] = true
      this.#path[depth] = chosen
      const top = chosen < this.#completed ? Math.max(this.#tops[depth]!, chosen) : this.#tops[depth]!
      this.#open(depth + 1, this.#bases[depth]!, top, state)
      if (this.#configurations > unremembered && !this.#remember(depth + 1)) {
        this.#done[chosen] = false
        continue
      }
      depth++
      if (depth > this.#longest) this.#longest = depth
    }
    return true
  }

  #open(depth: number, from: number, top: number, state: S): void {
    let base = from
    while (base < this.#completed && this.#done[base]) base++
    this.#states[depth] = state
    this.#bases[depth] = base
    this.#tops[depth] = top
    this.#cursors[depth] = base
    this.#limits[depth] = Infinity
    if (this.#model.onlyLooks !== undefined) this.#preferLook(depth)
  }

  /** One that fits and only looks may as well come first: no other choice leads further, so none is tried. */
  #preferLook(depth: number): void {
    const state = this.#states[depth]!
    let limit = Infinity
    for (let i = this.#bases[depth]!; i < this.#completed; i++) {
      if (this.#done[i]) continue
      const operation = this.#operations[i]!
      if (operation.called >= limit) return
      if (this.#model.onlyLooks!(operation) && this.#model.step(state, operation) !== undefined) {
        this.#cursors[depth] = -1 - i
        return
      }
      limit = Math.min(limit, operation.returned)
    }
  }

  /** The next operation to try: not done, and called before every other one that is not done returned. -1: none is left. */
  #next(depth: number): number {
    let i = this.#cursors[depth]!
    let limit = this.#limits[depth]!
    if (i < 0) {
      this.#cursors[depth] = this.#operations.length
      return -1 - i
    }
    for (; i < this.#operations.length; i++) {
      const operation = this.#operations[i]!
      if (operation.called >= limit) {
        if (i >= this.#completed) break
        i = this.#completed - 1
      } else if (!this.#done[i]) {
        this.#limits[depth] = limit = Math.min(limit, operation.returned)
        this.#cursors[depth] = i + 1
        return i
      }
    }
    this.#cursors[depth] = this.#operations.length
    return -1
  }

  /** False if this configuration was reached before. */
  #remember(depth: number): boolean {
    let key = `${this.#bases[depth]!} ${this.#model.key(this.#states[depth]!)}`
    for (let i = this.#bases[depth]!; i <= this.#tops[depth]!; i++) if (this.#done[i]) key += ` ${i}`
    for (let i = this.#completed; i < this.#operations.length; i++) if (this.#done[i]) key += ` ${i}`
    if (this.#seen.has(key)) return false
    this.#seen.add(key)
    return true
  }

  #explain(why: string): string {
    const depth = this.#longest
    const line = (i: number): string => `  ${describeOperation(this.#operations[i]!)}`
    const path = this.#path.slice(0, depth)
    const inOrder = path.filter((i) => i < this.#completed).length
    const stuck: string[] = []
    this.#cursors[depth] = this.#bases[depth]!
    this.#limits[depth] = Infinity
    for (let i = this.#next(depth); i >= 0; i = this.#next(depth)) stuck.push(line(i))
    return [
      why,
      `${inOrder} of ${this.#completed} operations can be put in order${depth === 0 ? '' : ', the last of them:'}`,
      ...path.slice(-shown).map(line),
      `then the state is ${this.#model.key(this.#states[depth]!)}, and none of these leads further:`,
      ...stuck,
    ].join('\n')
  }
}

function byCall(a: HistoryOperation, b: HistoryOperation): number {
  return a.called - b.called
}
