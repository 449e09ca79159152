import ts from 'typescript'
import { expect, test } from 'vitest'
import { isTypeScript, parse, place, projectFiles, visit, type SourceFile } from './source-files.ts'

// The marks are put together from pieces, so that this file does not carry them itself.
const NOTES = ['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK']
const SILENCERS = ['ts-' + 'ignore', 'ts-' + 'nocheck']
const NARROWED = ['only', 'skip']

const words = new RegExp(`\\b(?:${NOTES.join('|')})\\b|@(?:${SILENCERS.join('|')})\\b`, 'g')

/** Words that mark unfinished or silenced code, wherever they stand in the text. */
function checkWords(files: readonly SourceFile[]): string[] {
  const problems: string[] = []
  for (const file of files) {
    for (const [index, line] of file.text.split('\n').entries()) {
      for (const match of line.matchAll(words)) problems.push(`${file.path}:${index + 1} has ${match[0]}`)
    }
  }
  return problems
}

/** Tests switched off or singled out, and the type which switches the checker off. Read from the syntax, not the text. */
function checkSyntax(files: readonly SourceFile[]): string[] {
  const problems: string[] = []
  for (const file of files) {
    if (!isTypeScript(file)) continue
    visit(parse(file), (node) => {
      if (node.kind === ts.SyntaxKind.AnyKeyword) problems.push(`${place(file, node)} uses the type any`)
      if (!ts.isCallExpression(node)) return
      // The whole chain of a call such as it.concurrent.only.each(rows)(name, body).
      for (let callee: ts.Expression = node.expression; ts.isPropertyAccessExpression(callee);) {
        if (NARROWED.includes(callee.name.text)) problems.push(`${place(file, callee)} calls .${callee.name.text}`)
        callee = callee.expression
      }
    })
  }
  return problems
}

test('no stray marks', () => {
  const files = projectFiles('src', 'workers', 'test', 'bench')
  expect([...checkWords(files), ...checkSyntax(files)]).toEqual([])
})

test.each([...NOTES, ...SILENCERS.map((word) => `@${word}`)])('%s is reported', (word) => {
  expect(checkWords([{ path: 'src/tree/a.ts', text: `step()\n// ${word} later` }])).toEqual([
    `src/tree/a.ts:2 has ${word}`,
  ])
  expect(checkWords([{ path: 'src/tree/README.md', text: `${word}: later` }])).toHaveLength(1)
})

test.each([
  'let x: any',
  'const x = y as any',
  'function f(x: Map<string, any>) {}',
  `it.only('x', f)`,
  `describe.skip('x', f)`,
  `it.skip.each([1])('x', f)`,
  `it.concurrent.only('x', f)`,
])('reported: %s', (text) => {
  expect(checkSyntax([{ path: 'test/tree/a.test.ts', text }])).toHaveLength(1)
})

test('ordinary words are left alone', () => {
  const text = '// as any reader knows: any page may be hacked off, .skip( it\nconst dir = "tmp-XXXXXX"\nxs.slice(1)\n'
  expect([...checkWords([{ path: 'src/tree/a.ts', text }]), ...checkSyntax([{ path: 'src/tree/a.ts', text }])]).toEqual(
    [],
  )
})
