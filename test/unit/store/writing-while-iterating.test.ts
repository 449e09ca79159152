import { describe, expect, it } from 'vitest'
import type { Store } from '../../../src/index.ts'
import { tiny, withStore } from '../../support/stores.ts'

const name = (number: number): string => `key ${String(number).padStart(4, '0')}`

describe.each([{ reverse: false }, { reverse: true }])(
  'while an iteration goes on, reverse: $reverse',
  ({ reverse }) => {
    function withNumbers(count: number, body: (store: Store<string, string>, inOrder: string[]) => void): void {
      withStore({ tuning: tiny }, (store) => {
        const all = Array.from({ length: count }, (_, i) => name(i))
        for (const key of all) store.set(key, key)
        body(store, reverse ? all.toReversed() : all)
      })
    }

    it('each key it comes to can be deleted', () => {
      withNumbers(300, (store, inOrder) => {
        const seen: string[] = []
        for (const key of store.keys({ reverse })) {
          seen.push(key)
          expect(store.delete(key)).toBe(true)
        }
        expect(seen).toEqual(inOrder)
        expect(store.size).toBe(0)
      })
    })

    it('each value it comes to can be overwritten', () => {
      withNumbers(300, (store, inOrder) => {
        const seen: string[] = []
        for (const [key, value] of store.entries({ reverse })) {
          seen.push(key)
          expect(value).toBe(key)
          store.set(key, `${key} seen`.repeat(10))
        }
        expect(seen).toEqual(inOrder)
      })
    })

    it('keys set behind it do not appear, and those that stay do, once', () => {
      withNumbers(200, (store, inOrder) => {
        const seen: string[] = []
        for (const key of store.keys({ reverse })) {
          seen.push(key)
          // Behind where the iteration is, in its own direction.
          if (!key.includes('+')) store.set(reverse ? `${key}+` : `${key.slice(0, -1)}\x1f${key.slice(-1)}+`, 'behind')
          if (seen.length > 5000) throw new Error('the iteration does not end')
        }
        expect(seen).toEqual(inOrder)
      })
    })

    it('everything ahead of it can go, and it ends', () => {
      withNumbers(300, (store, inOrder) => {
        const seen: string[] = []
        for (const key of store.keys({ reverse })) {
          seen.push(key)
          if (seen.length === 100) store.clear()
        }
        expect(seen.slice(0, 100)).toEqual(inOrder.slice(0, 100))
        // What a page held when it was read may still come; what comes is in order.
        expect(inOrder.slice(0, seen.length)).toEqual(seen)
        expect(seen.length).toBeLessThan(200)
      })
    })

    it('pages that split and merge around it hide nothing that stays', () => {
      withNumbers(0, (store) => {
        const staying = Array.from({ length: 60 }, (_, i) => name(i * 10))
        for (const key of staying) store.set(key, '')
        const seen: string[] = []
        let round = 0
        for (const key of store.keys({ reverse })) {
          seen.push(key)
          const around = Number(key.slice(4, 8)) - 50
          for (let number = Math.max(0, around); number < around + 100; number++) {
            if (number % 10 === 0) continue
            if (round % 2 === 0) store.set(name(number), '')
            else store.delete(name(number))
          }
          round++
          if (seen.length > 5000) throw new Error('the iteration does not end')
        }
        const order = reverse ? seen.toReversed() : seen
        expect(order).toEqual([...new Set(order)].toSorted())
        expect(order.filter((key) => staying.includes(key))).toEqual(staying)
      })
    })
  },
)
