/** Records that an exception has left in the writer's hands: they are not linked later, and not looked at once their segment is in other use. */
import { expect, it, vi } from 'vitest'
import { Engine } from '../../../src/store/engine.ts'
import { faults, firstEngine, get, put, remove, setKey } from './engines.ts'

/** An engine with a snapshot, so that a deletion leaves a tombstone. */
function world(): { engine: Engine; other: Engine; end(): void } {
  const engine = firstEngine()
  const other = new Engine(engine.arena, 2)
  for (const key of ['a', 'b', 'c']) put(engine, key, key)
  const mark = engine.snapshots.take(0)
  for (const key of ['a', 'b', 'c']) put(other, key, 'new')
  return { engine, other, end: () => engine.snapshots.close(mark) }
}

it('a removal that an exception ends leaves no tombstone behind', () => {
  const { engine, end } = world()
  const { tree } = engine
  const overwrite = vi.spyOn(tree.context.cache, 'overwrite').mockImplementationOnce(() => {
    expect(tree.writer.record).not.toBe(0)
    throw new RangeError('want of stack')
  })
  expect(() => remove(engine, 'a')).toThrow(RangeError)
  overwrite.mockRestore()
  expect(tree.writer.record).toBe(0)
  expect(get(engine, 'a')).toBe('new')
  end()
  expect(faults(engine)).toEqual([])
})

it('a tombstone that was left is not linked for another key', () => {
  const { engine, end } = world()
  const { tree } = engine
  setKey(engine, 'a')
  tree.writer.writeTombstone(tree.key)
  expect(remove(engine, 'b')).toBe(true)
  expect([get(engine, 'a'), get(engine, 'b')]).toEqual(['new', undefined])
  expect(engine.verify().problems).toEqual([])
  end()
  expect(faults(engine)).toEqual([])
})

it('what was left is dropped before its segment is sealed', () => {
  const { engine, other, end } = world()
  const { tree } = engine
  setKey(engine, 'a')
  tree.writer.writeTombstone(tree.key)
  end()
  other.scheme.reap(99)
  const dead = new Engine(engine.arena, 3)
  put(dead, 'd', 'd')
  engine.scheme.reap(3)
  const seal = vi.spyOn(engine.log, 'sealAll').mockImplementationOnce(() => {
    expect(tree.writer.record).toBe(0)
  })
  engine.drain()
  expect(seal).toHaveBeenCalled()
  seal.mockRestore()
  expect(faults(engine)).toEqual([])
})

it('what is left of a value in several pieces is dropped before the next record', () => {
  const engine = firstEngine()
  const { tree, log } = engine
  const value = new Uint8Array(3 * engine.arena.layout.segmentWords)
  setKey(engine, 'a')
  const whole = log.complete.bind(log)
  const complete = vi.spyOn(log, 'complete').mockImplementation((at, header) => {
    if (complete.mock.calls.length > 1) throw new RangeError('want of stack')
    whole(at, header)
  })
  // As if there was no stack left for that either.
  const abandon = vi.spyOn(tree.writer, 'abandon').mockImplementation(() => {})
  expect(() => tree.writer.writeLarge(tree.key, value, value.length, false)).toThrow(RangeError)
  complete.mockRestore()
  abandon.mockRestore()
  expect(tree.writer.record).toBe(0)
  put(engine, 'b', 'b')
  expect(faults(engine)).toEqual([])
})
