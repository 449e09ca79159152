import ts from 'typescript'
import { expect, test } from 'vitest'
import { floorOf, isTypeScript, parse, place, projectFiles, visit, type SourceFile } from './source-files.ts'

/** The floors every operation passes through: plain loops, no promises, no closures made per call. */
const HOT = ['memory', 'reclaim', 'log', 'pagecache', 'tree']

const ARRAY_BUILTINS = [
  'every',
  'filter',
  'find',
  'findIndex',
  'findLast',
  'findLastIndex',
  'flatMap',
  'forEach',
  'from',
  'map',
  'reduce',
  'reduceRight',
  'some',
  'sort',
  'toSorted',
]

/** Names the file gives to functions of its own: passing one is passing a callback, but passing a key is not. */
function functionNames(tree: ts.SourceFile): Set<string> {
  const names = new Set<string>()
  visit(tree, (node) => {
    if (ts.isFunctionDeclaration(node) && node.name !== undefined) names.add(node.name.text)
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && isFunction(node.initializer)) {
      names.add(node.name.text)
    }
  })
  return names
}

function isFunction(node: ts.Node | undefined): boolean {
  return node !== undefined && (ts.isArrowFunction(node) || ts.isFunctionExpression(node))
}

function isAsync(node: ts.Node): boolean {
  if (ts.isForOfStatement(node)) return node.awaitModifier !== undefined
  if (ts.isAwaitExpression(node)) return true
  if (!ts.isFunctionLike(node) || !ts.canHaveModifiers(node)) return false
  return ts.getModifiers(node)?.some((modifier) => modifier.kind === ts.SyntaxKind.AsyncKeyword) ?? false
}

function checkHotPath(files: readonly SourceFile[]): string[] {
  const problems: string[] = []
  for (const file of files) {
    const floor = floorOf(file.path)
    if (!isTypeScript(file) || floor === undefined || !HOT.includes(floor)) continue
    const tree = parse(file)
    const functions = functionNames(tree)
    const isCallback = (node: ts.Node) => isFunction(node) || (ts.isIdentifier(node) && functions.has(node.text))
    visit(tree, (node) => {
      if (isAsync(node)) problems.push(`${place(file, node)} is asynchronous`)
      if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return
      const name = node.expression.name.text
      if (ARRAY_BUILTINS.includes(name) && node.arguments.some(isCallback)) {
        problems.push(`${place(file, node.expression.name)} passes a callback to .${name}()`)
      }
    })
  }
  return problems
}

test('the hot floors use plain loops and no promises', () => {
  expect(checkHotPath(projectFiles('src'))).toEqual([])
})

test.each([
  'async function f() {}',
  'const f = async () => {}',
  'class C { async f() {} }',
  'await f()',
  'for await (const x of xs) step(x)',
  'xs.forEach((x) => step(x))',
  'xs?.map((x) => x + 1)',
  'xs.sort(function (a, b) { return a - b })',
  'xs.reduce((sum, x) => sum + x, 0)',
  'Array.from(xs, (x) => x + 1)',
  'function f(x) {}\nxs.forEach(f)',
  'const f = (x) => x\nxs.some(f)',
])('refused: %s', (text) => {
  expect(checkHotPath([{ path: 'src/tree/a.ts', text }])).toHaveLength(1)
  expect(checkHotPath([{ path: 'src/store/a.ts', text }])).toEqual([])
})

test.each(['tree.find(key)', 'words.sort()', 'for (const x of xs) step(x)', 'visitAll((x) => step(x))'])(
  'accepted: %s',
  (text) => {
    expect(checkHotPath([{ path: 'src/tree/a.ts', text }])).toEqual([])
  },
)
