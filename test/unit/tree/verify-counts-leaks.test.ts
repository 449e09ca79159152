import { describe, expect, it } from 'vitest'
import { FREE } from '../../../src/reclaim/ownership.ts'
import { Engine } from '../../../src/store/engine.ts'
import { append } from '../log/logs.ts'
import { faults, firstEngine, put, setKey } from './engines.ts'
import { level } from './images.ts'

/** A tree of three levels at rest. */
function whole(): Engine {
  const engine = firstEngine()
  for (let i = 0; i < 40; i++) put(engine, `key ${i}`)
  engine.drain()
  const { problems, leakedWords, leakedPageIds, waitingPageIds, waitingSegments } = engine.verify()
  expect([problems, leakedWords, leakedPageIds, waitingPageIds, waitingSegments]).toEqual([[], 0, 0, 0, 0])
  return engine
}

describe('leaks', () => {
  it('a complete block that nothing leads to is leaked', () => {
    const engine = whole()
    append(engine, engine.arena, 12)
    const report = engine.verify()
    expect([report.problems, report.leakedWords, report.leakedPageIds]).toEqual([[], 12, 0])
  })

  it('a page that nothing leads to is leaked, its id and its words', () => {
    const engine = whole()
    const { base } = level(engine, 0)[1]!
    engine.scheme.enter()
    const id = engine.tree.context.table.allocate()
    engine.scheme.leave()
    expect(engine.verify().leakedPageIds).toBe(0)
    engine.tree.context.table.install(id, base)
    expect(engine.verify().leakedPageIds).toBe(1)
  })

  it('a free id on no list is leaked', () => {
    const engine = whole()
    engine.scheme.enter()
    const id = engine.tree.context.table.allocate()
    engine.scheme.leave()
    engine.tree.context.table.install(id, FREE)
    expect(engine.verify().leakedPageIds).toBe(1)
  })

  it('what waits for its epoch is counted apart', () => {
    const engine = whole()
    engine.scheme.enter()
    const { table } = engine.tree.context
    const ids = [table.allocate(), table.allocate()]
    for (const id of ids) table.install(id, 4711)
    for (const id of ids) table.retire(id, 4711)
    engine.scheme.leave()
    const report = engine.verify()
    expect([report.leakedPageIds, report.waitingPageIds, report.waitingSegments]).toEqual([0, 2, 0])
    const segment = engine.log.segments.open(false)
    engine.log.segments.seal(segment, 0)
    expect(engine.verify().waitingSegments).toBe(1)
  })

  it('what is reachable is counted in words', () => {
    const engine = whole()
    const { segments } = engine.log
    engine.log.sealAll()
    engine.scheme.flush()
    let live = 0
    for (let segment = segments.first; segment < segments.used(); segment++) {
      if (segments.isSealed(segment)) live += segments.usedWords(segment) - segments.deadWords(segment)
    }
    expect(engine.verify().reachableWords).toBe(live)
  })
})

it('what a live participant holds is not leaked: its open segments, and ids in its cache', () => {
  const engine = whole()
  const other = new Engine(engine.arena, 2)
  for (let i = 0; i < 20; i++) put(other, `other ${i}`)
  const report = engine.verify()
  expect([report.problems, report.leakedWords, report.leakedPageIds]).toEqual([[], 0, 0])
  other.detach()
})

it('what a death leaves in a segment that another thread has open waits until that is sealed', () => {
  const engine = whole()
  const other = new Engine(engine.arena, 2)
  setKey(other, 'of nobody')
  const at = other.tree.writer.begin(other.tree.key, 1)
  engine.arena.bytes[at] = 7
  other.tree.writer.finish(other.tree.key.length, 1, false)
  other.tree.writer.linked()
  engine.drain()
  const before = engine.verify()
  expect([before.leakedWords > 0, before.waitingWords]).toEqual([true, 0])
  new Engine(engine.arena, 3)
  engine.scheme.reap(3)
  engine.drain()
  const after = engine.verify()
  expect([after.leakedWords, after.waitingWords]).toEqual([0, before.leakedWords])
  other.log.sealAll()
  engine.drain()
  expect(faults(engine)).toEqual([])
  other.detach()
})
