import { expect, test } from 'vitest'
import { Failure } from '../../../../src/explore/failure.ts'
import { instrumentSources } from '../../../../src/explore/transform/index.ts'

const HEAD = 'export function p(x) { Atomics.load(S, 0); return x }\nconst S = new Int32Array(4)\n'

function refusal(code: string, id = '/virtual/program.js'): string {
  try {
    instrumentSources([{ id, code }], { runtime: 'runtime' })
  } catch (error) {
    expect(error).toBeInstanceOf(Failure)
    expect((error as Failure).kind).toBe('unsupported')
    return (error as Failure).message
  }
  return 'accepted'
}

const ATOMICS = 'Atomics can be explored only when written as Atomics.name(…)'

test.each([
  ['Atomics[name](S, 0)', `3:1: ${ATOMICS}`],
  ['  const { load } = Atomics', `3:20: ${ATOMICS}`],
  ['f(Atomics)', `3:3: ${ATOMICS}`],
  ['const a = Atomics', `3:11: ${ATOMICS}`],
  ['const load = Atomics.load', `3:14: ${ATOMICS}`],
  ['Atomics.load.call(null, S, 0)', `3:1: ${ATOMICS}`],
  ['Atomics["load"](S, 0)', `3:1: ${ATOMICS}`],
  ['Atomics?.load(S, 0)', `3:1: ${ATOMICS}`],
  ['Atomics.load?.(S, 0)', `3:1: ${ATOMICS}`],
  ['globalThis.Atomics.load(S, 0)', `3:1: ${ATOMICS}`],
  ['const o = { Atomics }', `3:13: ${ATOMICS}`],
  ['x = 1; eval("1")', '3:8: eval cannot be explored'],
  ['x = new Function("a", "return a")', '3:5: functions made from text cannot be explored'],
  ['x = Function("return 1")', '3:5: functions made from text cannot be explored'],
  ['with (o) { x }', "3:1: 'with' statements are not allowed"],
  ['let $rd = 1', '3:5: the name $rd is reserved for the explorer'],
  ['function f($t1) {}', '3:12: the name $t1 is reserved for the explorer'],
  ['const o = { $g1_2_m: 1 }', '3:13: the name $g1_2_m is reserved for the explorer'],
  ['let x = ;', '3:9: Unexpected token'],
  ['let x = 1\nlet x = 2', '3:5: Identifier `x` has already been declared'],
])('%s', (code, message) => {
  expect(refusal(HEAD + code)).toBe(`/virtual/program.js:${message}`)
})

const moved = (name: string, what: string) => `${name} cannot be used in ${what} that may reach shared memory`

test.each([
  ['function f() { return () => p(arguments[0]) }', '3:31', moved('arguments', 'an arrow function')],
  ['class C extends D { m() { return () => p(super.m()) } }', '3:42', moved('super', 'an arrow function')],
  ['const o = { m() { return p(super.m()) } }', '3:28', moved('super', 'a method of an object')],
  ['function f() { return p(new.target) }', '3:25', moved('new.target', 'a function')],
  ['const f = function () { return p(new.target) }', '3:34', moved('new.target', 'a function expression')],
  ['class C { constructor() { p(); return {} } }', '3:32', moved('return with a value', 'a constructor')],
  ['class C { constructor() { p(new.target) } }', '3:29', moved('new.target', 'a constructor')],
  [
    'class C extends D { constructor(a) { const b = a; super(b); p(super.m()) } }',
    '3:63',
    moved('super', 'a constructor'),
  ],
  [
    'class C extends D { constructor(a) { if (a) super(1); else super(2); p() } }',
    '3:38',
    'a constructor that may reach shared memory must call super once, as a statement of its own',
  ],
  [
    'class C { a = p(1); [k] = 2 }',
    '3:21',
    'a field with a computed name cannot be initialised after shared memory was reached',
  ],
  ['class C { accessor a = 1; m() { p() } }', '3:11', 'accessor fields cannot be explored'],
  ['class C { get [k]() { return p(1) } }', '3:11', 'a getter with a computed name cannot reach shared memory'],
  ['class C { set [k](v) { p(v) } }', '3:11', 'a setter with a computed name cannot reach shared memory'],
  [
    'class C { get x() { return p(1) } } function f(o) { const { x, ...rest } = o }',
    '3:64',
    'a getter that may reach shared memory cannot be read beside a rest element',
  ],
  [
    'class C { get x() { return p(1) } } function f(o) { const [{ x }] = o }',
    '3:59',
    'a getter that may reach shared memory cannot be read inside an array pattern',
  ],
  [
    'class C { set x(v) { p(v) } } function f(o) { [o.x] = [1] }',
    '3:48',
    'a setter that may reach shared memory cannot be written by a pattern or the head of a loop',
  ],
])('where coroutines cannot go: %s', (code, place, message) => {
  expect(refusal(HEAD + code)).toBe(`/virtual/program.js:${place}: ${message}`)
})

test('CommonJS', () => {
  expect(refusal('exports.a = 1', '/virtual/a.cjs')).toBe(
    '/virtual/a.cjs:1:1: only ES modules can be explored, not CommonJS',
  )
})

test('places in TypeScript are those of the original', () => {
  const code = 'interface A {\n  a: number\n}\n\nexport const a: A = { a: 1 as number }, load: unknown = Atomics.load\n'
  expect(refusal(code, '/virtual/a.ts')).toBe(`/virtual/a.ts:5:57: ${ATOMICS}`)
  expect(refusal('let a: = 1', '/virtual/a.ts')).toMatch(/^\/virtual\/a\.ts:1:8: /)
})

test.each([
  'typeof Atomics',
  'typeof Atomics.pause === "function"',
  'Atomics.pause?.()',
  'Atomics.isLockFree(4)',
  'const o = { Atomics: 1, load() { return this.load } }',
  'function f(Atomics) { return Atomics.load }',
  'const $store = 1, $ = 2',
  'const o = { $rd: 1, $m() {} }; o.$at()',
  'function f(eval_) { return eval_("1") }',
  'class C { constructor() { return {} } }',
  'class C { get x() { return p(1) } } function f({ y, ...rest }, [{ z }]) { return p(rest) }',
])('accepted: %s', (code) => {
  expect(refusal(HEAD + code)).toBe('accepted')
})
