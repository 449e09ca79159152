import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { crawl, instrumentSources, Project } from '../../../../src/explore/transform/index.ts'
import * as language from '../../../../src/explore/language.ts'
import { NativeModules } from './native-modules.ts'
import { scheduler } from './scheduler.ts'

const FILES: Readonly<Record<string, string>> = {
  'main.ts': `import { a } from './a.js'\nimport type { T } from './types.ts'\nimport { type U } from './more-types.ts'\nexport * from './folder'\nimport fs from 'node:fs'\nimport 'package'\nexport const x: T & U = a`,
  'a.ts': `export { b as a } from './b.mjs'\nexport type { T } from './types.ts'`,
  'b.mts': `import './side-effect.js'\nimport './main.ts'\nexport const b = 1`,
  'side-effect.js': `export {}\nconst lazy = () => import('./lazy.js')`,
  'folder/index.ts': `import json from '../data.json' with { type: 'json' }\nimport '../node_modules/package/index.js'`,
  'types.ts': 'export type T = 1',
  'more-types.ts': 'export type U = 1',
  'lazy.js': '',
  'data.json': '{}',
  'node_modules/package/index.js': '',
}

let folder: string

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'heddle-crawl-')))
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

test('a program is the entry and what it reaches by static relative imports of more than types', () => {
  const found = crawl(join(folder, 'main.ts')).map((path) => relative(folder, path))
  expect(found[0]).toBe('main.ts')
  expect(found.sort()).toEqual(['a.ts', 'b.mts', 'folder/index.ts', 'main.ts', 'side-effect.js'])
})

test('a project knows its files, and takes their text as it is given', () => {
  const path = join(folder, 'b.mts')
  const project = new Project({ files: [path], runtime: 'runtime' })
  expect(project.has(path)).toBe(true)
  expect(project.has(join(folder, 'a.ts'))).toBe(false)
  expect(project.instrument(path).code).not.toContain('$pre')
  expect(project.instrument(path, 'export const b = (v: Int32Array) => Atomics.load(v, 0)').code).toContain('$pre')
  expect(() => project.instrument(join(folder, 'a.ts'))).toThrow(/not a file of the project/)
})

const MODULES: Readonly<Record<string, string>> = {
  'base.js': `
const S = new Int32Array(new SharedArrayBuffer(64))
export default function pause(x) { Atomics.load(S, 0); return x }
export const renamed = (x) => pause(x) + 1
export let changing = renamed
export class Base { constructor(a) { this.a = pause(a) } twice() { return pause(this.a) * 2 } get half() { return pause(this.a) / 2 } }
export const table = { run: (x) => pause(x) * 3 }`,
  'middle.js': `
export { default as fromDefault, renamed as again, table } from './base.js'
export * from './base.js'
import anything, * as all from './base.js'
export class Derived extends all.Base { b = 1; twice() { return super.twice() + anything(this.b) } }
export const viaNamespace = (x) => all.renamed(x)
export function hand(f, x) { return f(x) }`,
  'main.js': `
import { fromDefault as d, again, changing, table, Base as B, Derived, viaNamespace, hand } from './middle.js'
const { run } = table
export function main() {
  const o = new Derived(5)
  return [d(1), again(2), changing(3), run(4), table.run(5), new B(6).a, o.a, o.b, o.twice(), o.half, viaNamespace(7), hand(again, 8), hand((x) => x, 9)]
}`,
}

test('what may pause is known across files, by whatever name', async () => {
  const modules = new NativeModules('/virtual')
  try {
    const given = Object.entries(MODULES).map(([name, code]) => ({ id: `/virtual/${name}`, code }))
    for (const { id, code } of instrumentSources(given, { runtime: modules.runtime })) modules.add(id, code)
    const { main } = await modules.load('/virtual/main.js')
    const expected = [1, 3, 4, 12, 15, 6, 5, 1, 11, 2.5, 8, 9, 9]
    language.forget()
    expect(main!()).toEqual(expected)
    scheduler.pauses = 0
    expect(scheduler.run([main!, main!])).toEqual([
      { value: expected, error: undefined },
      { value: expected, error: undefined },
    ])
    expect(scheduler.pauses).toBeGreaterThan(20)
  } finally {
    modules.remove()
  }
})

test('a function that cannot pause stays what it is', () => {
  const code =
    'export function f(a) { return g(a) + 1 }\nconst g = (a) => a * 2\nexport class C { m(a) { return a } }\n'
  expect(instrumentSources([{ id: '/virtual/a.js', code }], { runtime: 'runtime' })[0]!.code).toBe(code)
})
