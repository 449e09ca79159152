import { expect, it } from 'vitest'
import { checkHistory, type Operation } from './linearizability.ts'

const plain = { thread: 0, value: 0, expected: 0, result: 0 }

function inTurn(...drafts: Partial<Operation>[]): Operation[] {
  return drafts.map((draft, i) => ({ ...plain, name: 'get', called: 2 * i, returned: 2 * i + 1, ...draft }))
}

it('reads 0 as absent, and 0 and 1 as truth', () => {
  const history = inTurn(
    { name: 'get', result: 0 },
    { name: 'setIfAbsent', value: 1, result: 0 },
    { name: 'setIfAbsent', value: 2, result: 1 },
    { name: 'has', result: 1 },
    { name: 'compareAndSet', expected: 1, value: 3, result: 1 },
    { name: 'compareAndSet', expected: 1, value: 4, result: 0 },
    { name: 'update', result: 3, value: 0 },
    { name: 'delete', result: 0 },
    { name: 'set', value: 5 },
    { name: 'get', result: 5 },
    { name: 'delete', result: 1 },
    { name: 'get', result: 0 },
  )
  expect(checkHistory(history)).toMatchObject({ ok: true })
  for (const [i, operation] of history.entries()) {
    if (operation.name === 'set') continue
    const wrong = history.with(i, { ...operation, result: operation.result === 0 ? 1 : 0 })
    expect(checkHistory(wrong)).toMatchObject({ ok: false, undecided: false })
  }
})

it('lets an update whose thread was killed happen or not', () => {
  const history = inTurn({ name: 'set', value: 1 }, { name: 'update', value: 7, returned: Infinity })
  const after = (result: number): Operation => ({ ...plain, name: 'get', result, called: 10, returned: 11 })
  for (const result of [1, 7]) expect(checkHistory([...history, after(result)]).ok).toBe(true)
  expect(checkHistory([...history, after(0)]).ok).toBe(false)
})

it('starts from the value it is told, and gives up when told to', () => {
  expect(checkHistory(inTurn({ result: 5 }), 5).ok).toBe(true)
  expect(checkHistory(inTurn({ result: 0 }), 5).ok).toBe(false)
  expect(checkHistory(inTurn({ result: 0 }, { result: 0 }), 0, 1)).toMatchObject({ ok: false, undecided: true })
})
