import { expect, it } from 'vitest'
import { refusedWithoutTrace } from '../../support/refusals.ts'
import { plain, sameBytes } from '../../support/plain.ts'
import { withStore } from '../../support/stores.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

it('binary keys sort by their bytes, without signs, a prefix before what it begins', () => {
  const inOrder = [bytes(), bytes(0), bytes(0, 0), bytes(0, 1), bytes(1), bytes(0x7f), bytes(0x80), bytes(0xff)]
  inOrder.push(bytes(0xff, 0), bytes(0xff, 0xfe), bytes(0xff, 0xff), bytes(0xff, 0xff, 0))
  withStore<Uint8Array, Uint8Array>({ keys: 'binary', values: 'binary' }, (store) => {
    for (const key of inOrder.toReversed()) store.set(key, key)
    expect(plain([...store.keys()])).toEqual(inOrder)
    expect(plain([...store.keys({ prefix: bytes(0xff) })])).toEqual(inOrder.slice(7))
    expect(plain([...store.keys({ prefix: bytes(0xff, 0xff), reverse: true })])).toEqual(inOrder.slice(10).toReversed())
    for (const key of inOrder) expect(plain(store.get(key))).toEqual(key)
  })
})

it('keys and values are copied in: what happens to the buffer later changes nothing', () => {
  withStore<Uint8Array, Uint8Array>({ keys: 'binary', values: 'binary' }, (store) => {
    for (const length of [4, 3000, 80_000]) {
      const key = bytes(1, 2, length & 0xff)
      const value = new Uint8Array(length).fill(5)
      store.set(key, value)
      value.fill(6)
      const again = key.slice()
      key.fill(9)
      expect(sameBytes(store.get(again), new Uint8Array(length).fill(5))).toBe(true)
    }
    expect(store.has(bytes(9, 9, 9))).toBe(false)
  })
})

it('what get gives is a copy of its own', () => {
  withStore<string, Uint8Array>({ values: 'binary' }, (store) => {
    for (const length of [4, 3000, 80_000]) {
      store.set('key', new Uint8Array(length).fill(5))
      const first = store.get('key')!
      first.fill(6)
      expect(sameBytes(store.get('key'), new Uint8Array(length).fill(5))).toBe(true)
      expect(first.buffer).not.toBeInstanceOf(SharedArrayBuffer)
      store.set('key', new Uint8Array(length).fill(7))
      expect(sameBytes(first, new Uint8Array(length).fill(6))).toBe(true)
    }
  })
})

it('takes views of larger buffers and Buffers', () => {
  withStore<Uint8Array, Uint8Array>({ keys: 'binary', values: 'binary' }, (store) => {
    const whole = bytes(1, 2, 3, 4, 5, 6)
    store.set(whole.subarray(1, 3), whole.subarray(3))
    expect(plain([...store])).toEqual([[bytes(2, 3), bytes(4, 5, 6)]])
    store.set(Buffer.from('key'), Buffer.from('value'))
    expect(Buffer.from(store.get(Buffer.from('key'))!).toString()).toBe('value')
  })
})

it('takes bytes that lie in shared memory', () => {
  withStore<Uint8Array, Uint8Array>({ keys: 'binary', values: 'binary' }, (store) => {
    const shared = new Uint8Array(new SharedArrayBuffer(4))
    shared.set([1, 2, 3, 4])
    store.set(shared.subarray(0, 2), shared)
    expect(plain(store.get(bytes(1, 2)))).toEqual(bytes(1, 2, 3, 4))
  })
})

it('what is not a Uint8Array is refused', () => {
  withStore<Uint8Array, Uint8Array>({ keys: 'binary', values: 'binary' }, (store) => {
    for (const wrong of [
      'text',
      7,
      null,
      undefined,
      [1, 2],
      new ArrayBuffer(2),
      new Uint16Array(2),
      new DataView(new ArrayBuffer(2)),
    ]) {
      const value = wrong as unknown as Uint8Array
      refusedWithoutTrace(store, () => store.set(value, bytes(1)), 'HEDDLE_INVALID_KEY')
      refusedWithoutTrace(store, () => store.set(bytes(1), value), 'HEDDLE_INVALID_VALUE')
    }
  })
})
