/** `store.backup(directory)`: a copy of what is durable while others go on writing. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { open, type OpenOptions, type Store } from '../../../src/index.ts'
import { newGate, program, reportOf, stop } from '../../support/crew.ts'
import { MIB, assertWhole, pause } from '../../support/stores.ts'

let root = ''
const stores: Store[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'heddle-backup-'))
})
afterEach(() => {
  for (const store of stores.splice(0)) store.close()
  rmSync(root, { recursive: true })
})

function opened(name: string, options: OpenOptions<'utf8', 'utf8'> = {}): Store {
  const store = open<'utf8', 'utf8'>({ path: join(root, name), memory: 16 * MIB, cleaner: false, ...options })
  stores.push(store)
  return store
}

const small = {
  memtable: { entries: 100, bytes: 16_384 },
  tuning: { levelZeroTables: 2, levelOneBytes: 8192 },
} as const

it('has everything that was done before the call', async () => {
  const store = opened('original', { durability: 'none' })
  for (let i = 0; i < 500; i++) store.set(`key ${i % 300}`, `value ${i}`)
  store.delete('key 7')
  const entries = [...store]
  const seen: number[] = []
  const report = await store.backup(join(root, 'copy'), { onProgress: (bytes) => seen.push(bytes) })
  expect(report.copied).toBeGreaterThan(0)
  expect(report.logs).toBeGreaterThan(0)
  const copy = opened('copy')
  expect([...copy]).toEqual(entries)
  copy.set('only', 'there')
  expect(store.get('only')).toBeUndefined()
})

it(
  'has a prefix of what workers write meanwhile, batches whole, and the store goes on',
  { timeout: 60_000 },
  async () => {
    const store = opened('original', { ...small, memory: 32 * MIB })
    const gates = [newGate(1), newGate(1)]
    const workers = gates.map((gate, thread) =>
      reportOf<number>(store.spawn(program('count-up'), { workerData: { gate, thread } })),
    )
    const copies: string[] = []
    const before: number[] = []
    for (let i = 0; i < 4; i++) {
      while (Number(store.get('0:left') ?? 0) < (before.at(-1) ?? 0) + 50) await pause(5)
      before.push(Number(store.get('0:left')))
      copies.push(`copy ${i}`)
      await store.backup(join(root, `copy ${i}`), { link: i % 2 === 1 })
    }
    const flushes = store.stats().flushes
    gates.forEach(stop)
    const done = (await Promise.all(workers)).map((report) => ('result' in report ? report.result : -1))
    expect(flushes).toBeGreaterThan(2)
    for (const [i, name] of copies.entries()) {
      const copy = opened(name, { memory: 32 * MIB })
      assertWhole(copy)
      for (const thread of [0, 1]) {
        const keys = [...copy.keys({ prefix: `${thread}/` })]
        expect(keys).toEqual(keys.map((_, at) => `${thread}/${String(at).padStart(8, '0')}`))
        const left = copy.get(`${thread}:left`)
        expect(copy.get(`${thread}:right`)).toBe(left)
        expect(keys.length - Number(left ?? -1)).toBeOneOf([1, 2])
        if (thread === 0) expect(keys.length).toBeGreaterThan(before[i]!)
        expect(keys.length).toBeLessThanOrEqual(done[thread]!)
      }
      copy.close()
    }
  },
)

it('is refused in a directory that has a store, or is open, and for a store in memory; nothing is left then', async () => {
  const store = opened('original')
  store.set('a', '1')
  opened('other')
  await expect(store.backup(join(root, 'other'))).rejects.toMatchObject({ code: 'HEDDLE_LOCKED' })
  stores.pop()!.close()
  const files = readdirSync(join(root, 'other')).sort()
  await expect(store.backup(join(root, 'other'))).rejects.toMatchObject({ code: 'HEDDLE_INVALID_OPTION' })
  expect(readdirSync(join(root, 'other')).sort()).toEqual(files)
  const inMemory = open()
  stores.push(inMemory as Store)
  await expect(inMemory.backup(join(root, 'none'))).rejects.toMatchObject({ code: 'HEDDLE_INVALID_OPTION' })
  expect(readdirSync(root).sort()).toEqual(['original', 'other'])
})
