import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/index.ts'
import { tiny } from '../support/stores.ts'
import { textPair } from './codec-pairs.ts'
import { runModel } from './run-model.ts'

// The model is worth something only if it finds what is wrong: here a fault stands between the commands and the store, and
// must be found, and be shown as a few commands that can be read.

type Text = Store<string, string>
type Faults = { readonly [name in keyof Text]?: (store: Text, ...args: never[]) => unknown }

function withFaults(faults: Faults): <K, V>(store: Store<K, V>) => Store<K, V> {
  return (store) =>
    new Proxy(store, {
      get: (target, name) => {
        const fault = faults[name as keyof Text]
        if (fault !== undefined) return (...args: never[]) => fault(target as unknown as Text, ...args)
        const found: unknown = Reflect.get(target, name, target)
        return typeof found === 'function' ? (found as () => unknown).bind(target) : found
      },
    })
}

type Range = NonNullable<Parameters<Text['entries']>[0]>

const faults: Record<string, { fault: Faults; shown: RegExp; commands: number }> = {
  'a delete that forgets keys with a zero byte at the end': {
    fault: { delete: (store, key: string) => !key.endsWith('\0') && store.delete(key) },
    shown: /,delete\("[^"]*(\\u0000"|"\.\.201 in all)\)$/,
    commands: 2,
  },
  'a batch in which the first of several changes of a key counts': {
    fault: { batch: (store, operations: Parameters<Text['batch']>[0]) => store.batch(operations.toReversed()) },
    shown: /^batch\(\w+ .*\)/,
    commands: 2,
  },
  'a compareAndSet that takes an absent key for an empty value': {
    fault: {
      compareAndSet: (store, key: string, old: string | undefined, next: string | undefined) =>
        store.compareAndSet(key, old === '' && !store.has(key) ? undefined : old, next),
    },
    shown: /^compareAndSet\("[^"]*", "", [^(]*\)$/,
    commands: 1,
  },
  'an lt that includes its bound in reverse': {
    fault: {
      keys: (store, range: Range = {}) => {
        const { lt, ...rest } = range
        return store.keys(range.reverse === true && lt !== undefined ? { lte: lt, ...rest } : range)
      },
    },
    shown: /,keys\({.* lt: .*, reverse: true.*}\)$/,
    commands: 2,
  },
  'a limit that is one too many': {
    fault: {
      values: (store, range: Range = {}) =>
        store.values(range.limit === undefined ? range : { ...range, limit: range.limit + 1 }),
    },
    shown: /,values\({.*limit: \d+.*}\)$/,
    commands: 2,
  },
  'a getInto that forgets its offset': {
    fault: { getInto: (store, key: string, bytes: Uint8Array) => store.getInto(key, bytes) },
    shown: /,getInto\("[^"]*"\) at \d with -?\d to spare$/,
    commands: 2,
  },
  'an update that keeps what it should delete': {
    fault: {
      update: (store, key: string, change: (old: string | undefined) => string | undefined) =>
        store.update(key, (old) => change(old) ?? old),
    },
    shown: /,update\("[^"]*", to undefined\)$/,
    commands: 2,
  },
}

const beginnings = /(?:^|,)(?:\w+ transaction\(|\w+\(|fill |empty |\[\.\.\.store|\d+ of entries)/g

describe('the model finds', () => {
  it.each(Object.entries(faults))('%s', (_name, { fault, shown, commands }) => {
    const found = messageOf(() => runModel(textPair, { tuning: tiny, through: withFaults(fault), runs: 400, seed: 5 }))
    const counterexample = /Counterexample: \[(.*) \/\*replayPath/.exec(found)?.[1] ?? found
    expect(counterexample).toMatch(shown)
    expect(counterexample.match(beginnings)?.length, counterexample).toBeLessThanOrEqual(commands)
  })
})

function messageOf(call: () => void): string {
  try {
    call()
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing was found'
}
