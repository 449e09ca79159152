import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { isRaised, listen, park, raise, ring } from '../../../src/memory/parking.ts'
import { pause } from '../../support/stores.ts'

function words(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(64))
}

it('parking ends when nobody rings', () => {
  const bells = words()
  expect(park(bells, 3, listen(bells, 3), 2)).toBe(true)
  expect([...bells]).toEqual(new Array<number>(16).fill(0))
})

it('does not park when somebody rang since it listened', () => {
  const bells = words()
  const heard = listen(bells, 3)
  ring(bells, 3)
  expect(park(bells, 3, heard, 60_000)).toBe(false)
  expect(listen(bells, 3)).not.toBe(heard)
})

it('another bell than the one it listens to does not keep it from parking', () => {
  const bells = words()
  const heard = listen(bells, 3)
  ring(bells, 4)
  expect(park(bells, 3, heard, 2)).toBe(true)
})

it('a ring wakes everyone who is parked on the bell', async () => {
  const bells = words()
  const code = `
    const { parentPort, workerData: bells } = require('node:worker_threads')
    parentPort.postMessage('parking')
    parentPort.postMessage(Atomics.wait(bells, 3, 0, 20_000))
  `
  const sleepers = [0, 1].map(() => new Worker(code, { eval: true, workerData: bells }))
  const woken: unknown[] = []
  for (const sleeper of sleepers) sleeper.on('message', (message) => woken.push(message))
  const ends = sleepers.map((sleeper) => once(sleeper, 'exit'))
  while (woken.length < 2) await pause(1)
  // By now both are about to park; the word itself stays as it was, so only a notification ends their wait.
  await pause(50)
  ring(bells, 3)
  bells[3] = 0
  await Promise.all(ends)
  expect(woken).toEqual(['parking', 'parking', 'ok', 'ok'])
})

it('a raised flag stays raised', () => {
  const flags = words()
  expect(isRaised(flags, 5)).toBe(false)
  raise(flags, 5)
  raise(flags, 5)
  expect(isRaised(flags, 5)).toBe(true)
  expect(isRaised(flags, 4)).toBe(false)
})
