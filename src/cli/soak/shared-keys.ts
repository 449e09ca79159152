import { REFUSED, shown, type Hands } from './hands.ts'
import { sharedKey, sharedKeys, valueOf, writerOf } from './plan.ts'

/**
 * Keys that everybody writes and deletes. What is read must be whole, must have been written under this key, and must not
 * be older than what was read there before from the same writer.
 */
export class SharedKeys {
  private readonly hands: Hands
  private readonly newest = new Map<number, number[]>()

  constructor(hands: Hands) {
    this.hands = hands
  }

  write(): void {
    const { store, random } = this.hands
    const key = this.pick()
    const name = sharedKey(key)
    switch (random.below(8)) {
      case 0:
      case 1:
        this.hands.write(() => store.set(name, this.next(key)))
        return
      case 2:
        store.delete(name)
        return
      case 3: {
        const there = this.hands.write(() => store.setIfAbsent(name, this.next(key)))
        if (there !== REFUSED) this.check(key, there)
        return
      }
      case 4:
        return this.compareAndSet(key)
      default:
        return this.update(key)
    }
  }

  private compareAndSet(key: number): void {
    const { store, random } = this.hands
    const name = sharedKey(key)
    const old = store.get(name)
    this.check(key, old)
    if (random.oneIn(4)) store.compareAndSet(name, old, undefined)
    else this.hands.write(() => store.compareAndSet(name, old, this.next(key)))
  }

  private update(key: number): void {
    const next = this.hands.random.oneIn(4) ? undefined : this.next(key)
    const done = this.hands.write(() =>
      this.hands.store.update(sharedKey(key), (old) => {
        this.check(key, old)
        return next
      }),
    )
    if (done !== REFUSED) this.hands.expect(done === next, () => `update of ${sharedKey(key)} gives ${shown(done)}`)
  }

  read(): void {
    const key = this.pick()
    if (this.hands.random.oneIn(4)) this.hands.store.has(sharedKey(key))
    else this.check(key, this.hands.store.get(sharedKey(key)))
  }

  private pick(): number {
    return this.hands.random.below(sharedKeys(this.hands.plan))
  }

  private next(key: number): string {
    return valueOf(sharedKey(key), this.hands.index, this.hands.slot.nextSequence(), this.hands.plan.tiny)
  }

  private check(key: number, value: string | undefined): void {
    if (value === undefined) return
    const writer = writerOf(sharedKey(key), value, this.hands.plan.tiny)
    if (writer === undefined) return this.hands.violated(`nobody wrote ${shown(value)} under ${sharedKey(key)}`)
    let newest = this.newest.get(key)
    if (newest === undefined) this.newest.set(key, (newest = []))
    const before = newest[writer.slot] ?? 0
    const text = () => `${sharedKey(key)} is back at value ${writer.sequence} of slot ${writer.slot}, after ${before}`
    this.hands.expect(writer.sequence >= before, text)
    newest[writer.slot] = writer.sequence
  }
}
