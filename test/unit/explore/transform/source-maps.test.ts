import { SourceMap } from 'node:module'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { instrumentSources } from '../../../../src/explore/transform/index.ts'
import * as language from '../../../../src/explore/language.ts'
import { NativeModules } from './native-modules.ts'
import { scheduler } from './scheduler.ts'

let modules: NativeModules
let count = 0

beforeAll(() => {
  modules = new NativeModules('/virtual')
})

afterAll(() => {
  modules.remove()
})

interface Position {
  readonly line: number
  readonly column: number
}

/** The places, in the original, of the frames of an error that belong to the program. */
function framesOf(error: Error, target: string, map: unknown): Position[] {
  const source = new SourceMap(map as never)
  const found: Position[] = []
  for (const line of error.stack!.split('\n')) {
    const match = line.includes(target) ? /:(\d+):(\d+)\)?$/.exec(line) : null
    if (!match) continue
    const entry = source.findEntry(Number(match[1]) - 1, Number(match[2]) - 1) as {
      originalLine: number
      originalColumn: number
    }
    found.push({ line: entry.originalLine + 1, column: entry.originalColumn + 1 })
  }
  return found
}

const PRELUDE = `const S = new Int32Array(new SharedArrayBuffer(64))
export function p<T>(value: T): T { Atomics.load(S, 0); return value }
`

/** Runs `main` of a program that throws, in a thread. @returns where its error was thrown */
async function thrownAt(program: string, inThread: boolean): Promise<Position> {
  const path = `/virtual/program-${++count}.ts`
  const [module] = instrumentSources([{ id: path, code: PRELUDE + program }], { runtime: modules.runtime })
  expect(module!.map.sources).toEqual([path])
  expect(module!.map.sourcesContent).toEqual([PRELUDE + program])
  modules.add(path, module!.code)
  const { main } = await modules.load(path)
  let error: unknown
  if (inThread) error = scheduler.run([main!])[0]!.error!.thrown
  else {
    language.forget()
    try {
      main!()
    } catch (thrown) {
      error = thrown
    }
  }
  return framesOf(error as Error, modules.target(path), module!.map)[0]!
}

const at = (program: string, mark: string): Position => {
  const before = (PRELUDE + program).slice(0, PRELUDE.length + program.indexOf(mark))
  return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') }
}

test.each([
  ['a throw in a coroutine', 'export function main(): void {\n  p(1)\n  throw new Error("x")\n}', 'new Error'],
  [
    'after types',
    'interface A { a: number }\nexport function main(a: A | undefined): number {\n  p(1)\n  return (a as A).a + 1\n}',
    'a + 1',
  ],
  [
    'in an arrow',
    'const f = (a: number): number => {\n  p(a)\n  throw new Error("x")\n}\nexport const main = () => f(1)',
    'new Error',
  ],
  [
    'in a method',
    'class C { private n = 1; m(): void { p(1); this.fail() }\n  fail(): never {\n    throw new Error("x") } }\nexport const main = () => new C().m()',
    'new Error',
  ],
  [
    'in a constructor',
    'class C {\n  constructor(readonly n: number) {\n    p(n)\n    throw new Error("x")\n  }\n}\nexport const main = () => new C(1)',
    'new Error',
  ],
  [
    'in a loop',
    'export function main(): void {\n  for (const x of [1, 2]) {\n    p(x)\n    if (x === 2) throw new Error("x")\n  }\n}',
    'new Error',
  ],
  [
    'an element of nothing',
    'export function main(): void {\n  const words = p(undefined as unknown as Int32Array)\n  const value =\n    words[1]\n}',
    'words[1]',
  ],
  [
    'an assignment to an element of nothing',
    'export function main(): void {\n  const words = p(null as never as number[])\n  p(1); words[1] = 2\n}',
    'words[1] = 2',
  ],
  ['a call of nothing', 'export function main(): void {\n  const o: any = p({})\n  o.missing()\n}', 'missing()'],
  [
    'in a callback',
    'export function main() {\n  return [1].map((x: number) => {\n    p(x)\n    throw new Error("x")\n  })\n}',
    'new Error',
  ],
])('%s', async (_name, program, mark) => {
  expect(await thrownAt(program, false)).toEqual(at(program, mark))
  expect(await thrownAt(program, true)).toEqual(at(program, mark))
})
