import { expect, test } from 'vitest'
import { inThreads, sameBody } from './programs.ts'

test.each([
  [
    'forEach',
    'const r = []; [1, 2].forEach(function (x, i, a) { r.push(p(x), i, a.length, this.k) }, { k: 7 }); return r',
  ],
  [
    'map',
    'return [[1, 2].map((x, i) => p(x) * i), new Int8Array([1, 2]).map((x) => p(x) + 1) instanceof Int8Array, [...new Uint8Array([1, 255]).map((x) => p(x) + 1)]]',
  ],
  ['filter', 'return [[1, 2, 3].filter((x) => p(x) % 2), [...new Int32Array([1, 2, 3]).filter((x) => p(x) > 1)]]'],
  [
    'reduce',
    'return [[1, 2, 3].reduce((a, x, i) => p(a) + x * i), [1, 2].reduce((a, x) => p(a + x), "s"), ["a", "b"].reduceRight((a, x) => p(a + x)), [5].reduce((a) => p(a)), p(0)]',
  ],
  ['reduce of nothing', 'try { p(); [].reduce((a, x) => p(a)) } catch (e) { return e.name }'],
  [
    'some and every',
    'return [[1, 2].some((x) => p(x) > 1), [1, 2].some((x) => p(x) > 2), [1, 2].every((x) => p(x) > 0), [1, 2].every((x) => p(x) > 1)]',
  ],
  [
    'find',
    'const a = [1, 2, 3, 2]; return [a.find((x) => p(x) > 1), a.findIndex((x) => p(x) === 2), a.findLast((x) => p(x) === 2), a.findLastIndex((x) => p(x) === 2), a.find((x) => p(x) > 9), a.findIndex((x) => p(x) > 9)]',
  ],
  ['flatMap', 'return [1, 2].flatMap((x) => [p(x), [x]]).concat([3].flatMap((x) => p(x)))'],
  [
    'sort',
    'const a = [3, 1, undefined, 2]; const r = a.sort((x, y) => p(x) - y); return [r === a, a, new Int16Array([3, 1, 2]).sort((x, y) => p(y) - x).join()]',
  ],
  [
    'a stable sort',
    'return [[1, "a"], [0, "b"], [1, "c"], [0, "d"], [1, "e"]].sort((x, y) => p(x[0]) - y[0]).map((x) => x[1]).join("")',
  ],
  ['toSorted', 'const a = [2, 1]; return [a.toSorted((x, y) => p(x) - y), a]'],
  [
    'Array.from',
    'return [Array.from([1, 2], (x, i) => p(x) + i), Array.from({ length: 2 }, (_, i) => p(i)), Array.from("ab", (c) => p(c))]',
  ],
  [
    'Map and Set',
    'const r = []; new Map([[1, 2]]).forEach((v, k, m) => r.push(p(v), k, m.size)); new Set([3]).forEach((v, k) => { r.push(p(v), k) }); return r',
  ],
  [
    'holes',
    'const r = []; [1, , 3].forEach((x) => r.push(p(x))); return [r, [, 1].map((x) => p(x)).length, [, 1].findIndex((x) => p(x) === undefined)]',
  ],
  [
    'nested',
    'return [[1, 2], [3]].map((a) => a.map((x) => p(x) + 1).filter((x) => p(x) > 2)).flatMap((a) => a.map((x) => p(x)))',
  ],
  [
    'a named callback',
    'function f(x) { return p(x) + 1 } const g = f; return [[1].map(f), [2].map(g), [3].map((x) => f(x))]',
  ],
  ['a callback of a parameter', 'function each(list, f) { return list.map(f) } return each([1, 2], (x) => p(x) + 1)'],
  ['a callback that does not pause', 'return p([1, 2]).map((x) => x + 1).filter(Boolean).sort((x, y) => y - x)'],
  [
    'own methods of these names',
    'class L { constructor(x) { this.x = x } map(f) { return new L(f(this.x)) } forEach(f) { f(p(this.x)) } } const r = []; new L(3).map((x) => p(x) + 1).forEach((x) => { r.push(p(x)) }); return r',
  ],
  [
    'an error in a callback',
    'try { [1, 2].map((x) => { if (p(x) === 2) throw new Error("at " + x); return x }) } catch (e) { return e.message }',
  ],
  ['optional', 'const o = { list: [1] }; return [o?.list.map((x) => p(x)), o.none?.map((x) => p(x))]'],
])('%s', (_name, body) => {
  sameBody(body)
})

test('a callback of replace is refused when it pauses', () => {
  expect(inThreads('export function main() { return "abc".replace(/b/, (c) => p(c)) }').error).toMatch(
    /^Failure: the callback of replace reaches shared memory/,
  )
})

test('a callback of code that is not rewritten is noticed', () => {
  const program = 'export function main() { const r = JSON.stringify({ a: 1, b: 2 }, (k, v) => p(v)); return r }'
  expect(inThreads(program).error).toMatch(/^Failure: an instrumented function was called by code that is not/)
})
