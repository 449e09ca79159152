import { expect, test } from 'vitest'
import { same, sameBody } from './programs.ts'

test.each([
  ['a declaration', 'function f(a, b) { return p(a) + p(b) } return f(1, 2) * f(3, 4)'],
  ['a declaration used before it', 'return f(1); function f(a) { return p(a) }'],
  ['recursion', 'function f(n) { return n < 2 ? p(n) : f(n - 1) + f(n - 2) } return f(8)'],
  [
    'mutual recursion',
    'function f(n) { return n ? g(p(n) - 1) : 0 } function g(n) { return n ? f(n - 1) : 1 } return f(7)',
  ],
  ['this', 'function f() { return p(this.x) } return [f.call({ x: 1 }), f.apply({ x: 2 }), ({ f, x: 3 }).f()]'],
  [
    'arguments',
    'function f() { return p(arguments.length) + arguments[1] } return [f(1, 2, 3), f.apply(null, [4, 5])]',
  ],
  ['arguments in an arrow', 'function f(a) { return p(1) + (() => arguments[0])() } return f(5)'],
  ['missing arguments', 'function f(a, b) { p(); return [a, b, arguments.length] } return f(1)'],
  ['too many arguments', 'function f(a) { p(); return [...arguments] } return f(1, 2, 3)'],
  [
    'defaults',
    'function f(a, b = a + 1, c = b * 2) { p(); return [a, b, c] } return [f(1), f(1, undefined, 3), f(1, 2, null)]',
  ],
  ['defaults that pause', 'function f(a = p(1), b = p(a) + 1) { return [a, b] } return [f(), f(5), f(undefined, 7)]'],
  [
    'pattern parameters',
    'function f({ a, b: [c, ...d] }, ...e) { p(); return [a, c, d, e] } return f({ a: 1, b: [2, 3] }, 4, 5)',
  ],
  [
    'patterns that pause',
    'function f({ a = p(1), b: [c = p(2)] = [], ...r }, ...[d]) { return [a, c, r, d] } return f({ x: 3 }, 4)',
  ],
  ['computed keys that pause', 'function f({ [p("k")]: v }) { return v } return f({ k: 6 })'],
  ['length', 'function f(a, b = 1, ...c) { p() } const g = (a, b) => p(a); p(0); return [f.length, g.length]'],
  [
    'name',
    'function f() { p() } const g = () => p(1); const h = function () { p() }; p(0); return [f.name, g.name, h.name]',
  ],
  ['an expression with a name', 'const f = function g(n) { return n ? p(n) + g(n - 1) : 0 }; return f(4)'],
  ['an arrow', 'const f = (a) => p(a) + 1; const g = a => { return f(a) * 2 }; return g(3)'],
  ['an arrow giving an object', 'const f = (a) => ({ a: p(a) }); return f(3)'],
  ['this in an arrow', 'const o = { x: 4, f() { const g = () => p(this.x); return g() } }; return o.f()'],
  [
    'a call of a function literal',
    'return (function (a) { return p(a) })(3) + (() => p(4))() + (() => { const x = p(5); return x })()',
  ],
  [
    'a closure',
    'function f() { let n = 0; return () => { n = p(n) + 1; return n } } const g = f(); return [g(), g(), f()()]',
  ],
  [
    'a callback',
    'function each(list, f) { for (let i = 0; i < list.length; i++) f(list[i]) } const r = []; each([1, 2], (x) => { r.push(p(x)) }); return r',
  ],
  ['functions in an array', 'const fs = [(x) => p(x) + 1, (x) => p(x) * 2]; return fs[0](3) + fs[1](4)'],
  [
    'functions in an object',
    'const fs = { a: (x) => p(x) + 1, b(x) { return p(x) * 2 } }; return fs.a(3) + fs["b"](4)',
  ],
  ['a function chosen', 'const f = (x) => p(x); const g = (x) => -p(x); return (p(true) ? f : g)(3) + (false || g)(1)'],
  ['a function that gives a function', 'const f = (a) => (b) => p(a) + p(b); return f(1)(2)'],
  [
    'an alias',
    'function f(a) { return p(a) } const g = f; let h; h = g; const { k } = { k: h }; return g(1) + h(2) + k(3)',
  ],
  ['bind', 'function f(a, b) { return p(this.x + a + b) } const g = f.bind({ x: 1 }, 2); return g(3)'],
  ['call and apply of an arrow', 'const f = (...a) => p(a.length); return f.apply(null, [1, 2]) + f.call(null, 1)'],
  [
    'a method of an object',
    'const o = { n: 1, add(x) { this.n += p(x); return this }, "b c"(x) { return p(x) }, ["d" + 1]() { return p(9) } }; return [o.add(2).add(3).n, o["b c"](1), o.d1()]',
  ],
  ['a getter of an object', 'const o = { get x() { return p(3) }, get ["y"]() { return 4 } }; return o.x + o.x * o.y'],
  [
    'a setter of an object',
    'const o = { v: 0, set x(n) { this.v = p(n) + 1 } }; return [o.x = 5, o.v, (o.x = 7, o.v)]',
  ],
  ['spread arguments', 'function f(...a) { return p(a) } return f(...[1, 2], ...p([3]))'],
  [
    'a tagged template',
    'function t(strings, ...values) { return strings.join("|") + p(values.join()) } return t`a${p(1)}b${2}c`',
  ],
  ['a method as a tag', 'const o = { k: 2, t(s, v) { return p(v) * this.k } }; return o.t`${4}`'],
  ['a parameter that hides a function', 'function f() { return p(1) } function g(f) { return f } return g(p(7))'],
  ['a block function', 'if (p(true)) { function f() { return p(2) } return f() }'],
  ['functions without a pause', 'function f(a) { return a + 1 } const g = (a) => f(a); return p(g(1))'],
])('%s', (_name, body) => {
  sameBody(body)
})

test.each([
  ['exported as default', 'export default function f(a) { return p(a) }\nexport function main() { return f(3) }'],
  ['at module level', 'export const f = (a) => p(a) + 1\nlet g = f\nexport function main() { return g(3) }'],
  [
    'run while the module is loaded',
    'const loaded = p(3)\nconst list = [p(1), p(2)]\nexport function main() { return p(loaded) + list.length }',
  ],
])('%s', (_name, program) => {
  same(program)
})

test('outside threads a coroutine runs to its end at once', () => {
  expect(sameBody('return p(1) + p(2)').value).toBe(3)
})
