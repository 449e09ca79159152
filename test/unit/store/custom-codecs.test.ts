import { expect, it } from 'vitest'
import { refusedWithoutTrace } from '../../support/refusals.ts'
import { withStore } from '../../support/stores.ts'

interface Point {
  x: number
  y: number
}

/** Points in the order of y, then x, each from 0 to 65535. */
const points = {
  encode: ({ x, y }: Point): Uint8Array => Uint8Array.of(y >> 8, y & 255, x >> 8, x & 255),
  decode: (bytes: Uint8Array): Point => ({ y: bytes[0]! * 256 + bytes[1]!, x: bytes[2]! * 256 + bytes[3]! }),
}

const dates = {
  encode: (date: Date): Uint8Array => new TextEncoder().encode(date.toISOString()),
  decode: (bytes: Uint8Array): Date => new Date(new TextDecoder().decode(bytes)),
}

it('keys come in the order of the bytes that the codec makes of them', () => {
  withStore<Point, Date>({ keys: points, values: dates }, (store) => {
    const day = new Date('2024-02-29T12:00:00.000Z')
    const inOrder = [
      { x: 3, y: 0 },
      { x: 300, y: 0 },
      { x: 0, y: 7 },
      { x: 65535, y: 7 },
      { x: 1, y: 256 },
    ]
    for (const point of inOrder.toReversed()) store.set(point, day)
    expect([...store]).toEqual(inOrder.map((point) => [point, day]))
    expect([...store.keys({ gt: { x: 300, y: 0 }, lte: { x: 65535, y: 7 } })]).toEqual(inOrder.slice(2, 4))
    expect(store.get({ x: 0, y: 7 })).toEqual(day)
    expect(store.compareAndSet({ x: 0, y: 7 }, new Date(day), new Date(0))).toBe(true)
  })
})

it('what a codec decodes is its own: it may keep it and write into it', () => {
  const kept: Uint8Array[] = []
  const keeping = {
    encode: (text: string): Uint8Array => new TextEncoder().encode(text),
    decode: (bytes: Uint8Array): string => {
      const text = new TextDecoder().decode(bytes)
      kept.push(bytes)
      bytes.fill(0)
      return text
    },
  }
  withStore<string, string>({ keys: keeping, values: keeping }, (store) => {
    for (let i = 0; i < 100; i++) store.set(`key ${i}`, `value ${i}`)
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 100; i++) expect(store.get(`key ${i}`)).toBe(`value ${i}`)
      expect([...store.values()]).toHaveLength(100)
    }
    expect(kept.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true)
  })
})

/** A codec that writes everything into one buffer of its own. */
function reusing(): { encode: (text: string) => Uint8Array; decode: (bytes: Uint8Array) => string } {
  const buffer = new Uint8Array(64)
  const encoder = new TextEncoder()
  return {
    encode: (text) => buffer.subarray(0, encoder.encodeInto(text, buffer).written),
    decode: (bytes) => new TextDecoder().decode(bytes),
  }
}

it('an encoder may use one buffer for everything', () => {
  withStore<string, string>({ keys: reusing(), values: reusing() }, (store) => {
    for (let i = 0; i < 50; i++) store.set(`key ${i}`, `the value of ${i}`)
    for (let i = 0; i < 50; i++) expect(store.get(`key ${i}`)).toBe(`the value of ${i}`)
    expect(store.compareAndSet('key 1', 'the value of 1', 'next')).toBe(true)
    expect(store.compareAndSet('key 1', 'the value of 1', 'again')).toBe(false)
    expect(store.update('key 1', (old) => `${old} one`)).toBe('next one')
    expect([...store.keys({ gte: 'key 48', lte: 'key 49' })]).toEqual(['key 48', 'key 49'])
  })
})

it('an encoder that gives no bytes is refused', () => {
  const wrong = { encode: (): Uint8Array => 'text' as unknown as Uint8Array, decode: (): string => '' }
  withStore<string, string>({ keys: wrong }, (store) => {
    refusedWithoutTrace(store, () => store.set('key', 'value'), 'HEDDLE_INVALID_KEY')
    refusedWithoutTrace(store, () => store.get('key'), 'HEDDLE_INVALID_KEY')
  })
  withStore<string, string>({ values: wrong }, (store) => {
    refusedWithoutTrace(store, () => store.set('key', 'value'), 'HEDDLE_INVALID_VALUE')
    refusedWithoutTrace(store, () => store.update('key', () => 'value'), 'HEDDLE_INVALID_VALUE')
  })
})
