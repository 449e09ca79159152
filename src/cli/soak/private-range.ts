import { HeddleError } from '../../store/index.ts'
import { REFUSED, shown, type Hands } from './hands.ts'
import { PRIVATE_KEYS, privateIndex, privateKey, privatePrefix, valueOf } from './plan.ts'

const BUFFER_BYTES = 2 ** 21
const KEYS_FOR_ROOM = 48

/** Keys that only this worker writes: the model (in the slot's shared words) knows the answer to every question. */
export class PrivateRange {
  private readonly hands: Hands
  private readonly buffer = new Uint8Array(BUFFER_BYTES)

  constructor(hands: Hands) {
    this.hands = hands
  }

  /**
   * For a new worker: everything that its predecessor had finished must be there. What that one was doing when it was
   * killed may have happened or not; the model is told which.
   */
  recover(): void {
    const { hands } = this
    const found = new Map<number, string>()
    for (const [key, value] of hands.store.entries({ prefix: privatePrefix(hands.index) })) {
      const index = privateIndex(hands.index, key)
      hands.expect(key === privateKey(hands.index, index), () => `${shown(key)} is in a private range`)
      found.set(index, value)
    }
    const pending = hands.slot.pending()
    for (let key = 0; key < PRIVATE_KEYS; key++) {
      const value = found.get(key)
      const state = hands.slot.privateState(key)
      if (value === this.value(key, state)) continue
      if (pending?.key === key && value === this.value(key, pending.state)) hands.slot.settlePrivate(key, pending.state)
      else this.differs('after a kill', key, state, value)
    }
    if (pending !== undefined) hands.slot.settlePrivate(pending.key, hands.slot.privateState(pending.key))
  }

  write(): void {
    const key = this.pick()
    this.writeTo(key)
    if (this.hands.random.oneIn(3)) this.get(key)
  }

  private writeTo(key: number): void {
    switch (this.hands.random.below(8)) {
      case 0:
      case 1:
      case 2:
        return this.set(key)
      case 3:
        return this.delete(key)
      case 4:
        return this.setIfAbsent(key)
      case 5:
        return this.compareAndSet(key)
      case 6:
        return this.compareWrongAndSet(key)
      default:
        return this.update(key)
    }
  }

  private set(key: number): void {
    const { store, slot } = this.hands
    const next = slot.nextSequence()
    slot.announcePrivate(key, next)
    const done = this.hands.write(() => store.set(this.key(key), this.value(key, next)!)) !== REFUSED
    slot.settlePrivate(key, done ? next : slot.privateState(key))
  }

  private delete(key: number): void {
    const { store, slot } = this.hands
    const state = slot.privateState(key)
    slot.announcePrivate(key, 0)
    const deleted = store.delete(this.key(key))
    slot.settlePrivate(key, 0)
    this.hands.expect(deleted === (state !== 0), () => `delete of private key ${key} says ${deleted}`)
  }

  private setIfAbsent(key: number): void {
    const { store, slot } = this.hands
    const state = slot.privateState(key)
    const next = slot.nextSequence()
    if (state === 0) slot.announcePrivate(key, next)
    const there = this.hands.write(() => store.setIfAbsent(this.key(key), this.value(key, next)!))
    if (state === 0) slot.settlePrivate(key, there === undefined ? next : 0)
    if (there !== REFUSED && there !== this.value(key, state)) this.differs('setIfAbsent', key, state, there)
  }

  private compareAndSet(key: number): void {
    const { store, slot, random } = this.hands
    const state = slot.privateState(key)
    const next = random.oneIn(4) ? 0 : slot.nextSequence()
    slot.announcePrivate(key, next)
    const swap = () => store.compareAndSet(this.key(key), this.value(key, state), this.value(key, next))
    // To undefined it is a deletion: never refused.
    const swapped = next === 0 ? swap() : this.hands.write(swap)
    slot.settlePrivate(key, swapped === true ? next : state)
    this.hands.expect(swapped !== false, () => `compareAndSet of private key ${key} does not find its value`)
  }

  /** Compared with a value that is not there: nothing must change. */
  private compareWrongAndSet(key: number): void {
    const { store, slot } = this.hands
    const next = slot.nextSequence()
    const wrong = slot.privateState(key) !== 0 && this.hands.random.oneIn(2) ? undefined : this.value(key, next)
    const swapped = this.hands.write(() => store.compareAndSet(this.key(key), wrong, this.value(key, next)))
    this.hands.expect(swapped !== true, () => `compareAndSet of private key ${key} finds a value that is not there`)
    this.get(key)
  }

  private update(key: number): void {
    const { store, slot, random } = this.hands
    const state = slot.privateState(key)
    const next = random.oneIn(5) ? 0 : slot.nextSequence()
    let old: string | undefined
    slot.announcePrivate(key, next)
    const done = this.hands.write(() =>
      store.update(this.key(key), (found) => {
        old = found
        return this.value(key, next)
      }),
    )
    slot.settlePrivate(key, done === REFUSED ? state : next)
    if (done === REFUSED) return
    if (old !== this.value(key, state)) this.differs('update', key, state, old)
    this.hands.expect(done === this.value(key, next), () => `update of private key ${key} gives ${shown(done)}`)
  }

  read(): void {
    const key = this.pick()
    switch (this.hands.random.below(5)) {
      case 0:
        return this.has(key)
      case 1:
        return this.getInto(key)
      default:
        return this.get(key)
    }
  }

  private get(key: number): void {
    const state = this.hands.slot.privateState(key)
    const value = this.hands.store.get(this.key(key))
    if (value !== this.value(key, state)) this.differs('get', key, state, value)
  }

  private has(key: number): void {
    const there = this.hands.store.has(this.key(key))
    const expected = this.hands.slot.privateState(key) !== 0
    this.hands.expect(there === expected, () => `has of private key ${key} says ${there}`)
  }

  private getInto(key: number): void {
    const { hands } = this
    const state = hands.slot.privateState(key)
    const expected = this.value(key, state)
    const offset = hands.random.below(16)
    const length = hands.store.getInto(this.key(key), this.buffer, offset)
    if (length === -1 || expected === undefined) {
      if (length !== -1 || expected !== undefined) this.differs('getInto', key, state, `${length} bytes`)
      return
    }
    const value = Buffer.from(this.buffer.buffer, offset, length).toString()
    if (value !== expected) return this.differs('getInto', key, state, value)
    try {
      hands.store.getInto(this.key(key), this.buffer.subarray(0, length - 1))
      hands.violated(`getInto of ${length} bytes fits into ${length - 1}`)
    } catch (error) {
      if (!(error instanceof HeddleError)) throw error
      hands.expect(error.message.includes(String(length)), () => `getInto does not say the length: ${error.message}`)
    }
  }

  /** A part of the range in either direction: exactly what the model holds there. */
  scan(): void {
    const { hands } = this
    const { random } = hands
    const first = random.below(PRIVATE_KEYS)
    const last = random.between(first, PRIVATE_KEYS - 1)
    const open = random.oneIn(2)
    const reverse = random.oneIn(2)
    const limit = random.oneIn(3) ? random.below(PRIVATE_KEYS) : PRIVATE_KEYS
    const expected: number[] = []
    for (let key = first + (open ? 1 : 0); key <= (open ? last - 1 : last); key++) {
      if (hands.slot.privateState(key) !== 0) expected.push(key)
    }
    if (reverse) expected.reverse()
    expected.length = Math.min(expected.length, limit)
    const bounds = open ? { gt: this.key(first), lt: this.key(last) } : { gte: this.key(first), lte: this.key(last) }
    let i = 0
    for (const [key, value] of hands.store.entries({ ...bounds, reverse, limit })) {
      const index = expected[i++]
      if (index !== undefined && key === this.key(index) && value === this.valueNow(index)) continue
      return hands.violated(`a scan of a private range gives ${shown(key)} as its entry ${i}, not key ${index}`)
    }
    hands.expect(i === expected.length, () => `a scan of a private range gives ${i} of ${expected.length} entries`)
  }

  /** After a refused write: deletions must work now, and make room. */
  makeRoom(): void {
    for (let i = 0; i < KEYS_FOR_ROOM; i++) this.delete(this.pick())
  }

  private pick(): number {
    return this.hands.random.below(PRIVATE_KEYS)
  }

  private key(key: number): string {
    return privateKey(this.hands.index, key)
  }

  private valueNow(key: number): string | undefined {
    return this.value(key, this.hands.slot.privateState(key))
  }

  /** The value that a state of a key stands for. */
  private value(key: number, state: number): string | undefined {
    return privateValue(this.hands.index, key, state, this.hands.plan.tiny)
  }

  private differs(what: string, key: number, state: number, found: string | typeof REFUSED | undefined): void {
    const text = shown(found === REFUSED ? 'refused' : found)
    this.hands.violated(`${what}: private key ${key} is ${text}, not ${shown(this.value(key, state))}`)
  }
}

export function privateValue(slot: number, key: number, state: number, tiny: boolean): string | undefined {
  return state === 0 ? undefined : valueOf(`p${key}`, slot, state, tiny)
}
