import { expect, it } from 'vitest'
import { HeddleError } from '../../../src/memory/error.ts'
import { interruptAt } from '../memory/atomics-hook.ts'
import { join, retire, smallArena } from './participants.ts'

it('a pin lets the epoch go on once, not twice', () => {
  const arena = smallArena()
  const [a, b] = [join(arena, 1), join(arena, 2)]
  a.scheme.enter()
  expect(b.scheme.tryAdvance()).toBe(true)
  expect(b.scheme.tryAdvance()).toBe(false)
  expect(b.scheme.epoch()).toBe(1)
  a.scheme.leave()
  expect(b.scheme.tryAdvance()).toBe(true)
  expect(b.scheme.tryAdvance()).toBe(true)
  expect(b.scheme.epoch()).toBe(3)
})

it('an advancer is held up by its own pin as well', () => {
  const { scheme } = join(smallArena(), 1)
  scheme.enter()
  expect([scheme.tryAdvance(), scheme.tryAdvance(), scheme.tryAdvance()]).toEqual([true, false, false])
  scheme.leave()
})

it('a pin that announces an epoch gone by when it is stored holds the next one as well', () => {
  const arena = smallArena()
  const [a, b] = [join(arena, 1), join(arena, 2)]
  // Between a's load of the epoch and its store of the state, the epoch goes on by three.
  const between = interruptAt(
    2,
    () => a.scheme.enter(),
    () => void [1, 2, 3].map(() => b.scheme.tryAdvance()),
  )
  expect(between).toBe(true)
  expect(b.scheme.epoch()).toBe(3)
  expect(b.scheme.tryAdvance()).toBe(false)
  a.scheme.leave()
  expect(b.scheme.tryAdvance()).toBe(true)
})

it('pins nest: only the outermost leave ends one', () => {
  const arena = smallArena()
  const [a, b] = [join(arena, 1), join(arena, 2)]
  for (let depth = 0; depth < 3; depth++) a.scheme.enter()
  expect(b.scheme.flush()).toBe(0)
  const held = b.scheme.epoch()
  for (let depth = 0; depth < 2; depth++) {
    a.scheme.leave()
    expect(a.scheme.pinned()).toBe(true)
    b.scheme.flush()
    expect(b.scheme.epoch()).toBe(held)
  }
  a.scheme.leave()
  expect(a.scheme.pinned()).toBe(false)
  b.scheme.flush()
  expect(b.scheme.epoch()).toBeGreaterThan(held + 1)
})

it('a nested enter does not announce a newer epoch', () => {
  const arena = smallArena()
  const [a, b] = [join(arena, 1), join(arena, 2)]
  a.scheme.enter()
  expect(b.scheme.tryAdvance()).toBe(true)
  a.scheme.enter()
  expect(b.scheme.tryAdvance()).toBe(false)
})

it('repin moves on, but only at depth one', () => {
  const arena = smallArena()
  const [a, b] = [join(arena, 1), join(arena, 2)]
  a.scheme.enter()
  expect(b.scheme.tryAdvance()).toBe(true)
  a.scheme.enter()
  a.scheme.repin()
  expect(b.scheme.tryAdvance()).toBe(false)
  a.scheme.leave()
  a.scheme.repin()
  expect(a.scheme.pinned()).toBe(true)
  expect([b.scheme.tryAdvance(), b.scheme.tryAdvance()]).toEqual([true, false])
  a.scheme.leave()
  a.scheme.repin()
  expect(a.scheme.pinned()).toBe(false)
  expect([b.scheme.tryAdvance(), b.scheme.tryAdvance()]).toEqual([true, true])
})

it('counts the others that are pinned', () => {
  const arena = smallArena()
  const joined = [1, 2, 3].map((threadId) => join(arena, threadId))
  for (const { scheme } of joined) scheme.enter()
  expect(joined[0]!.scheme.others()).toBe(2)
  joined[1]!.scheme.leave()
  expect(joined[0]!.scheme.others()).toBe(1)
  expect(joined[1]!.scheme.others()).toBe(2)
})

it('a pinned participant cannot detach', () => {
  const arena = smallArena()
  const a = join(arena, 1)
  a.scheme.enter()
  expect(() => a.scheme.detach()).toThrow(HeddleError)
  a.scheme.leave()
  a.scheme.detach()
})

it('epochs eject nobody, and a reference needs no announcement', () => {
  const arena = smallArena()
  const [a, b] = [join(arena, 1), join(arena, 2)]
  a.scheme.enter()
  a.scheme.protect()
  for (let i = 0; i < 5; i++) b.scheme.flush()
  expect(a.scheme.valid()).toBe(true)
  retire(b, 1)
  expect(b.scheme.flush()).toBe(1)
})
