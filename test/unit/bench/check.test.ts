import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { checkAnswers } from '../../../bench/check.ts'
import { findEntry, loadEngine } from '../../../bench/engines/catalog.ts'
import { type Engine, KEY_KINDS, type KeyKind, type Key, type Setting } from '../../../bench/engines/engine.ts'
import { keyBytesOf } from '../../../bench/workloads/keys.ts'

const directory = mkdtempSync(join(tmpdir(), 'heddle-test-bench-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function settingOf(keys: KeyKind): Setting {
  return {
    keys,
    keyBytes: keyBytesOf(keys),
    valueBytes: 40,
    records: 1000,
    capacity: 2000,
    memoryBytes: null,
    directory: mkdtempSync(join(directory, 'engine-')),
  }
}

// Only engines whose packages the project has itself. The others are checked whenever they are measured.
const CHECKED = ['heddle', 'heddle-group', 'map', 'map-port', 'map-port-batch', 'lmdb', 'lmdb-single', 'lmdb-async']

test.each(CHECKED.flatMap((name) => KEY_KINDS.map((keys) => [name, keys] as const)))(
  '%s with %s keys answers right, or says that it cannot',
  async (name, keys) => {
    const engine = await loadEngine(name)
    const setting = settingOf(keys)
    if (engine.refusal?.(setting) === undefined) await checkAnswers(engine, setting, findEntry(name).threads === 'many')
    else expect([name.startsWith('map'), keys]).toEqual([true, 'binary'])
  },
)

test('heddle that syncs each write is loaded by batches, however little memory it has', async () => {
  const engine = await loadEngine('heddle-sync')
  const setting = { ...settingOf('string'), memoryBytes: 1 }
  const shared = await engine.open(setting)
  const session = await engine.attach(shared.share().data, setting)
  expect(session.batch).toBe(0)
  session.bulk!(true)
  expect(session.batch).toBeGreaterThan(10)
  const value = session.prepare(Buffer.alloc(40))
  const keys = Array.from({ length: session.batch }, (_, i) => `key ${i}`)
  for (const key of keys) session.set(key, value)
  expect(await session.lookup(keys[0])).toBeUndefined()
  await session.flush!()
  for (const key of keys) expect(await session.lookup(key)).toHaveLength(40)
  session.bulk!(false)
  expect(session.batch).toBe(0)
  session.set('alone', value)
  expect(await session.lookup('alone')).toHaveLength(40)
  await session.close()
  await shared.close()
})

type Fault = 'forgets a delete' | 'keeps the first value' | 'scans one too few' | 'disorder'

/** A Map that does one thing wrong. */
function faulty(fault: Fault | undefined): Engine {
  const map = new Map<Key, Buffer>()
  const list = (from: Key | undefined, limit: number): [Key, Buffer][] => {
    const keys = [...map.keys()].filter((key) => from === undefined || key >= from).sort()
    if (fault === 'disorder') keys.reverse()
    return keys.slice(0, limit).map((key) => [key, map.get(key)!])
  }
  const session = {
    deferred: new Set<never>(),
    batch: 0,
    entries: 0,
    prepare: (value: Buffer) => value,
    read: (key: Key) => map.get(key)?.length ?? 0,
    set(key: Key, value: unknown) {
      if (fault !== 'keeps the first value' || !map.has(key)) map.set(key, value as Buffer)
    },
    delete(key: Key) {
      if (fault !== 'forgets a delete') map.delete(key)
    },
    scan(from: Key | undefined, limit: number) {
      session.entries += list(from, limit).length - (fault === 'scans one too few' ? 1 : 0)
    },
    lookup: (key: Key) => map.get(key),
    list,
    close: () => undefined,
  }
  return { open: () => ({ share: () => ({ data: null }), close: () => undefined }), attach: () => session }
}

test.each<Fault>(['forgets a delete', 'keeps the first value', 'scans one too few', 'disorder'])(
  'an engine that %s is found out',
  async (fault) => {
    await expect(checkAnswers(faulty(fault), settingOf('string'), false)).rejects.toThrow('wrong answer')
  },
)

test('one that does nothing wrong is not', async () => {
  await checkAnswers(faulty(undefined), settingOf('string'), false)
})
