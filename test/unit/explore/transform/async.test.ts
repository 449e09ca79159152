import { expect, test } from 'vitest'
import { inThreads, load, rewritten } from './programs.ts'

const PROGRAM = `
const S = new Int32Array(new SharedArrayBuffer(64))
export function p(x) { Atomics.load(S, 0); return x }
async function f(a) { const b = await a; Atomics.store(S, 1, b); return p(b) + Atomics.load(S, 1) }
const g = async (a) => p(await a)
async function* h() { yield p(1); yield Atomics.load(S, 0) }
class C { async m(a = p(2)) { return p(a) } }
async function all() {
  const found = [await f(Promise.resolve(3)), await g(4), await new C().m()]
  for await (const x of h()) found.push(x)
  for (let i = 0; i < 2; i++) found[i] += await g(i)
  return found
}
export function main() { return all() }
`

test('an async function that reaches shared memory stays what it is outside threads', async () => {
  expect(await load(PROGRAM).main()).toEqual([6, 4, 2, 1, 0].map((x, i) => (i < 2 ? x + i : x)))
  expect(await load(rewritten(PROGRAM)).main()).toEqual(await load(PROGRAM).main())
})

test('inside a thread it is refused, naming its place, although it only gives a rejected promise', () => {
  const program = `async function f() { await 0; p(1) }
export function main() { p(); f().catch(() => undefined); return p(2) }`
  expect(inThreads(program).error).toMatch(
    /program\.js:4:1: an async function that reaches shared memory cannot be explored/,
  )
})

test('an async function that reaches no shared memory is no concern', () => {
  expect(rewritten('export async function f(a) { return await a }')).toBe(
    'export async function f(a) { return await a }',
  )
})
