/**
 * What an execution must not depend on, made the same for each: clocks and random numbers. And `Atomics`, which must not
 * be used by a thread except where the transform has put a step.
 */
import { placeOfCaller } from './caller.ts'
import { machine } from './machine.ts'
import { memory } from './shared-memory.ts'
import { Random } from './random.ts'
import { inThread } from './state.ts'

const WATCHED = [
  'load',
  'store',
  'add',
  'sub',
  'and',
  'or',
  'xor',
  'exchange',
  'compareExchange',
  'wait',
  'notify',
  'waitAsync',
]
const SOME_DAY = Date.UTC(2020, 0, 1)

let random = new Random(1)
let now = 0

/** The real clock, in milliseconds. */
export const realNow: () => number = performance.now.bind(performance)

type AnyFunction = (...args: never[]) => unknown

const undo: (() => void)[] = []

function replace(owner: object, name: string, make: (original: AnyFunction) => unknown): void {
  const original = Object.getOwnPropertyDescriptor(owner, name) ?? inherited(owner, name)
  const own = Object.getOwnPropertyDescriptor(owner, name) !== undefined
  Object.defineProperty(owner, name, { ...original, value: make(original.value as AnyFunction) })
  undo.push(() => {
    if (own) Object.defineProperty(owner, name, original)
    else Reflect.deleteProperty(owner, name)
  })
}

function inherited(owner: object, name: string): PropertyDescriptor {
  const parent = Object.getPrototypeOf(owner) as object
  return Object.getOwnPropertyDescriptor(parent, name) ?? inherited(parent, name)
}

/** Begins an execution: time and chance start over. */
export function rewind(): void {
  random = new Random(1)
  now = 0
}

function tick(): number {
  return ++now
}

function guard(name: string): (original: AnyFunction) => unknown {
  return (original) =>
    function (this: unknown, ...args: never[]): unknown {
      const view = args[0] as ArrayBufferView | undefined
      if (inThread && view?.buffer === memory.buffer) {
        machine.raise(
          'unsupported',
          `Atomics.${name} is called by code that is not instrumented${placeOfCaller()}: include its file, or keep it away from shared memory`,
        )
      }
      return original.apply(this, args)
    }
}

function fixedDate(original: AnyFunction): unknown {
  const Real = original as unknown as DateConstructor
  return class Date extends Real {
    constructor(...args: []) {
      if (args.length === 0) super(SOME_DAY + tick())
      else super(...args)
    }

    static override now(): number {
      return SOME_DAY + tick()
    }
  }
}

/** Takes clocks, chance and `Atomics` in hand. */
export function control(): void {
  for (const name of WATCHED) replace(Atomics, name, guard(name))
  replace(Math, 'random', () => () => random.next() / 2 ** 32)
  replace(globalThis, 'Date', fixedDate)
  replace(performance, 'now', () => tick)
  replace(process, 'hrtime', () => Object.assign(() => [0, tick()], { bigint: () => BigInt(tick()) }))
  replace(crypto, 'randomUUID', () => () => `00000000-0000-4000-8000-${random.next().toString(16).padStart(12, '0')}`)
  replace(crypto, 'getRandomValues', () => <T extends ArrayBufferView>(view: T): T => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    for (let i = 0; i < bytes.length; i++) bytes[i] = random.next()
    return view
  })
}

/** Puts everything back. */
export function release(): void {
  for (const one of undo.reverse()) one()
  undo.length = 0
}
