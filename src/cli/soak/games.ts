import { REFUSED, shown, type Hands } from './hands.ts'
import { counterKey, deleteTally, flipKey, FLIPS, guardedCounter, setTally, tokenKey, TOKENS } from './plan.ts'

/**
 * Whoever sets a token that is absent owns it, alone, until it gives it back. Only the owner touches the counter that the
 * token guards, by a plain get and set: if two own it, additions get lost.
 */
export class Tokens {
  private readonly hands: Hands
  private readonly held = new Map<number, string>()

  constructor(hands: Hands) {
    this.hands = hands
  }

  play(): void {
    const token = this.hands.random.below(TOKENS)
    const mine = this.held.get(token)
    if (mine === undefined) this.take(token)
    else if (this.hands.random.oneIn(3)) this.giveBack(token, mine)
    else this.addGuarded(token, mine)
  }

  giveAllBack(): void {
    for (const [token, mine] of this.held) this.giveBack(token, mine)
  }

  /** For a new worker: gives back what its predecessors held when they were killed. */
  recover(): void {
    const { store, index } = this.hands
    for (let token = 0; token < TOKENS; token++) {
      const there = store.get(tokenKey(token))
      if (there === undefined || !there.startsWith(`${index}.`)) continue
      const given = store.compareAndSet(tokenKey(token), there, undefined)
      this.hands.expect(given, () => `token ${token} of a dead worker was taken by somebody else`)
    }
  }

  private take(token: number): void {
    const { store, slot, index, generation } = this.hands
    const mine = `${index}.${generation}.${slot.nextSequence()}`
    const there = this.hands.write(() => store.setIfAbsent(tokenKey(token), mine))
    if (there === undefined) this.held.set(token, mine)
    else if (there !== REFUSED) this.hands.expect(!there.startsWith(`${index}.`), () => `took token ${token} twice`)
  }

  private giveBack(token: number, mine: string): void {
    const { store, random } = this.hands
    const key = tokenKey(token)
    const given = random.oneIn(2) ? store.delete(key) : store.compareAndSet(key, mine, undefined)
    this.hands.expect(given, () => `token ${token} was lost while it was held`)
    this.held.delete(token)
  }

  private addGuarded(token: number, mine: string): void {
    const { store, slot } = this.hands
    const there = store.get(tokenKey(token))
    this.hands.expect(there === mine, () => `token ${token} is ${shown(there)} while ${shown(mine)} holds it`)
    const counter = guardedCounter(token)
    const next = String(Number(store.get(counterKey(counter)) ?? '0') + 1)
    slot.announce(counter, 1)
    if (this.hands.write(() => store.set(counterKey(counter), next)) === REFUSED) return slot.withdraw(counter, 1)
    slot.settle(counter, 1)
    const now = store.get(counterKey(counter))
    this.hands.expect(now === next, () => `guarded counter ${counter} is ${shown(now)}, not ${next}`)
  }
}

/** Keys that are set if absent and deleted if there: exactly one of those who try succeeds, so the two sides alternate. */
export class Flips {
  private readonly hands: Hands

  constructor(hands: Hands) {
    this.hands = hands
  }

  play(): void {
    const flip = this.hands.random.below(this.hands.plan.few ? 1 : FLIPS)
    if (this.hands.random.oneIn(2)) this.set(flip)
    else this.delete(flip)
  }

  private set(flip: number): void {
    const { store, slot, random, index } = this.hands
    const key = flipKey(flip)
    const value = `${index}.${slot.nextSequence()}`
    slot.announce(setTally(flip), 1)
    const done = this.hands.write(() =>
      random.oneIn(2) ? store.setIfAbsent(key, value) === undefined : store.compareAndSet(key, undefined, value),
    )
    if (done === true) slot.settle(setTally(flip), 1)
    else slot.withdraw(setTally(flip), 1)
  }

  private delete(flip: number): void {
    const { store, slot, random } = this.hands
    const key = flipKey(flip)
    const old = random.oneIn(2) ? store.get(key) : undefined
    slot.announce(deleteTally(flip), 1)
    const done = old === undefined ? store.delete(key) : store.compareAndSet(key, old, undefined)
    if (done) slot.settle(deleteTally(flip), 1)
    else slot.withdraw(deleteTally(flip), 1)
  }
}
