import { posix } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { floorOf, isTypeScript, parse, place, projectFiles, topFolder, visit, type SourceFile } from './source-files.ts'

/** Bottom floor first. A file may import from its own floor and from those below it. */
const FLOORS = ['memory', 'reclaim', 'log', 'pagecache', 'tree', 'lsm', 'store', 'adapters', 'cli']

/** Floors that know nothing but the shared memory: no builtin of Node, no package. */
const PURE = ['memory', 'reclaim', 'log', 'pagecache', 'tree']

/** The schedule explorer stands beside the building: it may use memory, and nothing may use it but its own command and worker. */
const EXPLORER = 'explore'
const EXPLORE_COMMAND = /^(?:src\/cli\/explore(?:\.ts$|\/)|workers\/explore\.ts$)/

/** What the explorer's transform is made with: peers that only those install who explore. */
const TRANSFORM = 'src/explore/transform/'
const TRANSFORM_PACKAGES = ['oxc-parser', 'oxc-transform', '@jridgewell/remapping']

/** The public door, standing right above the store. */
const INDEX = 'src/index.ts'
const INDEX_MAY_USE = ['store', 'memory']

function specifierOf(node: ts.Node): ts.StringLiteralLike | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return node.moduleSpecifier && ts.isStringLiteralLike(node.moduleSpecifier) ? node.moduleSpecifier : undefined
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const first = node.arguments[0]
    return first && ts.isStringLiteralLike(first) ? first : undefined
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return ts.isStringLiteralLike(node.argument.literal) ? node.argument.literal : undefined
  }
  return undefined
}

function refusalOfOutside(from: SourceFile, specifier: string): string | undefined {
  const floor = floorOf(from.path)
  if (floor !== undefined && PURE.includes(floor)) return `src/${floor} is pure and imports nothing from outside`
  if (from.path.startsWith(TRANSFORM) && TRANSFORM_PACKAGES.includes(specifier)) return undefined
  if (!specifier.startsWith('node:')) return 'the package has no runtime dependencies (write builtins as node:name)'
  return undefined
}

function refusalOfFloor(from: SourceFile, target: string): string | undefined {
  const fromFloor = floorOf(from.path)
  const toFloor = floorOf(target)
  if (toFloor === EXPLORER && fromFloor !== EXPLORER) {
    return EXPLORE_COMMAND.test(from.path) ? undefined : 'nothing but its command imports the explorer'
  }
  if (topFolder(from.path) === 'workers') {
    return topFolder(target) === 'workers' || target === INDEX || FLOORS.includes(toFloor!) ? undefined : 'not a floor'
  }
  if (topFolder(target) === 'workers') return 'src never imports a worker, it starts one by URL'
  if (from.path === INDEX) {
    return INDEX_MAY_USE.includes(toFloor!) ? undefined : `the index may use ${INDEX_MAY_USE.join(' and ')} only`
  }
  if (fromFloor === EXPLORER) {
    return toFloor === EXPLORER || toFloor === 'memory' ? undefined : 'the explorer may use memory only'
  }
  if (fromFloor === undefined || !FLOORS.includes(fromFloor)) return `${from.path} is on no known floor`
  const rank = FLOORS.indexOf(fromFloor)
  if (target === INDEX) return rank > FLOORS.indexOf('store') ? undefined : 'the index is above this floor'
  if (toFloor === undefined || !FLOORS.includes(toFloor)) return `${target} is on no known floor`
  return FLOORS.indexOf(toFloor) <= rank ? undefined : `src/${toFloor} is above src/${fromFloor}`
}

function checkImports(files: readonly SourceFile[]): string[] {
  const problems: string[] = []
  for (const file of files) {
    if (!isTypeScript(file)) continue
    visit(parse(file), (node) => {
      const literal = specifierOf(node)
      if (literal === undefined) return
      const specifier = literal.text
      let refusal: string | undefined
      if (!specifier.startsWith('.')) refusal = refusalOfOutside(file, specifier)
      else if (!specifier.endsWith('.ts')) refusal = 'a relative import names the .ts file'
      else refusal = refusalOfFloor(file, posix.join(posix.dirname(file.path), specifier))
      if (refusal !== undefined) problems.push(`${place(file, literal)} imports ${specifier}: ${refusal}`)
    })
  }
  return problems
}

test('imports go down only', () => {
  expect(checkImports(projectFiles('src', 'workers'))).toEqual([])
})

test.each([
  ['src/memory/a.ts', `import { x } from '../tree/b.ts'`],
  ['src/memory/a.ts', `import type { X } from '../tree/b.ts'`],
  ['src/memory/a.ts', `export * from '../tree/b.ts'`],
  ['src/memory/a.ts', `let x: import('../tree/b.ts').X`],
  ['src/tree/a.ts', `import { x } from '../lsm/b.ts'`],
  ['src/tree/a.ts', `import { x } from '../index.ts'`],
  ['src/tree/a.ts', `import assert from 'node:assert'`],
  ['src/log/a.ts', `import fc from 'fast-check'`],
  ['src/store/a.ts', `import fs from 'fs'`],
  ['src/store/a.ts', `import '../../workers/b.ts'`],
  ['src/store/a.ts', `await import('../../workers/b.ts')`],
  ['src/store/a.ts', `import { x } from '../cli/b.ts'`],
  ['src/store/a.ts', `import { x } from '../unheard-of/b.ts'`],
  ['src/store/a.ts', `import { x } from '../tree/b.js'`],
  ['src/unheard-of/a.ts', `import { x } from '../memory/b.ts'`],
  ['src/explore/a.ts', `import { x } from '../reclaim/b.ts'`],
  ['src/explore/a.ts', `import { x } from 'oxc-parser'`],
  ['src/tree/a.ts', `import { x } from '../explore/b.ts'`],
  ['src/cli/a.ts', `import { x } from '../explore/b.ts'`],
  ['src/index.ts', `export { x } from './tree/b.ts'`],
  ['workers/a.ts', `import { x } from '../src/explore/b.ts'`],
  ['workers/a.ts', `import { x } from '../test/b.ts'`],
])('refused in %s: %s', (path, text) => {
  expect(checkImports([{ path, text }])).toHaveLength(1)
})

test.each([
  ['src/tree/a.ts', `import { x } from '../memory/b.ts'`],
  ['src/tree/a.ts', `import { x } from './deeper/b.ts'`],
  ['src/tree/deeper/a.ts', `import { x } from '../../memory/b.ts'`],
  ['src/store/a.ts', `import { Worker } from 'node:worker_threads'`],
  ['src/store/a.ts', `new Worker(new URL('../../workers/b.ts', import.meta.url))`],
  ['src/explore/a.ts', `import { x } from '../memory/b.ts'`],
  ['src/explore/transform/a.ts', `import { x } from 'oxc-parser'`],
  ['src/cli/explore/a.ts', `import { x } from '../../explore/b.ts'`],
  ['src/index.ts', `export { x } from './store/b.ts'`],
  ['src/cli/a.ts', `import { x } from '../index.ts'`],
  ['workers/a.ts', `import { x } from '../src/cli/b.ts'`],
])('accepted in %s: %s', (path, text) => {
  expect(checkImports([{ path, text }])).toEqual([])
})
