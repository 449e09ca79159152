import { expect, it } from 'vitest'
import { HeddleError } from '../../../src/index.ts'
import { sameBytes } from '../../support/plain.ts'
import { refused, thrownBy } from '../../support/refusals.ts'
import { withStore } from '../../support/stores.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

it('getInto copies the encoded value to the offset, and gives its length', () => {
  withStore({}, (store) => {
    store.set('key', 'aé')
    const buffer = new Uint8Array(6).fill(0xee)
    expect(store.getInto('key', buffer)).toBe(3)
    expect(buffer).toEqual(bytes(0x61, 0xc3, 0xa9, 0xee, 0xee, 0xee))
    buffer.fill(0xee)
    expect(store.getInto('key', buffer, 3)).toBe(3)
    expect(buffer).toEqual(bytes(0xee, 0xee, 0xee, 0x61, 0xc3, 0xa9))
  })
})

it('getInto gives -1 for an absent key and 0 for an empty value, and writes nothing', () => {
  withStore({}, (store) => {
    const buffer = new Uint8Array(4).fill(0xee)
    expect(store.getInto('key', buffer)).toBe(-1)
    expect(store.getInto('key', new Uint8Array(0))).toBe(-1)
    store.set('key', '')
    expect(store.getInto('key', buffer)).toBe(0)
    expect(store.getInto('key', buffer, 4)).toBe(0)
    expect(store.getInto('key', new Uint8Array(0))).toBe(0)
    expect(buffer).toEqual(new Uint8Array(4).fill(0xee))
  })
})

it.each([5, 100, 5000, 200_000])(
  'getInto refuses a buffer too short for %i bytes, saying the length needed',
  (length) => {
    withStore<string, Uint8Array>({ values: 'binary' }, (store) => {
      const value = new Uint8Array(length).map((_, i) => i)
      store.set('key', value)
      for (const [size, offset] of [
        [length - 1, 0],
        [length + 3, 4],
        [0, 0],
      ] as const) {
        const buffer = new Uint8Array(size).fill(0xee)
        const error = thrownBy(() => store.getInto('key', buffer, offset))
        expect(error).toBeInstanceOf(HeddleError)
        expect((error as HeddleError).message.replaceAll(/[,_']/g, '')).toContain(String(length))
        expect(sameBytes(buffer, new Uint8Array(size).fill(0xee))).toBe(true)
      }
      const buffer = new Uint8Array(length + 4)
      expect(store.getInto('key', buffer, 4)).toBe(length)
      expect(sameBytes(buffer.subarray(4), value)).toBe(true)
    })
  },
)

it('getInto fills a view of a larger buffer, and nothing beside it', () => {
  withStore({}, (store) => {
    store.set('key', 'abc')
    const whole = new Uint8Array(10)
    expect(store.getInto('key', whole.subarray(3, 8), 1)).toBe(3)
    expect(whole).toEqual(bytes(0, 0, 0, 0, 0x61, 0x62, 0x63, 0, 0, 0))
    const node = Buffer.alloc(4)
    expect(store.getInto('key', node)).toBe(3)
    expect(node.toString('latin1', 0, 3)).toBe('abc')
  })
})

it.each([-1, 0.5, NaN, 5])('getInto refuses the offset %d into 4 bytes', (offset) => {
  withStore({}, (store) => {
    store.set('key', '')
    const error = thrownBy(() => store.getInto('key', new Uint8Array(4), offset))
    expect(error).toBeInstanceOf(HeddleError)
  })
})

it('getInto refuses what is not a Uint8Array', () => {
  withStore({}, (store) => {
    store.set('key', 'value')
    for (const target of [undefined, null, [], new ArrayBuffer(8), new Uint16Array(8), 'text']) {
      refused(
        () => store.getInto('key', target as unknown as Uint8Array),
        ['HEDDLE_INVALID_OPTION', 'HEDDLE_INVALID_VALUE'],
      )
    }
  })
})
