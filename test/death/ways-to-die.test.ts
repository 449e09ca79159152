import { describe, expect, it } from 'vitest'
import { program } from '../support/crew.ts'
import { MIB, openStore, settle, tiny } from '../support/stores.ts'

const ways = [
  { way: 'process.exit()', exitCode: 3, error: undefined },
  { way: 'process.exit() in an update', exitCode: 3, error: undefined },
  { way: 'an uncaught exception', exitCode: 1, error: 'not caught on purpose' },
  { way: 'an exception from an update', exitCode: 1, error: 'thrown from an update on purpose' },
  { way: 'a rejected promise', exitCode: 1, error: 'not handled on purpose' },
  { way: 'simply ending without close()', exitCode: 0, error: undefined },
  { way: 'terminate() in an update', exitCode: 1, error: undefined },
  { way: 'terminate() while it waits', exitCode: 1, error: undefined },
]

describe('a worker that dies leaves nothing behind', () => {
  it.each(ways)('by $way', async ({ way, exitCode, error }) => {
    const store = openStore({ memory: 8 * MIB, tuning: tiny, maxThreads: 2 })
    // More deaths than places for threads: the place must come back.
    for (let round = 0; round < 3; round++) {
      const worker = store.spawn(program('die'), { workerData: { way, name: `worker ${round}` } })
      const errors: string[] = []
      worker.on('error', (thrown: Error) => errors.push(thrown.message))
      const exit = new Promise<number>((resolve) => worker.once('exit', resolve))
      const said = new Promise((resolve) => worker.once('message', resolve))
      await Promise.race([said, exit])
      if (way.startsWith('terminate()')) await worker.terminate()
      expect(await exit).toBe(exitCode)
      expect(errors).toEqual(error === undefined ? [] : [error])
      expect(store.get(`died by ${way}`)).toBe(`worker ${round}`)
      await settle(store)
    }
    expect(store.has('thrown')).toBe(false)
    expect(store.has('left')).toBe(false)
    expect(store.has('hung')).toBe(false)

    store.clear()
    await settle(store)
    store.close()
  })
})
