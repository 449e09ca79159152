import { describe, expect, it } from 'vitest'
import { KIND_PAGE, isDead, kindOf, wordsOf } from '../../../src/log/block.ts'
import { ROOT } from '../../../src/pagecache/page-table.ts'
import { COUNTER, sumCounter } from '../../../src/reclaim/participant.ts'
import { Engine } from '../../../src/store/engine.ts'
import { Relocation } from '../../../src/tree/relocation.ts'
import { random } from '../../support/random.ts'
import { append } from '../log/logs.ts'
import { entries, faults, firstEngine, get, put, remove, wrongCounts } from './engines.ts'
import { allPages, level } from './images.ts'
import { cleanAll } from './works.ts'

const keys = Array.from({ length: 50 }, (_, i) => `key ${String(i).padStart(2, '0')}`)

function filled(): Engine {
  const engine = firstEngine()
  for (const key of keys) put(engine, key, `value of ${key}`)
  return engine
}

/** Every live block of the segments that are sealed. */
function liveBlocks(engine: Engine): number[] {
  const { segments } = engine.log
  const { words } = engine.arena
  const found: number[] = []
  for (let segment = segments.first; segment < segments.used(); segment++) {
    if (!segments.isSealed(segment)) continue
    const start = segments.start(segment)
    for (let at = start; at < start + segments.usedWords(segment); at += wordsOf(words[at]!)) {
      if (!isDead(words[at]!)) found.push(at)
    }
  }
  return found
}

describe('cleaning all segments', () => {
  it('moves every page and every record, and changes nothing', () => {
    const engine = filled()
    engine.log.sealAll()
    const before = liveBlocks(engine)
    expect(before.length).toBeGreaterThan(60)
    cleanAll(engine)
    expect(before.every((block) => isDead(engine.arena.words[block]!))).toBe(true)
    expect(entries(engine)).toEqual(keys.map((key) => [key, `value of ${key}`]))
    expect([...faults(engine), ...wrongCounts(engine)]).toEqual([])
    expect(sumCounter(engine.arena, COUNTER.relocatedWords)).toBeGreaterThan(200)
    expect(sumCounter(engine.arena, COUNTER.segmentsCleaned)).toBeGreaterThan(0)
  })

  it('over and over, by two in turn, with writes between, loses nothing', () => {
    const engine = filled()
    const other = new Engine(engine.arena, 2)
    const model = new Map(keys.map((key) => [key, `value of ${key}`]))
    for (let round = 0; round < 8; round++) {
      const one = round % 2 === 0 ? engine : other
      for (const [i, key] of keys.entries()) {
        if ((i + round) % 5 === 0) {
          remove(one, key)
          model.delete(key)
        } else if ((i + round) % 3 === 0) {
          put(one, key, `${round}`)
          model.set(key, `${round}`)
        }
      }
      one.log.sealAll()
      cleanAll(round % 3 === 0 ? engine : other)
      expect(entries(engine)).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)))
      expect([...faults(engine), ...wrongCounts(engine)]).toEqual([])
    }
    other.detach()
    expect(faults(engine)).toEqual([])
  })

  it('gets pages out of the way that are frozen, and such as have a full set of slots', () => {
    const engine = filled()
    const { cache } = engine.tree.context
    for (const [i, { base }] of level(engine, 0).entries()) if (i % 2 === 0) cache.freeze(base)
    engine.log.sealAll()
    const bases = new Set(allPages(engine).map(({ base }) => base))
    cleanAll(engine)
    expect(allPages(engine).filter(({ base }) => bases.has(base))).toEqual([])
    for (const key of keys) expect(get(engine, key)).toBe(`value of ${key}`)
    expect(faults(engine)).toEqual([])
  })

  it('drops blocks that nothing leads to, of every kind', () => {
    const engine = filled()
    const other = new Engine(engine.arena, 2)
    const { words } = engine.arena
    // Copies of a record and of a page that were never linked, as a dead thread leaves them.
    const { base } = level(engine, 0)[2]!
    const record = words[engine.tree.context.cache.entriesAt(base)]!
    const lost = [base, record].map((source) => {
      const size = wordsOf(words[source]!)
      const copy = append(other, engine.arena, size)
      words.copyWithin(copy, source, source + size)
      return copy
    })
    other.log.sealAll()
    expect(engine.verify().leakedWords).toBe(lost.reduce((sum, block) => sum + wordsOf(words[block]!), 0))
    cleanAll(engine)
    engine.scheme.flush()
    expect(entries(engine)).toHaveLength(keys.length)
    expect(faults(engine)).toEqual([])
    other.detach()
  })
})

describe('a block', () => {
  it('is reachable if its page id or its key leads to it, and only then', () => {
    const engine = filled()
    put(engine, 'large', 'x'.repeat(20_000))
    const { isReachable } = new Relocation(engine.tree)
    engine.log.sealAll()
    const { words } = engine.arena
    engine.scheme.enter()
    const live = liveBlocks(engine)
    expect(new Set(live.map((block) => kindOf(words[block]!))).size).toBe(4)
    expect(live.every((block) => isReachable(block, words[block]!))).toBe(true)
    engine.scheme.leave()
    const old = live.filter((block) => kindOf(words[block]!) !== KIND_PAGE)
    for (const key of keys) put(engine, key, 'new')
    put(engine, 'large', 'new')
    engine.scheme.enter()
    expect(old.some((block) => isReachable(block, words[block]!))).toBe(false)
    expect(isReachable(engine.tree.context.table.load(ROOT), words[engine.tree.context.table.load(ROOT)]!)).toBe(true)
    engine.scheme.leave()
  })
})

describe('an arena that is nearly full', () => {
  it('goes on by cleaning: writes many times its size', () => {
    const engine = firstEngine({ pageIds: 2000 })
    const value = 'x'.repeat(500)
    const rng = random(1)
    const model = new Map<string, string>()
    const written = (): number => sumCounter(engine.arena, COUNTER.segmentsOpened) * engine.arena.layout.segmentWords
    for (let i = 0; written() < 4 * engine.arena.words.length; i++) {
      const key = `key ${rng.int(900)}`
      put(engine, key, `${i} ${value}`)
      model.set(key, `${i} ${value}`)
    }
    expect(sumCounter(engine.arena, COUNTER.segmentsCleaned)).toBeGreaterThan(10)
    expect(new Map(entries(engine))).toEqual(model)
    expect([...faults(engine), ...wrongCounts(engine)]).toEqual([])
  })

  it('that is full says so, lets entries be deleted, and takes new ones then', () => {
    const engine = firstEngine()
    const value = 'x'.repeat(900)
    let count = 0
    const fill = (): void => {
      for (; ; count++) put(engine, `key ${count}`, value)
    }
    expect(fill).toThrow(expect.objectContaining({ code: 'HEDDLE_FULL' }))
    expect(fill).toThrow(expect.objectContaining({ code: 'HEDDLE_FULL' }))
    expect(entries(engine)).toHaveLength(count)
    expect(engine.verify().problems).toEqual([])
    for (let i = 0; i < count; i += 2) expect(remove(engine, `key ${i}`)).toBe(true)
    for (let i = 0; i < count / 4; i++) expect(put(engine, `new ${i}`, value)).toBe(true)
    expect(entries(engine)).toHaveLength(Math.floor(count / 2) + Math.ceil(count / 4))
    expect([...faults(engine), ...wrongCounts(engine)]).toEqual([])
  })
})
