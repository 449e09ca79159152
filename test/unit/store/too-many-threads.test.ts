import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { program } from '../../support/crew.ts'
import { openStore, settle } from '../../support/stores.ts'

it('more threads than maxThreads are refused, and a place given back is taken again', async () => {
  const store = openStore({ maxThreads: 4 })
  const waiting: Worker[] = []
  let refusal = ''
  // The store that was opened has a place already, so one of these at the latest is too many.
  for (let i = 0; i < 4 && refusal === ''; i++) {
    const worker = store.spawn(program('attach-and-wait'))
    const [said] = (await once(worker, 'message')) as [string]
    if (said === 'attached') waiting.push(worker)
    else refusal = said
  }
  expect(refusal).toBe('HEDDLE_TOO_MANY_THREADS')
  expect(waiting.length).toBeGreaterThanOrEqual(2)
  store.set('key', 'still works')

  for (let round = 0; round < 3; round++) {
    const leaving = waiting.shift()!
    const gone = once(leaving, 'exit')
    leaving.postMessage('close')
    await gone
    const worker = store.spawn(program('attach-and-wait'))
    expect(await once(worker, 'message')).toEqual(['attached'])
    waiting.push(worker)
  }

  const allGone = Promise.all(waiting.map((worker) => once(worker, 'exit')))
  for (const worker of waiting) worker.postMessage('close')
  await allGone
  expect([...store]).toEqual([['key', 'still works']])
  await settle(store)
  store.close()
})
