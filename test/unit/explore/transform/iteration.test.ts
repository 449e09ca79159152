import { expect, test } from 'vitest'
import { inThreads, sameBody } from './programs.ts'

const GENERATORS = `
function* count(n) { for (let i = 0; i < n; i++) { note("at " + i); yield p(i) } return p("end") }
function* guarded(n) { try { yield* count(n) } finally { note(p("closed")) } }
class Bag { constructor(...items) { this.items = items } *[Symbol.iterator]() { for (const item of this.items) yield p(item) } }
class Cursor { n = 0; constructor(limit) { this.limit = limit } [Symbol.iterator]() { return this } next() { const value = p(this.n++); return { value, done: value >= this.limit } } return(v) { note(p("returned")); return { value: v, done: true } } }
`

test.each([
  ['for of', 'const r = []; for (const x of count(3)) r.push(x); return r'],
  [
    'for of over arrays, strings and maps',
    'const r = []; for (const x of [1, p(2)]) r.push(x); for (const c of "ab") r.push(p(c)); for (const [k, v] of new Map([[1, 2]])) r.push(k, p(v)); return r',
  ],
  ['an array that grows', 'const a = [1]; for (const x of a) if (p(x) < 4) a.push(x + 1); return a'],
  [
    'continue and break',
    'const r = []; for (const x of guarded(9)) { if (x === 1) continue; if (p(x) === 4) break; r.push(x) } return r',
  ],
  ['return from a loop', 'const f = () => { for (const x of guarded(9)) if (p(x) === 2) return "r" + x }; return f()'],
  [
    'an error in a loop',
    'try { for (const x of guarded(9)) { if (p(x) === 2) throw new Error("out") } } catch (e) { return e.message }',
  ],
  [
    'an error in the iterator',
    'function* bad() { try { yield 1; p(); throw new Error("in") } finally { note("closed") } } try { for (const x of bad()) note(x) } catch (e) { return e.message }',
  ],
  [
    'labels',
    'const r = []; outer: for (const x of guarded(3)) { for (const y of guarded(3)) { if (y === 1) continue outer; if (x === 2) break outer; r.push([x, p(y)]) } } return r',
  ],
  [
    'nested labels',
    'a: b: for (const x of count(4)) { if (x < 2) continue a; if (x === 3) break b; note(x) } return 0',
  ],
  [
    'heads',
    'const r = [], o = {}, a = []; let x; for (x of count(2)) r.push(x); for (o.k of count(2)) r.push(o.k); for (a[1] of count(2)) r.push(a[1]); for (const [y, z = p(7)] of [[1], [2, 3]]) r.push(y, z); for ({ x } of [{ x: p(5) }]) r.push(x); for (var v of count(1)) ; for (let { length } of ["abc"]) r.push(length); return [r, v]',
  ],
  ['closures', 'const fs = []; for (const x of count(3)) fs.push(() => p(x)); return fs.map((f) => f())'],
  ['a body that hides', 'const r = []; for (const x of count(2)) { const x = 5; r.push(x) } return r'],
  [
    'an iterable class',
    'const r = []; for (const x of new Bag(1, 2)) r.push(x); return [r, [...new Bag(3, 4)], Math.max(...new Bag(5, 6))]',
  ],
  [
    'an iterator class',
    'const r = []; for (const x of new Cursor(3)) r.push(x); for (const x of new Cursor(9)) { if (x === 2) break } return [r, ...new Cursor(2)]',
  ],
  ['by hand', 'const g = count(2); return [g.next(), g.next(), g.next(), g.next()]'],
  [
    'values sent in',
    'function* g() { const a = yield p(1); const b = yield a + p(1); return [a, b] } const i = g(); return [i.next(9), i.next(10), i.next(20)]',
  ],
  ['return', 'const g = guarded(5); return [g.next(), g.return(7), g.next()]'],
  [
    'throw',
    'function* g() { try { yield p(1) } catch (e) { yield p(e) } } const i = g(); return [i.next(), i.throw("x"), i.next()]',
  ],
  [
    'a generator that goes on with itself',
    'const own = []; function* g() { try { note(p(1)); own[0].next() } catch (e) { note(e.name) } yield p(2) } own.push(g()); return [own[0].next(), own[0].next()]',
  ],
  [
    'delegation',
    'function* g() { const r = yield* count(2); yield r; yield* [p(5), 6]; yield* new Bag(7) } return [...g()]',
  ],
  [
    'delegation of values',
    'function* inner() { try { const x = yield p(1); note(x) } catch (e) { note("e" + e) } return p(3) } function* outer() { const r = yield* inner(); note(r); yield 4 } const g = outer(); const a = [g.next(), g.next("sent"), g.next()]; const h = outer(); return [a, h.next(), h.throw("x"), h.next()]',
  ],
  [
    'delegation that is closed',
    'function* g() { try { yield* guarded(5) } finally { note(p("outer")) } } const r = []; for (const x of g()) { if (x === 2) break; r.push(x) } return r',
  ],
  ['spread', 'return [[...count(2)], Math.max(...count(4)), [9, ...guarded(1), 9]]'],
  [
    'destructuring',
    'const [a, b] = guarded(9); const [c, ...d] = count(3); let e; [e] = guarded(5); const [] = count(2); return [a, b, c, d, e]',
  ],
  ['destructuring of parameters', 'function f([a, b], ...[c]) { return [a, b, p(c)] } return f(guarded(5), 8)'],
  [
    'collections',
    'return [Array.from(count(3)), Array.from(count(2), (x) => p(x) + 1), [...new Set(count(3))], new Map(p([[1, 2]])).get(1), Object.fromEntries(pairs()), [...new Map(pairs()).keys()]]; function* pairs() { yield ["a", p(1)] }',
  ],
  [
    'methods',
    'const o = { *m(x) { yield p(x); yield this.k }, k: 4 }; class C { *m() { yield p(this.v) } static *s() { yield p(8) } #v; v = 2; *#h() { yield p(3) } h() { return [...this.#h()] } } return [...o.m(1), ...new C().m(), ...C.s(), ...new C().h()]',
  ],
  ['expressions', 'const g = function* (n) { yield p(n); yield arguments.length }; return [...g(3)]'],
  [
    'infinite',
    'function* all() { for (let i = 0; ; i++) yield p(i) } const r = []; for (const x of all()) { if (x > 3) break; r.push(x) } const [a, b] = all(); return [r, a, b]',
  ],
  [
    'an iterator kept',
    'class C { constructor() { this.it = count(2) } *rest() { yield* this.it } } const c = new C(); return [c.it.next().value, [...c.rest()]]',
  ],
  [
    'a generator that names the variable it is the value of',
    'const i = (function* () { yield p(1); yield typeof i })(); return [...i]',
  ],
  ['generators without a pause', 'function* g() { yield 1; yield 2 } return [p(0), ...g()]'],
  ['what is not iterable', 'try { for (const x of p({})) ; } catch (e) { return e.name }'],
  ['defaults', 'function* g(a = p(1), { b } = { b: p(2) }) { yield a; yield b } return [...g()]'],
])('%s', (_name, body) => {
  sameBody(GENERATORS + body)
})

test('an iterator that a built-in function goes through is noticed', () => {
  const program = `
    function* g() { yield p(1); yield p(2) }
    export function main() { return Int8Array.from(g()) }`
  expect(inThreads(program).error).toMatch(/^Failure: .*not instrumented/)
})
