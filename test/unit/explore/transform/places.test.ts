/** What rewritten code tells the runtime: places, elements, loops and effects. */
import { expect, test } from 'vitest'
import { instrumentSources } from '../../../../src/explore/transform/index.ts'

function rewrite(code: string, id = '/virtual/program.js'): string {
  return instrumentSources([{ id, code }], { runtime: 'runtime' })[0]!.code
}

/** The rewritten code without what stands before the program. */
function bodyOf(code: string): string {
  return rewrite(code).replace(
    /^import[^\n]*?\$rt;(?: const \$s = \$sites\(.*?\]\]\);)?(?: let (?:\$t\d+(?:, )?)+;)? /,
    '',
  )
}

function placesOf(code: string, id?: string): unknown {
  return JSON.parse(/\$sites\("[^"]*", (\[\[.*?\]\])\);/.exec(rewrite(code, id))![1]!)
}

test.each([
  ['x = v[i]', ';x = $rd($s + 0, v, i)'],
  ['v[i] = x', ';$wr($s + 0, v, i, x)'],
  ['v[i + 1] = v[j]', ';$wr($s + 0, v, i + 1, $rd($s + 1, v, j))'],
  ['v[i]++', ';$upd($s + 0, v, i, 1, false)'],
  ['--v[i]', ';$upd($s + 0, v, i, -1, true)'],
  ['v[i] += x', ';$wr($s + 0, $t1 = v, $t2 = i, $rd($s + 0, $t1, $t2) + x)'],
  ['v[i] ??= x', ';($rd($s + 0, $t1 = v, $t2 = i) ?? $wr($s + 0, $t1, $t2, x))'],
  ['[v[i]] = x', ';[$ref($s + 0, v, i).v] = x'],
  ['v["a"] = v.b', ';v["a"] = v.b'],
  ['v[i](x)', ';v[i](x)'],
  ['delete v[i]', ';delete v[i]'],
  ['v?.[i]', ';(($t1 = v) == null ? void 0 : $rd($s + 0, $t1, i))'],
  ['a.words[a[0]]', ';$rd($s + 0, a.words, $rd($s + 1, a, 0))'],
])('elements: %s', (code, expected) => {
  expect(bodyOf(code)).toBe(expected)
})

test('elements in functions that do not pause', () => {
  expect(bodyOf('const f = (v) => v[0] += 1')).toBe(
    'const f = (v) => { let $t1, $t2; return ($wr($s + 0, $t1 = v, $t2 = 0, $rd($s + 0, $t1, $t2) + 1)) }',
  )
  expect(bodyOf('function f(v, a = v[0] += 1) {}')).toBe(
    'function f(v, a = ((($t3, $t4) => ($wr($s + 0, $t3 = v, $t4 = 0, $rd($s + 0, $t3, $t4) + 1)))())) {}',
  )
  expect(bodyOf('class C { a = b[0]; static c = d[1]; m(e) { return e[2] } }')).toBe(
    'class C { a = $rd($s + 0, b, 0); static c = $rd($s + 1, d, 1); m(e) { return $rd($s + 2, e, 2) } }',
  )
})

test.each([
  ['set', 'a.set(b)', ';$at($s + 0, a).set(b)'],
  ['slice', 'a.b.slice(1)', ';$at($s + 0, a.b).slice(1)'],
  ['getInt32', 'a.getInt32(0)', ';$at($s + 0, a).getInt32(0)'],
  ['readUInt32LE', 'a.readUInt32LE(0)', ';$at($s + 0, a).readUInt32LE(0)'],
  ['latin1Slice', 'a.latin1Slice(0)', ';$at($s + 0, a).latin1Slice(0)'],
  ['decode', 'a.decode(b)', ';$at($s + 0, a).decode(b)'],
  ['map', 'a.map(f)', ';$at($s + 0, a).map(f)'],
  ['in a chain', 'a?.fill(0)', ';(($t1 = a) == null ? void 0 : $at($s + 0, $t1).fill(0))'],
  ['subarray', 'a.subarray(1)', ';a.subarray(1)'],
  ['others', 'a.at', 'a.at'],
])('bulk methods: %s', (_name, code, expected) => {
  expect(bodyOf(code)).toBe(expected)
})

test.each([
  [
    'members',
    'function f(o) { o.x = 1; o.y += 2; o.z++ }',
    'function f(o) { ;o.x = $m(1); ;o.y += $m(2); ;($m(), o.z++) }',
  ],
  [
    'outer variables',
    'let n; function f(a) { n = a; n++; a = 1; a++ }',
    'let n; function f(a) { ;n = $m(a); ;($m(), n++); a = 1; a++ }',
  ],
  [
    'of an outer function',
    'function f() { let n = 0; return () => { n += 1 } }',
    'function f() { let n = 0; return () => { ;n += $m(1) } }',
  ],
  ['patterns', 'function f(o, a) { [o.x, a] = a; [a] = a }', 'function f(o, a) { ;[o.x, a] = $m(a); ;[a] = a }'],
])('effects: %s', (_name, code, expected) => {
  expect(bodyOf(code)).toBe(expected)
})

function loopsOf(code: string): string[] {
  return [...rewrite(code).matchAll(/\$lp\(\$s \+ \d+, (.*?)\)/g)].map((match) => match[1]!)
}

test.each([
  ['while', 'function f(a) { while (a) a = g(a) }', ['$l1, a']],
  ['do', 'function f(a) { do { a-- } while (a) }', ['$l1, a']],
  ['for', 'function f(a, b) { for (let i = 0, j = 1; i < a; i++) { let x = i } }', ['$l1, i, j']],
  ['what does not change', 'function f(a, b) { const c = 1; let d = 2; while (a) b++; d = 3 }', ['$l1, b']],
  ['what the body declares', 'function f(a) { while (a) { let x = 1; x++; var y = 2 } }', ['$l1, y']],
  [
    'inner loops',
    'function f(a) { let n = 0; while (a) { n++; let x = 0; while (n) { x++ } } }',
    ['$l1, n', '$l2, x, n'],
  ],
  ['not yet declared', 'function f(a) { while (a) { while (g()) {} let x = 1; x = 2 } }', ['$l1', '$l2']],
  [
    'hidden',
    'function f(a) { while (a) { a++; { let a = 1; while (a) a++ } } while (g()) { let a = 2 } }',
    ['$l1, a', '$l2, a', '$l3'],
  ],
  ['in a for of', 'function f(l) { let n = 0; for (const x of l) { n += x; while (g(x)) {} } }', ['$l1, n']],
  ['in a closure', 'function f(a) { const g = () => { while (a) a++ } }', ['$l1']],
  ['assigned in a closure', 'function f(a) { let n = 0; while (a) g(() => { n++ }) }', ['$l1, n']],
  ['at module level', 'let i = 0; while (i < 3) i++', []],
])('loops: %s', (_name, code, expected) => {
  expect(loopsOf(code)).toEqual(expected)
})

test('places have the line, the column and the text of the original', () => {
  const code = `interface Box { words: Int32Array }

export function read(box: Box, at: number): number {
  const value = Atomics.load(box.words!, (at as number) + 1)
  return value + box.words[at]! + (box.words as Int32Array)
    [at + 1]!
}
`
  expect(placesOf(code, '/virtual/a.ts')).toEqual([
    [4, 17, 'Atomics.load(box.words!, (at as number) + 1)'],
    [5, 18, 'box.words[at]'],
    [5, 36, 'box.words[at + 1]'],
  ])
})

test('a long text is shortened', () => {
  const long = `words[${'index + '.repeat(20)}1]`
  const [[line, column, text]] = placesOf(`f(${long})`) as [number, number, string][] as [[number, number, string]]
  expect([line, column, text.length]).toEqual([1, 3, 60])
  expect(text.endsWith('…')).toBe(true)
})

test('a module that needs nothing stays as it is', () => {
  const code = '// A module.\nimport { a } from "./a.js"\nexport const b = a.c\n'
  expect(rewrite(code)).toBe(code)
})

test('a hashbang stays the first line', () => {
  expect(rewrite('#!/usr/bin/env node\nv[0] = 1\n')).toMatch(
    /^#!\/usr\/bin\/env node\nimport \* as \$rt from "runtime"; /,
  )
})

test('the runtime is imported once, with the names in use', () => {
  expect(rewrite('f(v[0])')).toBe(
    'import * as $rt from "runtime"; const { $rd, $sites } = $rt; const $s = $sites("/virtual/program.js", [[1,3,"v[0]"]]); ;f($rd($s + 0, v, 0))',
  )
})
