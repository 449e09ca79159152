import { expect, it } from 'vitest'
import { assert, failUseAfterFree } from '../../../src/memory/assert.ts'
import { HeddleError } from '../../../src/memory/error.ts'

function thrownBy(body: () => void): unknown {
  try {
    body()
  } catch (error) {
    return error
  }
  return undefined
}

it('an assertion that holds does nothing, one that does not is an internal error', () => {
  expect(thrownBy(() => assert(true, 'never said'))).toBeUndefined()
  const error = thrownBy(() => assert(false, 'the cat is in the tree'))
  expect(error).toBeInstanceOf(HeddleError)
  expect(error).toMatchObject({ name: 'HeddleError', code: 'HEDDLE_INTERNAL' })
  expect(String(error)).toContain('the cat is in the tree; please report')
})

it('a use after free names the word and what stands there', () => {
  const error = thrownBy(() => failUseAfterFree(4711, 0x0badf00d))
  expect(error).toMatchObject({ name: 'HeddleError', code: 'HEDDLE_USE_AFTER_FREE' })
  expect(String(error)).toContain('word 4711')
  expect(String(error)).toContain('header badf00d')
  expect(String(thrownBy(() => failUseAfterFree(1, -1)))).toContain('header ffffffff')
})
