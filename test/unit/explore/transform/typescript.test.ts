import { expect, test } from 'vitest'
import { load, PRELUDE, rewritten } from './programs.ts'
import { scheduler } from './scheduler.ts'

const PROGRAM = `
import type { Nothing } from './nothing.ts'
enum Size { Small = 1, Large = Small * 4 }
const enum Flag { On = 7 }
namespace Tools { export const twice = (n: number): number => p(n) * 2 }
abstract class Shape<T extends number> {
  protected constructor(private readonly a: T, public b = p(2)) {}
  abstract area(): number
  get sum(): number { return p(this.a) + this.b! }
  declare untouched: Nothing
}
class Square extends Shape<number> {
  side?: number
  constructor(n: number) { super(n as number); this.side = p<number>(n)! }
  override area(this: Square): number { return this.side! ** 2 satisfies number }
}
function pick(x: string): string
function pick(x: number): number
function pick(x: string | number): string | number { return p(x) }
export function main(): unknown {
  const s: Square = new Square(3)
  const words = new Int32Array(2) as Int32Array & { tag?: string };
  (words as Int32Array)[1]! += <number>p(5)
  return [s.area(), s.sum, s.side, Object.keys(s), Size.Large, Size[1], Flag.On, Tools.twice(4), pick(1), words[1]]
}
`

test('all of TypeScript is stripped or compiled before', () => {
  const code = rewritten(PRELUDE + PROGRAM, '/virtual/program.ts')
  const expected = [9, 5, 3, ['a', 'b', 'side'], 4, 'Small', 7, 8, 1, 5]
  expect(load(code).main()).toEqual(expected)
  const mains = [load(code).main, load(code).main]
  scheduler.pauses = 0
  expect(scheduler.run(mains)).toEqual(mains.map(() => ({ value: expected, error: undefined })))
  expect(scheduler.pauses).toBeGreaterThan(10)
})
