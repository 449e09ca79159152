import { expect, it } from 'vitest'
import { dieAt, everyStep, hookAtomics, interruptAt } from './atomics-hook.ts'

const words = new Int32Array(new SharedArrayBuffer(16))

it('counts every access of the body and none of its own', () => {
  const seen: string[] = []
  hookAtomics(
    (call, name) => {
      seen.push(`${call} ${name} ${Atomics.load(words, 0)}`)
    },
    () => {
      Atomics.store(words, 0, 7)
      Atomics.compareExchange(words, 0, 7, 8)
      Atomics.load(words, 1)
    },
  )
  expect(seen).toEqual(['1 store 0', '2 compareExchange 7', '3 load 8'])
  Atomics.store(words, 0, 0)
  expect(seen).toHaveLength(3)
})

it('the dead do nothing more, not even on their way out', () => {
  const ends = everyStep((step) => {
    words.fill(0)
    const died = dieAt(step, () => {
      try {
        Atomics.add(words, 0, 1)
        Atomics.add(words, 0, 1)
      } finally {
        Atomics.add(words, 1, 1)
      }
    })
    expect([...words]).toEqual([step - 1 > 2 ? 2 : step - 1, died ? 0 : 1, 0, 0])
    return died
  })
  expect(ends).toBe(3)
})

it('the other runs to its end right before the step', () => {
  words.fill(0)
  const reached = interruptAt(
    2,
    () => {
      Atomics.store(words, 0, 1)
      Atomics.store(words, 1, Atomics.load(words, 0))
    },
    () => void Atomics.store(words, 0, 5),
  )
  expect(reached).toBe(true)
  expect([...words]).toEqual([5, 5, 0, 0])
  expect(interruptAt(9, () => void Atomics.load(words, 0), expect.unreachable)).toBe(false)
})

it('errors come through, and the hook is gone afterwards', () => {
  const { load } = Atomics
  const failing = (): void => {
    throw new Error('of the body')
  }
  expect(() => dieAt(3, failing)).toThrow('of the body')
  expect(() => interruptAt(1, () => void Atomics.load(words, 0), failing)).toThrow('of the body')
  expect(Atomics.load).toBe(load)
})
