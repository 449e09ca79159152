import { describe, expect, it } from 'vitest'
import { attach, type Range, type Store, type Transaction, type TransactionOptions } from '../../../src/index.ts'
import { random } from '../../support/random.ts'
import { refused, refusedWithoutTrace } from '../../support/refusals.ts'
import { assertWhole, MIB, openStore, tiny, withStore } from '../../support/stores.ts'

type Text = Store<string, string>
type Tx = Transaction<string, string>

const levels = [{ isolation: 'serializable' }, { isolation: 'snapshot' }] as const

/** A store with a second one on the same memory, as another thread would have it. */
function withOther(body: (store: Text, other: Text) => void): void {
  withStore<string, string>({ tuning: tiny }, (store) => {
    const other = attach<string, string>(store.handle)
    try {
      body(store, other)
    } finally {
      other.close()
    }
  })
}

/** How often a body runs if something else happens in the middle of its first run. */
function attemptsOf(
  store: Text,
  options: TransactionOptions,
  body: (tx: Tx, between: () => void) => void,
  other: () => void,
): number {
  let attempts = 0
  store.transaction((tx) => {
    attempts++
    body(tx, () => {
      if (attempts === 1) other()
    })
  }, options)
  return attempts
}

describe.each(levels)('a transaction ($isolation)', (options) => {
  it('sees its own writes: like a map laid over the store', () => {
    withStore<string, string>({ tuning: tiny }, (store) => {
      const rng = random(17)
      const model = new Map<string, string>()
      const key = (): string => `k${rng.int(40)}`
      for (let round = 0; round < 60; round++) {
        store.transaction((tx) => {
          for (let i = rng.int(30); i > 0; i--) {
            const k = key()
            const what = rng.int(5)
            if (what < 2) {
              tx.set(k, `${round} ${i}`)
              model.set(k, `${round} ${i}`)
            } else if (what === 2) expect(tx.delete(k)).toBe(model.delete(k))
            else if (what === 3) expect([tx.get(k), tx.has(k)]).toEqual([model.get(k), model.has(k)])
            else expectRange(tx, model, rangeOf(rng.int(7), key(), key(), rng.int(6)))
          }
        }, options)
        expect([...store]).toEqual(inRange(model, {}))
        expect(store.size).toBe(model.size)
      }
    })
  })

  it('an entry set ahead of an iterator shows, one behind it does not, one deleted ahead does not', () => {
    withStore<string, string>({ tuning: tiny }, (store) => {
      for (const key of 'acegi') store.set(key, 'old')
      store.transaction((tx) => {
        const seen: string[] = []
        for (const [key, value] of tx) {
          seen.push(key + value)
          if (key === 'c') {
            tx.set('b', 'new')
            tx.set('d', 'new')
            tx.set('g', 'new')
            tx.delete('e')
            tx.delete('c')
          }
        }
        expect(seen).toEqual(['aold', 'cold', 'dnew', 'gnew', 'iold'])
      }, options)
      expect([...store.keys()].join('')).toBe('abdgi')
    })
  })

  it('is over after its body', () => {
    withStore<string, string>({}, (store) => {
      store.batch([...'abc'].map((key) => ({ type: 'set', key, value: '1' })))
      let kept: Tx | undefined
      let iterator: Iterator<[string, string]> | undefined
      store.transaction((tx) => {
        kept = tx
        iterator = tx.entries()
        iterator.next()
      }, options)
      refused(() => iterator!.next(), 'HEDDLE_CLOSED')
      refused(() => kept!.get('a'), 'HEDDLE_CLOSED')
      refused(() => kept!.has('a'), 'HEDDLE_CLOSED')
      refused(() => kept!.set('a', '2'), 'HEDDLE_CLOSED')
      refused(() => kept!.delete('a'), 'HEDDLE_CLOSED')
      refused(() => kept!.keys(), 'HEDDLE_CLOSED')
      expect(store.get('a')).toBe('1')
    })
  })

  it('refuses another one and batches inside, in this store; not in one attached beside it', () => {
    withOther((store, other) => {
      store.transaction((tx) => {
        tx.set('a', '1')
        refused(() => store.transaction(() => 0), 'HEDDLE_NESTED')
        refused(() => store.batch([{ type: 'set', key: 'b', value: '1' }]), 'HEDDLE_NESTED')
        refused(() => store.batch([]), 'HEDDLE_NESTED')
        other.transaction((inner) => inner.set('c', '1'))
        other.batch([{ type: 'set', key: 'd', value: '1' }])
      }, options)
      expect([...store.keys()].join('')).toBe('acd')
      store.transaction((tx) => tx.set('e', '1'), options)
      expect(store.has('e')).toBe(true)
    })
  })

  it('refuses a body that gives a promise, and one that throws comes through; neither leaves anything', () => {
    withStore<string, string>({}, (store) => {
      const late = (tx: Tx): Promise<void> => {
        tx.set('a', '1')
        return Promise.resolve()
      }
      refusedWithoutTrace(store, () => store.transaction(late, options), 'HEDDLE_INVALID_OPTION')
      const thrown = new Error('no')
      const failing = (tx: Tx): void => {
        tx.set('a', '1')
        throw thrown
      }
      expect(() => store.transaction(failing, options)).toThrow(thrown)
      expect([...store]).toEqual([])
      expect(store.stats().snapshotsLive).toBe(0)
      expect(store.transaction((tx) => (tx.set('a', '1'), 'done'), options)).toBe('done')
    })
  })

  it('only reads: is never refused, and changes nothing', () => {
    withOther((store, other) => {
      store.set('a', '1')
      const body = (tx: Tx, between: () => void): void => {
        expect(tx.get('a')).toBe('1')
        between()
        expect([tx.get('a'), [...tx.keys()]]).toEqual(['1', ['a']])
      }
      const change = (): void =>
        other.batch([
          { type: 'delete', key: 'a' },
          { type: 'set', key: 'b', value: '1' },
        ])
      expect(attemptsOf(store, { ...options, attempts: 1 }, body, change)).toBe(1)
      expect([...store.keys()]).toEqual(['b'])
    })
  })

  it('conflicts as often as it may, and leaves nothing', () => {
    withOther((store, other) => {
      store.set('x', '0')
      store.set('y', '0')
      for (const attempts of [1, 2, 7]) {
        let runs = 0
        const body = (tx: Tx): void => {
          tx.set('x', `${tx.get('x')}!`)
          tx.delete('y')
          tx.set('z', 'z')
          other.set('x', `${++runs}`)
        }
        const { message } = refused(() => store.transaction(body, { ...options, attempts }), 'HEDDLE_CONFLICT')
        expect(message).toContain(`${attempts} attempts`)
        expect([runs, ...store].map(String)).toEqual([`${attempts}`, `x,${attempts}`, 'y,0'])
        expect([store.size, store.stats().snapshotsLive]).toEqual([2, 0])
      }
      store.drain()
      expect(store.verify().kept).toBe(0)
      expect(store.setIfAbsent('z', 'free')).toBeUndefined()
      expect(store.compareAndSet('y', '0', 'mine')).toBe(true)
    })
  })

  it('takes a key anew that says something else than the time before', () => {
    withStore<Uint8Array, string>({ keys: 'binary' }, (store) => {
      store.transaction((tx) => {
        const key = Uint8Array.of(1)
        tx.set(key, 'one')
        key[0] = 2
        expect(tx.get(key)).toBeUndefined()
        tx.set(key, 'two')
      }, options)
      expect([...store].map(([key, value]) => [key[0], value])).toEqual([
        [1, 'one'],
        [2, 'two'],
      ])
    })
    let prefix = 'a'
    const keys = {
      encode: (key: string | undefined) => Buffer.from(prefix + (key ?? '')),
      decode: (bytes: Uint8Array) => Buffer.from(bytes).toString(),
    }
    withStore<string | undefined, string>({ keys }, (store) => {
      store.transaction((tx) => {
        tx.get('x')
        tx.get(undefined)
        prefix = 'b'
        tx.set('x', '1')
        tx.set(undefined, '2')
        prefix = 'c'
        tx.set('', '3')
      }, options)
      expect([...store]).toEqual([
        ['b', '2'],
        ['bx', '1'],
        ['c', '3'],
      ])
    })
  })

  it('does not commit what the caller makes of a value afterwards', () => {
    withStore<Uint8Array, Uint8Array>({ keys: 'binary', values: 'binary' }, (store) => {
      const [key, value] = [Uint8Array.of(1), Uint8Array.of(2)]
      store.transaction((tx) => {
        tx.set(key, value)
        tx.set(Uint8Array.of(5), Uint8Array.of(6))
        value[0] = 9
        key[0] = 9
        const own = tx.get(Uint8Array.of(1))!
        own[0] = 8
        for (const [k, v] of tx) k[0] = v[0] = 7
      }, options)
      expect([...store].map(([k, v]) => [k[0], v[0]])).toEqual([
        [1, 2],
        [5, 6],
      ])
    })
    withStore<number, unknown>({ keys: 'number', values: 'json' }, (store) => {
      const value = { list: [1] }
      store.transaction((tx) => {
        tx.set(-1, value)
        tx.set(-0, 'zero')
        value.list.push(2)
        const once = tx.get(-1) as typeof value
        once.list.push(3)
        expect(tx.get(-1)).toEqual({ list: [1] })
        expect([...tx.keys({ gte: -1, lte: 0 })]).toEqual([-1, 0])
        refused(() => tx.keys({ prefix: 1 }), 'HEDDLE_INVALID_RANGE')
      }, options)
      expect([...store]).toEqual([
        [-1, { list: [1] }],
        [0, 'zero'],
      ])
    })
  })

  it('refuses keys, values and ranges that are none, and goes on if the body does', () => {
    withStore<string, string>({ tuning: tiny }, (store) => {
      store.transaction((tx) => {
        tx.set('a', '1')
        refused(() => tx.set('\ud800', 'x'), 'HEDDLE_INVALID_KEY')
        refused(() => tx.set('b', '\ud800'), 'HEDDLE_INVALID_VALUE')
        refused(() => tx.set('b', 1 as never), 'HEDDLE_INVALID_VALUE')
        refused(() => tx.get('x'.repeat(1025)), 'HEDDLE_TOO_LARGE')
        refused(() => tx.entries({ limit: -1 }), 'HEDDLE_INVALID_RANGE')
      }, options)
      expect([...store]).toEqual([['a', '1']])
      const large = (tx: Tx): void => {
        tx.set('a', '2')
        tx.set('b', 'x'.repeat(8 * MIB))
      }
      refusedWithoutTrace(store, () => store.transaction(large, options), 'HEDDLE_TOO_LARGE')
      const onlyLarge = (tx: Tx): void => tx.set('b', 'x'.repeat(8 * MIB))
      refusedWithoutTrace(store, () => store.transaction(onlyLarge, options), 'HEDDLE_TOO_LARGE')
    })
  })

  it('with large values and thousands of writes', () => {
    withStore<string, string>({ tuning: tiny, memory: 16 * MIB }, (store) => {
      store.transaction((tx) => {
        for (let i = 0; i < 1500; i++) tx.set(`key ${i}`, i % 100 === 0 ? 'x'.repeat(20_000) : `${i}`)
      }, options)
      expect(store.size).toBe(1500)
      store.transaction((tx) => {
        for (const key of tx.keys()) tx.delete(key)
        expect([...tx]).toEqual([])
      }, options)
      expect(store.size).toBe(0)
    })
  })

  it('a full arena refuses it as a whole', () => {
    const store = openStore({ memory: MIB, tuning: tiny })
    store.set('a', 'old')
    const body = (tx: Tx): void => {
      tx.set('a', 'new')
      for (let i = 0; i < 40; i++) tx.set(`b${i}`, 'x'.repeat(50_000))
    }
    for (let i = 0; i < 20; i++) refusedWithoutTrace(store, () => store.transaction(body, options), 'HEDDLE_FULL')
    store.transaction((tx) => tx.set('b', 'x'.repeat(50_000)), options)
    assertWhole(store)
    store.close()
  })

  it('that closes its store is not committed', () => {
    const store = openStore()
    const other = attach<string, string>(store.handle)
    const body = (tx: Tx): void => {
      tx.set('a', 'new')
      store.close()
    }
    refused(() => store.transaction(body, options), 'HEDDLE_CLOSED')
    expect(other.has('a')).toBe(false)
    other.close()
  })

  it('whose snapshot is ended to make room says so, and leaves nothing', () => {
    const store = openStore({ memory: MIB, tuning: tiny })
    const all = Array.from({ length: 400 }, (_, i) => `key ${i}`)
    for (const key of all) store.set(key, 'x'.repeat(1000))
    const body = (tx: Tx): void => {
      tx.set('own', 'mine')
      expect(tx.get('key 7')).toHaveLength(1000)
      for (let round = 0; round < 8; round++) for (const key of all) store.set(key, `${round}`.repeat(1000))
      refused(() => tx.keys().next(), 'HEDDLE_SNAPSHOT_EXPIRED')
      tx.get('key 7')
    }
    refused(() => store.transaction(body, options), 'HEDDLE_SNAPSHOT_EXPIRED')
    expect(store.has('own')).toBe(false)
    assertWhole(store)
    store.close()
  })
})

const ranges: Range<string>[] = [{}, { gte: 'k1', lt: 'k3' }, { prefix: 'k2' }, { gt: 'k10' }, { lte: 'k3' }]

function rangeOf(kind: number, a: string, b: string, limit: number): Range<string> {
  const base = ranges[kind] ?? (kind === 5 ? { gt: a, lte: b } : { gte: b, reverse: true })
  return { ...base, ...(limit < 4 ? { limit } : {}), reverse: base.reverse ?? limit % 2 === 0 }
}

function inRange(
  model: Map<string, string>,
  { gt, gte, lt, lte, prefix, reverse, limit }: Range<string>,
): [string, string][] {
  const found = [...model].filter(
    ([key]) =>
      (gt === undefined || key > gt) &&
      (gte === undefined || key >= gte) &&
      (lt === undefined || key < lt) &&
      (lte === undefined || key <= lte) &&
      (prefix === undefined || key.startsWith(prefix)),
  )
  found.sort(([a], [b]) => (a < b === (reverse === true) ? 1 : -1))
  return found.slice(0, limit)
}

function expectRange(tx: Tx, model: Map<string, string>, range: Range<string>): void {
  const expected = inRange(model, range)
  expect([...tx.entries(range)]).toEqual(expected)
  expect([...tx.keys(range)]).toEqual(expected.map(([key]) => key))
  expect([...tx.values(range)]).toEqual(expected.map(([, value]) => value))
}

describe('what a serializable transaction has read', () => {
  const cases: [string, (tx: Tx) => unknown, string, boolean][] = [
    ['a key', (tx) => tx.get('c'), 'c', true],
    ['another key', (tx) => tx.get('c'), 'd', false],
    ['that a key is absent', (tx) => tx.has('bb'), 'bb', true],
    ['whether it deleted something', (tx) => tx.delete('bb'), 'bb', true],
    ['a range, in it', (tx) => [...tx.keys({ gte: 'b', lt: 'd' })], 'cc', true],
    ['a range, before it', (tx) => [...tx.keys({ gt: 'b', lt: 'd' })], 'b', false],
    ['a range, after it', (tx) => [...tx.keys({ gte: 'b', lt: 'd' })], 'd', false],
    ['an empty range', (tx) => [...tx.keys({ prefix: 'x' })], 'x1', true],
    ['the first of a range, in front', (tx) => tx.keys().next(), '9', true],
    ['the first of a range, itself', (tx) => tx.entries().next(), 'a', true],
    ['the first of a range, behind', (tx) => tx.entries().next(), 'b', false],
    ['the last of a range, behind', (tx) => tx.keys({ reverse: true }).next(), 'z', true],
    ['the last of a range, in front', (tx) => tx.keys({ reverse: true }).next(), 'd', false],
    ['a range up to a limit, in it', (tx) => [...tx.keys({ limit: 3 })], 'bb', true],
    ['a range up to a limit, past it', (tx) => [...tx.keys({ limit: 3 })], 'cc', false],
    ['a range up to a limit, in reverse', (tx) => [...tx.keys({ limit: 2, reverse: true })], 'dd', true],
    ['a range up to a limit, in reverse, past it', (tx) => [...tx.keys({ limit: 2, reverse: true })], 'cc', false],
    ['nothing, with the limit 0', (tx) => [...tx.keys({ limit: 0 })], 'c', false],
    ['an iterator that was never stepped', (tx) => tx.keys(), 'c', false],
    ['a key that it had set itself', (tx) => (tx.set('c', 'mine'), tx.get('c')), 'c', false],
    ['past a deleted key of its own', (tx) => (tx.delete('b'), tx.keys({ gt: 'a' }).next()), 'bb', true],
    ['keys of its own only, up to a limit', (tx) => (tx.set('0', '0'), tx.keys().next()), 'a', false],
    ['in front of a key of its own', (tx) => (tx.set('0', '0'), tx.keys().next()), '00', false],
    ['in front of a key of its own, smaller', (tx) => (tx.set('1', '0'), tx.keys().next()), '0', true],
  ]
  const theirs = (key: string) => ({ type: 'set', key, value: 'theirs' }) as const
  const changes: [string, (other: Text, key: string, far: string) => void][] = [
    ['set', (other, key) => other.set(key, 'theirs')],
    ['set in a batch', (other, key, far) => other.batch([theirs(key), theirs(far)])],
    [
      'set in a transaction',
      (other, key, far) => other.transaction((tx) => [key, far].map((k) => tx.set(k, 'theirs'))),
    ],
    [
      'deleted, or set if it is absent, in a batch',
      (other, key, far) => other.batch([other.has(key) ? { type: 'delete', key } : theirs(key), theirs(far)]),
    ],
  ]
  describe.each(changes)('when a key is %s', (_name, change) => {
    it.each(cases)('%s', (what, read, key, conflicts) => {
      withOther((store, other) => {
        for (const each of 'abcde') store.set(each, 'old')
        const body = (tx: Tx, between: () => void): void => {
          read(tx)
          between()
          tx.set('other', 'mine')
          tx.set('other 2', 'mine')
        }
        const run = (isolation: 'serializable' | 'snapshot'): number =>
          attemptsOf(store, { isolation }, body, () => change(other, key, /last|reverse/.test(what) ? '#' : 'far'))
        expect(run('serializable')).toBe(conflicts ? 2 : 1)
        expect([store.get('other'), store.get('other 2')]).toEqual(['mine', 'mine'])
      })
    })
  })
})

describe('a snapshot transaction', () => {
  it('minds only keys that it writes', () => {
    for (const writes of [['x'], ['x', 'z']]) {
      withOther((store, other) => {
        store.set('x', 'old')
        store.set('y', 'old')
        const seen: unknown[] = []
        const body = (tx: Tx, between: () => void): void => {
          seen.push(tx.get('y'))
          between()
          for (const key of writes) tx.set(key, `mine, seeing ${tx.get('y')}`)
        }
        const comeAndGo = (): void => {
          other.batch(['x', 'y'].map((key) => ({ type: 'set', key, value: 'theirs' })))
          other.delete('x')
        }
        expect(attemptsOf(store, { isolation: 'snapshot' }, body, comeAndGo)).toBe(2)
        expect([seen, store.get('x')]).toEqual([['old', 'theirs'], 'mine, seeing theirs'])
        expect(attemptsOf(store, { isolation: 'snapshot' }, body, () => other.set('y', 'new'))).toBe(1)
      })
    }
  })

  it('sets and deletes the same absent key', () => {
    for (const options of levels) {
      withOther((store) => {
        store.transaction((tx) => {
          tx.set('a', '1')
          expect(tx.delete('a')).toBe(true)
          expect(tx.delete('a')).toBe(false)
        }, options)
        expect([store.has('a'), store.size]).toEqual([false, 0])
      })
    }
  })
})

describe('options', () => {
  it.each<[string, unknown, unknown]>([
    ['no body', undefined, {}],
    ['null', () => 0, null],
    ['a number', () => 0, 7],
    ['an unknown one', () => 0, { retries: 3 }],
    ['an unknown level', () => 0, { isolation: 'read committed' }],
    ['no attempt', () => 0, { attempts: 0 }],
    ['half an attempt', () => 0, { attempts: 1.5 }],
    ['too many attempts', () => 0, { attempts: 1_000_001 }],
    ['attempts as text', () => 0, { attempts: '3' }],
  ])('refused: %s', (_name, body, options) => {
    withStore<string, string>({}, (store) => {
      refused(() => store.transaction(body as () => 0, options as TransactionOptions), 'HEDDLE_INVALID_OPTION')
      expect(store.stats().snapshots).toBe(0)
    })
  })
})
