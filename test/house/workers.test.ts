import ts from 'typescript'
import { expect, test } from 'vitest'
import { parse, place, projectFiles, type SourceFile } from './source-files.ts'

/** V8 may end the whole process when a thread is terminated while a module with a top-level await is evaluated. */
function topLevelAwaits(file: SourceFile): string[] {
  const found: string[] = []
  const look = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) return
    if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined)) {
      found.push(`${place(file, node)} awaits at the top level`)
    }
    ts.forEachChild(node, look)
  }
  look(parse(file))
  return found
}

const FOLDERS = ['workers/', 'test/support/workers/']

test('threads that may be terminated at any moment have no top-level await', () => {
  const files = projectFiles('workers', 'test').filter(({ path }) => FOLDERS.some((folder) => path.startsWith(folder)))
  for (const folder of FOLDERS) expect(files.filter(({ path }) => path.startsWith(folder)).length).toBeGreaterThan(5)
  expect(files.flatMap(topLevelAwaits)).toEqual([])
})

test('a top-level await is found wherever it stands, and others are left alone', () => {
  const text = [
    'if (ready) await start()',
    'for await (const one of all) use(one)',
    'const f = async () => await start()',
    'class A { async m() { for await (const one of all) await use(one) } }',
    'void start()',
  ].join('\n')
  const found = topLevelAwaits({ path: 'workers/sample.ts', text })
  expect(found.map((line) => /:(\d+)/.exec(line)?.[1])).toEqual(['1', '2'])
})
