import type { Random } from '../random.ts'
import { isFull, type TextStore } from '../text-store.ts'
import type { Control, Slot } from './control.ts'
import type { Plan } from './plan.ts'

/** The outcome of a write that the store refused for want of room. */
export const REFUSED = Symbol('refused')

/** What every game of a worker works with. */
export class Hands {
  readonly store: TextStore
  readonly control: Control
  readonly index: number
  readonly slot: Slot
  /** Counts the workers of this slot: this one's tokens are told from its predecessors' by it. */
  readonly generation: number
  readonly plan: Plan
  readonly random: Random
  /** A write was refused: something has to be deleted. */
  needsRoom = false
  private readonly report: (text: string) => void

  constructor(
    store: TextStore,
    control: Control,
    place: { readonly index: number; readonly generation: number },
    plan: Plan,
    random: Random,
    report: (text: string) => void,
  ) {
    this.store = store
    this.control = control
    this.index = place.index
    this.slot = control.slots[place.index]
    this.generation = place.generation
    this.plan = plan
    this.random = random
    this.report = report
  }

  /** A write, which may be refused if the store is full. Deletions are not written this way: they must always work. */
  write<T>(act: () => T): T | typeof REFUSED {
    try {
      return act()
    } catch (error) {
      if (!isFull(error)) throw error
      this.slot.countFull()
      this.needsRoom = true
      return REFUSED
    }
  }

  violated(text: string): void {
    this.control.countViolation()
    this.report(text)
  }

  /** A violation unless the condition holds. */
  expect(condition: boolean, text: () => string): void {
    if (!condition) this.violated(text())
  }
}

/** A value as a message can show it. */
export function shown(value: string | undefined): string {
  if (value === undefined) return 'nothing'
  return value.length <= 60 ? `'${value}'` : `'${value.slice(0, 60)}...' (${value.length} units)`
}
