/** What a micro measurement is made of. */
import type { Store } from '../../src/index.ts'
import type { Engine } from '../../src/store/engine.ts'
import type { CounterName } from '../../src/reclaim/participant.ts'
import type { loadModule } from '../modules.ts'

export type Counters = Awaited<ReturnType<typeof loadModule<'reclaim/participant'>>>

export interface Case {
  /** Operations of one call of `run`. */
  readonly operations: number
  /** Untimed, before each call. */
  prepare?(): void
  /** Timed. */
  run(): void
  /** Untimed, after each call: throws unless what was to be measured has happened. */
  check(): void
  /** After the last call. */
  finish?(): void
}

/** A measurement by its name, so that those not asked for cost nothing. */
export interface CaseMaker {
  readonly name: string
  /** Share of the time budget: less where much is prepared for little that is measured. */
  readonly share?: number
  make(): Case
}

/** @throws Error if a measurement has not measured what it says */
export function must(happened: boolean, what: string): void {
  if (!happened) throw new Error(`what was to be measured did not happen: ${what}`)
}

/** The engine below a store. Its floors are not public, so this goes past the type. */
export function engineOf<K, V>(store: Store<K, V>): Engine {
  return store['engine']
}

/** Tells by how much a counter of an engine has risen. The counters are those of `stats()`, read at less cost. */
export class Riser {
  private readonly engine: () => Engine
  private readonly counters: Counters
  private readonly counter: CounterName
  private last = 0

  /** @param engine asked each time, since the store may have been replaced by another one */
  constructor(counters: Counters, engine: () => Engine, counter: CounterName) {
    this.engine = engine
    this.counters = counters
    this.counter = counter
  }

  private read(): number {
    return this.counters.sumCounter(this.engine().arena, this.counters.COUNTER[this.counter])
  }

  mark(): void {
    this.last = this.read()
  }

  /** Since the last `mark`. */
  risen(): number {
    return this.read() - this.last
  }
}
