import { describe, expect, it } from 'vitest'
import { dead } from '../../../src/log/block.ts'
import { BASE_EXTRA, BASE_FENCES, BASE_ID, BASE_RIGHT, BASE_SHAPE } from '../../../src/pagecache/base.ts'
import { FRAGMENT_MASK, FROZEN } from '../../../src/pagecache/fragment.ts'
import { REMOVED, ROOT } from '../../../src/pagecache/page-table.ts'
import type { Engine } from '../../../src/store/engine.ts'
import { childrenAt, headsAt, highAt, highBytes, lowAt, separatorsAt } from '../../../src/tree/page.ts'
import { extentListAt } from '../../../src/tree/record.ts'
import { append } from '../log/logs.ts'
import { firstEngine, put } from './engines.ts'
import { level, makeRoom, pageOf } from './images.ts'

const keys = Array.from({ length: 40 }, (_, i) => `key${String(i).padStart(3, '0')}`)

/** A tree of three levels at rest, with some keys in slots. */
function whole(): Engine {
  const engine = firstEngine({ leafSlots: 3 })
  for (const key of keys) put(engine, key, `value of ${key}`)
  engine.drain()
  const report = engine.verify()
  expect(report.problems).toEqual([])
  expect([report.entries, report.height > 2]).toEqual([keys.length, true])
  return engine
}

/** A leaf with several entries in the middle of the tree, the words of its entries, and its neighbours. */
function aLeaf(engine: Engine) {
  const leaves = level(engine, 0)
  const at = leaves.findIndex(({ heads }, i) => i > 1 && heads.length >= 3)
  const { words } = engine.arena
  const { base, id } = leaves[at]!
  const heads = headsAt(words, base)
  const entries = heads + leaves[at]!.heads.length
  return { words, bytes: engine.arena.bytes, id, base, heads, entries, before: leaves[at - 1]!, after: leaves[at + 1]! }
}

function anInner(engine: Engine) {
  const pages = level(engine, 1)
  const page = pages.find(({ children }) => children.length >= 3)!
  return { ...page, words: engine.arena.words, bytes: engine.arena.bytes }
}

function recordOf(engine: Engine, base: number, i: number): number {
  return engine.arena.words[engine.tree.context.cache.entriesAt(base) + i]! & FRAGMENT_MASK
}

type Corruption = (engine: Engine) => string

const swap = (words: Int32Array, a: number, b: number): void => {
  ;[words[a], words[b]] = [words[b]!, words[a]!]
}

const inLeaves: Record<string, Corruption> = {
  'a wrong head': (engine) => {
    const { words, heads, id } = aLeaf(engine)
    words[heads + 1]! ^= 1
    return `a head of leaf ${id} is wrong`
  },
  'entries out of order': (engine) => {
    const { words, heads, entries, id } = aLeaf(engine)
    swap(words, heads, heads + 1)
    swap(words, entries, entries + 1)
    return `the entries of leaf ${id} are out of order`
  },
  'a key past the high fence': (engine) => {
    const { words, entries, id, after } = aLeaf(engine)
    words[entries + 1] = recordOf(engine, after.base, 0)
    return `leaf ${id} holds a key at or past its high fence`
  },
  'a key below the low fence': (engine) => {
    const { words, entries, id, before } = aLeaf(engine)
    words[entries] = recordOf(engine, before.base, 0)
    return `leaf ${id} holds a key below its low fence`
  },
  'a key past the fence in a slot': (engine) => {
    const { words, base, id, after } = aLeaf(engine)
    words[engine.tree.context.cache.slotsAt(base)] = recordOf(engine, after.base, 0)
    return `leaf ${id} holds a key at or past its high fence`
  },
  'a dead record': (engine) => {
    const { words, base, id } = aLeaf(engine)
    const record = recordOf(engine, base, 1)
    words[record] = dead(words[record]!)
    return `a record of leaf ${id} at word ${record} is dead or no block at all`
  },
  'a record that two words lead to': (engine) => {
    const { base, id, words } = aLeaf(engine)
    const record = recordOf(engine, base, 1)
    words[engine.tree.context.cache.slotsAt(base)] = record
    return `a record of leaf ${id} at word ${record} is reachable twice`
  },
  'a key that is there twice': (engine) => {
    const { words, base, id } = aLeaf(engine)
    const record = recordOf(engine, base, 1)
    const copy = append(engine, engine.arena, 8)
    words.copyWithin(copy + 1, record + 1, record + 8)
    words[copy] = words[record]!
    words[engine.tree.context.cache.slotsAt(base)] = copy
    return `leaf ${id} holds a key twice`
  },
}

const inChains: Record<string, Corruption> = {
  'no root': (engine) => {
    engine.tree.context.table.install(ROOT, engine.tree.context.table.load(ROOT) | REMOVED)
    return 'the root page is not there'
  },
  'a link to a page that is not there': (engine) => {
    const { words, before } = aLeaf(engine)
    words[before.base + BASE_RIGHT] = 200
    return 'page 200 of level 0 is linked, but it is not there'
  },
  'a link that goes back': (engine) => {
    const { words, base, before } = aLeaf(engine)
    words[base + BASE_RIGHT] = before.id
    return `page ${before.id} of level 0 is linked, but it is met twice`
  },
  'a base that belongs to another page': (engine) => {
    const { words, base, id } = aLeaf(engine)
    words[base + BASE_ID] = 77
    return `page ${id} has a base that belongs to page 77`
  },
  'a page of another level': (engine) => {
    const { words, base, id } = aLeaf(engine)
    words[base + BASE_SHAPE]! += 1 << 24
    return `page ${id} is not of level 0`
  },
  'a page that does not begin where its neighbour ends': (engine) => {
    const { bytes, after, base } = aLeaf(engine)
    bytes[highAt(base) + highBytes(engine.arena.words, base) - 1]! += 1
    return `page ${after.id} does not begin where its left neighbour ends`
  },
  'a high fence at the end': (engine) => {
    const last = level(engine, 0).at(-1)!
    engine.arena.words[last.base + BASE_FENCES]! &= ~0xffff
    return 'the last page of level 0 has a high fence'
  },
  'a low fence at the beginning': (engine) => {
    const first = level(engine, 0)[0]!
    engine.arena.words[first.base + BASE_FENCES]! |= 3 << 16
    return 'the first page of level 0 has a low fence'
  },
  'a dead base': (engine) => {
    const { words, base, id } = aLeaf(engine)
    words[base] = dead(words[base]!)
    return `page ${id} at word ${base} is dead or no block at all`
  },
}

const inInners: Record<string, Corruption> = {
  'a child that is not there': (engine) => {
    const { words, base, id } = anInner(engine)
    words[childrenAt(words, base) + 1] = 201
    return `inner page ${id} names page 201, which is not there`
  },
  'children that are exchanged': (engine) => {
    const { words, base, id } = anInner(engine)
    swap(words, childrenAt(words, base) + 1, childrenAt(words, base) + 2)
    return `child 1 of inner page ${id} does not begin at its separator`
  },
  'a wrong separator': (engine) => {
    const { words, bytes, base, id } = anInner(engine)
    bytes[separatorsAt(words, base) + 1]! ^= 1
    return `child 1 of inner page ${id} does not begin at its separator`
  },
  'separators out of order': (engine) => {
    const { words, bytes, base, id, separators } = anInner(engine)
    bytes[separatorsAt(words, base) + separators[1]!.length]! = 0
    return `the separators of inner page ${id} are out of order`
  },
  'a low fence that is not that of the first child': (engine) => {
    const page = level(engine, 1).at(-1)!
    engine.arena.bytes[lowAt(engine.arena.words, page.base)]! ^= 1
    return `child 0 of inner page ${page.id} does not begin at its separator`
  },
  'no child': (engine) => {
    const { words, base, id } = anInner(engine)
    words[base + BASE_SHAPE]! &= ~0xfff
    return `inner page ${id} has no child`
  },
}

describe.each(Object.entries({ ...inLeaves, ...inChains, ...inInners }))('%s', (_, corrupt) => {
  it('is found', () => {
    const engine = whole()
    const problem = corrupt(engine)
    expect(engine.verify().problems).toContain(problem)
  })
})

describe('large values', () => {
  const kinds = { 'a dead extent': 'is dead or no block at all', 'an extent of two records': 'is reachable twice' }

  it.each(Object.entries(kinds))('%s is found', (kind, problem) => {
    const engine = firstEngine()
    for (const key of ['a', 'b']) put(engine, key, 'x'.repeat(40_000))
    expect(engine.verify().problems).toEqual([])
    const { words } = engine.arena
    engine.drain()
    engine.scheme.enter()
    makeRoom(engine)
    engine.tree.consolidate(ROOT, engine.tree.context.table.load(ROOT))
    engine.scheme.leave()
    const { base } = pageOf(engine, ROOT)
    const [first, second] = [recordOf(engine, base, 0), recordOf(engine, base, 1)]
    const list = extentListAt(first, words[first]!)
    const extent = words[list + 3]!
    if (kind === 'a dead extent') words[extent] = dead(words[extent]!)
    else words[extentListAt(second, words[second]!) + 2] = extent
    expect(engine.verify().problems).toContain(`an extent of leaf 1 at word ${extent} ${problem}`)
  })
})

it('many problems are reported up to a limit, and none is carried over to the next time', () => {
  const engine = whole()
  const { words } = engine.arena
  for (const { base } of level(engine, 0)) words[base + BASE_ID]! += 100
  expect(engine.verify().problems.length).toBeGreaterThan(5)
  expect(engine.verify().problems.length).toBeLessThanOrEqual(20)
  for (const { base } of level(engine, 0)) words[base + BASE_ID]! -= 100
  expect(engine.verify().problems).toEqual([])
})

it('frozen words and deletions are no problem', () => {
  const engine = whole()
  const { base } = aLeaf(engine)
  engine.tree.context.cache.freeze(base)
  expect(engine.arena.words[engine.tree.context.cache.entriesAt(base)]! & FROZEN).not.toBe(0)
  engine.arena.words[base + BASE_EXTRA] = 1
  expect(engine.verify().problems).toEqual([])
})
