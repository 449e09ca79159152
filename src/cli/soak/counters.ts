import { HeddleError } from '../../store/index.ts'
import { isFull } from '../text-store.ts'
import type { Hands } from './hands.ts'
import { REFUSED } from './hands.ts'
import { counterKey, COUNTERS, OPEN_COUNTERS, openCounters } from './plan.ts'

const MOST_ADDED = 9

/** Counters that everybody adds to. They only grow, and lie between what is done and what is intended. */
export class Counters {
  private readonly hands: Hands
  private readonly seen = new Array<number>(COUNTERS).fill(0)

  constructor(hands: Hands) {
    this.hands = hands
  }

  addByUpdate(): void {
    const { store, slot, random } = this.hands
    const counter = this.pick()
    const amount = random.between(1, MOST_ADDED)
    slot.announce(counter, amount)
    const value = this.hands.write(() =>
      store.update(counterKey(counter), (old) => String(Number(old ?? '0') + amount)),
    )
    if (value === REFUSED) return slot.withdraw(counter, amount)
    slot.settle(counter, amount)
    this.check(counter, value, this.seen[counter] + amount)
  }

  /** A single attempt: somebody else may have been faster. */
  addByCompareAndSet(): void {
    const { store, slot, random } = this.hands
    const counter = this.pick()
    const amount = random.between(1, MOST_ADDED)
    const old = this.read(counter)
    const next = String(Number(old ?? '0') + amount)
    slot.announce(counter, amount)
    const swapped = this.hands.write(() => store.compareAndSet(counterKey(counter), old, next))
    if (swapped !== true) return slot.withdraw(counter, amount)
    slot.settle(counter, amount)
    this.seen[counter] = Math.max(this.seen[counter], Number(next))
  }

  readOne(): void {
    this.read(this.pick())
  }

  /** A callback that throws changes nothing, and its error comes out as it was thrown. */
  updateThrowing(): void {
    const thrown = new Error('thrown by an update callback of the soak')
    try {
      this.hands.store.update(counterKey(this.pick()), () => {
        throw thrown
      })
      this.hands.violated('an update whose callback throws came back')
    } catch (error) {
      if (error !== thrown && !isFull(error)) throw error
    }
  }

  /** A callback that calls the store: it works, or it is refused with a typed error. */
  updateReentrant(): void {
    const { store, slot } = this.hands
    const counter = this.pick()
    const other = counterKey(this.pick())
    slot.announce(counter, 1)
    const value = this.hands.write(() =>
      store.update(counterKey(counter), (old) => {
        try {
          store.get(other)
        } catch (error) {
          if (!(error instanceof HeddleError)) throw error
        }
        return String(Number(old ?? '0') + 1)
      }),
    )
    if (value === REFUSED) return slot.withdraw(counter, 1)
    slot.settle(counter, 1)
    this.check(counter, value, this.seen[counter] + 1)
  }

  /** The counters that a complete scan must come across. */
  *known(): Iterable<number> {
    for (let counter = 0; counter < OPEN_COUNTERS; counter++) if (this.seen[counter] > 0) yield counter
  }

  private pick(): number {
    return this.hands.random.below(openCounters(this.hands.plan))
  }

  private read(counter: number): string | undefined {
    const least = Math.max(this.seen[counter], this.hands.control.done(counter))
    const value = this.hands.store.get(counterKey(counter))
    this.check(counter, value, least)
    return value
  }

  private check(counter: number, value: string | undefined, least: number): void {
    // Intended amounts are announced before they are added: whatever was read is covered by now.
    const most = this.hands.control.intended(counter)
    const number = value === undefined ? 0 : /^[1-9]\d*$/.test(value) ? Number(value) : NaN
    if (number >= least && number <= most) this.seen[counter] = number
    else this.hands.violated(`counter ${counter} is ${value}, but it must be from ${least} to ${most}`)
  }
}
