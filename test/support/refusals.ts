import { expect } from 'vitest'
import { HeddleError, type Store } from '../../src/index.ts'

/** Calls what must be refused, and gives the error, which must be typed and must be more than a word long. */
export function refused(call: () => unknown, code: string | readonly string[]): HeddleError {
  let thrown: unknown
  try {
    call()
  } catch (error) {
    thrown = error
  }
  expect(thrown, 'the call was not refused').toBeInstanceOf(HeddleError)
  const error = thrown as HeddleError
  expect(typeof code === 'string' ? [code] : code).toContain(error.code)
  expect(error.message.split(' ').length, error.message).toBeGreaterThan(3)
  return error
}

/** Calls what must be refused, and checks that the store holds just what it held. */
export function refusedWithoutTrace<K, V>(store: Store<K, V>, call: () => unknown, code: string): HeddleError {
  const before = [...store]
  const error = refused(call, code)
  expect([...store]).toEqual(before)
  expect(store.size).toBe(before.length)
  return error
}

/** What a call throws, whatever it is. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

/** Checks that an error is the one thrown by a callback, as it is or as the cause of a typed one. */
export function expectFrom(thrown: unknown, original: Error): void {
  if (thrown === original) return
  expect(thrown).toBeInstanceOf(HeddleError)
  expect((thrown as HeddleError).cause).toBe(original)
}
