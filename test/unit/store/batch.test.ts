import { describe, expect, it } from 'vitest'
import { attach, HeddleError, type BatchOperation, type OpenOptions, type Store } from '../../../src/index.ts'
import { plain } from '../../support/plain.ts'
import { random } from '../../support/random.ts'
import { refused, refusedWithoutTrace } from '../../support/refusals.ts'
import { assertWhole, MIB, openStore, tiny, withStore } from '../../support/stores.ts'

type Text = Store<string, string>

const set = <K, V>(key: K, value: V): BatchOperation<K, V> => ({ type: 'set', key, value })
const del = <K>(key: K): BatchOperation<K, never> => ({ type: 'delete', key })
const keyOf = (i: number): string => `key ${String(i).padStart(5, '0')}`
const numbered = (count: number, value: (i: number) => string): BatchOperation<string, string>[] =>
  Array.from({ length: count }, (_, i) => set(keyOf(i), value(i)))

describe('a batch', () => {
  it('sets and deletes', () => {
    withStore<string, string>({ tuning: tiny }, (store) => {
      for (const key of 'abcd') store.set(key, 'old')
      expect(store.batch([set('e', 'new'), del('b'), set('a', 'new'), del('absent'), set('c', 'new')])).toBeUndefined()
      expect([...store].map(([key, value]) => `${key} ${value}`)).toEqual(['a new', 'c new', 'd old', 'e new'])
      expect(store.size).toBe(4)
      expect([store.has('b'), store.has('absent')]).toEqual([false, false])
      expect(store.setIfAbsent('b', 'again')).toBeUndefined()
      expect(store.delete('absent')).toBe(false)
    })
  })

  it('counts the last one of several changes of a key, whatever lies between', () => {
    withStore<string, string>({ tuning: tiny }, (store) => {
      store.batch([set('a', '1'), set('b', '1'), set('a', '2'), del('b'), del('c'), set('c', '3'), set('a', '4')])
      expect([...store]).toEqual([
        ['a', '4'],
        ['c', '3'],
      ])
      store.batch([set('x', '1'), set('x', '2')])
      expect(store.get('x')).toBe('2')
      store.batch([set('x', '3'), del('x')])
      expect(store.has('x')).toBe(false)
      const rng = random(5)
      const model = new Map<string, string>(store)
      for (let round = 0; round < 50; round++) {
        const operations = Array.from({ length: rng.int(60) }, (_, i) => {
          const key = rng.chance(50)
            ? `same beginning ${rng.int(12)}`
            : 'k'.repeat(rng.int(8)) + '\0'.repeat(rng.int(4))
          if (rng.chance(40)) return del(key)
          return set(key, `${round} ${i}`)
        })
        for (const each of operations) {
          if (each.type === 'set') model.set(each.key, each.value)
          else model.delete(each.key)
        }
        store.batch(operations)
        expect(new Map(store)).toEqual(model)
        expect(store.size).toBe(model.size)
      }
    })
  })

  it('may be empty, or of one operation', () => {
    withStore<string, string>({}, (store) => {
      store.batch([])
      store.batch([del('a')])
      expect(store.size).toBe(0)
      store.batch([set('a', '1')])
      expect([...store]).toEqual([['a', '1']])
      store.batch([del('a')])
      expect([...store]).toEqual([])
    })
  })

  it('of thousands of operations over many leaves, in any order', () => {
    withStore<string, string>({ tuning: { ...tiny, paranoid: true }, memory: 16 * MIB }, (store) => {
      const rng = random(3)
      const operations = numbered(5000, (i) => `${i}`)
      for (let i = operations.length - 1; i > 0; i--) {
        const j = rng.int(i + 1)
        const [a, b] = [operations[i]!, operations[j]!]
        operations[i] = b
        operations[j] = a
      }
      store.batch(operations)
      expect(store.size).toBe(5000)
      expect([...store]).toEqual(
        numbered(5000, (i) => `${i}`).map((each) => [each.key, (each as { value: string }).value]),
      )
      assertWhole(store)
      store.batch(operations.map(({ key }, i) => (i % 2 === 0 ? del(key) : set(key, 'again'))))
      expect(store.size).toBe(2500)
      expect(new Set(store.values())).toEqual(new Set(['again']))
    })
  })

  it('takes values of any length', () => {
    withStore<string, string>({ tuning: tiny, memory: 16 * MIB }, (store) => {
      const lengths = [0, 1, 100, 900, 5000, 70_000, 300_000]
      const value = (i: number, c: string): string => c.repeat(lengths[i % lengths.length]!)
      store.batch(numbered(14, (i) => value(i, 'x')))
      expect([...store.values()]).toEqual(Array.from({ length: 14 }, (_, i) => value(i, 'x')))
      store.batch(numbered(14, (i) => value(i + 3, 'y')))
      expect([...store.values()]).toEqual(Array.from({ length: 14 }, (_, i) => value(i + 3, 'y')))
      assertWhole(store)
      store.batch(numbered(14, () => '').map(({ key }) => del(key)))
      expect(store.size).toBe(0)
    })
  })
})

describe('what a batch takes', () => {
  function roundTrip<K, V>(options: OpenOptions, pairs: readonly [K, V][]): void {
    withStore<K, V>({ ...options, tuning: tiny }, (store) => {
      store.batch(pairs.map(([key, value]) => set(key, value)))
      expect(plain([...store])).toEqual(plain(pairs))
      for (const [key, value] of pairs) expect(plain(store.get(key))).toEqual(plain(value))
      store.batch(pairs.slice(1).map(([key]) => del(key)))
      expect(plain([...store])).toEqual(plain(pairs.slice(0, 1)))
    })
  }

  it('utf8 and json', () => {
    roundTrip<string, unknown>({ values: 'json' }, [
      ['', null],
      ['a', { a: [1, 'é€𝄞'] }],
      ['a\0', 'x'.repeat(3000)],
      ['\uffff', 1],
      ['𐀀', []],
    ])
  })

  it('numbers', () => {
    roundTrip<number, number>({ keys: 'number', values: 'number' }, [
      [-Infinity, 1],
      [-1.5, -0.25],
      [0, 2 ** 53],
      [5e-324, Infinity],
      [3, 0],
    ])
  })

  it('binary', () => {
    const bytes = (...of: number[]): Uint8Array => Uint8Array.from(of)
    roundTrip<Uint8Array, Uint8Array>({ keys: 'binary', values: 'binary' }, [
      [bytes(), bytes(1)],
      [bytes(0), bytes()],
      [bytes(0, 0), new Uint8Array(5000).fill(7)],
      [bytes(255), bytes(2)],
      [new Uint8Array(1024).fill(255), bytes(3)],
    ])
  })

  it('custom codecs, which may use one buffer again and call the store, also its batch', () => {
    let armed: Text | undefined
    const scratch = new Uint8Array(100)
    const codec = {
      encode: (text: string): Uint8Array => {
        const store = armed
        armed = undefined
        store?.batch([set('zz inner', 'inner'), set('zz more', 'inner'), del('a')])
        return scratch.subarray(0, new TextEncoder().encodeInto(text, scratch).written)
      },
      decode: (bytes: Uint8Array): string => new TextDecoder().decode(bytes),
    }
    for (const options of [{ keys: codec }, { values: codec }, { keys: codec, values: codec }]) {
      withStore<string, string>({ ...options, tuning: tiny }, (store) => {
        store.set('a', 'old')
        const operations = [set('b', '1'), set('c', '2'), del('d'), set('e', '3')]
        const arming = {
          type: 'set' as const,
          key: 'f',
          get value() {
            armed = store
            return '4'
          },
        }
        store.batch([...operations, arming, set('g', '5')])
        armed = undefined
        expect([...store].map((pair) => pair.join(' '))).toEqual([
          'b 1',
          'c 2',
          'e 3',
          'f 4',
          'g 5',
          'zz inner inner',
          'zz more inner',
        ])
      })
    }
  })

  it('an encoder that throws leaves nothing', () => {
    const thrown = new Error('no')
    const values = {
      encode: (text: string): Uint8Array => {
        if (text === 'bad') throw thrown
        return new TextEncoder().encode(text)
      },
      decode: (bytes: Uint8Array): string => new TextDecoder().decode(bytes),
    }
    withStore<string, string>({ values, tuning: tiny }, (store) => {
      store.set('a', 'old')
      expect(() => store.batch([set('a', 'new'), set('b', 'bad')])).toThrow(thrown)
      expect([...store]).toEqual([['a', 'old']])
      store.batch([set('a', 'new'), set('b', 'good')])
      expect(store.size).toBe(2)
    })
  })
})

describe('a batch that is refused has changed nothing', () => {
  const good = set('b', 'new')
  const long = 'x'.repeat(1025)
  it.each<[string, unknown, string]>([
    ['no array', { type: 'set', key: 'a', value: '1' }, 'HEDDLE_INVALID_OPTION'],
    ['undefined', undefined, 'HEDDLE_INVALID_OPTION'],
    ['an operation that is none', [good, null], 'HEDDLE_INVALID_OPTION'],
    ['a type that is none', [good, { type: 'put', key: 'a', value: '1' }], 'HEDDLE_INVALID_OPTION'],
    ['a key of another type', [good, set(1, 'x')], 'HEDDLE_INVALID_KEY'],
    ['a key to be deleted of another type', [good, del(null)], 'HEDDLE_INVALID_KEY'],
    ['a lone surrogate', [good, del('\ud800')], 'HEDDLE_INVALID_KEY'],
    ['a key too long', [good, set(long, 'x')], 'HEDDLE_TOO_LARGE'],
    ['a value of another type', [good, set('c', 1)], 'HEDDLE_INVALID_VALUE'],
    ['no value', [good, { type: 'set', key: 'c' }], 'HEDDLE_INVALID_VALUE'],
    ['a lone surrogate in a value', [good, set('c', '\udc00')], 'HEDDLE_INVALID_VALUE'],
    ['a long value with a lone surrogate', [good, set('c', `${'x'.repeat(9000)}\udc00`)], 'HEDDLE_INVALID_VALUE'],
    ['a value too large', [good, set('c', 'x'.repeat(8 * MIB))], 'HEDDLE_TOO_LARGE'],
  ])('%s', (_name, operations, code) => {
    withStore<string, string>({ tuning: tiny }, (store) => {
      store.set('a', 'old')
      store.set('b', 'old')
      refusedWithoutTrace(store, () => store.batch(operations as []), code)
      store.batch([good])
      expect(store.get('b')).toBe('new')
    })
  })

  it('in a store that is closed', () => {
    const store = openStore()
    store.close()
    refused(() => store.batch([good]), 'HEDDLE_CLOSED')
    refused(() => store.batch([]), 'HEDDLE_CLOSED')
  })

  it('for want of room, as a whole, and nothing leaks', () => {
    const store = openStore({ memory: MIB, tuning: tiny })
    let count = 0
    const fits = (): boolean => {
      try {
        store.batch([set(keyOf(count), 'x'.repeat(40)), set(`other ${keyOf(count)}`, 'y'.repeat(40))])
        return true
      } catch (error) {
        if (error instanceof HeddleError && error.code === 'HEDDLE_FULL') return false
        throw error
      }
    }
    for (let refusals = 0; refusals < 10;) {
      if (fits()) count++
      else {
        refusals++
        store.drain()
      }
    }
    expect(count).toBeGreaterThan(500)
    const live = store.stats().liveWords!
    for (let round = 0; round < 30; round++) {
      const many = [
        ...numbered(200 + round * 100, () => 'z'.repeat(60)),
        ...numbered(3, () => '').map(({ key }) => del(`other ${key}`)),
      ]
      refused(() => store.batch(many), 'HEDDLE_FULL')
      refused(() => store.batch([set('a', 'x'.repeat(200_000)), set('b', 'x')]), ['HEDDLE_FULL', 'HEDDLE_TOO_LARGE'])
    }
    store.drain()
    expect(store.stats().liveWords).toBeLessThanOrEqual(live + 1024)
    expect(store.size).toBe(2 * count)
    for (let i = 0; i < count; i++) {
      expect([store.get(keyOf(i)), store.get(`other ${keyOf(i)}`)]).toEqual(['x'.repeat(40), 'y'.repeat(40)])
    }
    assertWhole(store)
    // Single deletions need no room; what they free is there for batches.
    for (let i = 0; i < count; i++) expect(store.delete(`other ${keyOf(i)}`)).toBe(true)
    store.batch(numbered(100, () => 'again'))
    expect(store.get(keyOf(7))).toBe('again')
    assertWhole(store)
    store.close()
  })
})

describe('batches one after the other', () => {
  it('leave nothing behind, with snapshots and without', () => {
    withStore<string, string>({ tuning: { ...tiny, paranoid: true }, memory: 4 * MIB }, (store) => {
      const other = attach<string, string>(store.handle)
      const rng = random(11)
      const model = new Map<string, string>()
      const live: { snapshot: ReturnType<Text['snapshot']>; then: [string, string][] }[] = []
      const now = (): [string, string][] => [...model].sort(([a], [b]) => (a < b ? -1 : 1))
      for (let round = 0; round < 400; round++) {
        const operations = Array.from({ length: rng.int(40) }, () => {
          const key = keyOf(rng.int(300))
          return rng.chance(45) ? del(key) : set(key, `${round}`.repeat(rng.chance(5) ? 700 : 1))
        })
        for (const each of operations) {
          if (each.type === 'set') model.set(each.key, each.value)
          else model.delete(each.key)
        }
        rng.pick([store, other]).batch(operations)
        if (rng.chance(15)) live.push({ snapshot: store.snapshot(), then: now() })
        if (live.length > 3) {
          const [{ snapshot, then }] = live.splice(rng.int(live.length), 1) as [(typeof live)[0]]
          expect([...snapshot]).toEqual(then)
          snapshot.close()
        }
        if (rng.chance(3)) store.drain()
      }
      expect([...store]).toEqual(now())
      expect(store.size).toBe(model.size)
      for (const { snapshot, then } of live) {
        expect([...snapshot]).toEqual(then)
        snapshot.close()
      }
      assertWhole(store)
      expect(store.verify().leakedWords).toBe(0)
      other.close()
    })
  })

  it('keep for a snapshot what it sees, wholly before or wholly after a batch', () => {
    withStore<string, string>({ tuning: tiny }, (store) => {
      store.batch(numbered(50, () => 'old'))
      const before = store.snapshot()
      store.batch(numbered(50, (i) => `${i}`).map((each, i) => (i % 3 === 0 ? del(each.key) : each)))
      const after = store.snapshot()
      store.batch(numbered(60, () => 'later'))
      expect(new Set(before.values())).toEqual(new Set(['old']))
      expect(before.size).toBe(50)
      expect([...after.values()]).toEqual(numbered(50, (i) => `${i}`).flatMap((_, i) => (i % 3 === 0 ? [] : [`${i}`])))
      expect(store.size).toBe(60)
      before.close()
      expect(after.size).toBe(33)
      after.close()
    })
  })

  it('are counted: entries, words that are live', () => {
    withStore<string, string>({ tuning: tiny }, (store) => {
      store.batch(numbered(100, () => 'x'.repeat(100)))
      store.drain()
      const live = store.stats().liveWords!
      expect(live).toBeGreaterThan(2500)
      for (let round = 0; round < 20; round++) store.batch(numbered(100, () => `${round % 10}`.repeat(100)))
      store.drain()
      expect(store.stats().liveWords).toBeLessThan(live * 1.2)
      expect(store.verify().entries).toBe(100)
      store.batch(numbered(100, () => '').map(({ key }) => del(key)))
      store.drain()
      expect(store.stats().liveWords).toBeLessThan(1000)
      expect([store.size, store.verify().entries]).toEqual([0, 0])
    })
  })
})
