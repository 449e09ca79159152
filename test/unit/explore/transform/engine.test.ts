import { join, relative, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { crawl, Project } from '../../../../src/explore/transform/index.ts'
import * as language from '../../../../src/explore/language.ts'
import { NativeModules, type Loaded } from './native-modules.ts'
import { scheduler } from './scheduler.ts'

const ROOT = resolve(import.meta.dirname, '../../../..')
const FLOORS = join(ROOT, 'test/unit/tree/engines.ts')

let modules: NativeModules
let engines: Loaded
let files: string[]

beforeAll(async () => {
  modules = new NativeModules(ROOT)
  files = crawl(FLOORS)
  const project = new Project({ files, runtime: modules.runtime })
  for (const file of files) modules.add(file, project.instrument(file).code)
  engines = await modules.load(FLOORS)
})

afterAll(() => {
  modules.remove()
})

test('the engine consists of the files that its imports lead to', () => {
  const shown = files.map((file) => relative(ROOT, file))
  for (const file of ['src/memory/arena.ts', 'src/reclaim/epoch.ts', 'src/log/log.ts', 'src/tree/merge.ts']) {
    expect(shown).toContain(file)
  }
  expect(shown.filter((file) => file.includes('node_modules') || file.includes('src/explore/'))).toEqual([])
})

function work(engine: unknown): unknown {
  const { put, get, remove, entries } = engines
  const found: unknown[] = []
  for (let i = 0; i < 60; i++) put!(engine, `key-${(i * 37) % 60}`, `value ${i}`)
  for (let i = 0; i < 60; i += 3) found.push(remove!(engine, `key-${i}`))
  for (let i = 0; i < 60; i += 7) found.push(get!(engine, `key-${i}`))
  return [found, entries!(engine), entries!(engine, true, 3)]
}

test('operations of the rewritten engine give the right results outside threads', async () => {
  const plain = (await import('../../tree/engines.ts')) as unknown as Loaded
  const rewritten = engines
  engines = plain
  const expected = work(plain.firstEngine!())
  engines = rewritten
  const engine = rewritten.firstEngine!()
  expect(work(engine)).toEqual(expected)
  expect(rewritten.faults!(engine)).toEqual([])
})

/** A call in a virtual thread, which the caller has to run. */
function* called(name: string, ...args: unknown[]): Generator<undefined, unknown, undefined> {
  const given = engines[name]!(...args)
  return language.$is(given) ? yield* given as language.Coroutine : given
}

test('two threads of the rewritten engine, switching at every access, work on one tree', () => {
  const first = engines.firstEngine!() as { arena: unknown; constructor: new (arena: unknown, slot: number) => unknown }
  const second = new first.constructor(first.arena, 2)
  function* thread(engine: unknown, name: string): language.Coroutine {
    for (let i = 0; i < 40; i++) yield* called('put', engine, `${name}-${i}`, `value ${i}`)
    for (let i = 0; i < 40; i += 2) yield* called('remove', engine, `${name}-${i}`)
    return yield* called('get', engine, `${name}-1`)
  }
  scheduler.pauses = 0
  const results = scheduler.run([() => language.$c(thread(first, 'a')), () => language.$c(thread(second, 'b'))])
  expect(results).toEqual([
    { value: 'value 1', error: undefined },
    { value: 'value 1', error: undefined },
  ])
  expect(scheduler.pauses).toBeGreaterThan(1000)
  const entries = engines.entries!(first) as [string, string][]
  expect(entries.length).toBe(40)
  expect(engines.faults!(first)).toEqual([])
})
