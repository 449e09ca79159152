import { expect, test } from 'vitest'
import { inThreads, PRELUDE, rewritten, same, sameBody } from './programs.ts'

test.each([
  [
    'methods',
    'class C { k = 2; m(a, b) { return p(a) * this.k + p(b) } } const c = new C(); return c.m(3, 4) + c.m(1, 1)',
  ],
  [
    'static methods',
    'class C { static k = 3; static m(a) { return p(a) * this.k } } class D extends C { static k = 5 } return [C.m(2), D.m(2)]',
  ],
  [
    'private methods',
    'class C { #k = 2; #m(a) { return p(a) * this.#k } static #s(a) { return p(a) } run() { return this.#m(3) + C.#s(1) } } return new C().run()',
  ],
  [
    'methods with odd names',
    'class C { "a b"(x) { return p(x) } 12(x) { return p(x) } ["c" + 1](x) { return p(x) } } const c = new C(); return [c["a b"](1), c[12](2), c.c1(3)]',
  ],
  [
    'an overridden method and super',
    'class B { m(a) { return p(a) + 1 } } class D extends B { m(a) { return super.m(a) * 10 + p(a) } } class E extends D { m(a) { return -super.m(a) } } return new E().m(3)',
  ],
  [
    'a method only of the base',
    'class B { m() { return this.n() } n() { return 1 } } class D extends B { n() { return p(7) } } return [new B().m(), new D().m()]',
  ],
  ['arguments in a method', 'class C { m() { return p(arguments.length) + arguments[0] } } return new C().m(5, 6)'],
  [
    'defaults that pause',
    'class C { k = 4; m(a = p(this.k), { b } = { b: p(2) }) { return a + b } } return new C().m() + new C().m(1)',
  ],
  [
    'methods as values',
    'class C { k = 2; m(a) { return p(a) * this.k } } const c = new C(); const m = c.m; return m.call({ k: 10 }, 3) + [c.m.bind(c)][0](1)',
  ],
  [
    'fields that are functions',
    'class C { k = 3; f = (a) => p(a) * this.k; g = function (a) { return p(a) + this.k } } const c = new C(); return c.f(2) + c.g(1)',
  ],
  [
    'a function put into a field',
    'class C { constructor(f) { this.f = f } run() { return this.f(4) } } return new C((x) => p(x) + 1).run()',
  ],
  [
    'own and inherited statics',
    'class C { static make(a) { return p(new this(a)) } constructor(a) { this.a = a } } class D extends C {} return [C.make(1).a, D.make(2).a, D.make(3) instanceof D]',
  ],
  ['a class expression', 'const C = class Named { m() { return p(Named.name) } }; return new C().m()'],
  [
    'a class in a function',
    'function make(n) { return class { m() { return p(n) } } } const A = make(1), B = make(2); return new A().m() * 10 + new B().m()',
  ],
  [
    'what a class extends',
    'function base() { p(); return class { k = 1 } } class D extends base() {} return new D().k',
  ],
  ['computed keys that pause', 'class C { [p("m")]() { return p(1) } static [p("s")] = 5 } return new C().m() + C.s'],
  [
    'the length of methods',
    'class C { m(a, b) { p() } n(a, b = 1) { p() } } p(); return [C.prototype.m.length, C.prototype.n.length]',
  ],
])('%s', (_name, body) => {
  sameBody(body)
})

test.each([
  ['a getter', 'class C { v = 1; get x() { return p(this.v) + 1 } } const c = new C(); return c.x + c["x"] * 10'],
  ['a static getter', 'class C { static v = 1; static get x() { return p(this.v) + 1 } } return C.x'],
  [
    'a private getter',
    'class C { #v = 1; get #x() { return p(this.#v) + 1 } y() { return this.#x } } return new C().y()',
  ],
  [
    'a getter that gives a function',
    'class C { get f() { p(); return (a) => p(a) + this.k } k = 4 } const c = new C(); return c.f(3)',
  ],
  [
    'a getter of super',
    'class B { get x() { return p(this.v) } v = 2 } class D extends B { get x() { return super.x + 1 } } return new D().x',
  ],
  [
    'a setter',
    'class C { v = 0; set x(n) { this.v = p(n) } } const c = new C(); const r = (c.x = 5); return [r, c.v, c.x]',
  ],
  [
    'both',
    'class C { v = 1; get x() { return p(this.v) } set x(n) { note(n); this.v = p(n) } } const c = new C(); const r = [c.x += 2, c.x++, ++c.x, c.x--, c.x *= 3]; return [r, c.v]',
  ],
  [
    'logical assignment',
    'class C { v = 0; get x() { return p(this.v) } set x(n) { note(n); this.v = p(n) } } const c = new C(); const r = [c.x ||= 2, c.x ||= 3, c.x &&= 4, c.x ??= 5]; return [r, c.v]',
  ],
  [
    'a setter only',
    'class C { v = 2; get x() { return this.v } set x(n) { this.v = p(n) } } const c = new C(); c.x += 3; c.x++; const r = c.x++; return [r, c.v]',
  ],
  [
    'a getter only',
    'class C { v = 2; get x() { return p(this.v) } set x(n) { this.v = n } } const c = new C(); c.x += 3; c.x++; return [c.x++, c.v]',
  ],
  [
    'big integers',
    'class C { v = 2n; get x() { return p(this.v) } set x(n) { this.v = p(n) } } const c = new C(); return [String(c.x++), String(++c.x), String(c.x -= 1n)]',
  ],
  [
    'the order of an assignment',
    'class C { set x(n) { note("set " + n); p() } } const c = new C(); function o() { note("object"); return c } function v() { note("value"); return p(3) } o().x = v(); return 0',
  ],
  [
    'the object once',
    'class C { v = 1; get x() { return p(this.v) } set x(n) { this.v = p(n) } } const c = new C(); let n = 0; function o() { n++; return p(c) } o().x++; o().x += 1; o().x ||= 1; return [n, c.v]',
  ],
  [
    'in a pattern',
    'class C { get x() { return p(1) } get y() { return p(2) } z = [3] } const { x, y: w = 4, z: [q], u = p(5) } = new C(); let a; ({ x: a } = new C()); return [x, w, q, u, a]',
  ],
  [
    'in the pattern of a parameter',
    'class C { get x() { return p(1) } } function f({ x }, [y]) { return x + y } const g = ({ x: z }) => z; return f(new C(), [2]) + g(new C())',
  ],
  [
    'a super setter',
    'class B { v = 0; set x(n) { this.v = p(n) } get x() { return p(this.v) } } class D extends B { set x(n) { super.x = n * 2 } get x() { return super.x } } const d = new D(); d.x = 4; return d.v + d.x',
  ],
])('accessors: %s', (_name, body) => {
  sameBody(body)
})

test.each([
  [
    'a constructor',
    'class C { constructor(a) { this.a = p(a); this.b = p(a + 1) } } const c = new C(1); return [c.a, c.b, c instanceof C]',
  ],
  [
    'defaults that pause',
    'class C { constructor(a = p(1), ...r) { this.a = [a, r] } } return [new C().a, new C(2, 3).a]',
  ],
  ['arguments', 'class C { constructor() { this.a = p([...arguments]) } } return new C(1, 2).a'],
  [
    'fields',
    'class C { a = p(1); b = this.a + 1; ["c"] = 3; #d = p(4); constructor() { this.e = this.#d } } const c = new C(); return { ...c }',
  ],
  [
    'fields only',
    'class C { z = 0; a = p(1); b = p(this.a) + 1; f = () => p(this.b) } const c = new C(); return [Object.keys(c), c.a, c.b, c.f()]',
  ],
  [
    'a base that pauses',
    'class B { x = p(1); constructor(a) { this.a = p(a) } } class D extends B { y = this.a + this.x; constructor(b) { super(b * 2); this.b = this.y + p(b) } } return { ...new D(5) }',
  ],
  [
    'a derived class without a constructor',
    'class B { constructor(a) { this.a = p(a) } } class D extends B { y = this.a + 1 } class E extends D {} return [{ ...new D(5) }, { ...new E(6) }]',
  ],
  [
    'a derived class that pauses',
    'class B { constructor(a) { this.a = a } m() { return 1 } } class D extends B { constructor(b) { const c = b + 1; super(c); this.n = p(c) + this.m() } } return { ...new D(5) }',
  ],
  [
    'three levels',
    'class A { constructor() { note("a"); p(); note("A") } } class B extends A { constructor() { note("b0"); super(); note("b"); p(); note("B") } } class C extends B { f = note("f"); constructor() { super(); note("c"); p() } } new C(); return 0',
  ],
  [
    'return',
    'class C { constructor(a) { if (a) return; this.x = p(1) } } return [{ ...new C(true) }, { ...new C(false) }]',
  ],
  [
    'an object made in a constructor',
    'class A { constructor(n) { this.n = p(n) } } class B { constructor() { this.a = new A(1); this.b = [new A(2), new A(p(3))] } } return JSON.stringify(new B())',
  ],
  [
    'in an argument',
    'class A { constructor(n) { this.n = p(n) } } function f(a, b) { return p(a.n) + b.n } return f(new A(1), new A(new A(2).n))',
  ],
  [
    'an alias',
    'class A { constructor(n) { this.n = p(n) } } const B = A; const o = { C: A }; let D; D = B; return [new B(1).n, new o.C(2).n, new D(3).n]',
  ],
  [
    'as a value',
    'class A { constructor(n) { this.n = p(n) } } function make(K, n) { return new K(n).n } return make(A, 4)',
  ],
  [
    'an error',
    'class A { constructor() { p(); throw new Error("no") } } try { new A() } catch (e) { return e.message }',
  ],
  ['a method of the object', 'class A { constructor() { this.init(3) } init(n) { this.n = p(n) } } return new A().n'],
  ['loops', 'class A { constructor(n) { this.s = 0; for (let i = 0; i < n; i++) this.s += p(i) } } return new A(4).s'],
])('constructors: %s', (_name, body) => {
  sameBody(body)
})

test.each([
  [
    'the head of a loop',
    'const r = []; for (const { x, y: [z] } of [new C(), { x: 5, y: [6] }]) r.push(x, z); let q; for ({ x: q } of [new C()]) r.push(q); return r',
  ],
  ['what is caught', 'try { throw new C() } catch ({ x, y: [z = p(3)] }) { const w = x; return [x, z, w] }'],
])('accessors in %s', (_name, body) => {
  sameBody(`class C { get x() { return p(1) } y = [2] } ${body}`)
})

test('static blocks and initialisers run while the module is loaded', () => {
  const program = `
class C { static a = Atomics.add(S, 2, 3); static b; static { this.b = Atomics.load(S, 2); for (let i = 0; i < 2; i++) this.b += p(i) } }
export function main() { return p([C.a, C.b]) }`
  expect(same(program).value).toEqual([0, 4])
})

test.each([
  [
    'a static initialiser in a thread',
    'export function main() { p(); return class { static a = p(1) } }',
    /^Failure: .*program\.js:4:57: /,
  ],
  [
    'a static step in a thread',
    'export function main() { p(); class C { static { this.k = p(2) } } }',
    /program\.js:4:59: /,
  ],
  [
    'before super',
    'class B {} class D extends B { constructor() { p(1); super() } } export function main() { return new D() }',
    /program\.js:4:48: /,
  ],
  [
    'a function as a constructor',
    'function F() { this.a = p(1) } export function main() { return new F() }',
    /used as a constructor/,
  ],
])('refused when it runs: %s', (_name, program, message) => {
  expect(inThreads(program).error).toMatch(message)
})

test('computed keys belong to the function around the class', () => {
  const program = `
function make() { return class { [p("m")]() { return 1 } static [p("s")] = 2; [p("f")] = 3; constructor(a) { this.a = a } } }
export function main() { const C = make(); return [new C(1).m(), C.s, { ...new C(5) }] }`
  expect(same(program, 3).value).toEqual([1, 2, { f: 3, a: 5 }])
  expect(rewritten(PRELUDE + program)).not.toContain('$later')
})
