/** The tools on directories that `open({ path })` wrote, and `open({ path })` on directories that the tools wrote. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { open, type OpenOptions, type Store } from '../../../src/index.ts'
import { backupStore } from '../../../src/lsm/backup.ts'
import { compactDirectory } from '../../../src/lsm/directory-compact.ts'
import { DirectoryReader } from '../../../src/lsm/directory-reader.ts'
import { verifyDirectory } from '../../../src/lsm/directory-verify.ts'
import { openForReading, openForWriting } from '../../../src/lsm/offline.ts'
import { contentsOf } from '../../support/made-store.ts'
import { MIB, pause } from '../../support/stores.ts'
import { heddle } from './run-cli.ts'

let root = ''
let dir = ''
const stores: Store[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'heddle-tools-'))
  dir = join(root, 'store')
})
afterEach(() => {
  for (const store of stores.splice(0)) store.close()
  rmSync(root, { recursive: true })
})

const SMALL = {
  memtable: { entries: 100, bytes: 16_384 },
  tuning: { levelZeroTables: 2, levelOneBytes: 8192, tableBytes: 4096 },
} as const

function opened(path: string, options: OpenOptions<'utf8', 'utf8'> = {}): Store {
  const store = open<'utf8', 'utf8'>({ path, memory: 16 * MIB, cleaner: false, ...options })
  stores.push(store)
  return store
}

/** A store with flushes, compactions, deletes, batches and values of every size; closed. Its entries. */
async function makeStore(options: OpenOptions<'utf8', 'utf8'> = SMALL): Promise<[string, string][]> {
  const store = opened(dir, options)
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 600; i++) store.set(`key${(i * 7 + round) % 900}`, `value ${i} of ${round}`)
    for (let i = 0; i < 600; i += 5) store.delete(`key${i}`)
    await store.flush()
  }
  store.batch([
    { type: 'set', key: 'ä', value: 'ö' },
    { type: 'delete', key: 'key1' },
    { type: 'set', key: 'long', value: 'x'.repeat(20_000) },
  ])
  // Time for the threads in the background to make tables of it.
  await pause(300)
  store.set('last', 'in the log')
  const entries = [...store]
  store.close()
  return entries
}

const contents = (path: string): [string, string][] => {
  const from = openForReading(path)
  const latin1 = [...contentsOf(from.disk)]
  from.close()
  return latin1.map((pair) => pair.map((text) => Buffer.from(text, 'latin1').toString()) as [string, string])
}

function wrongIn(path: string): readonly unknown[] {
  const from = openForReading(path)
  const { wrong } = verifyDirectory(from.disk)
  from.close()
  return wrong
}

test('a store that was written to is sound, and a dump has its entries', async () => {
  const entries = await makeStore()
  expect(wrongIn(dir)).toEqual([])
  expect(contents(dir)).toEqual(entries)
  const { out } = await heddle(['dump', dir])
  expect(
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual(entries.map(([key, value]) => ({ key, value })))
})

test('a store whose log was never flushed, or is compressed', async () => {
  const entries = await makeStore({})
  expect(wrongIn(dir)).toEqual([])
  expect(contents(dir)).toEqual(entries)
  dir = join(root, 'other')
  const others = await makeStore({ ...SMALL, compression: 'deflate' })
  expect(wrongIn(dir)).toEqual([])
  expect(contents(dir)).toEqual(others)
})

test('a store that is open is refused', () => {
  const store = opened(dir)
  store.set('a', '1')
  expect(() => openForReading(dir)).toThrow('in use by another process or thread')
})

test('a compacted directory opens, goes on, and is sound afterwards', async () => {
  const entries = await makeStore()
  const offline = openForWriting(dir)
  compactDirectory(DirectoryReader.open(offline.disk)!, { tableBytes: 4096 })
  offline.close()
  expect(wrongIn(dir)).toEqual([])
  const store = opened(dir, SMALL)
  expect([...store]).toEqual(entries)
  for (let i = 0; i < 500; i++) store.set(`after${i}`, `${i}`)
  store.delete('last')
  await store.flush()
  const after = [...store]
  store.close()
  expect(wrongIn(dir)).toEqual([])
  expect([...opened(dir, SMALL)]).toEqual(after)
})

test('a backup opens, goes on, and leaves the first store alone', async () => {
  const entries = await makeStore()
  const target = join(root, 'copy')
  const [from, to] = [openForReading(dir), openForWriting(target)]
  const { manifest, chain } = DirectoryReader.open(from.disk)!
  backupStore(from.disk, to.disk, { manifest, logs: chain.map(({ id }) => id) })
  from.close()
  to.close()
  const copy = opened(target, SMALL)
  expect([...copy]).toEqual(entries)
  copy.set('only', 'here')
  copy.close()
  expect(wrongIn(target)).toEqual([])
  expect([...opened(target, SMALL)]).toHaveLength(entries.length + 1)
  expect([...opened(dir, SMALL)]).toEqual(entries)
})

test('a loaded directory opens with its codecs, and only with them', async () => {
  const entries = await makeStore()
  const file = join(root, 'all.jsonl')
  expect((await heddle(['dump', dir, '--out', file])).code).toBe(0)
  const [target, numbers] = [join(root, 'loaded'), join(root, 'json')]
  const loads = [heddle(['load', target, file]), heddle(['load', numbers, file, '--values', 'json'])]
  for (const { code, err } of await Promise.all(loads)) expect({ code, err }).toEqual({ code: 0, err: '' })
  const store = opened(target, SMALL)
  expect([...store]).toEqual(entries)
  store.set('more', '1')
  store.close()
  expect(wrongIn(target)).toEqual([])
  expect([...opened(target, SMALL)]).toHaveLength(entries.length + 1)
  expect(() => opened(numbers)).toThrow('open it so')
})

test('loading into a store that open wrote', async () => {
  const entries = await makeStore()
  const file = join(root, 'some.jsonl')
  expect((await heddle(['dump', dir, '--limit', '3', '--out', file])).code).toBe(0)
  const store = opened(dir, SMALL)
  for (const [key] of entries.slice(0, 5)) store.delete(key)
  store.close()
  expect((await heddle(['load', dir, file, '--into'])).code).toBe(0)
  expect([...opened(dir, SMALL)]).toEqual([...entries.slice(0, 3), ...entries.slice(5)])
})
