import { expect, test } from 'vitest'
import { Control, PAUSE, RUN } from '../../../src/cli/soak/control.ts'
import { privateIndex, privateKey, PRIVATE_KEYS, valueOf, writerOf } from '../../../src/cli/soak/plan.ts'

test('what is done and what is intended add up over slots', () => {
  const control = new Control(3)
  const [a, b] = control.slots
  a.announce(5, 3)
  a.settle(5, 3)
  b.announce(5, 2)
  expect([control.done(5), control.intended(5)]).toEqual([3, 5])
  b.withdraw(5, 2)
  expect([control.done(5), control.intended(5)]).toEqual([3, 3])
  expect([control.done(4), control.intended(6)]).toEqual([0, 0])
})

test('a second view of the shared words sees what the first one wrote', () => {
  const control = new Control(2)
  const same = new Control(control.buffer)
  control.give(PAUSE)
  control.slots[1].announcePrivate(PRIVATE_KEYS - 1, 77)
  expect(same.command()).toBe(PAUSE)
  expect(same.slots).toHaveLength(2)
  expect(same.slots[1].pending()).toEqual({ key: PRIVATE_KEYS - 1, state: 77 })
  expect(same.slots[0].pending()).toBeUndefined()
  same.slots[1].settlePrivate(PRIVATE_KEYS - 1, 77)
  expect(control.slots[1].privateState(PRIVATE_KEYS - 1)).toBe(77)
  expect(control.slots[1].pending()).toBeUndefined()
  control.give(RUN)
  same.sleepWhilePaused()
})

test('a new round forgets everything but the sequence', () => {
  const control = new Control(1)
  const [slot] = control.slots
  expect([slot.nextSequence(), slot.nextSequence()]).toEqual([1, 2])
  slot.announce(0, 1)
  slot.settlePrivate(3, 2)
  slot.countOperation()
  control.reset()
  expect([slot.intended(0), slot.privateState(3), slot.operations()]).toEqual([0, 0, 0])
  expect(slot.nextSequence()).toBe(3)
})

test.each([true, false])('a value tells who wrote it, and whether it is whole (tiny: %s)', (tiny) => {
  for (let sequence = 1; sequence < 3000; sequence++) {
    const value = valueOf('s/0001', 2, sequence, tiny)
    expect(writerOf('s/0001', value, tiny)).toEqual({ slot: 2, sequence })
    expect(writerOf('s/0002', value, tiny)).toBeUndefined()
    expect(writerOf('s/0001', value + 'a', tiny)).toBeUndefined()
  }
  expect(writerOf('s/0001', '', tiny)).toBeUndefined()
  expect(writerOf('s/0001', 's/0001|x|1|', tiny)).toBeUndefined()
})

test('values come in several sizes, some of them large', () => {
  const sizes = Array.from({ length: 5000 }, (_, i) => valueOf('x', 0, i + 1, false).length)
  expect(sizes.filter((size) => size >= 100_000).length).toBeGreaterThan(0)
  expect(sizes.filter((size) => size < 250).length).toBeGreaterThan(3000)
  const tiny = Array.from({ length: 5000 }, (_, i) => valueOf('x', 0, i + 1, true).length)
  expect(Math.max(...tiny)).toBeLessThan(30_000)
})

test('private keys sort like their numbers, and lead back to them', () => {
  const keys = Array.from({ length: PRIVATE_KEYS }, (_, i) => privateKey(7, i))
  expect(keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))).toEqual(keys)
  expect(keys.map((key) => privateIndex(7, key))).toEqual([...keys.keys()])
  expect(Math.max(...keys.map((key) => Buffer.byteLength(key)))).toBeLessThanOrEqual(1024)
})
