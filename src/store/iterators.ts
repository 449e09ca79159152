/**
 * The iterators that a store hands out. Written out by hand: a generator costs as much for each entry as decoding it.
 *
 * They do what generators do: they end for good when they are left early or something throws, and inherit from the
 * iterator prototype, which has helpers in newer versions of Node.
 */
import type { KeyCodec, ValueCodec } from './codec.ts'
import type { Iteration } from './iteration.ts'

/** Where iterations that have ended go back to. */
export type GiveBack = (iteration: Iteration) => void

const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object

abstract class Steps<T> implements IterableIterator<T> {
  /** Null when this has ended. */
  protected iteration: Iteration | null
  protected index = 0
  private count = 0
  private readonly giveBack: GiveBack

  constructor(iteration: Iteration, giveBack: GiveBack) {
    this.iteration = iteration
    this.giveBack = giveBack
  }

  protected abstract fill(iteration: Iteration): boolean
  protected abstract take(iteration: Iteration, index: number): T

  next(): IteratorResult<T, undefined> {
    const { iteration } = this
    if (iteration === null) return { done: true, value: undefined }
    try {
      if (this.index < this.count || this.advance(iteration)) {
        return { done: false, value: this.take(iteration, this.index++) }
      }
    } catch (error) {
      this.end()
      throw error
    }
    this.end()
    return { done: true, value: undefined }
  }

  private advance(iteration: Iteration): boolean {
    if (!this.fill(iteration)) return false
    this.index = 0
    this.count = iteration.count
    return true
  }

  private end(): void {
    const { iteration } = this
    if (iteration === null) return
    this.iteration = null
    iteration.end()
    this.giveBack(iteration)
  }

  return(value?: unknown): IteratorResult<T, undefined> {
    this.end()
    return { done: true, value: value as undefined }
  }

  [Symbol.iterator](): this {
    return this
  }

  [Symbol.dispose](): void {
    this.end()
  }
}
Object.setPrototypeOf(Steps.prototype, IteratorPrototype)

export class Entries<K, V> extends Steps<[K, V]> {
  private readonly keys: KeyCodec
  private readonly values: ValueCodec

  constructor(iteration: Iteration, giveBack: GiveBack, keys: KeyCodec, values: ValueCodec) {
    super(iteration, giveBack)
    this.keys = keys
    this.values = values
  }

  protected fill(iteration: Iteration): boolean {
    return iteration.fill(true, true)
  }

  protected take(iteration: Iteration, index: number): [K, V] {
    return [this.keys.finish(iteration.keys[index]) as K, this.values.finish(iteration.values[index]) as V]
  }
}

export class Keys<K> extends Steps<K> {
  private readonly keys: KeyCodec

  constructor(iteration: Iteration, giveBack: GiveBack, keys: KeyCodec) {
    super(iteration, giveBack)
    this.keys = keys
  }

  protected fill(iteration: Iteration): boolean {
    return iteration.fill(true, false)
  }

  protected take(iteration: Iteration, index: number): K {
    return this.keys.finish(iteration.keys[index]) as K
  }
}

export class Values<V> extends Steps<V> {
  private readonly values: ValueCodec

  constructor(iteration: Iteration, giveBack: GiveBack, values: ValueCodec) {
    super(iteration, giveBack)
    this.values = values
  }

  protected fill(iteration: Iteration): boolean {
    return iteration.fill(false, true)
  }

  protected take(iteration: Iteration, index: number): V {
    return this.values.finish(iteration.values[index]) as V
  }
}
