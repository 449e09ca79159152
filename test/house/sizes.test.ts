import ts from 'typescript'
import { expect, test } from 'vitest'
import { isTypeScript, parse, place, projectFiles, visit, type SourceFile } from './source-files.ts'

const FILE_LINES = 450
const FUNCTION_LINES = 80

type FunctionWithBody = ts.FunctionLikeDeclaration & { readonly body: ts.Node }

function hasBody(node: ts.Node): node is FunctionWithBody {
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined
}

function nameOf(node: FunctionWithBody): string {
  if (ts.isConstructorDeclaration(node)) return 'constructor'
  if (node.name !== undefined) return node.name.getText()
  const holder = node.parent
  if ((ts.isVariableDeclaration(holder) || ts.isPropertyAssignment(holder)) && holder.initializer === node) {
    return holder.name.getText()
  }
  return '(anonymous)'
}

function linesOf(text: string): number {
  const lines = text.split('\n').length
  return text.endsWith('\n') ? lines - 1 : lines
}

function checkFileSizes(files: readonly SourceFile[]): string[] {
  const problems: string[] = []
  for (const file of files) {
    if (isTypeScript(file) && linesOf(file.text) > FILE_LINES) problems.push(`${file.path} ${linesOf(file.text)} lines`)
  }
  return problems
}

function checkFunctionSizes(files: readonly SourceFile[]): string[] {
  const problems: string[] = []
  for (const file of files) {
    if (!isTypeScript(file)) continue
    const tree = parse(file)
    visit(tree, (node) => {
      if (!hasBody(node)) return
      const first = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line
      const length = tree.getLineAndCharacterOfPosition(node.end).line - first + 1
      if (length > FUNCTION_LINES) problems.push(`${place(file, node)} ${nameOf(node)} ${length} lines`)
    })
  }
  return problems
}

test(`no file is longer than ${FILE_LINES} lines`, () => {
  expect(checkFileSizes(projectFiles('src', 'workers'))).toEqual([])
})

test(`no function is longer than ${FUNCTION_LINES} lines`, () => {
  expect(checkFunctionSizes(projectFiles('src', 'workers'))).toEqual([])
})

test('a long file is reported', () => {
  const text = 'let x\n'.repeat(FILE_LINES)
  expect(checkFileSizes([{ path: 'src/tree/a.ts', text }])).toEqual([])
  expect(checkFileSizes([{ path: 'src/tree/a.ts', text: text + 'let y\n' }])).toEqual(['src/tree/a.ts 451 lines'])
})

test.each([
  ['a function', 'long', 'function long() {\n', '}'],
  ['an arrow function', 'long', 'const long = () => {\n', '}'],
  ['a method', 'long', 'class C { long() {\n', '} }'],
  ['a constructor', 'constructor', 'class C { constructor() {\n', '} }'],
  ['a callback', '(anonymous)', 'go(() => {\n', '})'],
])('%s that is too long is reported', (_what, name, opening, closing) => {
  const body = '  step()\n'.repeat(FUNCTION_LINES - 2)
  const path = 'src/tree/a.ts'
  expect(checkFunctionSizes([{ path, text: `\n${opening}${body}${closing}` }])).toEqual([])
  const problems = checkFunctionSizes([{ path, text: `\n${opening}${body}  step()\n${closing}` }])
  expect(problems).toEqual([`src/tree/a.ts:2 ${name} 81 lines`])
})
