import { test } from 'vitest'
import { sameBody } from './programs.ts'

test.each([
  ['nested calls', 'return p(p(1) + p(p(2) * p(3)))'],
  [
    'operators',
    'return [p(1) + p(2) * p(3), p(1) < p(2), -p(3), !p(0), typeof p("x"), p(1) ?? p(2), p(2) ** p(3), p(5) % 3]',
  ],
  ['logic', 'return [p(0) && p(1), p(1) && p(2), p(0) || p(3), p(null) ?? p(4), (p(0) || p(null)) ?? 5]'],
  ['conditions', 'return [p(1) ? p(2) : p(3), p(0) ? p(2) : p(3), p(1) ? p(0) ? 4 : p(5) : 6]'],
  ['templates', 'return `${p(1)} and ${p(`${p(2)}`)}`'],
  ['commas', 'let a = 0; return (a = p(1), a += p(2), p(a))'],
  ['arrays and objects', 'return [p(1), ...[p(2), 3], , { a: p(4), [p("b")]: 5, ...p({ c: 6 }), d: [p(7)] }]'],
  ['in and instanceof', 'return [p("a") in p({ a: 1 }), p([]) instanceof p(Array)]'],
  [
    'delete',
    'const o = { a: 1, b: 2, c: { d: 3 } }; return [delete p(o).a, delete o[p("b")], delete p(o)?.c.d, delete p(null)?.x, o]',
  ],
  ['void', 'return [void p(1), p(2)]'],
  ['the order of arguments', 'function f(...a) { return a } return f(note(p(1)), note(2), note(p(3)))'],
  ['members of results', 'return p({ a: { b: [1, 2] } }).a.b[p(1)]'],
  ['methods of results', 'return p("abc").toUpperCase().split("").map((c) => c + "!").join(p("-"))'],
  ['new with arguments', 'return new Map([[p(1), p(2)]]).get(p(1)) + new (p(Array))(p(3)).length'],
  ['new of a member', 'const o = { C: [class { k = 3 }] }; return p(new o.C[0]().k)'],
  ['regular expressions', 'return p("abc").replace(/b/, p("x"))'],
  ['big integers', 'return String(p(2n) ** 3n)'],
])('%s', (_name, body) => {
  sameBody(body)
})

test.each([
  ['a call', 'const o = { f(x) { return p(x) } }; return [o?.f(1), o.f?.(2), o?.f?.(3), o.g?.(p(4)), o?.["f"](5)]'],
  ['an end', 'const o = null; return [o?.f(p(1)), o?.a.b.c(p(2)), o?.[p(3)], o?.a?.b(p(1)), p(7)]'],
  ['a chain of calls', 'const o = { n: 0, add(x) { this.n += p(x); return this } }; return o?.add(1).add(2)?.add(3).n'],
  [
    'a call in the middle',
    'const o = { f() { return p({ g: { h(x) { return p(x) + this.k }, k: 5 } }) } }; return o.f()?.g.h(1) + o.f().g?.h?.(2)',
  ],
  [
    'an element',
    'const o = { a: [1, [2, 3]] }; return [o?.a[p(0)], o.a?.[1][0], o?.b?.[p(1)], o.a[1]?.[p(1)], p(null)?.[0]]',
  ],
  [
    'this of a chain in parentheses',
    'const o = { k: 3, f(x) { return p(x) * this.k } }; return [(o?.f)(2), (o.f)(3), (o?.["f"])(4)]',
  ],
  [
    'a method of an array',
    'const a = [1, 2]; return [a?.map((x) => p(x) + 1), a?.at(-1), null?.map((x) => p(x))].concat(p(9))',
  ],
  [
    'super',
    'class B { f(x) { return p(x) } } class D extends B { f(x) { return super.f?.(x) + (super.g?.(1) ?? 2) } } return new D().f(4)',
  ],
  ['a getter', 'const o = { get x() { return p({ y: 1 }) } }; return [o?.x.y, o.x?.y, o.z?.x.y]'],
  ['a function value', 'const f = (x) => p(x); const g = null; return [f?.(1), g?.(p(2))]'],
  [
    'a private member',
    'class C { #v = [4]; static read(o) { return o?.#v[p(0)] } } return [C.read(new C()), C.read(null)]',
  ],
  ['private in', 'class C { #v; static has(o) { return #v in p(o) } } return [C.has(new C()), C.has({})]'],
  [
    'an object once',
    'let n = 0; const o = () => { n++; return p({ f() { return n } }) }; return [o()?.f(), o()?.f?.(), n]',
  ],
])('optional chains: %s', (_name, body) => {
  sameBody(body)
})

test.each([
  ['elements', 'const a = [1, 2, 3]; a[p(0)] = p(9); a[1] = a[0] + a[p(2)]; return a'],
  ['compound', 'const a = [5, 2, 3]; return [a[p(0)] += p(1), a[1] *= a[p(2)], a[2] **= p(2), a[0] >>>= 1, a]'],
  [
    'logical',
    'const a = [0, 1, null]; return [a[0] ||= p(5), a[1] ||= p(6), a[2] ??= p(7), a[1] &&= p(8), a[0] ??= p(9), a]',
  ],
  [
    'increments',
    'const a = [1, 2n]; return [a[0]++, ++a[0], a[p(0)]--, String(a[1]++), String(--a[1]), a.map(String)]',
  ],
  [
    'evaluated once',
    'let n = 0; const a = [1]; const o = () => { n += 1; return p(a) }; const k = () => { n += 10; return p(0) }; o()[k()] += 1; o()[k()]++; o()[k()] ??= 1; return [n, a]',
  ],
  ['read before the value', 'const a = [1]; const f = () => { a[0] = 100; return p(1) }; a[0] += f(); return a'],
  ['an outer variable', 'let n = 1; const f = () => { n += p(1); n++; n ||= 5; return n }; return [f(), f(), n]'],
  [
    'read before the value, outer',
    'let n = 1; const g = () => { n = 100; return p(1) }; const f = () => { n += g() }; f(); return n',
  ],
  ['members', 'const o = { a: 1, b: { c: 2 } }; o.a = p(3); o.b.c += p(4); o["a"]++; o.d ??= p(5); return o'],
  ['chained', 'const a = []; const o = {}; let x; x = a[0] = o.y = p(3); return [x, a, o]'],
  [
    'patterns',
    'const a = [0, 0], o = {}; let x, y; [a[0], o.k, x = p(5), ...y] = p([1, 2, undefined, 4, 5]); ({ a: a[p(1)], b: o["z"], ...o.rest } = p({ a: 6, b: 7, c: 8 })); return [a, o, x, y]',
  ],
  ['the value of a pattern', 'let x, y; const v = ([x, y] = p([1, 2])); return [v, x, y]'],
  ['a swap', 'const a = [1, 2]; [a[0], a[1]] = [a[1], a[p(0)]]; return a'],
  [
    'declared patterns',
    'const { a, b: [c, d = p(4)], ...e } = p({ a: 1, b: [2], f: 5 }), g = p(6); return [a, c, d, e, g]',
  ],
  ['nested defaults', 'const { a: { b = p(1) } = {} } = {}; return b'],
  ['parentheses', 'const a = [1]; (a[0]) = 2; (a)[0] += 1; (a[p(0)])++; return a'],
  [
    'lines without semicolons',
    'const a = [1]\nlet b = a\nb[0] = 4\n;[b[0]] = [5]\np(1)\nb[0] += 1\nconst c = b\np(2)\nreturn c',
  ],
  [
    'without braces',
    'const a = [0]; if (p(1)) a[0] = 1; else a[0] = 2; for (let i = 0; i < 2; i++) a[0] += 1; while (p(a[0]) < 5) a[0]++; return a',
  ],
])('assignments: %s', (_name, body) => {
  sameBody(body)
})
